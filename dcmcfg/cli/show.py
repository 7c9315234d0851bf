"""``dcmcfg show`` and ``dcmcfg device show``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from dcmcfg.cli.completers import complete_device, complete_target
from dcmcfg.cli.noun_groups import device_group
from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.targets import resolve_target_with_note
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration, Device, NetworkAE
from dcmcfg.render.device import device_json, print_device
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.settings import Settings


@click.command("show", cls=SiteCommand)
@click.argument("target", required=False, metavar="[TARGET]", shell_complete=complete_target)
@site_options
@json_option
@output_option
def show_command(settings: Settings, *, target: str | None, as_json: bool) -> None:
    """Show a device, its AEs and its retrieve settings.

    For each AE, the command shows the settings that control retrieves. For each setting, it shows the value in effect
    and the source of the value: the AE itself or its device.
    """
    resolved_target = resolve_target_with_note(_read_configuration(settings), target or settings.device)
    device = resolved_target.device
    if device is None:
        raise NotFound(
            "the entry is neither a device nor an AE",
            subject=str(resolved_target.entry.dn),
            next_step="to show any entry: dcmcfg get",
        )
    _print_device(device, device.network_aes if resolved_target.ae is None else (resolved_target.ae,), as_json=as_json)


@device_group.command("show", cls=SiteCommand)
@click.argument("name", required=False, metavar="[DEVICE]", shell_complete=complete_device)
@site_options
@json_option
@output_option
def device_show_command(settings: Settings, *, name: str | None, as_json: bool) -> None:
    """Show a device, its AEs and its retrieve settings.

    The output is the same as the output of 'dcmcfg show DEVICE'.
    """
    device = _read_configuration(settings).get_device(name or settings.device)
    _print_device(device, device.network_aes, as_json=as_json)


def _read_configuration(settings: Settings) -> Configuration:
    with open_directory(settings) as directory:
        return Configuration(read_tree(directory))


def _print_device(device: Device, aes: Sequence[NetworkAE], *, as_json: bool) -> None:
    if as_json:
        print_json(device_json(device, aes))
    else:
        print_device(make_stdout_console(), device, aes)
