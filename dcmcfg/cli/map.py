"""``dcmcfg map``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from dcmcfg.cli.completers import complete_ae
from dcmcfg.cli.options.file_urls import file_urls_options
from dcmcfg.cli.options.output_options import format_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json, print_text
from dcmcfg.directory.subschema import read_schema
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.files.ldif import format_file_name
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.lint.checker import CheckSubject, check_configuration
from dcmcfg.model.tree import Tree
from dcmcfg.render.html.site_map_page import MapSource, render_site_map_page
from dcmcfg.render.site_map.mermaid import render_mermaid
from dcmcfg.render.site_map.objects import site_map_json
from dcmcfg.render.site_map.picture import render_picture
from dcmcfg.render.site_map.table import print_site_map
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.schema.check import LocatedEntry
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.settings import Settings
from dcmcfg.timestamps import format_timestamp
from dcmcfg.topology.site_map import SiteMap, build_site_map

_FORMS = ("text", "svg", "html", "mermaid", "json")
_FORMS_BY_SUFFIX = {
    ".svg": "svg",
    ".html": "html",
    ".htm": "html",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".json": "json",
    ".txt": "text",
}


@click.command("map", cls=SiteCommand)
@click.argument("file", required=False, metavar="[FILE]", type=click.Path(path_type=Path, allow_dash=True))
@site_options
@click.option(
    "--around",
    metavar="AET",
    shell_complete=complete_ae,
    help="Show only this AE and the systems that exchange data with this AE. Specify TITLE or DEVICE/TITLE.",
)
@click.option("--no-check", is_flag=True, help="Do not check the configuration. The map then marks no findings.")
@file_urls_options
@format_option(*_FORMS, suffixes=_FORMS_BY_SUFFIX)
@output_option
def map_command(
    settings: Settings,
    *,
    file: Path | None,
    around: str | None,
    no_check: bool,
    file_urls: Path | bool,
    form: str,
) -> int:
    """Draw a map of the site: who sends to whom.

    The map shows the AEs and storages of the archive, and the systems around it: who may store, query and retrieve, and
    where the archive exports to, retrieves from and notifies. Findings of 'dcmcfg check' are marked. To draw one
    archive of several, put --device NAME after the command.

    FILE is an LDIF file, or a folder with LDIF files; without FILE, the map shows the live tree. With the formats svg
    and html, the map is a single file that requires no other files and no network. The format html has a search, and
    the details of each AE.
    """
    if file is not None:
        tree = read_ldif_tree(file, load_bundled_schema(), file_urls=file_urls)
        findings = None if no_check else _check_file(tree)
        source = format_file_name(str(file))
    else:
        with open_directory(settings) as directory:
            tree = read_tree(directory)
            schema = None if no_check else read_schema(directory)
        findings = None if no_check else _check(CheckSubject.from_tree(tree, schema))
        source = settings.ldap_url
    site_map = build_site_map(tree, findings, archive=settings.device_from_option, around=around)
    _print_map(site_map, MapSource(source, datetime.now(UTC)), form)
    return 0


def _check_file(tree: Tree) -> tuple[EntryFinding, ...]:
    """Return the findings in the entries of a file, which may be only a part of a configuration."""
    return _check(CheckSubject.from_entries(map(LocatedEntry, tree.sorted_entries()), tree.schema))


def _check(subject: CheckSubject) -> tuple[EntryFinding, ...]:
    with pause_garbage_collection():
        return check_configuration(subject, datetime.now(UTC)).findings


def _print_map(site_map: SiteMap, source: MapSource, form: str) -> None:
    match form:
        case "svg":
            print_text(render_picture(site_map, subtitle=f"{source.name} · {format_timestamp(source.created)}"))
        case "html":
            print_text(render_site_map_page(site_map, source))
        case "mermaid":
            print_text(render_mermaid(site_map))
        case "json":
            print_json(site_map_json(site_map))
        case _:
            print_site_map(make_stdout_console(), site_map)
