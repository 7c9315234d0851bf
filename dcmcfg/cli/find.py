"""``dcmcfg find``."""

from __future__ import annotations

import click

from dcmcfg.cli.options.display_options import wide_option
from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.devices import find_devices_dn
from dcmcfg.render.search import hit_json, print_hits
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.search.text_search import find_text
from dcmcfg.settings import Settings

_NOTHING = 1


@click.command("find", cls=SiteCommand)
@click.argument("text")
@site_options
@wide_option
@json_option
@output_option
def find_command(settings: Settings, *, text: str, as_json: bool) -> int:
    """Find a text in names and values.

    If TEXT is the name of an item (an AE, a device, a queue or another item), some of the values that dcmcfg finds can
    be references to this item. In the row of a reference, the last column shows the item. All other values only contain
    the same text. Secrets are not searched and not shown.

    Exit codes: 0 found, 1 not found.
    """
    if not text:
        raise click.UsageError("TEXT is empty")
    with open_directory(settings) as directory:
        tree = read_tree(directory)
    hits = find_text(tree, text)
    if as_json:
        print_json({"text": text, "hits": [hit_json(hit) for hit in hits]})
    else:
        print_hits(make_stdout_console(), hits, text, find_devices_dn(tree))
    return 0 if hits else _NOTHING
