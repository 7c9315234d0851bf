"""Write the reports of ``verify`` to files: CSV, JUnit XML and HTML; loaded only if there are such files."""

from __future__ import annotations

from datetime import UTC, datetime

from dcmcfg.bulk.report import BulkReport
from dcmcfg.bulk.run_options import ReceiverKind, collect_run_parameters
from dcmcfg.bulk.study_result import (
    AttemptResult,
    RecordedAttempt,
    StudyResult,
    make_attempt_result,
    make_unsent_result,
)
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.output import STDOUT, write_report
from dcmcfg.cli.verify.run import VerifyRun
from dcmcfg.errors import DcmcfgError
from dcmcfg.render.bulk_files import render_bulk_csv, render_bulk_junit
from dcmcfg.render.html.bulk_page import render_bulk_page
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import Evidence, VerificationRequest
from dcmcfg.verify.verdict import Verdict

_RENDERERS = {"csv": render_bulk_csv, "junit": render_bulk_junit, "html": render_bulk_page}


def write_report_files(run: VerifyRun, report: BulkReport) -> None:
    """Write each report file of *run* completely or not at all, and print the name of the file on standard error.

    Raises :class:`~dcmcfg.errors.DcmcfgError` if a file cannot be written.
    """
    for form, target in run.reports.files.items():
        must_be_new = not run.evidence_files.replace and target != STDOUT
        write_report(target, _RENDERERS[form](report), must_be_new=must_be_new)
        if target != STDOUT:
            print_message(f"{form}: {target}")


class SingleStudyReport:
    """The report on a run with one study; the run begins when the object is created."""

    def __init__(
        self,
        run: VerifyRun,
        request: VerificationRequest,
        addresses: VerificationAddresses,
        *,
        has_temporary_destination: bool,
    ) -> None:
        if has_temporary_destination:
            receiver_kind = ReceiverKind.TEMPORARY_DESTINATION
        else:
            receiver_kind = ReceiverKind.DCMCFG if run.receiver_settings else ReceiverKind.EXTERNAL
        self._run = run
        self._study_uid = request.study_uid
        self._started = datetime.now(UTC)
        self._warnings = addresses.warnings
        storage_folder = run.receiver_settings.storage_folder if run.receiver_settings else None
        self._parameters = collect_run_parameters(
            request, addresses, run.settings, receiver_kind, keeps_files=storage_folder is not None
        )

    def write(self, verdict: Verdict, evidence: Evidence) -> None:
        """Write the report files with *verdict*; raises what :func:`write_report_files` raises."""
        self._write_result(make_attempt_result(verdict, evidence, self._warnings))

    def write_unsent(self, error: DcmcfgError) -> None:
        """Write the report files of a run that ended with *error* before a C-MOVE was sent."""
        self._write_result(make_unsent_result(error))

    def _write_result(self, result: AttemptResult) -> None:
        now = datetime.now(UTC)
        attempt = RecordedAttempt(self._started, now, result, is_final=True)
        study_result = StudyResult(self._study_uid, (attempt,), is_complete=True)
        write_report_files(self._run, BulkReport.create(self._parameters, None, [study_result], now))
