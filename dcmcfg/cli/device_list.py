"""``dcmcfg device list``. Kept apart: each command is a module of its own, loaded only when the command runs."""

from __future__ import annotations

import click

from dcmcfg.cli.noun_groups import device_group
from dcmcfg.cli.options.display_options import wide_option
from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.no_match import report_matches
from dcmcfg.cli.session.output import print_json
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.devices import Configuration
from dcmcfg.render.search import device_summary_json, print_devices
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.search.name_filter import filter_devices
from dcmcfg.settings import Settings


@device_group.command("list", cls=SiteCommand)
@click.argument("pattern", default="")
@site_options
@wide_option
@json_option
@output_option
def list_command(settings: Settings, *, pattern: str, as_json: bool) -> int:
    """List the devices, with their AEs.

    Exit codes: 0 success, 1 no device matches PATTERN.
    """
    with open_directory(settings) as directory:
        all_devices = Configuration(read_tree(directory)).devices
    devices = filter_devices(all_devices, pattern)
    if as_json:
        print_json({"devices": [device_summary_json(device) for device in devices]})
    else:
        print_devices(make_stdout_console(), devices)
    return report_matches(devices, pattern, (device.name for device in all_devices))
