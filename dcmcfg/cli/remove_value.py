"""``dcmcfg remove-value``."""

from __future__ import annotations

import click

from dcmcfg.cli.completers import complete_held_value, complete_target
from dcmcfg.cli.options.change_options import Choices, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.options.value_arguments import value_arguments
from dcmcfg.cli.session.edit import added_unasked, carry_out_on
from dcmcfg.edits.attribute_values import Values, remove_values
from dcmcfg.settings import Settings


@click.command("remove-value", cls=SiteCommand)
@click.argument("target", shell_complete=complete_target)
@value_arguments(complete_held_value)
@site_options
@changing_options
def remove_value_command(settings: Settings, choices: Choices, *, target: str, values: tuple[Values, ...]) -> None:
    """Take single values away from an entry.

    TARGET and ATTR=VALUE are as for 'dcmcfg set'. A value that is not there is nothing to do, and is told; so
    are values that look like it. An object class that 'set' or 'add-value' added for the last such value goes with it.
    """
    names = [each.name for each in values]
    carry_out_on(
        settings,
        choices,
        target,
        names,
        lambda schema, found: remove_values(schema, found, values, added_unasked(settings, schema, found)),
    )
