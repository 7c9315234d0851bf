"""The option that carries out elsewhere what LDIF files say of another base DN."""

from __future__ import annotations

import click

from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import read_whole_schema
from dcmcfg.dn import DN
from dcmcfg.model.rebasing import Rebasing, RebasingNotes
from dcmcfg.model.tree import Tree
from dcmcfg.plan.rebasing import Files, base_of, site_base

#: What has the base DN found in the files.
AUTO = "auto"

map_base_option = click.option(
    "--map-base",
    metavar="DN",
    help=f"Take the records from this base DN to the site's own; '{AUTO}': from the one that the files name.",
)


def old_base(named: str, files: Files) -> DN:
    """Return the base DN that *named*, the option's value, says *files* are for; raises as :func:`base_of` does."""
    if named == AUTO:
        return base_of(files)
    return base_named(named)


def base_named(named: str) -> DN:
    """Return the base DN that *named* is; the empty one is a usage error."""
    base = DN.parse(named)
    if not base.rdns:
        raise click.UsageError("--map-base names no entry")
    return base


def to_site(directory: Directory, tree: Tree, old: DN) -> RebasingNotes:
    """Return what takes records from the base DN *old* to that of the configuration in *tree*, or in *directory*."""
    new = site_base(tree, directory.server.base_dn)
    return RebasingNotes(Rebasing(read_whole_schema(directory), old, new))
