"""What every command that changes the directory does: show, ask, roll out, reload."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dcmcfg.cli import invocation
from dcmcfg.cli.lazy_import import loaded
from dcmcfg.cli.options.change_options import Choices, require_named
from dcmcfg.cli.printing import tell
from dcmcfg.cli.session.change_report import ReloadReport, Report, follow_in_profile
from dcmcfg.cli.session.plan_assessment import Purpose, judge
from dcmcfg.cli.session.rejects import Rejects
from dcmcfg.cli.terminal import ask, require_terminal
from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import read_own_schema
from dcmcfg.dn import DN
from dcmcfg.errors import AnswerIsNo, ChangedButNotFinished, DcmcfgError, Refused
from dcmcfg.files.private import write_private
from dcmcfg.plan.ldif_output import plan_ldif
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.renamed_archives import renamed_archives
from dcmcfg.plan.server_schema import ServerRules, require_accepted
from dcmcfg.plan.versions import with_versions
from dcmcfg.render.plan import already_lines, plan_counts, print_plan
from dcmcfg.render.terminal.console import Beside, print_line, progress, stderr_console, stdout_console, visible
from dcmcfg.rollout import reload_result
from dcmcfg.rollout.execution import Outcome, resume, roll_out
from dcmcfg.rollout.history import History, Result, result_of
from dcmcfg.rollout.preconditions import telling_who
from dcmcfg.rollout.record import Occasion, Record
from dcmcfg.rollout.reload_result import Reloaded, ReloadResult
from dcmcfg.rollout.strategy import Manner, asserts_something, manner_left, manner_of
from dcmcfg.rollout.unfinished import require_finished
from dcmcfg.settings import Settings, site_headline
from dcmcfg.settings.folders import state_folder

if TYPE_CHECKING:
    from dcmcfg.cli.session.reload import Reloading
    from dcmcfg.model.tree import Tree

_NOTHING_BESIDE = Beside()
_BY_READING = "preconditions: dcmcfg reads each entry before it changes it (the server has no assertion control)"


def server_rules(directory: Directory, tree: Tree) -> ServerRules:
    """Return the rules of the server's own schema for what is written to *tree*; it is read when it is needed.

    They refuse nothing where the user lets the server decide.
    """
    if invocation.current().server_decides:
        return ServerRules(tree, lambda: None)
    return ServerRules(tree, functools.partial(read_own_schema, directory))


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
    beside: Beside = _NOTHING_BESIDE,
    restoring: bool = False,
    rules: ServerRules | None = None,
) -> None:
    """Show *plan* and, when it is wanted, roll it out and have the archive reload.

    With *undoes*, the plan reverts the roll-out of that number; with *resuming*, it is the rest of that one, whose
    risks were named when it began; with *restoring*, it leads back to a snapshot (:class:`Purpose`). Risks are measured
    by the entries at and below *under* (else the configuration root). *rejects* are printed, and written to their file
    unless it is a dry run. *rules* are those of the server's own schema for the tree before *plan*; without them they
    are made here. *beside* is printed below the plan. An archive whose own device is renamed is not asked to reload,
    since it would not find its device; the next step is printed, and a profile that names the device follows.

    Raises :class:`AnswerIsNo` when declined or nobody can be asked, :class:`ArchiveError` with nothing changed when
    the archive does not answer, :class:`~dcmcfg.errors.Refused` with nothing changed for a risk that was not named and
    while another roll-out is unfinished, :class:`~dcmcfg.errors.DoesNotFit` for what the server's own schema does not
    allow, what :func:`roll_out` raises, and :class:`ChangedButNotFinished` when the
    directory was changed and the reload was not clean.
    """
    if choices.strict:
        plan = with_versions(plan)
    rules = rules or server_rules(directory, plan.before)
    require_accepted(plan, rules)
    in_part = rejects is not None and bool(rejects.rejected)
    stood = undoes is not None and result_of(History(state_folder()).numbered(undoes)) is Result.DONE
    purpose = Purpose(undoes, resuming, restoring, in_part=in_part, stood=stood)
    judged = judge(settings, plan, choices, purpose, under=under, structural=not rules.decided)
    choices = replace(choices, forced=judged.forced)
    renamed = renamed_archives(plan.changes if resuming is None else resuming.changes, plan.after)
    told = (*warnings, *(rejects.lines() if rejects else ()), *judged.warnings)
    report = Report(settings, plan, choices, judged.risks, rejects, renamed, beside.json, told)
    invocation.current().so_far = report.json
    _tell_unfinished(directory, purpose.of, only_warn=choices.dry_run or not plan.steps)
    _show(settings, plan, choices, told, beside)
    if not plan.steps:
        with _written(settings, choices, rejects):
            report.tell()
        return
    if resuming is None and not choices.dry_run:
        require_named(judged.risks, judged.forced)
    manner = _announced(directory, plan, choices, resuming)
    if choices.out is not None:
        _write_plan(settings, plan, choices.out)
        choices.say(f"plan: {choices.out}")
    if choices.dry_run:
        report.tell()
        return
    _require_ready(settings, choices, rejects)
    reloading: Reloading | None = (
        None if choices.no_reload or renamed else loaded("session.reload", "reachable")(settings)
    )
    if not choices.yes and not ask("Carry this out?"):
        raise AnswerIsNo("declined, nothing was changed")
    with _written(settings, choices, rejects):
        outcome = _write(directory, plan, manner, resuming or _occasion(settings, undoes, rejects), report)
    choices.say(f"done {outcome.manner.value}", f"undo: dcmcfg undo {outcome.number}")
    reload: ReloadReport | None = None
    record_folder = outcome.undo_file.parent
    if reloading is None:
        reload_result.note_result(record_folder, ReloadResult(Reloaded.NOT_ASKED))
    else:
        with reload_result.noted(record_folder):
            reload = reloading.reload(outcome.number, plan.after, is_undo=purpose.reverts is not None)
    profile = follow_in_profile(settings, renamed)
    report.tell(outcome, reload=reload, profile=profile)


def _announced(directory: Directory, plan: Plan, choices: Choices, resuming: Record | None) -> Manner:
    """Return how *plan* will be carried out, having said so; raises what :func:`manner_of` does.

    A dry run asks the database for a transaction, which is aborted, only where the user wants one.
    """
    manners = manner_of if resuming is None else manner_left
    asking = not choices.dry_run or choices.in_transaction is True
    manner = manners(directory, plan, choices.in_transaction, asking=asking)
    unasked = "" if asking or not manner.has_transaction else ", if the database does transactions"
    choices.say(f"{plan_counts(plan)}, {manner.value}{unasked}")
    if asserts_something(plan) and not directory.facts().assertions:
        choices.say(_BY_READING)
    return manner


def _tell_unfinished(directory: Directory, but: int | None, *, only_warn: bool) -> None:
    """Raise :class:`Refused` while a roll-out other than the one of number *but* is unfinished, or only warn of it."""
    try:
        require_finished(state_folder(), directory, but=but)
    except Refused as unfinished:
        if not only_warn:
            raise
        told = f"{unfinished.what}; {unfinished.next_step}"
        tell(f"warning: {visible(invocation.current().spoken(told))}")


def _require_ready(settings: Settings, choices: Choices, rejects: Rejects | None) -> None:
    """Raise what would end it once the user has said yes."""
    if rejects is not None:
        rejects.require_room(settings)
    if not choices.yes:
        require_terminal()


def _written(settings: Settings, choices: Choices, rejects: Rejects | None) -> AbstractContextManager[None]:
    if rejects is None or choices.dry_run:
        return nullcontext()
    return rejects.written(settings)


def _show(settings: Settings, plan: Plan, choices: Choices, warnings: Sequence[str], beside: Beside) -> None:
    console = stderr_console() if choices.stdout_taken else stdout_console()
    for line in (site_headline(settings), *already_lines(plan)):
        print_line(console, line)
    if plan.steps:
        print_plan(console, plan, ldif=beside.ldif)
        beside.show(console)
    for warning in warnings:
        tell(f"warning: {visible(warning)}")


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


def _occasion(settings: Settings, undoes: int | None, rejects: Rejects | None) -> Occasion:
    left_out = len(rejects.rejected) if rejects is not None else 0
    file = str(rejects.path.absolute()) if rejects is not None and left_out else ""
    command = invocation.current().command_line
    return Occasion(state_folder(), site_headline(settings), command, undoes, left_out, file)


def _write(directory: Directory, plan: Plan, manner: Manner, of: Occasion | Record, report: Report) -> Outcome:
    """Roll *plan* out; from then on a failure is told with what *report* makes of the outcome."""
    run = invocation.current()
    run.writing = True
    run.so_far = None  # what nobody foresaw is told without a word on what was changed
    try:
        outcome = _roll_out(directory, plan, manner, of)
    except ChangedButNotFinished as stopped:
        if stopped.roll_out is not None and stopped.undo_file is not None:
            run.so_far = functools.partial(report.json, Outcome(manner, stopped.roll_out, stopped.undo_file))
        raise
    except DcmcfgError:
        run.so_far = report.json
        raise
    run.so_far = functools.partial(report.json, outcome)
    return outcome


def _roll_out(directory: Directory, plan: Plan, manner: Manner, of: Occasion | Record) -> Outcome:
    with telling_who(directory, plan), progress("writing", len(plan.steps)) as on_step:
        match of:
            case Occasion():
                return roll_out(directory, plan, manner=manner, occasion=of, on_step=on_step)
            case Record():
                return resume(directory, plan, of, manner=manner, state=state_folder(), on_step=on_step)
