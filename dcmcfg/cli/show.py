"""``dcmcfg show``."""

from __future__ import annotations

import click

from dcmcfg.cli.completers import complete_target
from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import resolve_target
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

    For each AE, the command shows the value in effect of each setting that controls retrieves, and its source: the AE
    itself or its device.
    """
    with open_directory(settings) as directory:
        resolved_target = resolve_target(Configuration(read_tree(directory)), target or settings.device)
    device = resolved_target.device
    if device is None:
        raise NotFound(
            "it is neither a device nor an AE",
            subject=str(resolved_target.entry.dn),
            next_step="dcmcfg get shows any entry",
        )
    aes = device.network_aes if resolved_target.ae is None else (resolved_target.ae,)
    if as_json:
        print_json(device_json(device, aes))
    else:
        print_device(make_stdout_console(), device, aes)
