"""``dcmcfg ae list``."""

from __future__ import annotations

import click

from dcmcfg.cli.noun_groups import ae_group
from dcmcfg.cli.options.display_options import wide_option
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


@ae_group.command("list", cls=SiteCommand)
@click.argument("pattern", default="")
@site_options
@wide_option
@format_option("table", "csv", "json", flags=("csv",))
@output_option
def list_command(settings: Settings, *, pattern: str, form: str) -> int:
    """List the AEs of all devices, with their addresses.

    To list the AEs of one device only, put --device NAME after the command. The column CAPABILITIES shows the number of
    capabilities of each AE. The archive sends everything to an AE without capabilities. If an AE of the archive has no
    capabilities, that AE offers nothing. 'dcmcfg import' can read the output of --format csv.

    Exit codes: 0 success, 1 no AE matches PATTERN.
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
