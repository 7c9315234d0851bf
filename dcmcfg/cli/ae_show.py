"""``dcmcfg ae show``. Kept apart: each command is a module of its own, loaded only when the command runs."""

from __future__ import annotations

import click

from dcmcfg.cli.completers import complete_ae
from dcmcfg.cli.noun_groups import ae_group
from dcmcfg.cli.options.ae_device import ae_device_option
from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options_without_device
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.devices import Configuration
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.registries import find_registrations
from dcmcfg.model.targets import resolve_network_ae
from dcmcfg.render.ae import ae_details_json, print_ae
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.settings import Settings


@ae_group.command("show", short_help="Show an AE, and the settings that refer to it.", cls=SiteCommand)
@click.argument("ae", metavar="TITLE|DEVICE/TITLE", shell_complete=complete_ae)
@site_options_without_device
@ae_device_option
@json_option
@output_option
def show_command(settings: Settings, *, ae: str, on_device: str | None, as_json: bool) -> None:
    """Show an AE, and the settings that refer to it.

    The output shows the connections, the role, the accepted callers, and the number of capabilities. For an AE of the
    archive, the output also shows the retrieve settings in effect, and the source of each setting.

    To see all attributes, run 'dcmcfg get AE:TITLE'. To see the capabilities, run 'dcmcfg capability list TITLE'.
    """
    with open_directory(settings) as directory:
        tree = read_tree(directory)
    network_ae = resolve_network_ae(Configuration(tree), ae, on_device)
    references = References(tree).find_references_to(network_ae.entry, EntityKind.AE, network_ae.title)
    registered = bool(find_registrations(tree, EntityKind.AE, network_ae.title))
    if as_json:
        print_json(ae_details_json(network_ae, references, registered=registered))
    else:
        print_ae(make_stdout_console(), network_ae, references, registered=registered)
