"""``dcmcfg add-value``. Kept apart: each command is a module of its own, loaded only when the command runs."""

from __future__ import annotations

import click

from dcmcfg.cli.completers import complete_new_value, complete_target
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.options.value_arguments import value_arguments
from dcmcfg.cli.session.edit import apply_target_edit
from dcmcfg.edits.attribute_values import AttributeValues, add_values
from dcmcfg.settings import Settings


@click.command("add-value", cls=SiteCommand)
@click.argument("target", shell_complete=complete_target)
@value_arguments(complete_new_value)
@site_options
@changing_options
def add_value_command(
    settings: Settings, options: ChangeOptions, *, target: str, values: tuple[AttributeValues, ...]
) -> None:
    """Add values beside those that an entry has.

    TARGET and ATTR=VALUE are as for 'dcmcfg set'. A value that is there already is nothing to do.
    """
    names = [each.name for each in values]
    apply_target_edit(
        settings, options, target, attributes=names, make_edit=lambda schema, found: add_values(schema, found, values)
    )
