"""What every command that changes the directory does: show, ask, roll out, reload."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from dcmcfg.archive.control import ControlService
from dcmcfg.cli import invocation
from dcmcfg.cli.answer import print_json
from dcmcfg.cli.archive_control import control_service
from dcmcfg.cli.rejects import Rejects
from dcmcfg.cli.risks import PARAMETERS, require_named, risk_lines, risk_options
from dcmcfg.cli.terminal import ask, require_terminal
from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.errors import AnswerIsNo, ArchiveError, ChangedButNotFinished, DcmcfgError, Refused
from dcmcfg.plan.doubts import doubts
from dcmcfg.plan.guard import Risk, risks
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.text import plan_ldif
from dcmcfg.plan.versions import with_versions
from dcmcfg.render.console import print_line, progress, stderr_console, stdout_console, visible
from dcmcfg.render.plan import already_lines, plan_counts, plan_json, print_plan, risks_json
from dcmcfg.rollout.last_change import telling_who
from dcmcfg.rollout.left import require_finished
from dcmcfg.rollout.manner import Manner, manner_left, manner_of
from dcmcfg.rollout.private_file import write_private
from dcmcfg.rollout.record import Record
from dcmcfg.rollout.recording import Occasion
from dcmcfg.rollout.roll_out import Outcome, resume, roll_out
from dcmcfg.settings import Settings, site_headline
from dcmcfg.settings.folders import state_folder

R = TypeVar("R")


@dataclass(frozen=True)
class Choices:
    """What the user said about carrying a plan out."""

    dry_run: bool
    yes: bool
    out: Path | None
    no_reload: bool
    as_json: bool
    #: Standard output holds something else, so the plan is shown on standard error.
    stdout_taken: bool = False
    #: Assert of each entry that nothing in it has changed.
    strict: bool = False
    #: One transaction or step by step, where the user says which.
    in_transaction: bool | None = None
    #: The risks that were named.
    forced: frozenset[str] = frozenset()


def changing_options(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with the options of a changing command added, to be called with ``choices=Choices``."""

    @functools.wraps(command)
    def with_choices(
        *,
        dry_run: bool,
        yes: bool,
        out: Path | None,
        no_reload: bool,
        as_json: bool,
        strict: bool,
        in_transaction: bool | None,
        **rest: Any,
    ) -> R:
        invocation.current().changes_directory = True
        forced = frozenset(risk for parameter, risk in PARAMETERS.items() if rest.pop(parameter))
        choices = Choices(dry_run, yes, out, no_reload, as_json, as_json, strict, in_transaction, forced)
        return command(choices=choices, **rest)

    for option in reversed(
        (
            click.option("--dry-run", is_flag=True, help="Show the plan and stop."),
            click.option("--yes", "-y", is_flag=True, help="Do not ask."),
            click.option(
                "--out",
                type=click.Path(dir_okay=False, path_type=Path),
                metavar="PLAN",
                help="Also write the plan to a new file that 'dcmcfg apply' or ldapmodify carries out.",
            ),
            click.option("--no-reload", is_flag=True, help="Change the directory only; the archive is not asked."),
            click.option("--strict", is_flag=True, help="Refuse when anything in an entry has changed meanwhile."),
            click.option(
                "--transaction/--step-by-step",
                "in_transaction",
                default=None,
                help="In one transaction, replicas or not; or without. By default as the server allows it safely.",
            ),
            click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
            *risk_options(),
        )
    ):
        with_choices = option(with_choices)
    return with_choices


def carry_out(
    settings: Settings,
    directory: Directory,
    plan: Plan,
    choices: Choices,
    warnings: Sequence[str] = (),
    *,
    under: DN | None = None,
    rejects: Rejects | None = None,
    undoes: int | None = None,
    resuming: Record | None = None,
) -> None:
    """Show *plan* and, when it is wanted, roll it out and have the archive reload.

    It takes back the roll-out of number *undoes*, or is what the one of *resuming* has left to do: then no risk has to
    be named, since the one leads back to what was, and those of the other were named when it began. Entries at and
    below *under* (else the configuration root) are what risks are measured by. *rejects* are told, and written to their
    file unless it is a dry run.

    Raises :class:`AnswerIsNo` when declined or nobody can be asked, :class:`ArchiveError` with nothing changed when
    the archive does not answer, :class:`~dcmcfg.errors.Refused` with nothing changed for a risk that was not named and
    while another roll-out is unfinished, what :func:`roll_out` raises, and :class:`ChangedButNotFinished` when the
    directory was changed and the archive did not reload.
    """
    if choices.strict:
        plan = with_versions(plan)
    found = risks(plan, device=settings.device, under=under)
    if undoes is not None:
        choices = replace(choices, forced=frozenset(risk.name for risk in found))
    report = functools.partial(_report, settings, plan, choices, found, rejects)
    so_far = functools.partial(_result, settings, plan, choices, found, rejects, reloaded=False)
    invocation.current().so_far = functools.partial(so_far, None)
    taken_up = undoes if resuming is None else resuming.number
    _tell_unfinished(directory, taken_up, only_warn=choices.dry_run or not plan.steps)
    told = (*doubts(plan), *risk_lines(found, choices.forced, refused=choices.dry_run and resuming is None))
    _show(settings, plan, choices, (*warnings, *(rejects.lines() if rejects else ()), *told))
    if not plan.steps:
        with _written(settings, choices, rejects):
            report(None, reloaded=False)
        return
    if resuming is None and not choices.dry_run:
        require_named(found, choices.forced)
    manner = (manner_of if resuming is None else manner_left)(directory, plan, choices.in_transaction)
    _say(choices, f"{plan_counts(plan)}, {manner.value}")
    if choices.out is not None:
        _write_plan(settings, plan, choices.out)
        _say(choices, f"plan: {choices.out}")
    if choices.dry_run:
        report(None, reloaded=False)
        return
    if not choices.yes:
        require_terminal()
    service = None if choices.no_reload else _reachable(settings)
    if not choices.yes and not ask("Carry this out?"):
        raise AnswerIsNo("declined, nothing was changed")
    with _written(settings, choices, rejects):
        outcome = _write(directory, plan, manner, resuming or _occasion(settings, undoes), so_far)
    _say(choices, f"done {outcome.manner.value}\nundo: dcmcfg undo {outcome.number}")
    if service is not None:
        undone = undoes if resuming is None else resuming.head.undoes
        _reload(service, outcome, is_undo=undone is not None)
    report(outcome, reloaded=service is not None)


def _tell_unfinished(directory: Directory, but: int | None, *, only_warn: bool) -> None:
    """Raise :class:`Refused` while a roll-out other than the one of number *but* is unfinished, or only warn of it."""
    try:
        require_finished(state_folder(), directory, but=but)
    except Refused as unfinished:
        if not only_warn:
            raise
        told = f"{unfinished.what}; {unfinished.next_step}"
        click.echo(f"warning: {visible(invocation.current().spoken(told))}", err=True)


def _written(settings: Settings, choices: Choices, rejects: Rejects | None) -> AbstractContextManager[None]:
    if rejects is None or choices.dry_run:
        return nullcontext()
    return rejects.written(settings)


def _show(settings: Settings, plan: Plan, choices: Choices, warnings: Sequence[str]) -> None:
    console = stderr_console() if choices.stdout_taken else stdout_console()
    for line in (site_headline(settings), *already_lines(plan)):
        print_line(console, line)
    if plan.steps:
        print_plan(console, plan)
    for warning in warnings:
        click.echo(f"warning: {visible(warning)}", err=True)


def _say(choices: Choices, text: str) -> None:
    click.echo(invocation.current().spoken(text), err=choices.stdout_taken)


def _write_plan(settings: Settings, plan: Plan, path: Path) -> None:
    head = (
        f"dcmcfg plan for {site_headline(settings)}",
        "For dcmcfg apply, or ldapmodify. May hold secrets.",
    )
    try:
        write_private(path, plan_ldif(plan, comments=head))
    except FileExistsError:
        raise DcmcfgError("the file exists", on=str(path), next_step="--out names a new file") from None
    except OSError as error:
        raise DcmcfgError(f"the plan cannot be written ({error.strerror})", on=str(path)) from error


def _reachable(settings: Settings) -> ControlService:
    """Return the archive's control service once it has answered, before anything is written."""
    service = control_service(settings)
    try:
        status = service.status()
    except ArchiveError as error:
        again = "nothing was changed; --no-reload changes the directory without the archive"
        step = f"{error.next_step}; {again}" if error.next_step else again
        raise ArchiveError(error.what, on=error.on, next_step=step) from error
    if not status.started:
        click.echo(f"warning: the archive is {status.state}; a reload does not start it.", err=True)
    return service


def _occasion(settings: Settings, undoes: int | None) -> Occasion:
    return Occasion(state_folder(), site_headline(settings), invocation.current().command_line, undoes)


def _write(
    directory: Directory,
    plan: Plan,
    manner: Manner,
    of: Occasion | Record,
    so_far: Callable[[Outcome | None], dict[str, Any]],
) -> Outcome:
    """Roll *plan* out; from then on a failure is told with what *so_far* makes of the outcome."""
    run = invocation.current()
    run.writing = True
    planned, run.so_far = run.so_far, None  # what nobody foresaw is told without a word on what was changed
    try:
        outcome = _roll_out(directory, plan, manner, of)
    except ChangedButNotFinished as stopped:
        if stopped.roll_out is not None and stopped.undo_file is not None:
            run.so_far = functools.partial(so_far, Outcome(manner, stopped.roll_out, stopped.undo_file))
        raise
    except DcmcfgError:
        run.so_far = planned
        raise
    run.so_far = functools.partial(so_far, outcome)
    return outcome


def _roll_out(directory: Directory, plan: Plan, manner: Manner, of: Occasion | Record) -> Outcome:
    with telling_who(directory, plan), progress("writing", len(plan.steps)) as on_step:
        match of:
            case Occasion():
                return roll_out(directory, plan, manner=manner, occasion=of, on_step=on_step)
            case Record():
                return resume(directory, plan, of, manner=manner, state=state_folder(), on_step=on_step)


def _reload(service: ControlService, outcome: Outcome, *, is_undo: bool) -> None:
    """Have the archive reload; what it cannot load may have been in the tree before, and an undo mends nothing then."""
    next_step = "dcmcfg check finds what the archive cannot load; once that is mended, dcmcfg reload"
    if not is_undo:
        next_step += f"; if it is this change, dcmcfg undo {outcome.number} takes it back"
    try:
        service.reload()
    except ArchiveError as error:
        what = f"the directory was changed, but the archive did not reload: {error.what}"
        raise ChangedButNotFinished(what, on=error.on, next_step=next_step) from error
    except KeyboardInterrupt:
        what = "the directory was changed, and the reload was interrupted"
        raise ChangedButNotFinished(what, next_step=next_step) from None


def _result(
    settings: Settings,
    plan: Plan,
    choices: Choices,
    found: Sequence[Risk],
    rejects: Rejects | None,
    outcome: Outcome | None,
    *,
    reloaded: bool,
) -> dict[str, Any]:
    """Return what ``--json`` tells; ``changed`` is true also where it is not known what the server has done."""
    left_out = rejects if rejects is not None and rejects.misfits else None
    kept = left_out is not None and not choices.dry_run and (outcome is not None or not plan.steps)
    return {
        "site": {"bind_dn": settings.identity, "ldap_url": settings.ldap_url, "archive_url": settings.archive_url},
        **plan_json(plan),
        "risks": risks_json(found, choices.forced),
        "rejected": left_out.json() if left_out else [],
        "rejects_file": str(left_out.path) if left_out and kept else None,
        "changed": outcome is not None,
        "manner": outcome.manner.value if outcome else None,
        "roll_out": outcome.number if outcome else None,
        "undo_file": str(outcome.undo_file) if outcome else None,
        "reloaded": reloaded,
    }


def _report(
    settings: Settings,
    plan: Plan,
    choices: Choices,
    found: Sequence[Risk],
    rejects: Rejects | None,
    outcome: Outcome | None,
    *,
    reloaded: bool,
) -> None:
    if choices.as_json:
        print_json(_result(settings, plan, choices, found, rejects, outcome, reloaded=reloaded))
        return
    if rejects is not None and rejects.misfits and not choices.dry_run:
        _say(choices, f"left out, {len(rejects.misfits)} to be mended: {rejects.path}")
    if not plan.steps:
        _say(choices, "nothing to do; if the archive has not loaded it: dcmcfg reload")
    elif outcome is not None:
        _say(choices, "the archive has reloaded" if reloaded else "the archive was not asked to reload: dcmcfg reload")
