"""``dcmcfg device create``, ``clone`` and ``remove``."""

from __future__ import annotations

import click

from dcmcfg.cli.completers import complete_device
from dcmcfg.cli.noun_groups import device_group
from dcmcfg.cli.options.arguments import new_name_option
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.edit import apply_edit
from dcmcfg.edits.devices import NAME_OPTIONS, CloneNames, clone_device, create_device, remove_device
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.settings import Settings


@device_group.command("create", cls=SiteCommand)
@click.argument("name")
@site_options
@click.option("--description", metavar="TEXT", help="Description of the device.")
@click.option(
    "--type", "types", multiple=True, metavar="MODALITY", help="Primary device type, such as CT; can be repeated."
)
@changing_options
def create_command(
    settings: Settings, options: ChangeOptions, *, name: str, description: str | None, types: tuple[str, ...]
) -> None:
    """Create an empty device.

    To add an AE to the device, run 'dcmcfg ae add AET@HOST:PORT --device NAME'. 'dcmcfg ae add' also creates the device
    if the device does not exist.
    """
    apply_edit(
        settings,
        options,
        lambda configuration: create_device(configuration, name, description=description, types=types),
    )


@device_group.command("clone", cls=SiteCommand)
@click.argument("old", shell_complete=complete_device)
@click.argument("new")
@site_options
@new_name_option(NAME_OPTIONS[EntityKind.AE], "New AE title in the copy; can be repeated.")
@new_name_option(NAME_OPTIONS[EntityKind.WEB_APP], "New name of a web application in the copy; can be repeated.")
@new_name_option(
    NAME_OPTIONS[EntityKind.HL7_APPLICATION], "New name of an HL7 application in the copy; can be repeated."
)
@click.option(
    "--suffix",
    metavar="TEXT",
    default="",
    help="Suffix for all other names in the copy that must be unique in the directory.",
)
@changing_options
def clone_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    old: str,
    new: str,
    ae: dict[str, str],
    web_app: dict[str, str],
    hl7_application: dict[str, str],
    suffix: str,
) -> None:
    """Copy a device and everything in it to a new device.

    AE titles and the names of web and HL7 applications must be unique, so the copy needs new names. The new names are
    registered. References inside the copy are updated. Addresses are copied unchanged.
    """
    names_by_kind = {EntityKind.AE: ae, EntityKind.WEB_APP: web_app, EntityKind.HL7_APPLICATION: hl7_application}
    apply_edit(
        settings,
        options,
        lambda configuration: clone_device(
            configuration, configuration.get_device(old), CloneNames(new, names_by_kind, suffix)
        ),
    )


@device_group.command("remove", short_help="Remove a device and everything in it.", cls=SiteCommand)
@click.argument("name", shell_complete=complete_device)
@site_options
@changing_options
def remove_command(settings: Settings, options: ChangeOptions, *, name: str) -> None:
    """Remove a device, everything in it, and the registrations of its AE titles and other names.

    References to the device in other entries are listed, but not changed. To remove the archive's device, specify
    --force-archive-device.
    """
    apply_edit(settings, options, lambda configuration: remove_device(configuration.get_device(name)))
