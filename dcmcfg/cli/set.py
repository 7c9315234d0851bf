"""``dcmcfg set``. Kept apart: each command is a module of its own, loaded only when the command runs."""

from __future__ import annotations

import click

from dcmcfg.cli.completers import complete_set_value, complete_target
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.options.value_arguments import value_arguments
from dcmcfg.cli.session.edit import apply_target_edit
from dcmcfg.edits.attribute_values import AttributeValues, set_values
from dcmcfg.settings import Settings


@click.command("set", cls=SiteCommand)
@click.argument("target", shell_complete=complete_target)
@value_arguments(complete_set_value)
@site_options
@changing_options
def set_command(
    settings: Settings, options: ChangeOptions, *, target: str, values: tuple[AttributeValues, ...]
) -> None:
    """Give attributes of an entry exactly these values.

    TARGET is DEVICE, DEVICE/AE, AE:TITLE, or a DN, absolute or relative to the devices' container. An attribute given
    several times gets several values; all that it had before are replaced. ATTR=@FILE takes the value from a file,
    ATTR=@- from standard input, and a value that begins with @ is written with another @ before it. Names and values
    are checked before anything is planned; the object class that allows the attribute is added where it is
    missing.
    """
    names = [each.name for each in values]
    apply_target_edit(
        settings, options, target, attributes=names, make_edit=lambda schema, found: set_values(schema, found, values)
    )
