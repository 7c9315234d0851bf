"""``dcmcfg verify`` over many studies."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from dcmcfg.bulk.attempt import MoveTracker, StudyEvidence, StudyRequester, keep_verdict_unchanged
from dcmcfg.bulk.earlier_results import StoreChoice, choose_store
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
from dcmcfg.cli.session.output import STDOUT
from dcmcfg.cli.session.status_hint import advise_status, make_next_step
from dcmcfg.cli.terminal import confirm
from dcmcfg.cli.verify.after_sending import convert_failures_after_send
from dcmcfg.cli.verify.bulk_options import BulkOptions
from dcmcfg.cli.verify.destination_request import CommandResult
from dcmcfg.cli.verify.one_study import add_run_options, bind_run_options
from dcmcfg.cli.verify.run import VerifyRun
from dcmcfg.dicom.move import Cancellation
from dcmcfg.errors import DcmcfgError, NegativeResult
from dcmcfg.printable import capitalise_sentence
from dcmcfg.render.bulk import bulk_json, print_bulk
from dcmcfg.render.bulk_progress import show_bulk_progress
from dcmcfg.render.terminal.console import make_stderr_console, make_stdout_console
from dcmcfg.route.command import format_command
from dcmcfg.settings.folders import get_state_subfolder
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import Evidence, VerificationRequest
from dcmcfg.verify.judgement import judge_evidence
from dcmcfg.verify.verdict import Verdict

if TYPE_CHECKING:
    from dcmcfg.cli.verify.temporary_destination import ActiveDestination
    from dcmcfg.model.devices import Configuration

#: If more studies match and ``--limit`` is not given, the user must confirm.
_CONFIRM_ABOVE = 100


def verify_many(
    run: VerifyRun,
    source: StudySource,
    configuration: Configuration,
    addresses: VerificationAddresses,
    *,
    active_destination: ActiveDestination | None = None,
) -> CommandResult:
    """Verify the studies of *source*, and print and write the results; return the exit code and a function for JSON.

    *configuration* does not contain *active_destination*, which exists for this run only. The evidence sources of each
    study are those of :meth:`~dcmcfg.cli.verify.evidence_options.EvidenceOptions.open_bulk_evidence_sources`.
    """
    if active_destination is None:
        require_known_destination(run.destination_ae_title, addresses)
    bulk, evidence_options, files, receiver_options = (
        run.bulk_options,
        run.evidence_options,
        run.evidence_files,
        run.get_receiver_settings(addresses),
    )
    run_options = bulk.run_options
    own_receiver = (
        receiver_options.create_destination_receiver(addresses, lambda _: None)
        if receiver_options and active_destination is None
        else None
    )
    receiver = active_destination.receiver if active_destination else own_receiver
    request = run.make_request(
        addresses, destination_ae_title=active_destination.ae_title if active_destination else ""
    )
    receiver_kind = (
        ReceiverKind.TEMPORARY_DESTINATION
        if active_destination
        else ReceiverKind.EXTERNAL
        if receiver is None
        else ReceiverKind.DCMCFG
    )
    run_parameters = _make_run_parameters(run, addresses, request, receiver_kind)
    source = _resolve_query(run, source, run_parameters, request=request, addresses=addresses)
    checksum = compute_configuration_checksum(configuration, run.settings.device, addresses, request)
    store_choice = _choose_store(bulk, source, run_parameters)
    store_choice.copy_earlier_results()
    with convert_failures_after_send() as sent:
        with (
            ResultStore.open(store_choice.path, run_parameters, accepts_other_route=bulk.only_failed) as store,
            own_receiver or nullcontext(),
        ):
            requester = StudyRequester(
                request=request,
                addresses=addresses,
                store=store,
                cancellation=Cancellation(),
                move_tracker=MoveTracker(request.calling_ae_title),
                tls=run.make_client_tls_context(addresses),
                receiver=receiver,
                evidence_sources=evidence_options.open_bulk_evidence_sources(run.settings, addresses.archive.ae_title),
                configuration_checksum=checksum,
                first_move_sent=sent,
                adjust_verdict=active_destination.add_advice if active_destination else keep_verdict_unchanged,
                save_evidence=_make_evidence_writer(
                    run,
                    active_destination.configuration if active_destination else configuration,
                    addresses,
                    active_destination,
                ),
            )
            recall_command = format_command(
                "verify",
                "--recall",
                *(["--temporary-dest"] if active_destination else ["--dest", run.destination_ae_title]),
            )
            requirements = ResultRequirements(
                evidence_options.require_route,
                None if bulk.only_failed else checksum,
                recall_command,
                has_route_source=requester.evidence_sources.can_show_route,
            )
            session_result = BulkSession(
                requester=requester,
                source=source,
                options=run_options,
                show_progress=show_bulk_progress,
                repeat_scope=_get_rerun_mode(bulk),
                requirements=requirements,
            ).run()
        next_steps = tuple(
            map(
                add_run_options,
                _list_next_steps(session_result, active_destination, run, addresses),
            )
        )
        # Many studies have the same next step, hence the cache.
        report = session_result.report.map_next_steps(functools.cache(add_run_options))
        notes = (*_note_stored_result(bulk, source), *session_result.notes)
        code = _get_exit_code(session_result, sent=sent.is_set())
        make_json = functools.partial(bulk_json, report, notes, next_steps, accepted=code == 0)
        invocation.current().partial_result = (
            active_destination.extend_json(make_json) if active_destination else make_json
        )
        if not run.as_json:
            # A report on standard output must not be mixed with text.
            console = make_stderr_console() if STDOUT in run.reports.files.values() else make_stdout_console()
            print_bulk(report, notes, next_steps, console, details=run.details)
            sys.stdout.flush()
        for folder in files.paths:
            print_message(f"evidence: {folder}")
        if run.reports.files:
            from dcmcfg.cli.verify.report_files import write_report_files

            write_report_files(run, report)
    return code, make_json


def _note_stored_result(bulk: BulkOptions, source: StudySource) -> Iterator[str]:
    """Yield a note if the result of one study is stored because of an option with another purpose."""
    if isinstance(source, ExplicitStudies) and len(set(source.uids)) == 1 and bulk.store_file is None:
        yield (
            f"{bulk.storing_option} also stores the result of the study. If the result is positive, the same command "
            "with --only-failed shows the stored result and sends no request"
        )


def _make_evidence_writer(
    run: VerifyRun,
    configuration: Configuration,
    addresses: VerificationAddresses,
    active_destination: ActiveDestination | None,
) -> Callable[[StudyEvidence], None] | None:
    """Return a function that writes the evidence of a study; None without ``--evidence``."""
    if not run.evidence_files.paths:
        return None
    from dcmcfg.cli.verify.evidence_files import make_evidence_writer

    insert_options = bind_run_options()

    def judge_with_advice(evidence: Evidence) -> Verdict:
        verdict = judge_evidence(evidence, require_route=run.evidence_options.require_route)
        verdict = active_destination.add_advice(verdict, evidence) if active_destination else verdict
        return replace(verdict, next_steps=tuple(map(insert_options, verdict.next_steps)))

    return make_evidence_writer(run, configuration, addresses, judge_with_advice)


def prepare_source(run: VerifyRun, source: StudySource, addresses: VerificationAddresses) -> StudySource:
    """Return *source* with everything that must be known before a temporary destination is added.

    Raises :class:`DcmcfgError` if the store cannot be opened or has other parameters, and what
    :func:`~dcmcfg.bulk.source.find_matching_studies` raises if the archive must be queried.
    """
    request = run.make_request(addresses)
    run_parameters = _make_run_parameters(run, addresses, request, ReceiverKind.TEMPORARY_DESTINATION)
    return _resolve_query(run, source, run_parameters, request=request, addresses=addresses)


def _resolve_query(
    run: VerifyRun,
    source: StudySource,
    run_parameters: RunParameters,
    *,
    request: VerificationRequest,
    addresses: VerificationAddresses,
) -> StudySource:
    """Return *source*, with the matches of a query unless the store has them. No store is created or changed."""
    listed_at = ResultStore.read_listing_time(
        _choose_store(run.bulk_options, source, run_parameters).readable_path,
        run_parameters,
        source.source_id,
        accepts_other_route=run.bulk_options.only_failed,
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


def _choose_store(bulk: BulkOptions, source: StudySource, run_parameters: RunParameters) -> StoreChoice:
    if bulk.store_file:
        return StoreChoice(path=bulk.store_file)
    name = run_parameters.compute_store_name(source.source_id)
    path = get_state_subfolder(STORE_FOLDER) / f"{name}{STORE_SUFFIX}"
    return choose_store(path, run_parameters, source.source_id) if bulk.only_failed else StoreChoice(path=path)


def _make_run_parameters(
    run: VerifyRun, addresses: VerificationAddresses, request: VerificationRequest, receiver_kind: ReceiverKind
) -> RunParameters:
    """Return the parameters that identify a store."""
    keeps_files = run.receiver_settings is not None and run.receiver_settings.storage_folder is not None
    return collect_run_parameters(request, addresses, run.settings, receiver_kind, keeps_files=keeps_files)


def _get_rerun_mode(bulk: BulkOptions) -> RepeatScope:
    if bulk.verify_all_again:
        return RepeatScope.ALL
    return RepeatScope.FAILED if bulk.only_failed else RepeatScope.NONE


def _confirm_study_count(matching: StudyQuery) -> None:
    """Print the number of matching studies; ask for confirmation if there are many and ``--limit`` is not given."""
    count = len(matching.read().uids)
    studies = "1 study matches" if count == 1 else f"{count:,} studies match"
    message = (
        f"more than {count:,} studies match, but dcmcfg verifies only {count:,} studies"
        if matching.is_truncated
        else studies
    )
    print_message(message)
    if count <= _CONFIRM_ABOVE or matching.limit is not None:
        return
    if not sys.stdin.isatty():
        raise NegativeResult(
            f"{count:,} studies match. dcmcfg requires a confirmation, but there is no terminal. "
            "Nothing was requested from the archive",
            next_step=f"to verify {count:,} studies without confirmation: --limit {count}",
        )
    if not confirm(f"Request {count:,} studies?"):
        raise NegativeResult("declined; nothing was requested")


def _list_next_steps(
    session_result: SessionResult,
    active_destination: ActiveDestination | None,
    run: VerifyRun,
    addresses: VerificationAddresses,
) -> list[str]:
    steps = []
    rerun_mode = _get_rerun_mode(run.bulk_options)
    if session_result.error is not None:
        error = session_result.error
        problem = ": ".join(part for part in (error.subject, error.message) if part)
        next_step = make_next_step(error, addresses.archive)
        steps.append(f"{problem}. {capitalise_sentence(next_step)}" if next_step else problem)
    if session_result.report.summary.unfinished_count:
        omission = {RepeatScope.ALL: " without --again", RepeatScope.FAILED: " without --only-failed"}.get(
            rerun_mode, " again"
        )
        steps.append(f"To continue, run the same command{omission}. dcmcfg skips studies that already have a result")
    if session_result.report.summary.outcome_counts.get(VerificationOutcome.OUTDATED):
        steps.append("The configuration has changed. To verify all studies again, run the same command with --again")
    if session_result.report.summary.fixable_count and not session_result.report.summary.unfinished_count:
        replacement = " instead of --again" if rerun_mode is RepeatScope.ALL else ""
        route_step = (
            ". To verify the route too, add --require-route to this command: after the first success, the study may be "
            "local, and a local study shows no route"
        )
        may_recall = addresses.route.external_requests and session_result.report.summary.can_require_route
        steps.append(
            f"Fix the problems, then run the same command with --only-failed{replacement}"
            f"{route_step if may_recall and not run.evidence_options.require_route else ''}"
        )
    if (
        active_destination is not None
        and session_result.report.summary.outcome_counts
        and not session_result.report.summary.instance_count
    ):
        steps.append(active_destination.describe_unreached())
    return steps


def _get_exit_code(session_result: SessionResult, *, sent: bool) -> int:
    """Return 0 if all studies succeeded, else 1; but 3 (130 if interrupted) if studies are left and none was sent."""
    if session_result.report.summary.all_successful and session_result.error is None:
        return 0
    if sent or not session_result.had_unfinished_studies:
        return 1
    return INTERRUPTED_EXIT_CODE if session_result.ending is RunEnding.STOPPED else DcmcfgError.exit_code
