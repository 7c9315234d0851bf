"""``dcmcfg verify`` of one study.

The first Ctrl-C requests the archive to stop (C-CANCEL), the second ends dcmcfg. Suggested commands repeat the options
of this run.
"""

from __future__ import annotations

import functools
import re
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.options.site_command import get_given_options
from dcmcfg.cli.session.output import STDOUT
from dcmcfg.cli.session.status_hint import advise_status
from dcmcfg.cli.verify.after_sending import convert_failures_after_send
from dcmcfg.cli.verify.destination_request import CommandResult
from dcmcfg.cli.verify.run import VerifyRun
from dcmcfg.dicom.move import Cancellation
from dcmcfg.errors import DicomError, NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.render.terminal.console import make_stderr_console, make_stdout_console
from dcmcfg.render.verify import print_verdict, show_verify_progress, verdict_json
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import VerificationRequest
from dcmcfg.verify.judgement import judge_evidence
from dcmcfg.verify.recall import RecallSearch
from dcmcfg.verify.run import gather_evidence
from dcmcfg.verify.timeline import Timeline

if TYPE_CHECKING:
    from dcmcfg.cli.verify.report_files import SingleStudyReport
    from dcmcfg.cli.verify.temporary_destination import ActiveDestination


@contextmanager
def cancel_on_interrupt(cancellation: Cancellation, on_message: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Make the first Ctrl-C request *cancellation*, after the yielded function was called; the next one interrupts.

    *on_message* is called with a message for the user. Before that call, and outside the main thread, Ctrl-C is
    unchanged: Python delivers signals to the main thread only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    interrupts = _InterruptHandler()
    threading.Thread(target=interrupts.cancel_when_interrupted, args=(cancellation, on_message), daemon=True).start()
    interrupts.previous_handler = signal.signal(signal.SIGINT, interrupts.handle_signal)
    try:
        yield interrupts.enable
    finally:
        signal.signal(signal.SIGINT, interrupts.previous_handler)
        interrupts.interrupts.put("")


class _InterruptHandler:
    """Passes a Ctrl-C from the signal handler, which must not wait for a lock, to a separate thread."""

    def __init__(self) -> None:
        self.interrupts: SimpleQueue[str] = SimpleQueue()  # its put() is reentrant, so a signal handler can call it
        self.previous_handler: signal._HANDLER = signal.default_int_handler
        self._is_enabled = False

    def enable(self) -> None:
        self._is_enabled = True

    def handle_signal(self, number: int, frame: FrameType | None) -> None:
        if self._is_enabled:
            signal.signal(signal.SIGINT, self.previous_handler)
            self.interrupts.put("Ctrl-C")
        else:
            signal.default_int_handler(number, frame)

    def cancel_when_interrupted(self, cancellation: Cancellation, on_message: Callable[[str], None]) -> None:
        if self.interrupts.get():
            on_message(
                "dcmcfg sends the archive a request to stop the C-MOVE (C-CANCEL); to stop dcmcfg "
                "immediately, press Ctrl-C again"
            )
            cancellation.request()


#: A word of a command in a sentence: quoted, or up to a space; a comma or colon at its end belongs to the sentence.
_WORD = r"""(?:'[^']*'|"[^"]*"|[^\s'";)])+(?<![,:])"""
#: The options after a command, each with its value, if any.
_OPTIONS = re.compile(rf"(?: --[a-z-]+(?: (?!--){_WORD})?)*")


@dataclass(frozen=True)
class _CommandTemplate:
    """A pattern of a suggested command, and the options of ``verify`` with the same meaning in that command."""

    template: re.Pattern[str]
    options: tuple[str, ...]

    def add_options(self, text: str, given: Mapping[str, object]) -> str:
        """Return *text* with the *given* ``options`` added to each such command that does not have them."""

        def add_missing(line: re.Match[str]) -> str:
            following = _OPTIONS.match(text, line.end())
            present_options = (line[0] + (following[0] if following else "")).split()
            missing_options = (each for each in self.options if each in given and each not in present_options)
            return line[0] + "".join(f" {_format_option(each, given[each])}" for each in missing_options)

        return self.template.sub(add_missing, text)


_COMMAND_PATTERNS = (
    _CommandTemplate(
        re.compile(rf"\bdcmcfg verify (?:--recall|--study UID) (?:--dest {_WORD}|--temporary-dest)"),
        (
            *("--ae", "--calling", "--connect", "--level", "--model", "--priority"),
            *("--receive", "--keep", "--temporary-address", "--require-observation", "--require-route"),
            *("--external-log", "--no-qido", "--timeout-s"),
            *("--tls", "--tls-ca", "--tls-cert", "--tls-key", "--tls-key-passphrase-file", "--tls-any-host"),
        ),
    ),
    _CommandTemplate(re.compile(rf"\bdcmcfg route --dest {_WORD}"), ("--ae", "--calling")),
    _CommandTemplate(re.compile(rf"\bdcmcfg work-order --external {_WORD}"), ("--ae", "--calling")),
)


def add_given_options(context: click.Context, text: str) -> str:
    """Return *text* with the options given to the command of *context* in each suggested command that requires them.

    Values from a profile or a default are not repeated: they apply to the suggested command too.
    """
    given = get_given_options(context)
    for each in _COMMAND_PATTERNS:
        text = each.add_options(text, given)
    return text


def add_run_options(text: str) -> str:
    """Return *text* with the options and the site of the current run in its command lines."""
    return bind_run_options()(text)


def bind_run_options() -> Callable[[str], str]:
    """Return :func:`add_run_options` for the current run, as a function that any thread can call."""
    context, run = click.get_current_context(), invocation.current()
    return lambda text: run.insert_site_options(add_given_options(context, text))


def _format_option(option: str, value: object) -> str:
    if isinstance(value, bool):
        return option
    return f"{option} {shlex.quote(f'{value:g}' if isinstance(value, float) else str(value))}"


def verify_one(
    run: VerifyRun,
    configuration: Configuration,
    addresses: VerificationAddresses,
    active_destination: ActiveDestination | None = None,
) -> CommandResult:
    """Verify the study that *run* names or finds; print the verdict, and write reports and evidence files.

    Returns the exit code and a function for the JSON. *active_destination* exists for this run only. Raises
    :class:`~dcmcfg.errors.DcmcfgError` if no C-MOVE could be sent, and :class:`~dcmcfg.errors.NegativeResult` if one
    was sent but its result is unknown.
    """
    evidence_options, cancellation, timeline = run.evidence_options, Cancellation(), Timeline()
    evidence_sources = evidence_options.open_evidence_sources(run.settings, addresses.archive.ae_title)
    tls = run.make_client_tls_context(addresses)
    device = configuration.get_device(run.settings.device)
    with advise_status(addresses.archive):
        chosen = run.recall_options.choose_study(
            RecallSearch(
                device=device,
                addresses=addresses,
                calling_ae_title=run.calling_ae_title,
                keys=run.query_keys,
                database=evidence_sources.database,
                tls=tls,
            )
        )
    if chosen is not None:
        addresses = replace(addresses, warnings=(*addresses.warnings, f"chosen by --recall: {chosen.reason}"))
    request = run.make_request(
        addresses,
        study_uid=chosen.study_uid if chosen else "",
        destination_ae_title=active_destination.ae_title if active_destination else "",
    )
    request = replace(request, recall_problem=chosen.database_problem) if chosen else request
    receiver_options = run.get_receiver_settings(addresses)
    report = _make_report(run, request, addresses, has_temporary_destination=active_destination is not None)
    with advise_status(addresses.archive), convert_failures_after_send() as sent:
        with (
            show_verify_progress() as callbacks,
            cancel_on_interrupt(cancellation, callbacks.on_step) as enable_cancel,
            _report_unsent(report, sent),
        ):
            evidence = gather_evidence(
                request,
                addresses,
                tls=tls,
                receiver_options=receiver_options,
                receiver=active_destination.watch_receiver(callbacks.on_received) if active_destination else None,
                evidence_sources=evidence_sources,
                cancellation=cancellation,
                callbacks=timeline.record_calls(replace(callbacks, on_sending=enable_cancel, on_sent=sent.set)),
            )
        verdict = judge_evidence(evidence, require_route=evidence_options.require_route)
        verdict = active_destination.add_advice(verdict, evidence) if active_destination else verdict
        verdict = replace(verdict, next_steps=tuple(map(add_run_options, verdict.next_steps)))
        if not run.as_json:
            # A report on standard output must not be mixed with text.
            on_stderr = STDOUT in run.reports.files.values()
            console = make_stderr_console() if on_stderr else make_stdout_console()
            print_verdict(verdict, evidence, console, details=run.details)
            sys.stdout.flush()
        make_json = functools.partial(verdict_json, verdict, evidence)
        if run.evidence_files.paths or report is not None:
            invocation.current().partial_result = (
                active_destination.extend_json(make_json) if active_destination else make_json
            )
        if report is not None:
            report.write(verdict, evidence)
        if run.evidence_files.paths:
            shown_configuration = active_destination.configuration if active_destination else configuration
            from dcmcfg.cli.verify.evidence_files import write_evidence_files

            write_evidence_files(
                run, shown_configuration, addresses, timeline=timeline, evidence=evidence, verdict=verdict
            )
    return verdict.exit_code, make_json


def _make_report(
    run: VerifyRun,
    request: VerificationRequest,
    addresses: VerificationAddresses,
    *,
    has_temporary_destination: bool,
) -> SingleStudyReport | None:
    """Return the writer of the report files of *run*; None if it has none."""
    if not run.reports.files:
        return None
    from dcmcfg.cli.verify.report_files import SingleStudyReport

    return SingleStudyReport(run, request, addresses, has_temporary_destination=has_temporary_destination)


@contextmanager
def _report_unsent(report: SingleStudyReport | None, sent: threading.Event) -> Iterator[None]:
    """Write the report files also if no C-MOVE could be sent."""
    try:
        yield
    except (DicomError, NotFound) as error:
        if report is not None and not sent.is_set():
            report.write_unsent(error)
        raise
