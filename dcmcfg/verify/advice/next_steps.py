"""The steps to take next, in the order in which they are worth trying."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dcmcfg.dicom.storage.service import NOT_KEPT
from dcmcfg.verify.advice import (
    actual_path,
    count_mismatch,
    destination_refused,
    external_archive_unknown,
    fallback,
    no_final_response,
    not_delivered,
    not_performed,
    partly_purged,
    unconfigured_storage,
)
from dcmcfg.verify.advice.case import Case
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import Received, Reported, Route

NO_ROOM = "the folder of --keep needs room, and this user must be able to write there; then verify again"

#: Each yields nothing where it is not what went wrong. A new step goes where its answer stands.
PARTS: tuple[Callable[[Case], Iterator[str]], ...] = (
    external_archive_unknown.steps,  # nobody can be asked for the study, or the external archive's record says why it failed
    actual_path.steps_of_another_way,  # what came, came by another way than the configured one
    destination_refused.steps,  # A801, C801
    unconfigured_storage.steps,  # the archive cannot read the files
    fallback.steps,  # the archive did not know the study
    partly_purged.steps,  # the archive had some of the files
    no_final_response.steps,  # the association ended, or the time was over
    not_performed.steps,  # any other status, or 0000 with failures and warnings
    count_mismatch.steps,  # 0000, and the numbers do not fit
    not_delivered.steps,  # reported well, and our receiver saw something else
    actual_path.steps_of_a_local_study,  # all went well, and nothing was tried
)


def next_steps(evidence: Evidence, reported: Reported, received: Received, route: Route) -> tuple[str, ...]:
    """Return the steps to take, the most promising first; empty when nothing went wrong."""
    if any(problem.startswith(NOT_KEPT) for _, problem in received.unsound):
        return (NO_ROOM,)
    case = Case(evidence, reported, received, route)
    return tuple(dict.fromkeys(step for part in PARTS for step in part(case)))
