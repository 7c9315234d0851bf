"""``dcmcfg remove-value``. Kept apart: each command is a module of its own, loaded only when the command runs."""

from __future__ import annotations

import click

from dcmcfg.cli.completers import complete_existing_value, complete_target
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.options.value_arguments import value_arguments
from dcmcfg.cli.session.edit import apply_target_edit, make_added_class_lookup
from dcmcfg.edits.attribute_values import AttributeValues, remove_values
from dcmcfg.settings import Settings


@click.command("remove-value", cls=SiteCommand)
@click.argument("target", shell_complete=complete_target)
@value_arguments(complete_existing_value)
@site_options
@changing_options
def remove_value_command(
    settings: Settings, options: ChangeOptions, *, target: str, values: tuple[AttributeValues, ...]
) -> None:
    """Take single values away from an entry.

    TARGET and ATTR=VALUE are as for 'dcmcfg set'. A value that is not there is nothing to do, and is told; so
    are values that look like it. An object class that 'set' or 'add-value' added for the last such value goes with it.
    """
    names = [each.name for each in values]
    apply_target_edit(
        settings,
        options,
        target,
        attributes=names,
        make_edit=lambda schema, found: remove_values(
            schema, found, values, make_added_class_lookup(settings, schema, found)
        ),
    )
