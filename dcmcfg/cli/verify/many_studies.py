"""``dcmcfg verify`` over many studies."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dcmcfg.bulk.attempt import MoveTracker, StudyEvidence, StudyRequester, keep_verdict_unchanged
from dcmcfg.bulk.report import BulkReport
from dcmcfg.bulk.requirements import ResultRequirements
from dcmcfg.bulk.run import RunEnding
from dcmcfg.bulk.run_options import ReceiverKind, RunParameters, collect_run_parameters
from dcmcfg.bulk.session import (
    BulkSession,
    RepeatScope,
    SessionResult,
    compute_configuration_checksum,
    require_known_destination,
)
from dcmcfg.bulk.source import ExplicitStudies, StudyQuery, StudySource, find_matching_studies
from dcmcfg.bulk.store import ResultStore
from dcmcfg.bulk.store_catalog import STORE_FOLDER, STORE_SUFFIX
from dcmcfg.bulk.study_result import VerificationOutcome
from dcmcfg.cli import invocation
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.failures import INTERRUPTED_EXIT_CODE
from dcmcfg.cli.session.output import STDOUT, write_report
from dcmcfg.cli.session.status_hint import advise_status, make_next_step
from dcmcfg.cli.terminal import confirm
from dcmcfg.cli.verify.after_sending import convert_failures_after_send
from dcmcfg.cli.verify.bulk_options import BulkOptions
from dcmcfg.cli.verify.destination_request import CommandResult
from dcmcfg.cli.verify.one_study import add_run_options, bind_run_options
from dcmcfg.cli.verify.run import VerifyRun
from dcmcfg.dicom.move import Cancellation
from dcmcfg.errors import DcmcfgError, NegativeResult
from dcmcfg.render.bulk import bulk_json, print_bulk
from dcmcfg.render.bulk_files import render_bulk_csv, render_bulk_junit
from dcmcfg.render.bulk_progress import show_bulk_progress
from dcmcfg.render.html.bulk_page import render_bulk_page
from dcmcfg.render.terminal.console import stderr_console, stdout_console
from dcmcfg.route.command import format_command
from dcmcfg.settings.folders import get_state_subfolder
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import Evidence, VerificationRequest
from dcmcfg.verify.judgement import judge
from dcmcfg.verify.verdict import Verdict

if TYPE_CHECKING:
    from dcmcfg.cli.verify.temporary_destination import ActiveDestination
    from dcmcfg.dicom.peer import Peer
    from dcmcfg.model.devices import Configuration

#: More studies than that are asked about where nobody has said how many may match.
_CONFIRM_ABOVE = 100
_REPORT_RENDERERS = {"csv": render_bulk_csv, "junit": render_bulk_junit, "html": render_bulk_page}


def verify_many(
    run: VerifyRun,
    source: StudySource,
    configuration: Configuration,
    addresses: Addresses,
    *,
    active_destination: ActiveDestination | None = None,
) -> CommandResult:
    """Verify the studies of *source*, print and write what came of it; return the exit code, and what JSON tells.

    *configuration* is the tree's, without *active_destination*, a destination that is there for this run only. The
    witnesses of each study are those of
    :meth:`~dcmcfg.cli.verify.evidence_options.EvidenceOptions.open_bulk_evidence_sources`.
    """
    if active_destination is None:
        require_known_destination(run.destination_ae_title, addresses)
    bulk, wanted, files, listening = (
        run.bulk_options,
        run.evidence_options,
        run.evidence_files,
        run.get_receiver_settings(addresses),
    )
    manner = bulk.run_options
    own = (
        listening.create_destination_receiver(addresses, lambda _: None)
        if listening and active_destination is None
        else None
    )
    receiver = active_destination.receiver if active_destination else own
    question = run.make_request(
        addresses, destination_ae_title=active_destination.ae_title if active_destination else ""
    )
    received_by = (
        ReceiverKind.TEMPORARY_DESTINATION
        if active_destination
        else ReceiverKind.EXTERNAL
        if receiver is None
        else ReceiverKind.DCMCFG
    )
    asked = _make_run_parameters(run, addresses, question, received_by)
    source = _resolve_query(run, source, asked, request=question, addresses=addresses)
    tree = compute_configuration_checksum(configuration, run.settings.device, addresses, question)
    with convert_failures_after_send() as sent:
        with ResultStore.open(_get_store_path(bulk, source, asked), asked) as store, own or nullcontext():
            asking = StudyRequester(
                request=question,
                addresses=addresses,
                store=store,
                cancellation=Cancellation(),
                move_tracker=MoveTracker(question.calling_ae_title),
                tls=run.make_client_tls_context(addresses),
                receiver=receiver,
                evidence_sources=wanted.open_bulk_evidence_sources(run.settings, addresses.archive.ae_title),
                configuration_checksum=tree,
                first_move_sent=sent,
                adjust_verdict=active_destination.add_advice if active_destination else keep_verdict_unchanged,
                save_evidence=_make_evidence_writer(
                    run,
                    active_destination.configuration if active_destination else configuration,
                    addresses,
                    active_destination,
                ),
            )
            recall = format_command(
                "verify",
                "--recall",
                *(["--temporary-dest"] if active_destination else ["--dest", run.destination_ae_title]),
            )
            required = ResultRequirements(wanted.require_route, None if bulk.only_failed else tree, recall)
            done = BulkSession(
                requester=asking,
                source=source,
                options=manner,
                show_progress=show_bulk_progress,
                repeat_scope=_get_rerun_mode(bulk),
                requirements=required,
            ).run()
        next_steps = tuple(
            map(add_run_options, _next_steps(done, active_destination, _get_rerun_mode(bulk), addresses.archive))
        )
        report = done.report.map_next_steps(functools.cache(add_run_options))
        notes = (*_note_stored_result(bulk, source), *done.notes)
        code = _exit_code(done, sent=sent.is_set())
        told = functools.partial(bulk_json, report, notes, next_steps, accepted=code == 0)
        invocation.current().partial_result = active_destination.extend_json(told) if active_destination else told
        if not run.as_json:
            _print_summary(report, notes, next_steps, on_stderr=STDOUT in bulk.report_files.values())
        for folder in files.paths:
            print_message(f"evidence: {folder}")
        for form, target in bulk.report_files.items():
            write_report(target, _REPORT_RENDERERS[form](report), must_be_new=not files.replace and target != STDOUT)
            if target != STDOUT:
                print_message(f"{form}: {target}")
    return code, told


def _print_summary(report: BulkReport, notes: tuple[str, ...], next_steps: tuple[str, ...], *, on_stderr: bool) -> None:
    """Print the summary; *on_stderr*, where standard output is for a file, on standard error."""
    print_bulk(report, notes, next_steps, stderr_console() if on_stderr else stdout_console())
    sys.stdout.flush()


def _note_stored_result(bulk: BulkOptions, source: StudySource) -> Iterator[str]:
    """Yield what is to be said where an option that is not for that alone has the answer about one study kept."""
    if isinstance(source, ExplicitStudies) and len(set(source.uids)) == 1 and bulk.store_file is None:
        yield (
            f"{bulk.storing_option} has the answer kept, as those of many studies are: the same command again "
            "asks nothing"
        )


def _make_evidence_writer(
    run: VerifyRun, configuration: Configuration, addresses: Addresses, active_destination: ActiveDestination | None
) -> Callable[[StudyEvidence], None] | None:
    """Return what keeps the evidence on each study; None where that is not wanted."""
    if not run.evidence_files.paths:
        return None
    from dcmcfg.cli.verify.evidence_files import make_evidence_writer

    tell = bind_run_options()

    def judged(evidence: Evidence) -> Verdict:
        verdict = judge(evidence, require_route=run.evidence_options.require_route)
        verdict = active_destination.add_advice(verdict, evidence) if active_destination else verdict
        return replace(verdict, next_steps=tuple(map(tell, verdict.next_steps)))

    return make_evidence_writer(run, configuration, addresses, judged)


def prepare_source(run: VerifyRun, source: StudySource, addresses: Addresses) -> StudySource:
    """Return *source* with all that must be known of it before a temporary destination is added for it.

    Raises :class:`DcmcfgError` where the store cannot be had or is another question's, and what
    :func:`~dcmcfg.bulk.source.find_matching_studies` does for a query that has to be asked.
    """
    question = run.make_request(addresses)
    asked = _make_run_parameters(run, addresses, question, ReceiverKind.TEMPORARY_DESTINATION)
    return _resolve_query(run, source, asked, request=question, addresses=addresses)


def _resolve_query(
    run: VerifyRun,
    source: StudySource,
    run_parameters: RunParameters,
    *,
    request: VerificationRequest,
    addresses: Addresses,
) -> StudySource:
    """Return *source*, a query with what matches it unless the store has that; no store is made or changed for it."""
    listed_at = ResultStore.read_listing_time(
        _get_store_path(run.bulk_options, source, run_parameters), run_parameters, source.name
    )
    if (
        not isinstance(source, StudyQuery)
        or source.matches is not None
        or (listed_at is not None and not run.bulk_options.verify_all_again)
    ):
        return source
    with advise_status(addresses.archive):
        return find_matching_studies(
            source, request, addresses, tls=run.make_client_tls_context(addresses), confirm=_confirm_study_count
        )


def _get_store_path(bulk: BulkOptions, source: StudySource, run_parameters: RunParameters) -> Path:
    return (
        bulk.store_file
        or get_state_subfolder(STORE_FOLDER) / f"{run_parameters.compute_store_name(source.name)}{STORE_SUFFIX}"
    )


def _make_run_parameters(
    run: VerifyRun, addresses: Addresses, request: VerificationRequest, received_by: ReceiverKind
) -> RunParameters:
    """Return what a store is known by."""
    keeps_files = run.receiver_settings is not None and run.receiver_settings.storage_folder is not None
    return collect_run_parameters(request, addresses, run.settings, received_by, keeps_files=keeps_files)


def _get_rerun_mode(bulk: BulkOptions) -> RepeatScope:
    if bulk.verify_all_again:
        return RepeatScope.ALL
    return RepeatScope.FAILED if bulk.only_failed else RepeatScope.NONE


def _confirm_study_count(matching: StudyQuery) -> None:
    """Say how many studies match, and ask whether they are meant where they are many and nobody has said how many."""
    number = len(matching.read().uids)
    studies = "1 study matches" if number == 1 else f"{number:,} studies match"
    taken = f"more than {number:,} match, {number:,} taken" if matching.is_truncated else studies
    print_message(taken)
    if number <= _CONFIRM_ABOVE or matching.limit is not None:
        return
    if not sys.stdin.isatty():
        raise NegativeResult(
            f"{number:,} studies match, and there is no terminal to ask on; nothing was asked of the archive",
            next_step=f"--limit {number} says that so many are meant",
        )
    if not confirm(f"Have {number:,} studies sent?"):
        raise NegativeResult("nothing was sent")


def _next_steps(
    done: SessionResult, active_destination: ActiveDestination | None, rerun_mode: RepeatScope, archive: Peer
) -> list[str]:
    steps = []
    if done.error is not None:
        parts = (done.error.subject, done.error.message, make_next_step(done.error, archive))
        steps.append(": ".join(part for part in parts if part))
    if done.report.summary.open_count:
        without = {RepeatScope.ALL: " without --again", RepeatScope.FAILED: " without --only-failed"}.get(
            rerun_mode, " again"
        )
        steps.append(f"the same command{without} goes on: what has its answer is not asked again")
    if done.report.summary.outcome_counts.get(VerificationOutcome.OUTDATED):
        steps.append("the tree was changed: the same command with --again asks for all anew")
    if done.report.summary.fixable_count and not done.report.summary.open_count:
        instead = " instead of --again" if rerun_mode is RepeatScope.ALL else ""
        steps.append(f"once that is mended, the same command with --only-failed{instead} asks for those anew")
    if active_destination is not None and done.report.summary.outcome_counts and not done.report.summary.instance_count:
        steps.append(active_destination.describe_unreached())
    return steps


def _exit_code(done: SessionResult, *, sent: bool) -> int:
    """Return 0 when all is well and 1 when it is not, but 3 where no C-MOVE was sent although some were to be."""
    if done.report.summary.all_successful and done.error is None:
        return 0
    if sent or not done.had_open_studies:
        return 1
    return INTERRUPTED_EXIT_CODE if done.ending is RunEnding.STOPPED else DcmcfgError.exit_code
