"""What to do next where the archive had to recall the study: what became of that is known, or whom to ask is."""

from __future__ import annotations

from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.files import files_before, recalled
from dcmcfg.verify.stored_route import external_archives

NOT_MATCHED = (
    "what the external archive sent was not matched with this request: its C-STOREs need the Move Originator AE title, "
    "and its AE title must be the one that the archive recorded for the study; else map it with "
    "dcmCStoreSCUOfCMoveSCP on the archive's device"
)


def nothing_forwarded(evidence: Evidence) -> str:
    """Return the step where 0000 came without one instance, of a study that was away; "" of another."""
    if evidence.records or recalled(evidence):
        return NOT_MATCHED
    if evidence.route.destination is None or not files_before(evidence).away:
        return ""
    return (
        f"nothing of the study came back to the archive: see in the log of {_external(evidence)} whether it was asked, "
        "whether it sent anything, and as which AE: the archive takes an object only from the AE that it recorded as "
        "holding it. Was it not asked: dcmRestrictRetrieveSilently with a missing transfer capability"
    )


def not_received(evidence: Evidence) -> str:
    """Return the step where the external archive says that it sent what did not arrive; "" where it did not send."""
    if evidence.route.destination is not None or not files_before(evidence).away or recalled(evidence):
        return ""
    destination = evidence.question.destination
    return (
        f"{_external(evidence)} sends straight to {destination}, by its own list of AEs: compare the host and port "
        "there with where this machine is; its log says what it sent"
    )


def too_few(evidence: Evidence) -> str:
    """Return the step where fewer were sent than the archive lists; "" where it need not have recalled any."""
    away = files_before(evidence).away
    if not away:
        return ""
    if away < len(evidence.expected):
        return (
            "of a study that is partly in its own storage the archive forwards what it recalls only where "
            "dcmCStoreSCUOfCMoveSCP on its device names the external archive's store SCU"
        )
    return f"does {_external(evidence)} hold all {evidence.expected_number}? Its log says how many it sent"


def unable_to_process(evidence: Evidence) -> str:
    """Return the step where a status in the C000s came, of a study that was away; "" of another."""
    if not files_before(evidence).away:
        return ""
    destination = evidence.route.destination or evidence.question.destination
    return (
        f"{_external(evidence)} most likely answered so, and the archive passed it on: its log says why. An Orthanc "
        f"answers C000 where {destination} is not in its DicomModalities (dcmcfg work-order gives the lines)"
    )


def _external(evidence: Evidence) -> str:
    named = ", ".join(title for title in external_archives(evidence) if title)
    return f"the external archive {named}" if named else "the external archive"
