"""Advice for a partly purged study that was not delivered completely."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dicom.status import SOME_SUB_OPERATIONS_FAILED, SUCCESS, UNABLE_TO_PERFORM_SUB_OPERATIONS
from dcmcfg.verify.advice.case import AdviceCase
from dcmcfg.verify.local_files import FileLocality, count_recalled


def is_applicable(case: AdviceCase) -> bool:
    """Return whether this advice applies to *case*; then the other modules give none."""
    reported = case.report
    if (
        case.files.locality is not FileLocality.PARTLY_LOCAL
        or not case.files.not_local_count
        or reported.is_success
        or case.misrouting_advice
    ):
        return False
    # A rejection by the external archive stops the local instances too, so nothing is delivered.
    rejected = reported.status == UNABLE_TO_PERFORM_SUB_OPERATIONS and "A-ASSOCIATE-RJ" in reported.comment
    is_count_mismatch = (
        reported.status in (SUCCESS, SOME_SUB_OPERATIONS_FAILED) and not reported.failed and not reported.warning
    )
    return rejected or is_count_mismatch


def suggest_steps(case: AdviceCase) -> Iterator[str]:
    if not is_applicable(case):
        return
    if case.report.status == UNABLE_TO_PERFORM_SUB_OPERATIONS:
        yield (
            f"{case.external_description} or {case.destination} rejected the association. Both AEs must accept the "
            f"calling AE title {case.archive_ae_title}, because the archive uses its own AE title for a partly purged "
            f"study. To list the settings for the external archive's administrator, run {case.work_order_command} "
            f"--calling {case.archive_ae_title}"
        )
    elif case.external_retrieve_destination is not None and count_recalled(case.evidence):
        yield (
            f"the archive recalled {count_recalled(case.evidence)} instances from {case.external_description} into "
            "its own storage, but did not forward these instances. For a partly purged study, the archive forwards "
            f"recalled instances only with this setting: {case.mapping_command}"
        )
    else:
        yield (
            "the archive sent only the instances in its own storage. The archive requested the other instances from "
            f"{case.external_description}, but received no instance. The log of the external archive shows the "
            f"reason. The external archive must accept the calling AE title {case.archive_ae_title}, because the "
            "archive uses its own AE title for a partly purged study. To see the settings, run "
            f"{case.work_order_command} --calling {case.archive_ae_title}"
        )
