"""``dcmcfg apply``."""

from __future__ import annotations

from pathlib import Path

import click

from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.file_urls import file_urls_options
from dcmcfg.cli.options.map_base import find_old_base, map_base_option
from dcmcfg.cli.options.site_command import ForceOption, SiteCommand, site_options
from dcmcfg.cli.session.apply_files import apply_files
from dcmcfg.cli.session.change import apply_plan, remove_leftover_markers, resume_nodes
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.rejects import choose_rejects_path
from dcmcfg.cli.session.shared_history import make_sharing
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.files.ldif import read_files
from dcmcfg.nodes.pending import find_pending_activation
from dcmcfg.render.history import print_resume
from dcmcfg.render.terminal.console import make_console
from dcmcfg.rollout.history import History
from dcmcfg.rollout.preconditions import add_last_change_on_refusal
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.rollout.recovery import plan_resume, reconcile_interrupted
from dcmcfg.rollout.selection import select_rollout_to_resume
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder


@click.command("apply", cls=SiteCommand)
@click.argument("files", nargs=-1, metavar="FILE...", type=click.Path(path_type=Path, allow_dash=True))
@site_options
@click.option(
    "--resume",
    is_flag=True,
    help="Finish the interrupted change. Do not specify a FILE with --resume. If the interrupted command had "
    "--no-reload, the archive is not reloaded.",
)
@click.option("--prune", is_flag=True, help="Delete the entries that no FILE contains. Requires --under.")
@click.option(
    "--under",
    "prune_base",
    metavar="DN",
    help="DN for --prune. Only the entry with this DN and the entries below it can be deleted.",
)
@click.option(
    "--continue",
    "continue_on_misfit",
    is_flag=True,
    help="Skip records that cannot be applied. If a record is skipped, the exit code is 1.",
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="NEW",
    help="File for the records that --continue skips. Default: the name of FILE with '.rejects' added, for example "
    "a.rejects.ldif for a.ldif.",
)
@click.option("--mixed", is_flag=True, help="Accept a FILE with both entries and change records, as ldapadd does.")
@map_base_option
@file_urls_options
@changing_options
@click.option(
    "--force-overwrite",
    cls=ForceOption,
    is_flag=True,
    help="Apply an undo file even if it overwrites later changes.",
)
def apply_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    files: tuple[Path, ...],
    resume: bool,
    prune: bool,
    prune_base: str | None,
    continue_on_misfit: bool,
    rejects: Path | None,
    mixed: bool,
    map_base: str | None,
    file_urls: Path | bool,
    force_overwrite: bool,
) -> int:
    """Apply changes from LDIF files, plans or undo files.

    A FILE contains either change records or entries in their desired state. If a FILE contains both, specify --mixed. A
    missing entry is added, and an existing entry is changed to its desired state. Other entries are deleted only with
    --prune.

    Changes that are already in the directory are listed and skipped. If a record of a FILE cannot be applied, nothing
    is written. To skip such records, specify --continue.

    Plans and undo files contain assertion controls. A file with assertion controls is applied exactly as written, or
    refused as a whole. dcmcfg also refuses an undo file if the undo would overwrite later changes. Only the account
    that created the undo file has the history that this check requires.

    Exit codes: with --continue, 1 at least one record was skipped.
    """
    if bool(files) == resume:
        raise click.UsageError("--resume excludes FILE" if resume else "Specify a FILE or --resume")
    if prune != (prune_base is not None):
        raise click.UsageError("--prune and --under DN must be used together")
    if rejects is not None and not continue_on_misfit:
        raise click.UsageError("--rejects requires --continue")
    if resume:
        if prune or continue_on_misfit or options.strict or map_base is not None:
            excluded_options = "--prune, --continue, --map-base and --strict"
            raise click.UsageError(f"--resume applies the original plan. Omit {excluded_options}")
        _resume(settings, options)
        return 0
    subtree = DN.parse(prune_base) if prune_base is not None else None
    records = read_files(files, file_urls=file_urls, allow_mixed=mixed)
    rejects_path = (
        choose_rejects_path(files, rejects, suffix=".ldif", option="--continue") if continue_on_misfit else None
    )
    old_base = find_old_base(map_base, records) if map_base is not None else None
    return apply_files(
        settings,
        options,
        files,
        records,
        prune_base=subtree,
        rejects_file=rejects_path,
        old_base=old_base,
        overwrite=force_overwrite,
    )


def _resume(settings: Settings, options: ChangeOptions) -> None:
    with open_directory(settings) as directory:
        lock_folder = make_sharing(settings).lock_folder
        interrupted = reconcile_interrupted(get_state_folder(), directory, shared_folder=lock_folder)
        history = History(get_state_folder())
        pending = find_pending_activation(history, settings.ldap_url)
        markers_removed = not options.dry_run and remove_leftover_markers(directory, history, options)
        if markers_removed and pending is None and interrupted is None:
            return
        # A change that is applied completely has only its nodes left.
        if pending is not None and history.find_unfinished(settings.ldap_url) is None:
            print_resume(make_console(on_stderr=options.stdout_reserved), pending.record)
            resume_nodes(settings, directory, pending, options=options)
            _name_upgrade_check(pending.record, options)
            return
        record = select_rollout_to_resume(history, settings.ldap_url, interrupted)
        with add_last_change_on_refusal(directory):
            plan = plan_resume(record, read_tree(directory))
        print_resume(make_console(on_stderr=options.stdout_reserved), record)
        apply_plan(settings, directory, plan, options=options, resumed_record=record)
        _name_upgrade_check(record, options)


def _name_upgrade_check(record: RolloutRecord, options: ChangeOptions) -> None:
    """Print how to check the upgrade that *record* has completed; only ``upgrade apply`` does this check itself."""
    from dcmcfg.render.upgrade_commands import find_check_command

    command = "" if options.dry_run else find_check_command(record.read_plan_head())
    if command:
        options.print_lines(f"This change is an upgrade. To check that the upgrade is complete: {command}")
