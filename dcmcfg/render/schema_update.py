"""Show the schema of servers, compared with releases, and the plan and result of a schema update."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console

from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.console import print_line, print_prose
from dcmcfg.schema.comparable import Definition
from dcmcfg.schema_update.inspection import ServerPlan
from dcmcfg.suggestions import join_limited
from dcmcfg.upgrade.schema.release_schema import ComparedServer, SchemaComparison, find_releases
from dcmcfg.upgrade.schema.usage import summarise

_MAX_NAMES = 6


def format_schema_lines(comparisons: Sequence[SchemaComparison], label: str = "schema") -> Iterable[str]:
    """Yield the line with the release of a server's schema, and a line for each release that it does not have."""
    labels = [each.label for each in find_releases(comparisons)]
    match labels:
        case []:
            yield f"{label}: none of the specified releases"
        case [only]:
            yield f"{label}: release {only}"
        case [first, *_, last]:
            yield f"{label}: release {first} to {last}"
    for each in comparisons:
        if not each.is_complete:
            yield (
                f"  compared with release {each.release.label}: {each.same:,} definitions equal, "
                f"{len(each.missing):,} missing, {len(each.different):,} different"
            )


def print_schemas(console: Console, servers: Sequence[ComparedServer]) -> None:
    """Print the schema of each of *servers*; the server of the site is the last of them."""
    for url, comparisons in reversed(servers):
        label = "schema of the directory server" if url == servers[-1][0] else f"schema of the replica {url}"
        for line in format_schema_lines(comparisons, label):
            print_prose(console, escape_unprintable(line))


def schemas_json(servers: Sequence[ComparedServer]) -> list[dict[str, Any]]:
    """Return the schema of each of *servers* for ``--json``, the server of the site first."""
    return [{"ldap_url": url, **comparisons_json(comparisons)} for url, comparisons in reversed(servers)]


def comparisons_json(comparisons: Sequence[SchemaComparison]) -> dict[str, Any]:
    """Return the schema of a server for ``--json``.

    ``releases`` are those whose schema it is (several if they are equal); ``comparisons`` are the differences from
    each given release.
    """
    return {
        "releases": [each.label for each in find_releases(comparisons)],
        "comparisons": [
            {
                "release": each.release.label,
                "equal": each.same,
                "missing": _definitions_json(each.missing),
                "different": _definitions_json(each.different),
                "additional": each.extra,
            }
            for each in comparisons
        ],
    }


def print_server_plan(console: Console, plan: ServerPlan) -> None:
    """Print what *plan* changes in the schema of its server."""
    if not plan.plan.steps:
        print_line(console, "  no changes")
        return
    changes = summarise(plan.plan.before, plan.plan.after)
    print_prose(
        console,
        f"  changes: {len(changes.added):,} definitions added, {len(changes.changed):,} changed, "
        f"{len(changes.dropped):,} removed; {format_count(len(plan.plan.steps), 'request')} "
        f"({plan.plan.value_count:,} values)",
    )
    for word, definitions in (("changed", changes.changed), ("removed", changes.dropped)):
        if definitions:
            names = join_limited([each.label for each in definitions], _MAX_NAMES)
            print_prose(console, escape_unprintable(f"  {word}: {names}"))
    shown = {each.label for each in changes.dropped}
    obsolete = {*plan.obsolete.attributes.values(), *plan.obsolete.classes.values()} - shown
    if obsolete:
        word = "further names that no longer exist" if shown else "names that no longer exist"
        print_prose(console, escape_unprintable(f"  {word}: {join_limited(sorted(obsolete), _MAX_NAMES)}"))


def print_missing(console: Console, comparison: SchemaComparison, *, for_slapd_conf: bool) -> None:
    """Print what a server lacks of the release of *comparison*, and the files, or lines of slapd.conf, with it."""
    for word, definitions in (("missing", comparison.missing), ("different", comparison.different)):
        if definitions:
            names = join_limited([each.label for each in definitions], _MAX_NAMES)
            print_prose(console, escape_unprintable(f"  {word}: {names}"))
    print_line(console, "Lines of slapd.conf:" if for_slapd_conf else "Schema files of the release:")
    for path in comparison.release.paths:
        print_line(console, escape_unprintable(f"  include {path}" if for_slapd_conf else f"  {path}"))


def server_plan_json(plan: ServerPlan, comparisons: Sequence[SchemaComparison]) -> dict[str, Any]:
    """Return *plan* for ``--json``; ``schema`` is the schema of the server before the change."""
    changes = summarise(plan.plan.before, plan.plan.after)
    return {
        "ldap_url": plan.ldap_url,
        "schema": comparisons_json(comparisons),
        "added": _definitions_json(changes.added),
        "changed": _definitions_json(changes.changed),
        "removed": _definitions_json(changes.dropped),
        "obsolete_names": sorted((*plan.obsolete.attributes.values(), *plan.obsolete.classes.values())),
        "entries_in_use": [{"dn": str(each.dn), "names": list(each.names)} for each in plan.data.uses],
        "unread_contexts": list(plan.data.unread),
        "requests": len(plan.plan.steps),
        "values": plan.plan.value_count,
    }


def _definitions_json(definitions: Iterable[Definition]) -> list[dict[str, str]]:
    return [{"kind": each.kind.value, "name": each.label, "oid": each.oid} for each in definitions]
