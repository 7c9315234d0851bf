"""The option that carries out elsewhere what LDIF files say of another base DN."""

from __future__ import annotations

import click

from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import read_merged_schema
from dcmcfg.dn import DN
from dcmcfg.model.rebasing import Rebasing, RebasingReport
from dcmcfg.model.tree import Tree
from dcmcfg.plan.rebasing import Files, find_base, find_site_base

#: What has the base DN found in the files.
AUTO = "auto"

map_base_option = click.option(
    "--map-base",
    metavar="DN",
    help=f"Rewrite the DNs of the files from this base DN to that of the site; '{AUTO}' detects the base DN.",
)


def find_old_base(option_value: str, files: Files) -> DN:
    """Return the base DN that *option_value*, the option's value, says *files* are for.

    Raises as :func:`find_base` does.
    """
    if option_value == AUTO:
        return find_base(files)
    return parse_base(option_value)


def parse_base(text: str) -> DN:
    """Return the base DN that *text* is; the empty one is a usage error."""
    base = DN.parse(text)
    if not base.rdns:
        raise click.UsageError("--map-base names no entry")
    return base


def make_site_rebasing(directory: Directory, tree: Tree, old: DN) -> RebasingReport:
    """Return what takes records from the base DN *old* to that of the configuration in *tree*, or in *directory*."""
    new_base = find_site_base(tree, directory.server.base_dn)
    return RebasingReport(Rebasing(read_merged_schema(directory), old, new_base))
