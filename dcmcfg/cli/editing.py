"""A command that makes one edit of the live configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dcmcfg.cli.changing import carry_out
from dcmcfg.cli.choices import Choices
from dcmcfg.cli.directory import open_directory
from dcmcfg.devices import Configuration
from dcmcfg.directory.reading import read_tree
from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import schema_knowing
from dcmcfg.edits.edit import Edit
from dcmcfg.plan.plan import Wanted, make_plan
from dcmcfg.schema.definitions import Schema
from dcmcfg.settings import Settings
from dcmcfg.targets import Target, named


def carry_out_edit(settings: Settings, choices: Choices, intent: Callable[[Configuration], Edit]) -> None:
    """Read the tree, show what *intent* makes of it and, when it is wanted, roll it out; raises as ``carry_out``."""
    with open_directory(settings) as directory:
        _carry_out(settings, directory, choices, intent)


def carry_out_on(
    settings: Settings,
    choices: Choices,
    text: str,
    attributes: Iterable[str],
    intent: Callable[[Schema, Target], Edit],
) -> None:
    """Do the same with what *intent* makes of the entry that *text* names.

    The schema that it is given knows *attributes* if the server does.
    """
    with open_directory(settings) as directory:
        schema = schema_knowing(directory, attributes)
        _carry_out(settings, directory, choices, lambda configuration: intent(schema, named(configuration, text)))


def _carry_out(
    settings: Settings, directory: Directory, choices: Choices, intent: Callable[[Configuration], Edit]
) -> None:
    tree = read_tree(directory)
    edit = intent(Configuration(tree))
    plan = make_plan(tree, [Wanted(change) for change in edit.changes])
    carry_out(settings, directory, plan, choices, edit.warnings)
