"""A command that makes one edit of the live configuration."""

from __future__ import annotations

from collections.abc import Callable

from dcmcfg.cli.changing import carry_out
from dcmcfg.cli.choices import Choices
from dcmcfg.cli.directory import open_directory
from dcmcfg.devices import Configuration
from dcmcfg.directory.reading import read_tree
from dcmcfg.edits.edit import Edit
from dcmcfg.plan.plan import Wanted, make_plan
from dcmcfg.settings import Settings


def carry_out_edit(settings: Settings, choices: Choices, intent: Callable[[Configuration], Edit]) -> None:
    """Read the tree, show what *intent* makes of it and, when it is wanted, roll it out; raises as ``carry_out``."""
    with open_directory(settings) as directory:
        tree = read_tree(directory)
        edit = intent(Configuration(tree))
        plan = make_plan(tree, [Wanted(change) for change in edit.changes])
        carry_out(settings, directory, plan, choices, edit.warnings)
