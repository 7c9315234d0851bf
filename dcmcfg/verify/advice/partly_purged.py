"""What to do where only a part of the study was in the archive's own storage, and not all of it was delivered."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.verify.advice.case import SUCCESS, Case
from dcmcfg.verify.called_ae import NOT_PERFORMED
from dcmcfg.verify.file_evidence import Files, recalled

_SOME_FAILED = 0xB000


def applies(case: Case) -> bool:
    """Return whether this advice is for *case*: other files have none for it then."""
    reported = case.reported
    if case.files.finding is not Files.IN_PART or not case.files.away or reported.ok or case.astray:
        return False
    rejected = reported.status == NOT_PERFORMED and "A-ASSOCIATE-RJ" in reported.comment
    counted = reported.status in (SUCCESS, _SOME_FAILED) and not reported.failed and not reported.warning
    return rejected or counted


def steps(case: Case) -> Iterator[str]:
    if not applies(case):
        return
    if case.reported.status == NOT_PERFORMED:
        yield (
            f"{case.external} rejected the association, or {case.destination} did. Both must accept the calling AE "
            f"title {case.archive}: for a partly purged study the archive asks under its own title. "
            f"{case.work_order} --calling {case.archive} lists what the external archive's administrator must enter"
        )
    elif case.back_to is not None and recalled(case.evidence):
        yield (
            f"the archive recalled {recalled(case.evidence)} instances from {case.external}, which are in its own "
            "storage now, and did not forward them. Of a partly purged study it forwards what it recalls only with "
            f"this setting: {case.add_mapping}"
        )
    else:
        yield (
            f"the archive sent only the instances in its own storage. It asked {case.external} for the others, which "
            f"sent none: its log shows the reason. It must accept the calling AE title {case.archive}, because for a "
            f"partly purged study the archive asks under its own title ({case.work_order} --calling {case.archive})"
        )
