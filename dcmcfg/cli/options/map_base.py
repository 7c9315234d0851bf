"""The option ``--map-base``, which applies LDIF files of one base DN below another."""

from __future__ import annotations

import click

from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import read_merged_schema
from dcmcfg.dn import DN
from dcmcfg.model.rebasing import Rebasing, RebasingReport
from dcmcfg.model.tree import Tree
from dcmcfg.plan.rebasing import Files, find_base, find_site_base

#: The value of ``--map-base`` that detects the base DN in the files.
AUTO = "auto"

map_base_option = click.option(
    "--map-base",
    metavar="DN",
    help=f"Replace this base DN in the DNs of the files by the base DN of the site. '{AUTO}' detects the base DN of "
    "the files.",
)


def find_old_base(option_value: str, files: Files) -> DN:
    """Return the base DN of *files*: *option_value*, or the detected one for ``auto``.

    Raises what :func:`find_base` raises.
    """
    if option_value == AUTO:
        return find_base(files)
    return parse_base(option_value)


def parse_base(text: str) -> DN:
    """Parse *text* as a base DN; an empty DN is a usage error."""
    base = DN.parse(text)
    if not base.rdns:
        raise click.UsageError("--map-base must not be empty")
    return base


def make_site_rebasing(directory: Directory, tree: Tree, old: DN) -> RebasingReport:
    """Return the report that rewrites records from the base DN *old* to that of *tree*, or of *directory*."""
    new_base = find_site_base(tree, directory.server.base_dn)
    return RebasingReport(Rebasing(read_merged_schema(directory), old, new_base))
