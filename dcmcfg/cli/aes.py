"""``dcmcfg aes``."""

from __future__ import annotations

import click

from dcmcfg.cli.options.output_options import format_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.no_match import report_matches
from dcmcfg.cli.session.output import print_json, print_text
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.devices import Configuration
from dcmcfg.onboarding.delimited import write_rows
from dcmcfg.onboarding.row import make_row_values_without_secrets
from dcmcfg.render.search import ae_json, print_aes
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.search.name_filter import filter_aes
from dcmcfg.settings import Settings


@click.command("aes", cls=SiteCommand)
@click.argument("pattern", default="")
@site_options
@format_option("table", "csv", "json", flags=("csv",))
@output_option
def aes_command(settings: Settings, *, pattern: str, form: str) -> int:
    """List the AEs of all devices, with their addresses.

    PATTERN picks those whose title, device or host has it in it, or fits it as a whole where it has * or ?; case does
    not count. With --device after the command, those of that device only. Capabilities are how many an AE lists: to
    one that lists none the archive sends anything, and with none of its own it offers nothing.

    Exit code: 1 when PATTERN fits none.
    """
    with open_directory(settings) as directory:
        configuration = Configuration(read_tree(directory))
    device_name = settings.device_from_option
    all_aes = configuration.get_device(device_name).network_aes if device_name else tuple(configuration.network_aes())
    aes = filter_aes(all_aes, pattern)
    if form == "json":
        print_json({"aes": [ae_json(ae) for ae in aes]})
    elif form == "csv":
        print_text([write_rows(map(make_row_values_without_secrets, aes))])
    else:
        print_aes(make_stdout_console(), aes)
    return report_matches(aes, pattern, (ae.title for ae in all_aes))
