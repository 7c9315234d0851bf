"""``dcmcfg set``, ``dcmcfg ae set`` and ``dcmcfg device set``."""

from __future__ import annotations

from collections.abc import Callable

import click

from dcmcfg.cli.completers import complete_ae, complete_assignment, complete_device, complete_target
from dcmcfg.cli.noun_groups import ae_group, device_group
from dcmcfg.cli.options.ae_device import ae_device_option
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options, site_options_without_device
from dcmcfg.cli.options.value_arguments import value_arguments
from dcmcfg.cli.session.edit import apply_target_edit, make_added_class_lookup
from dcmcfg.cli.session.targets import resolve_target_with_note
from dcmcfg.edits.attribute_values import AttributeValues, set_values
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import Target, resolve_network_ae
from dcmcfg.settings import Settings


def _apply_values(
    settings: Settings,
    options: ChangeOptions,
    values: tuple[AttributeValues, ...],
    resolve: Callable[[Configuration], Target],
) -> None:
    apply_target_edit(
        settings,
        options,
        resolve,
        attributes=[each.name for each in values],
        make_edit=lambda schema, found: set_values(
            schema, found, values, make_added_class_lookup(settings, schema, found)
        ),
    )


@click.command("set", cls=SiteCommand)
@click.argument("target", shell_complete=complete_target)
@value_arguments(complete_assignment)
@site_options
@changing_options
def set_command(
    settings: Settings, options: ChangeOptions, *, target: str, values: tuple[AttributeValues, ...]
) -> None:
    """Set, add and remove values of an entry.

    There are three forms. One command can use several forms, and applies them as one change of the entry:

    \b
      ATTR=VALUE   replaces all values; for several new values, repeat ATTR=VALUE
      ATTR+=VALUE  adds a value; a value that exists already is unchanged
      ATTR-=VALUE  removes a value; similar values are shown if no value matches

    To read the value from a file, write @FILE as VALUE. To read the value from standard input, write @-. If the value
    itself begins with @, write @@. dcmcfg checks names and values before it makes the plan.

    If an attribute requires another object class, dcmcfg adds the class together with the first value of the attribute.
    ATTR-= removes the class together with the last value that requires the class.
    """  # noqa: D301 — the backslash is click's mark for lines that it must not wrap
    _apply_values(settings, options, values, lambda configuration: resolve_target_with_note(configuration, target))


@ae_group.command("set", cls=SiteCommand)
@click.argument("ae", metavar="TITLE|DEVICE/TITLE", shell_complete=complete_ae)
@value_arguments(complete_assignment)
@site_options_without_device
@ae_device_option
@changing_options
def ae_set_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    ae: str,
    on_device: str | None,
    values: tuple[AttributeValues, ...],
) -> None:
    """Set, add and remove values of an AE.

    For the forms of ATTR=VALUE, run 'dcmcfg help set'.
    """

    def resolve(configuration: Configuration) -> Target:
        found = resolve_network_ae(configuration, ae, on_device)
        return Target(found.entry, found.device, found)

    _apply_values(settings, options, values, resolve)


@device_group.command("set", cls=SiteCommand)
@click.argument("name", metavar="DEVICE", shell_complete=complete_device)
@value_arguments(complete_assignment)
@site_options
@changing_options
def device_set_command(
    settings: Settings, options: ChangeOptions, *, name: str, values: tuple[AttributeValues, ...]
) -> None:
    """Set, add and remove values of a device.

    For the forms of ATTR=VALUE, run 'dcmcfg help set'.
    """

    def resolve(configuration: Configuration) -> Target:
        device = configuration.get_device(name)
        return Target(device.entry, device)

    _apply_values(settings, options, values, resolve)
