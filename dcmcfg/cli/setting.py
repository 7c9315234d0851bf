"""What the commands that change values of one entry do: find it, plan the edit, carry it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dcmcfg.cli.changing import carry_out
from dcmcfg.cli.choices import Choices
from dcmcfg.cli.directory import open_directory
from dcmcfg.devices import Configuration
from dcmcfg.directory.reading import read_tree
from dcmcfg.directory.subschema import schema_knowing
from dcmcfg.edits.edit import Edit
from dcmcfg.plan.plan import Wanted, make_plan
from dcmcfg.schema.definitions import Schema
from dcmcfg.settings import Settings
from dcmcfg.targets import Target, named


def carry_out_on(
    settings: Settings,
    choices: Choices,
    text: str,
    attributes: Iterable[str],
    edit: Callable[[Schema, Target], Edit],
) -> None:
    """Carry out what *edit* makes of the entry that *text* names; its schema knows *attributes* if the server does."""
    with open_directory(settings) as directory:
        schema = schema_knowing(directory, attributes)
        tree = read_tree(directory)
        wanted = edit(schema, named(Configuration(tree), text))
        plan = make_plan(tree, [Wanted(change) for change in wanted.changes])
        carry_out(settings, directory, plan, choices, wanted.warnings)
