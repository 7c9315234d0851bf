"""Format what the reports of an upgrade share in all formats: places, values, records of update files, releases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from dcmcfg.dn import DN
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.cells import format_cell_value, format_relative_dn
from dcmcfg.suggestions import join_limited
from dcmcfg.upgrade.checklist import Checklist
from dcmcfg.upgrade.merge_result import Decision
from dcmcfg.upgrade.preparation import Upgrade
from dcmcfg.upgrade.prerequisites import is_at_target
from dcmcfg.upgrade.release import Version, format_version, parse_version
from dcmcfg.upgrade.report import ChangeGroup, PlannedChange, UpgradeReport
from dcmcfg.upgrade.signs import ReleaseMatch
from dcmcfg.upgrade.tree_status import TreeStatus

#: The maximum number of names, values or files shown in one line.
MAX_NAMES = 8
_MAX_LINES = 3
NO_VALUE = "(no value)"
#: What the administrator does outside the configuration, if the distribution was not given.
NO_TASKS = (
    "Upgrade the database, WildFly and the software of the archive as its release notes say. dcmcfg changes only the "
    "configuration, and the folder of the release has no files for these parts."
)
#: The kinds of differences from a new installation, for one entry and for several.
GAP_LABELS = {
    "corrections": (
        "change that is missing because of an error in an update file",
        "changes that are missing because of errors in update files",
    ),
    "additions": ("additional entry", "additional entries"),
    "values": ("entry with other values", "entries with other values"),
    "removals": ("entry that the release no longer has", "entries that the release no longer has"),
}


def format_place(dn: DN, attribute: str, base: DN) -> str:
    """Return the place of a change or a decision: the DN relative to *base*, and the attribute, if any."""
    return escape_unprintable(f"{format_relative_dn(dn, base)} {attribute}".rstrip())


def format_values(name: str, values: Sequence[bytes]) -> str:
    """Return *values* of the attribute *name* in one line, without secrets."""
    if not values:
        return NO_VALUE
    return escape_unprintable(join_limited([format_cell_value(name, each) for each in values], MAX_NAMES))


def format_change(change: PlannedChange) -> str:
    """Return the change of an attribute: ``dcmTag: + 00081070; - 00081072``, or old and new value of a single one.

    All values that are added or removed are shown, so that the difference is visible.
    """
    name = change.attribute
    if not change.before or not change.after or len(change.added) == len(change.removed) == 1:
        return f"{name}: {_format_all(name, change.removed)} → {_format_all(name, change.added)}"
    signed = [
        f"{sign} {_format_all(name, values)}" for sign, values in (("+", change.added), ("-", change.removed)) if values
    ]
    return f"{name}: {'; '.join(signed)}"


def _format_all(name: str, values: Sequence[bytes]) -> str:
    return escape_unprintable(", ".join(format_cell_value(name, each) for each in values)) if values else NO_VALUE


def format_group(group: ChangeGroup) -> str:
    """Return the change that *group* makes everywhere: ``dcmTag: + 00081070; - 00081072``."""
    first = group.changes[0]
    match group.kind:
        case "add":
            return f"+ {group.name}"
        case "delete":
            return f"- {group.name}"
        case _ if not first.before or not first.after or len(first.added) == len(first.removed) == 1:
            return (
                f"{group.name}: {format_values(group.name, first.removed)} → {format_values(group.name, first.added)}"
            )
        case _:
            signed = [
                f"{sign} {format_values(group.name, values)}"
                for sign, values in (("+", first.added), ("-", first.removed))
                if values
            ]
            return f"{group.name}: {'; '.join(signed)}"


def format_sources(places: Sequence[str], *, is_gap: bool = False) -> tuple[str, ...]:
    """Return the records *places* by file, in short: ``update-dev-5.32.0.ldif:3, 14, 25 and 9 more``."""
    by_file: dict[str, list[str]] = {}
    for place in places:
        file, colon, line = place.rpartition(":")
        by_file.setdefault(file if colon else place, []).extend([line] if colon else [])
    files = [
        f"{file}:{join_limited(sorted(lines, key=int), _MAX_LINES)}" if lines else file
        for file, lines in sorted(by_file.items(), key=lambda item: (parse_version(item[0]) or (), item[0]))
    ]
    return (*files, *(["default configuration of the release"] if is_gap else []))


def format_configuration_match(status: TreeStatus) -> str:
    """Return the releases that the whole tree matches best, with "or newer" or "or older" if others may match too."""
    return _format_match(status.match, may_be_newer=status.may_be_newer, may_be_older=status.may_be_older)


def _format_match(match: ReleaseMatch | None, *, may_be_newer: bool = False, may_be_older: bool = False) -> str:
    if match is None:
        return "release unknown"
    first, last = format_version(match.first), format_version(match.last)
    releases = f"release {first}" if first == last else f"release {first} to {last}"
    if may_be_newer and may_be_older:
        releases += ", older or newer"
    elif may_be_newer:
        releases = f"release {first} or newer"
    elif may_be_older:
        releases = f"release {last} or older"
    return f"{releases} (matches {match.matching:,} of {match.total:,} values)"


def format_changed_count(report: UpgradeReport) -> str:
    """Return the number of entries that a plan changes: ``3 changed (1 of them deleted and added again)``."""
    count = Counter(report.changed_dns.values())["modify"]
    replaced = report.replaced_count
    return f"{count} changed" + (f" ({replaced} of them deleted and added again)" if replaced else "")


def format_gap_count(kind: str, count: int) -> str:
    """Return a number of differences of a kind from a new installation: ``2 additional entries``."""
    return format_count(count, *GAP_LABELS[kind])


def format_software(software: Version | None) -> str:
    """Return the release that the archive has recorded itself."""
    return f"release {format_version(software)}" if software is not None else "the archive has not recorded a release"


def list_differing_components(status: TreeStatus) -> Iterator[tuple[str, str]]:
    """Yield name and release of the parts of the tree that are at another release than the tree."""
    for each in status.components:
        if status.match is not None and each.match.differs_from(status.match):
            yield each.name, f"{_format_match(each.match)}, but the whole configuration matches another release best"


def list_role_lines(upgrade: Upgrade) -> Iterator[tuple[str, str]]:
    """Yield what the site has other names for, what it does not have, and what is damaged in the release."""
    roles = upgrade.roles
    for word, names in (
        ("device", roles.devices),
        ("AE", roles.titles),
        ("web application", roles.web_apps),
    ):
        renamed = [f"{old} is {new}" for old, new in names.items() if old != new]
        if renamed:
            yield f"{word} with another name than in the release", join_limited(renamed, MAX_NAMES)
    if roles.removed:
        yield "parts of the release that this site does not have", join_limited(roles.removed, MAX_NAMES)
    if upgrade.reconstructed.behind:
        yield "earlier updates not applied to", ", ".join(upgrade.reconstructed.behind)
    for defect in upgrade.target.defects:
        version = parse_version(defect.partition("/")[0])
        if version is None or upgrade.installed.version is None or version > upgrade.installed.version:
            yield "in the files of the release", defect
    if upgrade.reconstructed.failing:
        records = join_limited(upgrade.reconstructed.failing, MAX_NAMES)
        yield (
            "in the files of the release",
            "some records of update files change entries that the default configuration of the same release does not "
            f"have: {records}",
        )
    if is_at_target(upgrade.status, upgrade.target):
        label, left = upgrade.target.label, len(upgrade.official_entries)
        if left:
            count = format_count(left, "entry", "entries", grouped=True)
            yield "upgrade", f"the configuration matches release {label} best, but {count} must still change"
        else:
            yield "upgrade", f"the configuration is already at release {label}"
    yield from (("warning", each) for each in upgrade.warnings)


def list_answers(upgrade: Upgrade) -> Iterator[tuple[Decision, str]]:
    """Yield the decisions that the user has answered, by number, each with the answer in words."""
    answers = [
        *((each, "the plan uses the value of the release") for each in upgrade.taken),
        *((each, "the plan keeps the value of the site") for each in upgrade.confirmed),
    ]
    yield from sorted(answers, key=lambda each: each[0].number)


def list_vendor_lines(upgrade: Upgrade) -> Iterator[str]:
    """Yield what happens to the files of the vendor data."""
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
        yield f"unchanged, because {vendor.problem}"
    elif parts:
        yield ", ".join(parts)
    if vendor.conflicts:
        names = join_limited([each.name for each in vendor.conflicts], MAX_NAMES)
        yield (
            f"the site and the release have changed {names}; the files of the site stay (to use the files of the "
            "release: --vendor release)"
        )


def list_tasks(checklist: Checklist) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the tasks of the administrator outside the configuration, each with its files in order."""
    tasks = (
        ("run these scripts of your database in this order", checklist.sql),
        ("compare these files of WildFly, which the new release has changed", checklist.configuration),
        ("run these scripts of WildFly if the release notes say so", checklist.cli),
        ("update files that dcmcfg does not use", checklist.unused_updates),
    )
    yield from ((task, paths) for task, paths in tasks if paths)
