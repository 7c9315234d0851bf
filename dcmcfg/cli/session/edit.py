"""A command that makes one edit of the live configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dcmcfg.cli.options.change_options import Choices
from dcmcfg.cli.session.change import carry_out
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import schema_knowing
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.edit import Edit
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import Target, named
from dcmcfg.plan.access_lists import narrowings
from dcmcfg.plan.plan import Plan, Wanted, make_plan
from dcmcfg.render.referrers import referrers_json
from dcmcfg.render.terminal.console import Beside
from dcmcfg.rollout.added_classes import added_classes
from dcmcfg.rollout.history import History
from dcmcfg.schema.definitions import Schema
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import state_folder


def carry_out_edit(settings: Settings, choices: Choices, intent: Callable[[Configuration], Edit]) -> None:
    """Read the tree, show what *intent* makes of it and, when it is wanted, roll it out; raises as ``carry_out``."""
    with open_directory(settings) as directory:
        plan, edit = _planned(directory, intent)
        carry_out(settings, directory, plan, choices, edit.warnings, beside=Beside(json=referrers_json(edit)))


def carry_out_on(
    settings: Settings,
    choices: Choices,
    text: str,
    attributes: Iterable[str],
    intent: Callable[[Schema, Target], Edit],
) -> None:
    """Do the same with what *intent* makes of the entry that *text* names.

    The schema that it is given knows *attributes* if the server does. What comes to name something that is not there
    is warned of, and what comes to shut somebody out.
    """
    with open_directory(settings) as directory:
        schema = schema_knowing(directory, attributes)
        plan, edit = _planned(directory, lambda configuration: intent(schema, named(configuration, text)))
        carry_out(settings, directory, plan, choices, (*edit.warnings, *narrowings(plan)))


def added_unasked(settings: Settings, schema: Schema, target: Target) -> Callable[[], frozenset[str]]:
    """Return what looks up the object classes that commands of this account added to *target* with values."""
    return lambda: added_classes(History(state_folder()), settings.ldap_url, schema, target.entry.dn)


def _planned(directory: Directory, intent: Callable[[Configuration], Edit]) -> tuple[Plan, Edit]:
    tree = read_tree(directory)
    edit = intent(Configuration(tree))
    return make_plan(tree, [Wanted(change) for change in edit.changes]), edit
