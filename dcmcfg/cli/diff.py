"""``dcmcfg diff``."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click

from dcmcfg.cli.options.file_urls import file_urls_options
from dcmcfg.cli.options.map_base import AUTO, base_named
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import tell
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json, print_text
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.errors import NotFound
from dcmcfg.files.ldif import STDIN
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.garbage_collection import collector_paused
from dcmcfg.model.devices import devices_dn
from dcmcfg.model.targets import absolute
from dcmcfg.model.tree import Tree
from dcmcfg.plan.rebasing import rebased_tree
from dcmcfg.plan.tree_diff import Diff, beside_live, device_dn, diff, subtree
from dcmcfg.printable import visible
from dcmcfg.render.diff import Direction, diff_json, diff_ldif, print_diff, unified
from dcmcfg.render.terminal.console import stdout_console
from dcmcfg.schema.definitions import bundled
from dcmcfg.settings import Settings

LIVE = "live"
_DIFFERENT = 1


@click.command("diff", cls=SiteCommand)
@click.argument("sides", nargs=-1, required=True, metavar="[FROM] TO")
@site_options
@click.option(
    "--only",
    metavar="DN",
    help="Compare the entry at this DN and all below it; a DN may be relative to the devices' container.",
)
@click.option("--ignore", metavar="ATTR", multiple=True, help="Leave this attribute out; may be given again.")
@click.option("--with-secrets", is_flag=True, help="Compare and show passwords, PINs and vendor data too.")
@click.option(
    "--map-base",
    metavar="DN",
    help="Take the file from this base DN to that of the other side; 'auto': from the one that it is at.",
)
@file_urls_options
@click.option("--ldif", "form", flag_value="ldif", help="Print change records for 'dcmcfg apply'.")
@click.option("--unified", "form", flag_value="unified", help="Print a unified diff of the two exports.")
@click.option("--json", "form", flag_value="json", help="Print it as JSON.")
def diff_command(
    settings: Settings,
    *,
    sides: tuple[str, ...],
    only: str | None,
    ignore: tuple[str, ...],
    with_secrets: bool,
    map_base: str | None,
    file_urls: Path | bool,
    form: str | None,
) -> int:
    """Show what differs between two trees.

    Every output shows the changes that turn FROM into TO; FROM is the live tree when it is left out. So 'diff FILE'
    shows what would make the live tree like FILE, and 'diff FILE live' what has changed since FILE was written.

    FROM and TO are LDIF files of entries, folders of such (*.ldif), '-' for standard input, or the word 'live'. Values
    compare as the directory compares them. Secrets and vendor data that one side lacks are no difference unless
    --with-secrets. Beside the live tree that is compared which export-ldif writes; with --device after the command,
    that device only.

    Exit code: 0 equal, 1 different, 3 could not read.
    """
    with collector_paused():
        read = _read(settings, sides, file_urls=file_urls)
        if map_base is not None:
            read = _at_one_base(settings, read, None if map_base == AUTO else base_named(map_base))
        before, after = _compared(settings, read, only)
        found = diff(before, after, ignore=ignore, with_secrets=with_secrets)
    device = settings.device_asked
    part = ("--only", only) if only is not None else ("--device", device) if device is not None else ()
    _print(found, read, form, part, with_secrets=with_secrets)
    return _DIFFERENT if found.plan.steps else 0


class _Sides(NamedTuple):
    """The two sides: what they are called, what they hold, and the place of the live one (None: both are files)."""

    names: tuple[str, str]
    trees: tuple[Tree, Tree]
    live: int | None


def _read(settings: Settings, sides: tuple[str, ...], *, file_urls: Path | bool) -> _Sides:
    """Read both sides; the files first, so that nobody types a password for a file that is none."""
    if len(sides) > 2:
        raise click.UsageError("name one side or two")
    pair = sides if len(sides) == 2 else (LIVE, *sides)
    if pair[0] == pair[1] and pair[0] in (LIVE, STDIN):
        raise click.UsageError(f"{pair[0]} would be compared with itself")
    trees = {side: read_ldif_tree(Path(side), bundled(), file_urls=file_urls) for side in pair if side != LIVE}
    if LIVE in pair:
        with open_directory(settings) as directory:
            trees[LIVE] = read_tree(directory)
    called = {LIVE: f"{LIVE} {settings.ldap_url}", STDIN: "standard input"}
    first, second = pair
    return _Sides(
        (called.get(first, first), called.get(second, second)),
        (trees[first], trees[second]),
        pair.index(LIVE) if LIVE in pair else None,
    )


def _at_one_base(settings: Settings, sides: _Sides, named: DN | None) -> _Sides:
    """Return *sides* with a file, TO if both are, taken to the base of the other side; tells what stays behind."""
    first, second = sides.trees
    if sides.live == 1:
        first, notes = rebased_tree(first, named, second, settings.base_dn)
    else:
        second, notes = rebased_tree(second, named, first, settings.base_dn)
    for line in notes.lines():
        tell(f"warning: {visible(line)}")
    return sides._replace(trees=(first, second))


def _compared(settings: Settings, sides: _Sides, only: str | None) -> tuple[Tree, Tree]:
    """Return the portions of both trees that are to be compared."""
    first, second = sides.trees
    if only is not None and settings.device_asked is not None:
        raise click.UsageError("--only and --device exclude each other")
    if only is not None or settings.device_asked is not None:
        dn = absolute(DN.parse(only), first, second) if only is not None else device_dn(settings.device, first, second)
        if dn not in first and dn not in second:
            raise NotFound("neither side has this entry", on=str(dn))
        return subtree(first, dn), subtree(second, dn)
    match sides.live:
        case 0:
            return beside_live(first, sides.names[1], second)
        case 1:
            live, file = beside_live(second, sides.names[0], first)
            return file, live
        case _:
            return first, second


def _print(found: Diff, sides: _Sides, form: str | None, part: tuple[str, ...], *, with_secrets: bool) -> None:
    names = sides.names
    match form:
        case "ldif":
            pieces = diff_ldif(found, names, with_secrets=with_secrets)
        case "unified":
            pieces = unified(found, names, with_secrets=with_secrets)
        case "json":
            print_json(diff_json(found, names, with_secrets=with_secrets))
            return
        case _:
            # By the whole trees: what was compared may be a part without the container.
            base = devices_dn(*sides.trees)
            direction = Direction.of(names, sides.live, part)
            print_diff(stdout_console(), found, direction, base, with_secrets=with_secrets)
            return
    print_text(pieces)
