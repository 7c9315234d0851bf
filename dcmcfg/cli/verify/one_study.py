"""``dcmcfg verify`` of one study.

The first Ctrl-C asks the archive to stop, the second stops us.

Options of this run in the commands that it tells the user to type.
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
from dcmcfg.cli.lazy_import import loaded
from dcmcfg.cli.options.site_command import given_options
from dcmcfg.cli.session.status_hint import status_advised
from dcmcfg.cli.verify.after_sending import a_no_once_sent
from dcmcfg.cli.verify.destination_request import Answered
from dcmcfg.cli.verify.run import Verification
from dcmcfg.dicom.move import Cancellation
from dcmcfg.model.devices import Configuration
from dcmcfg.render.verify import print_verdict, verdict_json, verify_progress
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.judge import judge
from dcmcfg.verify.recall import Recall
from dcmcfg.verify.run import gather
from dcmcfg.verify.timeline import Chronicle

if TYPE_CHECKING:
    from dcmcfg.cli.verify.temporary_destination import Place


@contextmanager
def cancelling_on_interrupt(cancellation: Cancellation, tell: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Have the first Ctrl-C call for *cancellation*, once what this yields was called; the next one interrupts.

    *tell* is called with words for the user. Until then, and outside the main thread, where no signal arrives, Ctrl-C
    is what it was.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    interrupts = _Interrupts()
    threading.Thread(target=interrupts.pass_on, args=(cancellation, tell), daemon=True).start()
    interrupts.previous = signal.signal(signal.SIGINT, interrupts.heard)
    try:
        yield interrupts.mind
    finally:
        signal.signal(signal.SIGINT, interrupts.previous)
        interrupts.asked.put("")


class _Interrupts:
    """Takes a Ctrl-C out of the signal handler, where no lock may be waited for, into a thread of its own."""

    def __init__(self) -> None:
        self.asked: SimpleQueue[str] = SimpleQueue()  # may be written to in a signal handler
        self.previous: signal._HANDLER = signal.default_int_handler
        self._minded = False

    def mind(self) -> None:
        self._minded = True

    def heard(self, number: int, frame: FrameType | None) -> None:
        if self._minded:
            signal.signal(signal.SIGINT, self.previous)
            self.asked.put("Ctrl-C")
        else:
            signal.default_int_handler(number, frame)

    def pass_on(self, cancellation: Cancellation, tell: Callable[[str], None]) -> None:
        if self.asked.get():
            tell("asking the archive to stop (C-CANCEL); Ctrl-C again stops at once")
            cancellation.now()


_WORD = r"""(?:'[^']*'|"[^"]*"|[^\s'";)])+(?<![,:])"""
#: The options that follow in a command, each with its value, if it has one.
_OPTIONS = re.compile(rf"(?: --[a-z-]+(?: (?!--){_WORD})?)*")


@dataclass(frozen=True)
class _Proposed:
    """A command as next steps write it, with the options of ``verify`` that mean the same there."""

    line: re.Pattern[str]
    options: tuple[str, ...]

    def with_options(self, text: str, given: Mapping[str, object]) -> str:
        """Return *text* with what was *given* of ``options`` in each such command, unless it has the option."""

        def completed(line: re.Match[str]) -> str:
            follow = _OPTIONS.match(text, line.end())
            has = (line[0] + (follow[0] if follow else "")).split()
            kept = (each for each in self.options if each in given and each not in has)
            return line[0] + "".join(f" {_typed(each, given[each])}" for each in kept)

        return self.line.sub(completed, text)


_PROPOSED = (
    _Proposed(
        re.compile(rf"\bdcmcfg verify --recall (?:--dest {_WORD}|--temporary-dest)"),
        (
            *("--ae", "--calling", "--connect", "--level", "--model", "--priority"),
            *("--receive", "--keep", "--temporary-address", "--require-witness", "--require-route"),
            *("--external-log", "--no-qido", "--timeout-s"),
            *("--tls", "--tls-ca", "--tls-cert", "--tls-key", "--tls-key-passphrase-file", "--tls-any-host"),
        ),
    ),
    _Proposed(re.compile(rf"\bdcmcfg route --dest {_WORD}"), ("--ae", "--calling")),
    _Proposed(re.compile(rf"\bdcmcfg work-order --external {_WORD}"), ("--ae", "--calling")),
)


def carried(context: click.Context, text: str) -> str:
    """Return *text* with what was given to the command of *context* in each line that needs it as much.

    What comes from a profile or a default is there again when the line is typed.
    """
    given = given_options(context)
    for each in _PROPOSED:
        text = each.with_options(text, given)
    return text


def proposed(text: str) -> str:
    """Return *text*, said by the command that runs, with what its command lines need of this run: options and site."""
    return proposing()(text)


def proposing() -> Callable[[str], str]:
    """Return :func:`proposed` for the command that runs, to be called in any thread."""
    context, run = click.get_current_context(), invocation.current()
    return lambda text: run.spoken(carried(context, text))


def _typed(option: str, value: object) -> str:
    if isinstance(value, bool):
        return option
    return f"{option} {shlex.quote(f'{value:g}' if isinstance(value, float) else str(value))}"


def verify_one(
    run: Verification, configuration: Configuration, addresses: Addresses, place: Place | None = None
) -> Answered:
    """Verify the study that *run* names or looks for; print the verdict, keep the evidence where that is wanted.

    Returns the exit code, and what JSON tells. *place* is a destination that is there for this run only. Raises
    :class:`~dcmcfg.errors.DcmcfgError` when no C-MOVE could be sent, and :class:`~dcmcfg.errors.AnswerIsNo` when one
    was and how it went cannot be told.
    """
    wanted, cancellation, book = run.wanted, Cancellation(), Chronicle()
    witnesses = wanted.witnesses(run.settings, addresses.archive.ae_title)
    tls = run.client_tls(addresses)
    device = configuration.device(run.settings.device)
    with status_advised(addresses.archive):
        chosen = run.recalling.choose(Recall(device, addresses, run.calling, run.keys, witnesses.database, tls))
    if chosen is not None:
        addresses = replace(addresses, warnings=(*addresses.warnings, f"chosen by --recall: {chosen.why}"))
    question = run.question(
        addresses, study_uid=chosen.study_uid if chosen else "", destination=place.title if place else ""
    )
    listening = run.listening_at(addresses)
    with status_advised(addresses.archive), a_no_once_sent() as sent:
        with verify_progress() as watcher, cancelling_on_interrupt(cancellation, watcher.on_step) as moving:
            evidence = gather(
                question,
                addresses,
                tls=tls,
                receive=listening,
                receiver=place.watched(watcher.on_received) if place else None,
                witnesses=witnesses,
                cancellation=cancellation,
                watcher=book.of(replace(watcher, on_asking=moving, on_sent=sent.set)),
            )
        verdict = judge(evidence, require_route=wanted.require_route)
        verdict = place.advised(verdict, evidence) if place else verdict
        verdict = replace(verdict, next_steps=tuple(map(proposed, verdict.next_steps)))
        if not run.as_json:
            print_verdict(verdict, evidence, details=run.details)
            sys.stdout.flush()
        told = functools.partial(verdict_json, verdict, evidence)
        if run.files.evidence:
            invocation.current().so_far = place.with_verdict(told) if place else told
            tree = place.configuration if place else configuration
            write = loaded("verify.evidence_files", "write_proof")
            write(run.files, run.settings, tree, addresses, book, evidence, verdict)
    return verdict.exit_code, told
