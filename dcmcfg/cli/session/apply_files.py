"""Apply the records of LDIF files: the common part of ``apply`` and ``upgrade apply``."""

from __future__ import annotations

import functools
from pathlib import Path

from dcmcfg.cli.options.change_options import ChangeOptions
from dcmcfg.cli.options.map_base import make_site_rebasing
from dcmcfg.cli.session.change import apply_plan, make_server_rules
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.rejects import RejectsFile
from dcmcfg.directory.tree_reader import read_tree_or_empty
from dcmcfg.dn import DN
from dcmcfg.files.ldif import find_file_warnings
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.plan import content_records
from dcmcfg.plan.access_lists import warn_about_new_restrictions
from dcmcfg.plan.applied_file import refuse_applied_file, report_applied_file
from dcmcfg.plan.desired_state import collect_desired_changes, describe_surplus, make_surplus_deletes
from dcmcfg.plan.rebasing import Files, rebase_files
from dcmcfg.rollout.history import History
from dcmcfg.rollout.past_renames import find_past_renames
from dcmcfg.rollout.preconditions import add_last_change_on_refusal, plan_with_last_changes
from dcmcfg.rollout.recovery import check_overwrites
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder

_REJECTED = 1


def apply_files(
    settings: Settings,
    options: ChangeOptions,
    files: tuple[Path, ...],
    records: Files,
    *,
    prune_base: DN | None = None,
    rejects_file: Path | None = None,
    old_base: DN | None = None,
    overwrite: bool = False,
) -> int:
    """Apply the *records* of *files*; *prune_base* also deletes entries at and below that DN which no file names.

    Records that do not fit are written to *rejects_file*, if any. With *overwrite*, an undo file may overwrite later
    changes. Records for *old_base* are applied below the site's own base. Returns the exit code: 1 if records were
    rejected. Raises the errors of :func:`~dcmcfg.cli.session.change.apply_plan`.
    """
    with pause_garbage_collection(), open_directory(settings) as directory:
        tree = read_tree_or_empty(directory)  # an empty server is possible: FILE may contain the whole tree
        rebasing_report = make_site_rebasing(directory, tree, old_base) if old_base is not None else None
        if rebasing_report is not None:
            records = rebase_files(records, rebasing_report, tree)
        desired_changes = tuple(collect_desired_changes(records))
        deletes = make_surplus_deletes(tree, prune_base, desired_changes) if prune_base is not None else ()
        rules = make_server_rules(directory, tree)
        all_changes = (*desired_changes, *deletes)
        history = History(get_state_folder())
        load_past_renames = functools.partial(find_past_renames, history, settings.ldap_url)
        continue_on_misfit = rejects_file is not None
        with report_applied_file(tree, all_changes):
            plan, misfits = plan_with_last_changes(
                directory,
                tree,
                all_changes,
                rules.check_step,
                skip_inapplicable=continue_on_misfit,
                load_past_renames=load_past_renames,
            )
        if misfits:
            refuse_applied_file(tree, all_changes)
        rejects = RejectsFile.from_records(rejects_file, misfits) if rejects_file is not None else None
        rebasing_warnings = rebasing_report.format_warnings() if rebasing_report else ()
        warnings = (
            *find_file_warnings(records, settings.ldap_url),
            *content_records.describe_ignored_attributes(records),
            *rebasing_warnings,
            *warn_about_new_restrictions(plan),
            *(describe_surplus(tree, desired_changes) if prune_base is None else ()),
        )
        # A file for another base is not the undo of a change here.
        undone_rollout = None if old_base is not None else history.find_rollout_by_undo_file(files, settings.ldap_url)
        if undone_rollout is not None:
            with add_last_change_on_refusal(directory):
                warnings = (*warnings, *check_overwrites(history.get_rollout(undone_rollout), plan, accepted=overwrite))
        # An undo with rejected records has not reverted the whole change, so it is not recorded as its undo.
        undone_number = None if misfits else undone_rollout
        apply_plan(
            settings,
            directory,
            plan,
            options=options,
            warnings=warnings,
            undone_number=undone_number,
            scope_dn=prune_base,
            rejects_file=rejects,
            rules=rules,
        )
    return _REJECTED if misfits else 0
