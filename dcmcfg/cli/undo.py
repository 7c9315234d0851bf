"""``dcmcfg undo``."""

from __future__ import annotations

from pathlib import Path

import click

from dcmcfg.cli.options.arguments import ChangeName
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.change import apply_plan, make_server_rules
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.rejects import RejectsFile
from dcmcfg.cli.session.shared_history import make_sharing, open_shared_history
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.render.history import print_partial_undo, print_undo
from dcmcfg.render.terminal.console import make_console
from dcmcfg.rollout.change_reference import ChangeReference
from dcmcfg.rollout.history import History
from dcmcfg.rollout.partial_undo import format_nothing_undoable, plan_partial_undo, reconcile_if_possible
from dcmcfg.rollout.preconditions import add_last_change_on_refusal, add_last_changes
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.rollout.recovery import plan_undo, reconcile_interrupted
from dcmcfg.rollout.selection import select_rollout_to_undo
from dcmcfg.rollout.site_history import SiteHistory
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder

_REJECTED = 1


@click.command("undo", cls=SiteCommand)
@click.argument("number", required=False, type=ChangeName(), metavar="[N]")
@site_options
@click.option(
    "--partial",
    is_flag=True,
    help="Revert only the steps that no later change affects, and list the other steps.",
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="NEW",
    help="File for the steps that are not reverted. Default: undo-N.rejects.ldif.",
)
@changing_options
def undo_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    number: int | ChangeReference | None,
    partial: bool,
    rejects: Path | None,
) -> int:
    """Revert a change.

    dcmcfg plans the undo, shows the plan, and asks for confirmation, as for any other change. Without N, dcmcfg reverts
    the interrupted change. If no change was interrupted, dcmcfg reverts the newest change that is in effect on this
    directory. An undo is also a change, so 'dcmcfg undo N' can revert an undo. Without N, dcmcfg never reverts an
    undo: a second undo reverts an older change.

    You cannot revert a change by another account (ACCOUNT-N). Only the account that made the change can revert it.

    An undo never overwrites later changes. If the undo would overwrite a later change, dcmcfg refuses the undo and
    names the later change. With --partial, dcmcfg skips the steps that would overwrite a later change.

    Exit codes: with --partial, 1 at least one step was skipped.
    """
    if rejects is not None and not partial:
        raise click.UsageError("--rejects requires --partial")
    if isinstance(number, ChangeReference):
        number = _resolve_number(number)
    with open_directory(settings) as directory:
        reconcile = reconcile_if_possible if partial else reconcile_interrupted
        lock_folder = make_sharing(settings).lock_folder
        interrupted = reconcile(get_state_folder(), directory, shared_folder=lock_folder)
        history = History(get_state_folder())
        record = select_rollout_to_undo(history, settings.ldap_url, number, interrupted)
        if partial:
            return _undo_partially(settings, directory, record, options=options, rejects_path=rejects)
        tree = read_tree(directory)
        rules = make_server_rules(directory, tree)
        with add_last_change_on_refusal(directory):
            plan = plan_undo(record, tree, history.find_in_effect_since(record), rules)
        print_undo(make_console(on_stderr=options.stdout_reserved), record)
        apply_plan(settings, directory, plan, options=options, undone_number=record.number, rules=rules)
    return 0


def _resolve_number(reference: ChangeReference) -> int:
    """Return the number of the own change *reference*.

    Raises :class:`~dcmcfg.errors.Refused` for a change by another account.
    """
    site_history = SiteHistory(History(get_state_folder()), open_shared_history())
    record = site_history.select(reference)
    if not isinstance(record, RolloutRecord):
        raise site_history.make_private_error(record)
    return record.number


def _undo_partially(
    settings: Settings,
    directory: Directory,
    record: RolloutRecord,
    *,
    options: ChangeOptions,
    rejects_path: Path | None,
) -> int:
    tree = read_tree(directory)
    rules = make_server_rules(directory, tree)
    plan, misfits = plan_partial_undo(record, tree, rules.check_step)
    path = rejects_path or Path(f"undo-{record.number}.rejects.ldif")
    rejects = RejectsFile.from_records(path, add_last_changes(directory, misfits))
    warnings = () if plan.steps else (format_nothing_undoable(record),)
    print_partial_undo(make_console(on_stderr=options.stdout_reserved), record)
    apply_plan(
        settings,
        directory,
        plan,
        options=options,
        warnings=warnings,
        undone_number=record.number,
        rejects_file=rejects,
        rules=rules,
    )
    return _REJECTED if misfits else 0
