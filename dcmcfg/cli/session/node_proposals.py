"""Propose nodes for the profile from the directory.

A module of its own, because the other commands for profiles do not connect to the directory.
"""

from __future__ import annotations

import shlex

from dcmcfg.cli.printing import print_message, print_output
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.device_cluster import list_cluster_members, make_node_name
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.config import proposed_nodes_json
from dcmcfg.settings import Settings


def propose_nodes(settings: Settings, *, as_json: bool) -> None:
    """Print the commands that add the nodes in the directory to the profile; nothing is changed.

    Raises :class:`~dcmcfg.errors.DirectoryError` if the directory cannot be read.
    """
    with open_directory(settings) as directory:
        members = list_cluster_members(read_tree(directory), settings.device)
    known = {each.archive_url for each in settings.nodes}
    profile = settings.profile or "NAME"
    commands = {
        each.archive_url: shlex.join(
            ["dcmcfg", "config", "set", f"{profile}.nodes.{make_node_name(each)}.archive_url", each.archive_url]
        )
        for each in members
        if each.archive_url not in known and not each.has_own_device
    }
    if as_json:
        print_json(proposed_nodes_json(members, commands))
        return
    for each in members:
        if each.has_own_device:
            print_message(
                escape_unprintable(
                    f"warning: {each.name} has its own device, so {each.name} is not a node of {settings.device}. "
                    f"Make a separate profile for {each.name}"
                )
            )
    urls = {each.name: each.archive_url for each in settings.nodes}
    for each in members:
        if each.archive_url in commands and (url := urls.get(make_node_name(each))) is not None:
            print_message(
                escape_unprintable(
                    f"warning: the profile has the node {make_node_name(each)} with the URL {url}. The command below "
                    "replaces this URL"
                )
            )
    if not members:
        print_output("The directory lists no cluster of archives (dcmuiDeviceClusterObject).")
    elif not commands:
        print_output("The profile has all nodes that the directory lists.")
    else:
        print_output("To add these nodes to the profile, run:", *map(escape_unprintable, commands.values()))
