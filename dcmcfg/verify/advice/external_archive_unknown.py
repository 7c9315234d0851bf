"""Advice for a purged study without a known external archive, or with a reason in the external archive's log.

Kept apart: each reason for a failure is a module of its own (next_steps.py lists them).
"""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.route.command import format_command
from dcmcfg.verify.advice.case import AdviceCase
from dcmcfg.verify.local_files import find_recorded_archives

NO_EXTERNAL_ARCHIVE = (
    "the archive's database has no external archive for this study. The archive records an external archive only "
    "after a storage commitment (dcmStgCmtSCP on the exporter). The setting dcmExternalRetrieveAET on the storage is "
    "not enough. Export the study again with storage commitment"
)


def suggest_steps(case: AdviceCase) -> Iterator[str]:
    if "" in find_recorded_archives(case.evidence) and case.files.not_local_count and not case.report.is_success:
        yield NO_EXTERNAL_ARCHIVE
    for record in case.evidence.move_records or ():
        # This is Orthanc's own error text, so the external archive is an Orthanc.
        if record.failure.endswith(f"Unknown modality for AET: {record.destination_ae_title}"):
            work_order_command = format_command(
                "work-order", "--external", record.called_ae_title, "--format", "orthanc"
            )
            yield (
                f"the external archive (an Orthanc) does not know {record.destination_ae_title}. The administrator of "
                "the Orthanc must add this AE to DicomModalities. To see the lines for DicomModalities, run "
                f"{work_order_command}"
            )
