"""Apply one edit of the live configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dcmcfg.cli.options.change_options import ChangeOptions
from dcmcfg.cli.session.change import apply_plan
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import read_schema_for_attributes
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.edit import Edit
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import Target
from dcmcfg.plan.access_lists import warn_about_new_restrictions
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.render.referrers import referrers_json
from dcmcfg.render.terminal.console import ExtraOutput
from dcmcfg.rollout.added_classes import find_added_classes
from dcmcfg.rollout.history import History
from dcmcfg.schema.definitions import Schema
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder


def apply_edit(settings: Settings, options: ChangeOptions, make_edit: Callable[[Configuration], Edit]) -> None:
    """Read the tree, make an edit of the tree with *make_edit*, and apply the plan of that edit.

    Raises what :func:`~dcmcfg.cli.session.change.apply_plan` raises.
    """
    with open_directory(settings) as directory:
        plan, edit = _plan_edit(directory, make_edit)
        apply_plan(
            settings,
            directory,
            plan,
            options=options,
            warnings=edit.warnings,
            extra_output=ExtraOutput(json_fields=referrers_json(edit)),
            reported_values={
                (each.reference.dn, each.reference.attribute, each.reference.value) for each in edit.referrers or ()
            },
        )


def apply_target_edit(
    settings: Settings,
    options: ChangeOptions,
    resolve: Callable[[Configuration], Target],
    *,
    attributes: Iterable[str],
    make_edit: Callable[[Schema, Target], Edit],
) -> None:
    """Apply the edit that *make_edit* makes of the entry that *resolve* returns, as :func:`apply_edit` does.

    The schema passed to *make_edit* knows *attributes* if the server's schema does. Warns of new access restrictions.
    """
    with open_directory(settings) as directory:
        schema = read_schema_for_attributes(directory, attributes)
        plan, edit = _plan_edit(directory, lambda configuration: make_edit(schema, resolve(configuration)))
        apply_plan(
            settings, directory, plan, options=options, warnings=(*edit.warnings, *warn_about_new_restrictions(plan))
        )


def make_added_class_lookup(settings: Settings, schema: Schema, target: Target) -> Callable[[], frozenset[str]]:
    """Return a function that finds the object classes that earlier commands of this account added to *target*."""
    return lambda: find_added_classes(History(get_state_folder()), settings.ldap_url, schema, target.entry.dn)


def _plan_edit(directory: Directory, make_edit: Callable[[Configuration], Edit]) -> tuple[Plan, Edit]:
    tree = read_tree(directory)
    edit = make_edit(Configuration(tree))
    return make_plan(tree, [DesiredChange(change) for change in edit.changes]), edit
