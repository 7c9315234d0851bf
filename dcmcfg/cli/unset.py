"""``dcmcfg unset``. Kept apart: each command is a module of its own, loaded only when the command runs."""

from __future__ import annotations

import shlex

import click

from dcmcfg.cli.completers import complete_existing_attribute, complete_target
from dcmcfg.cli.options.assignment import split_assignment
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.edit import apply_target_edit, make_added_class_lookup
from dcmcfg.cli.session.targets import resolve_target_with_note
from dcmcfg.edits.attribute_values import unset_attributes
from dcmcfg.settings import Settings


@click.command("unset", cls=SiteCommand)
@click.argument("target", shell_complete=complete_target)
@click.argument("attributes", nargs=-1, required=True, metavar="ATTR...", shell_complete=complete_existing_attribute)
@site_options
@changing_options
def unset_command(settings: Settings, options: ChangeOptions, *, target: str, attributes: tuple[str, ...]) -> None:
    """Remove attributes of an entry.

    You cannot remove attributes that are part of the name of the entry, or that the object classes of the entry
    require. If dcmcfg added an object class for an attribute, the class is removed together with the last attribute
    that requires the class.

    To remove single values, run 'dcmcfg set TARGET ATTR-=VALUE'.
    """
    if (assignment := next((each for each in attributes if "=" in each), None)) is not None:
        name, operator, _ = split_assignment(assignment)
        raise click.UsageError(
            f"{name}{operator}… specifies a value, but dcmcfg unset removes all values of {name}. To remove one value: "
            f"dcmcfg set {shlex.quote(target)} {name}-=VALUE"
        )
    apply_target_edit(
        settings,
        options,
        lambda configuration: resolve_target_with_note(configuration, target),
        attributes=attributes,
        make_edit=lambda schema, found: unset_attributes(
            schema, found, attributes, make_added_class_lookup(settings, schema, found)
        ),
    )
