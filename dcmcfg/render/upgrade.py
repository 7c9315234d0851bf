"""Render the status and the plan of an upgrade as text and as JSON."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from dcmcfg.dn import DN
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.cells import format_cell_value, format_relative_dn
from dcmcfg.render.terminal.console import print_line, print_prose
from dcmcfg.secret_values import is_secret
from dcmcfg.suggestions import join_limited
from dcmcfg.upgrade.checklist import Checklist
from dcmcfg.upgrade.merge_result import Decision
from dcmcfg.upgrade.preparation import Upgrade
from dcmcfg.upgrade.release import Version, format_version
from dcmcfg.upgrade.report import AttributeChange, ReportedChange, list_reported_changes
from dcmcfg.upgrade.signs import ReleaseMatch
from dcmcfg.upgrade.tree_status import TreeStatus

#: The maximum number of names, values or files shown in one line.
_MAX_NAMES = 8
_GAP_LABELS = {
    "corrections": "changes of update files that miss their target",
    "additions": "additional entries",
    "values": "entries with other values",
    "removals": "entries that the release no longer has",
}


def print_upgrade_status(console: Console, status: TreeStatus, entry_count: int) -> None:
    """Print the release of the tree, of its parts, and of the archive's software."""
    for line in _list_status_lines(status, entry_count):
        print_prose(console, escape_unprintable(line))


def _list_status_lines(status: TreeStatus, entry_count: int) -> Iterator[str]:
    yield f"configuration: {_format_match(status.match)}; {format_count(entry_count, 'entry', 'entries', grouped=True)}"
    yield f"software: {_format_software(status.software)}"
    yield from (
        f"{each.name}: {_format_match(each.match)}, unlike the configuration as a whole"
        for each in status.components
        if status.match is not None and not _overlap(each.match, status.match)
    )


def _format_software(software: Version | None) -> str:
    return f"release {format_version(software)}" if software is not None else "the archive has not recorded a release"


def _format_match(match: ReleaseMatch | None) -> str:
    if match is None:
        return "release unknown"
    first, last = format_version(match.first), format_version(match.last)
    releases = f"release {first}" if first == last else f"release {first} to {last}"
    return f"{releases} (matches {match.matching:,} of {match.total:,} values)"


def _overlap(one: ReleaseMatch, other: ReleaseMatch) -> bool:
    return one.first <= other.last and other.first <= one.last


def print_upgrade(console: Console, upgrade: Upgrade, base: DN, *, details: bool) -> None:
    """Print what the plan of *upgrade* changes, and what is left to decide; DNs are relative to *base*.

    With *details*, all changes are listed with the files that they come from.
    """
    print_upgrade_status(console, upgrade.status, len(upgrade.plan.before.entries))
    for line in _list_role_lines(upgrade):
        print_prose(console, escape_unprintable(line))
    changes = list_reported_changes(upgrade.plan, upgrade.reconstructed.places)
    counts = Counter(each.kind for each in changes)
    files = {place.rpartition(":")[0] for each in changes for place in each.places}
    print_line(
        console,
        f"changes: {format_count(len(changes), 'entry', 'entries', grouped=True)} ({counts['add']} added, "
        f"{counts['modify']} changed, {counts['delete']} deleted), from {format_count(len(files), 'file')} of the "
        "release",
    )
    checked = [each for each in changes if each.needs_check]
    if checked:
        print_line(console, "Check these changes first:")
        for change in checked:
            _print_change(console, change, base, only_checked=True)
    _print_vendor(console, upgrade)
    _print_dropped(console, upgrade, base, details=details)
    _print_kept(console, upgrade, base)
    _print_decisions(console, upgrade.decisions, base)
    _print_gap_decisions(console, upgrade, base)
    for problem in upgrade.new_problems:
        print_prose(console, escape_unprintable(f"new problem after the upgrade: {problem}"))
    _print_offers(console, upgrade)
    _print_checklist(console, upgrade.checklist)
    if details:
        print_line(console, "All changes:")
        for change in changes:
            _print_change(console, change, base, only_checked=False)


def _list_role_lines(upgrade: Upgrade) -> Iterator[str]:
    roles = upgrade.roles
    for word, names in (
        ("device", roles.devices),
        ("AE", roles.titles),
        ("web application", roles.web_apps),
    ):
        renamed = [f"{old} is {new}" for old, new in names.items() if old != new]
        if renamed:
            yield f"{word} with another name than in the release: {join_limited(renamed, _MAX_NAMES)}"
    if roles.removed:
        yield f"parts of the release that this site does not have: {join_limited(roles.removed, _MAX_NAMES)}"
    if upgrade.reconstructed.behind:
        yield f"earlier updates have not reached: {', '.join(upgrade.reconstructed.behind)}"
    yield from (f"in the files of the release: {each}" for each in upgrade.target.defects)
    if upgrade.reconstructed.failing:
        records = join_limited(upgrade.reconstructed.failing, _MAX_NAMES)
        yield f"in the files of the release: records for entries that its own default does not have: {records}"
    yield from (f"warning: {each}" for each in upgrade.warnings)


def _print_change(console: Console, change: ReportedChange, base: DN, *, only_checked: bool) -> None:
    sign = {"add": "+", "modify": "~", "delete": "-"}[change.kind]
    print_line(console, escape_unprintable(f"  {sign} {format_relative_dn(change.dn, base)}"))
    for each in change.attributes:
        if each.check or not only_checked:
            note = f" ({each.check})" if each.check else ""
            print_prose(console, escape_unprintable(f"      {_format_attribute(each)}{note}"))
    if change.places:
        print_line(console, f"      from {join_limited(change.places, _MAX_NAMES)}")


def _format_attribute(change: AttributeChange) -> str:
    return f"{change.name}: {_format_values(change.name, change.before)} → {_format_values(change.name, change.after)}"


def _format_values(name: str, values: Sequence[bytes]) -> str:
    return join_limited([format_cell_value(name, each) for each in values], _MAX_NAMES) if values else "(no value)"


def _print_vendor(console: Console, upgrade: Upgrade) -> None:
    vendor = upgrade.vendor
    parts = [
        format_count(len(names), f"file {word}", f"files {word}")
        for word, names in (
            ("added", vendor.new),
            ("changed", vendor.changed),
            ("removed", vendor.removed),
            ("of the site kept", vendor.kept),
        )
        if names
    ]
    if vendor.problem:
        print_prose(console, f"vendor data: unchanged, because {vendor.problem}")
    elif parts:
        print_prose(console, f"vendor data: {', '.join(parts)}")
    if vendor.conflicts:
        names = [each.name for each in vendor.conflicts]
        print_prose(
            console,
            escape_unprintable(
                f"vendor data: the site and the release have both changed {join_limited(names, _MAX_NAMES)}; the "
                "files of the site stay (to use those of the release: --vendor release)"
            ),
        )


def _print_dropped(console: Console, upgrade: Upgrade, base: DN, *, details: bool) -> None:
    if not upgrade.dropped:
        return
    hint = "" if details else " (to list them: --details)"
    changes = format_count(len(upgrade.dropped), "change")
    print_prose(console, f"not made: {changes} to parts that the site has removed or never had{hint}")
    if details:
        for each in upgrade.dropped:
            print_prose(console, escape_unprintable(f"  {format_relative_dn(each.dn, base)}: {each.reason}"))


def _print_decisions(console: Console, decisions: Sequence[Decision], base: DN) -> None:
    if not decisions:
        print_line(console, "decisions: none")
        return
    print_line(
        console,
        "Decide these; until then, the site's values stay (to use the values of the release: --take NUMBER; to keep "
        "those of the site: --keep NUMBER):",
    )
    _print_numbered(console, decisions, base)


def _print_numbered(console: Console, decisions: Sequence[Decision], base: DN) -> None:
    for each in decisions:
        attribute = f" {each.attribute}" if each.attribute else ""
        print_prose(
            console,
            escape_unprintable(f"  {each.number}. {format_relative_dn(each.dn, base)}{attribute}: {each.reason}"),
        )
        if each.attribute:
            print_prose(console, escape_unprintable(f"     site: {_format_values(each.attribute, each.site)}"))
            print_prose(console, escape_unprintable(f"     release: {_format_values(each.attribute, each.release)}"))


def _print_gap_decisions(console: Console, upgrade: Upgrade, base: DN) -> None:
    """Print the decisions of the gap; without ``--gap`` only their number, because nothing depends on them."""
    decisions = upgrade.gap_decisions
    if decisions and upgrade.options.gap:
        print_line(console, "Differences from a new installation where the site has values of its own:")
        _print_numbered(console, decisions, base)
    elif decisions:
        count = format_count(len(decisions), "difference")
        hint = "(to list them: --gap all)"
        print_prose(console, f"{count} from a new installation where the site has values of its own {hint}")


def _print_kept(console: Console, upgrade: Upgrade, base: DN) -> None:
    names = [f"{format_relative_dn(each.dn, base)} {each.attribute}" for each in upgrade.official.kept]
    if names:
        print_prose(
            console,
            escape_unprintable(
                f"values of the site that stay, although the release has others: {join_limited(names, _MAX_NAMES)}"
            ),
        )


def _print_checklist(console: Console, checklist: Checklist) -> None:
    """Print the files of the distribution that the administrator applies."""
    if checklist.is_empty:
        return
    print_line(console, "Also to do (dcmcfg does not change the database and WildFly):")
    for label, names in (
        ("run these scripts of your database in this order", checklist.sql),
        ("compare these files of WildFly, which the new release has changed", checklist.configuration),
        ("run these scripts of WildFly if the release notes say so", checklist.cli),
        ("update files that dcmcfg does not use", checklist.unused_updates),
    ):
        if names:
            print_prose(console, escape_unprintable(f"  {label}: {', '.join(names)}"))


def _print_offers(console: Console, upgrade: Upgrade) -> None:
    counts = Counter(each.kind for each in upgrade.gap_changes if not each.is_made)
    if counts:
        kinds = [kind for kind in _GAP_LABELS if counts[kind]]
        listed = ", ".join(f"{counts[kind]} {_GAP_LABELS[kind]}" for kind in kinds)
        print_prose(
            console,
            f"Compared with a new installation of {upgrade.target.label}, these differences remain: {listed} (to "
            f"remove them: --gap {','.join(kinds)})",
        )
    for offer in upgrade.clones:
        titles = ",".join(offer.titles)
        print_prose(
            console,
            escape_unprintable(
                f"{join_limited(offer.titles, _MAX_NAMES)}: the same capabilities as {offer.original} (to "
                f"make the changes of {offer.original} there too: --also {titles})"
            ),
        )


def upgrade_status_json(status: TreeStatus, entry_count: int) -> dict[str, Any]:
    """Return *status* for ``--json``.

    ``configuration`` and each of ``components`` (with ``name``) have ``first_release`` and ``last_release`` that match
    best, ``matching`` and ``total`` values; ``software`` is the release that the archive recorded, or null.
    """
    return {
        "entry_count": entry_count,
        "configuration": _match_json(status.match),
        "software": format_version(status.software) if status.software is not None else None,
        "components": [{"name": each.name, **(_match_json(each.match) or {})} for each in status.components],
    }


def _match_json(match: ReleaseMatch | None) -> dict[str, Any] | None:
    if match is None:
        return None
    return {
        "first_release": format_version(match.first),
        "last_release": format_version(match.last),
        "matching": match.matching,
        "total": match.total,
    }


def upgrade_json(upgrade: Upgrade) -> dict[str, Any]:
    """Return *upgrade* for ``--json``.

    ``changes`` are parents first, each with ``dn``, ``change_type`` (add, modify, delete), ``attributes`` (``name``,
    ``before``, ``after``, ``check``) and ``places``: the official records. ``decisions`` are in the order of their
    numbers; ``unchanged`` are values of the site, such as host names, that stay without a decision. ``dropped`` are
    changes that are not made; ``gap`` are the differences from a new installation, with ``made`` and the records that
    missed their target; ``gap_decisions`` are those where the site has values of its own. A value is text,
    ``{"base64": …}`` or ``{"secret": true}``.
    """
    vendor = upgrade.vendor
    return {
        "status": upgrade_status_json(upgrade.status, len(upgrade.plan.before.entries)),
        "target": upgrade.target.label,
        "roles": {
            "devices": dict(upgrade.roles.devices),
            "ae_titles": dict(upgrade.roles.titles),
            "web_applications": dict(upgrade.roles.web_apps),
            "removed": list(upgrade.roles.removed),
        },
        "components_behind": list(upgrade.reconstructed.behind),
        "changes": [_change_json(each) for each in list_reported_changes(upgrade.plan, upgrade.reconstructed.places)],
        "vendor_data": {
            "added": list(vendor.new),
            "changed": list(vendor.changed),
            "removed": list(vendor.removed),
            "unchanged": list(vendor.kept),
            "conflicts": [each.name for each in vendor.conflicts],
            "problem": vendor.problem or None,
        },
        "dropped": [{"dn": str(each.dn), "reason": each.reason} for each in upgrade.dropped],
        "decisions": [_decision_json(each) for each in upgrade.decisions],
        "unchanged": [_decision_json(each) for each in upgrade.official.kept],
        "gap": [
            {
                "kind": each.kind,
                "dn": str(each.dn),
                "attributes": list(each.attributes),
                "made": each.is_made,
                "places": list(each.places),
            }
            for each in upgrade.gap_changes
        ],
        "gap_decisions": [_decision_json(each) for each in upgrade.gap_decisions],
        "clones": [{"original": each.original, "ae_titles": list(each.titles)} for each in upgrade.clones],
        "defects": list(upgrade.target.defects),
        "failing_records": list(upgrade.reconstructed.failing),
        "warnings": list(upgrade.warnings),
        "checklist": {
            "sql": list(upgrade.checklist.sql),
            "configuration": list(upgrade.checklist.configuration),
            "cli": list(upgrade.checklist.cli),
            "unused_updates": list(upgrade.checklist.unused_updates),
        },
        "new_problems": list(upgrade.new_problems),
    }


def _decision_json(decision: Decision) -> dict[str, Any]:
    return {
        "number": decision.number or None,
        "dn": str(decision.dn),
        "attribute": decision.attribute or None,
        "reason": decision.reason,
        "site": _values_json(decision.attribute, decision.site),
        "release": _values_json(decision.attribute, decision.release),
    }


def _change_json(change: ReportedChange) -> dict[str, Any]:
    return {
        "dn": str(change.dn),
        "change_type": change.kind,
        "attributes": [
            {
                "name": each.name,
                "before": _values_json(each.name, each.before),
                "after": _values_json(each.name, each.after),
                "check": each.check or None,
            }
            for each in change.attributes
        ],
        "places": list(change.places),
    }


def _values_json(name: str, values: Sequence[bytes]) -> list[Any]:
    return [_value_json(name, each) for each in values]


def _value_json(name: str, value: bytes) -> Any:
    if is_secret(name, value):
        return {"secret": True}
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}
