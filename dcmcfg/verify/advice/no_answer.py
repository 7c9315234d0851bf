"""What to do where no final answer came to the C-MOVE."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dicom.association import NOT_DICOM
from dcmcfg.verify.advice.case import Case
from dcmcfg.verify.verdict import Witness


def steps(case: Case) -> Iterator[str]:
    outcome = case.evidence.outcome
    if case.reported.status is not None or outcome.cancelled:
        return
    if case.received.finding is Witness.COMPLETE:
        yield "all of it has arrived, only the final answer is missing: the archive's log says why; then verify again"
    elif outcome.interrupted == NOT_DICOM:
        yield (
            f"what answered at {case.evidence.question.archive} broke into something else than DICOM: is a proxy or a "
            "firewall in between, or another program on that port by now?"
        )
    elif outcome.timed_out:
        asked = f", like that of {case.external}," if case.files.probably_away else ""
        yield (
            f"the archive may still be at it: its log{asked} says what it waits for; a slow recall needs a longer "
            "dcmRetrieveTimeout on the archive's connection, and --timeout-s here"
        )
    elif case.received.number or case.reported.completed:
        yield (
            "it broke off in the middle: the archive's log says why; was it restarted, or does a firewall cut "
            "connections? Then verify again"
        )
    else:
        yield "the archive's log says why it ended the association; was it restarted?"
        yield (
            "a dcm4chee archive gives no answer when a value in LDAP of the device of "
            f"{case.destination}, or of the external archive, cannot be read (dicomPort, dcmProtocol, the role of a "
            "dicomTransferCapability): dcmcfg lint finds such values"
        )
