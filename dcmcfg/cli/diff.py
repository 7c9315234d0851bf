"""``dcmcfg diff``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import click

from dcmcfg.cli.options.file_urls import file_urls_options
from dcmcfg.cli.options.map_base import AUTO, parse_base
from dcmcfg.cli.options.output_options import (
    HTML,
    JSON,
    MARKDOWN,
    REPORT_FORMS,
    TEXT,
    details_option,
    format_option,
    private_output_option,
    require_details_form,
)
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json, print_text
from dcmcfg.cli.session.report_output import print_formatted_report
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN, NormalDN
from dcmcfg.errors import NotFound
from dcmcfg.files.ldif import STDIN
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.model.devices import find_devices_dn
from dcmcfg.model.targets import resolve_dn
from dcmcfg.model.tree import Tree
from dcmcfg.nodes.second_look import Writer, identify_writer
from dcmcfg.plan.archive_writes import ArchiveWrite, accept_archive_writes, find_archive_writes
from dcmcfg.plan.rebasing import rebase_tree
from dcmcfg.plan.tree_diff import TreeDiff, diff_trees, find_device_dn, select_comparable, select_subtree
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.diff import DiffDirection, diff_json, print_diff, render_diff_ldif, render_unified_diff
from dcmcfg.render.diff_report import build_diff_report
from dcmcfg.render.terminal.console import has_colors, make_stdout_console, print_unified_diff
from dcmcfg.rollout.reconciliation import read_entries
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.settings import Settings

LIVE = "live"
_DIFFERENT = 1


@click.command("diff", cls=SiteCommand)
@click.argument("sides", nargs=-1, required=True, metavar="[FROM] TO")
@site_options
@click.option(
    "--only",
    metavar="DN",
    help="Compare only the entry at this DN and all entries below. The DN can be relative to the devices' container.",
)
@click.option("--ignore", metavar="ATTR", multiple=True, help="Ignore this attribute; can be repeated.")
@click.option(
    "--ignore-archive-writes",
    is_flag=True,
    help="Ignore differences in values that the archive writes itself, such as dicomSoftwareVersion.",
)
@click.option("--with-secrets", is_flag=True, help="Also compare and show passwords, PINs and vendor data.")
@click.option(
    "--map-base",
    metavar="DN",
    help="Base DN of the file. For the comparison, dcmcfg replaces this base DN with the base DN of the other tree; "
    "the file does not change. 'auto' detects the base DN of the file.",
)
@file_urls_options
@format_option(TEXT, "ldif", "unified", JSON, MARKDOWN, HTML, flags=("ldif", "unified"))
@details_option
@private_output_option(lambda parameters: parameters["with_secrets"])
def diff_command(
    settings: Settings,
    *,
    sides: tuple[str, ...],
    only: str | None,
    ignore: tuple[str, ...],
    ignore_archive_writes: bool,
    with_secrets: bool,
    map_base: str | None,
    file_urls: Path | bool,
    form: str,
    details: bool,
) -> int:
    """Show the differences between two configurations.

    The output shows the changes that make the first configuration (FROM) equal to the second configuration (TO).
    'dcmcfg diff FILE' shows the changes that make the live configuration equal to FILE. 'dcmcfg diff FILE live' shows
    the changes since FILE was written.

    Values are compared by the same rules as in the directory server. Without --with-secrets, secrets and vendor data
    are compared only if both configurations contain them. To compare one device only, put --device NAME after the
    command.

    The archive itself writes some attributes. Differences in these attributes are marked 'possibly by the
    archive'. If the entry was last written with the archive's bind DN (archive_bind_dn in the profile), the mark is 'by
    the archive'.

    Exit codes: 0 equal, 1 different, 3 a configuration cannot be read.
    """
    require_details_form(form, details=details)
    with pause_garbage_collection():
        compared = _read_sides(settings, sides, file_urls=file_urls)
        if map_base is not None:
            compared = _rebase_file(settings, compared, None if map_base == AUTO else parse_base(map_base))
        before, after = _select_compared(settings, compared, only)
        difference = diff_trees(before, after, ignore=ignore, with_secrets=with_secrets)
        writes = () if compared.live_index is None else find_archive_writes(difference, compared.live_index)
        if ignore_archive_writes and writes:
            live, other = (before, after) if compared.live_index == 0 else (after, before)
            accepted = accept_archive_writes(other, live, writes)
            before, after = (live, accepted) if compared.live_index == 0 else (accepted, live)
            difference = diff_trees(before, after, ignore=ignore, with_secrets=with_secrets)
            writes = ()
    writers = _identify_writers(settings, before, writes)
    device = settings.device_from_option
    scope_option = ("--only", only) if only is not None else ("--device", device) if device is not None else ()
    _print_result(difference, compared, form, scope_option, with_secrets=with_secrets, details=details, writers=writers)
    return _DIFFERENT if difference.plan.steps else 0


def _identify_writers(
    settings: Settings, tree: Tree, writes: Sequence[ArchiveWrite]
) -> dict[tuple[NormalDN, str], Writer]:
    """Return the likely writer of each of *writes*; the directory is only read if that can identify the archive."""
    modifiers: dict[NormalDN, str] = {}
    if writes and settings.archive_bind_dn:
        with open_directory(settings) as directory:
            found = read_entries(directory, tree, [each.dn for each in writes], ("modifiersName",))
            modifiers = {key: entry.text("modifiersName") or "" for key, entry in found.items()}
    return {
        (tree.key(each.dn), each.attribute.lower()): identify_writer(
            modifiers.get(tree.key(each.dn), ""), own_dn=settings.bind_dn, archive_dn=settings.archive_bind_dn
        )
        for each in writes
    }


class _ComparedTrees(NamedTuple):
    """The two sides: their names, their trees, and the index of the live side (None if both are files)."""

    names: tuple[str, str]
    trees: tuple[Tree, Tree]
    live_index: int | None


def _read_sides(settings: Settings, sides: tuple[str, ...], *, file_urls: Path | bool) -> _ComparedTrees:
    """Read both sides; the files first, so that an unreadable file is reported before the password prompt."""
    if len(sides) > 2:
        raise click.UsageError("Specify the argument TO, or the two arguments FROM and TO")
    both_sides = sides if len(sides) == 2 else (LIVE, *sides)
    if both_sides[0] == both_sides[1] and both_sides[0] in (LIVE, STDIN):
        raise click.UsageError(f"FROM and TO cannot both be '{both_sides[0]}'")
    trees = {
        side: read_ldif_tree(Path(side), load_bundled_schema(), file_urls=file_urls)
        for side in both_sides
        if side != LIVE
    }
    if LIVE in both_sides:
        with open_directory(settings) as directory:
            trees[LIVE] = read_tree(directory)
    side_names = {LIVE: f"{LIVE} {settings.ldap_url}", STDIN: "standard input"}
    first, second = both_sides
    return _ComparedTrees(
        (side_names.get(first, first), side_names.get(second, second)),
        (trees[first], trees[second]),
        both_sides.index(LIVE) if LIVE in both_sides else None,
    )


def _rebase_file(settings: Settings, sides: _ComparedTrees, old_base: DN | None) -> _ComparedTrees:
    """Return *sides* with the file (TO, if both are files) rewritten to the other base DN; prints warnings."""
    first, second = sides.trees
    if sides.live_index == 1:
        first, notes = rebase_tree(first, old_base, second, settings.base_dn)
    else:
        second, notes = rebase_tree(second, old_base, first, settings.base_dn)
    for line in notes.format_warnings():
        print_message(f"warning: {escape_unprintable(line)}")
    return sides._replace(trees=(first, second))


def _select_compared(settings: Settings, sides: _ComparedTrees, only: str | None) -> tuple[Tree, Tree]:
    """Return the parts of both trees to compare."""
    first, second = sides.trees
    if only is not None and settings.device_from_option is not None:
        raise click.UsageError("--only and --device cannot be used together")
    if only is not None or settings.device_from_option is not None:
        dn = (
            resolve_dn(DN.parse(only), first, second)
            if only is not None
            else find_device_dn(settings.device, first, second)
        )
        if dn not in first and dn not in second:
            raise NotFound("the entry is missing in the two configurations (FROM and TO)", subject=str(dn))
        return select_subtree(first, dn), select_subtree(second, dn)
    match sides.live_index:
        case 0:
            return select_comparable(first, sides.names[1], second)
        case 1:
            live, file = select_comparable(second, sides.names[0], first)
            return file, live
        case _:
            return first, second


def _print_result(
    difference: TreeDiff,
    sides: _ComparedTrees,
    form: str,
    scope_option: tuple[str, ...],
    *,
    with_secrets: bool,
    details: bool,
    writers: dict[tuple[NormalDN, str], Writer],
) -> None:
    names = sides.names
    match form:
        case "ldif":
            pieces = render_diff_ldif(difference, names, with_secrets=with_secrets)
        case "unified":
            pieces = render_unified_diff(difference, names, with_secrets=with_secrets)
            if has_colors(console := make_stdout_console()):
                print_unified_diff(console, pieces)
                return
        case "json":
            print_json(diff_json(difference, names, with_secrets=with_secrets, writers=writers))
            return
        case _:
            # From the whole trees, because a compared part may lack the container of the devices.
            base = find_devices_dn(*sides.trees)
            direction = DiffDirection.for_sides(names, sides.live_index, scope_option)
            if form in REPORT_FORMS:
                report = build_diff_report(
                    difference,
                    names,
                    direction,
                    base,
                    created=datetime.now(UTC),
                    with_secrets=with_secrets,
                    writers=writers,
                )
                print_formatted_report(report, form)
                return
            print_diff(
                make_stdout_console(),
                difference,
                direction,
                base,
                with_secrets=with_secrets,
                details=details,
                writers=writers,
            )
            return
    print_text(pieces)
