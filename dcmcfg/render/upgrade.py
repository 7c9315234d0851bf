"""Render the status and the report of an upgrade as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Console

from dcmcfg.dn import DN
from dcmcfg.printable import format_count
from dcmcfg.render.terminal.cells import format_relative_dn
from dcmcfg.render.terminal.console import print_command, print_line, print_prose
from dcmcfg.render.upgrade_commands import REVERT_NOTE, list_apply_commands, list_revert_commands
from dcmcfg.render.upgrade_places import (
    GAP_LABELS,
    MAX_NAMES,
    NO_TASKS,
    format_change,
    format_changed_count,
    format_configuration_match,
    format_gap_count,
    format_group,
    format_place,
    format_software,
    format_sources,
    format_values,
    list_answers,
    list_differing_components,
    list_role_lines,
    list_tasks,
    list_vendor_lines,
)
from dcmcfg.suggestions import join_limited
from dcmcfg.upgrade.checklist import Checklist
from dcmcfg.upgrade.merge_result import Decision
from dcmcfg.upgrade.preparation import Upgrade
from dcmcfg.upgrade.report import ChangeGroup, PlannedChange, UpgradeReport
from dcmcfg.upgrade.tree_status import TreeStatus

_SIGNS = {"add": "+", "modify": "~", "delete": "-"}


def print_upgrade_status(console: Console, status: TreeStatus, entry_count: int) -> None:
    """Print the release of the tree, of its parts, and of the archive's software."""
    for line in _list_status_lines(status, entry_count):
        print_prose(console, line)


def _list_status_lines(status: TreeStatus, entry_count: int) -> Iterator[str]:
    found = format_configuration_match(status)
    yield f"configuration: {found}; {format_count(entry_count, 'entry', 'entries', grouped=True)}"
    yield f"software: {format_software(status.software)}"
    yield from (f"{name}: {text}" for name, text in list_differing_components(status))


def print_upgrade(console: Console, report: UpgradeReport, base: DN, *, details: bool) -> None:
    """Print what the plan of *report* changes, and what is left to decide; DNs are relative to *base*.

    With *details*, every change is listed with the official records that it comes from.
    """
    upgrade = report.upgrade
    print_upgrade_status(console, upgrade.status, len(upgrade.plan.before.entries))
    for name, text in list_role_lines(upgrade):
        print_prose(console, f"{name}: {text}")
    counts = Counter(report.changed_dns.values())
    print_prose(
        console,
        f"changes: {format_count(len(report.changed_dns), 'entry', 'entries', grouped=True)} ({counts['add']} added, "
        f"{format_changed_count(report)}, {counts['delete']} deleted), from {format_count(len(report.files), 'file')} "
        "of the release",
    )
    checked = [each for each in report.groups if each.changes[0].check]
    if checked:
        print_line(console, "Check these changes first:")
        for group in checked:
            _print_checked_group(console, group, base)
    _print_decisions(console, upgrade.decisions, base)
    _print_gap_decisions(console, upgrade, base)
    _print_answers(console, upgrade, base)
    for problem in upgrade.new_problems:
        print_prose(console, f"new problem after the upgrade: {problem}")
    for line in list_vendor_lines(upgrade):
        print_prose(console, f"vendor data: {line}")
    _print_all_changes(console, report, base, details=details)
    _print_dropped(console, upgrade, base, details=details)
    _print_kept(console, upgrade, base)
    _print_offers(console, upgrade)
    _print_checklist(console, upgrade.checklist)
    if report.plan_file and report.changes:
        schema = "" if report.has_schema else "install the schema, "
        print_prose(console, f"To {schema}apply the plan, and list the remaining differences:")
        for command in list_apply_commands(report):
            print_command(console, command)
        print_prose(console, REVERT_NOTE)
        for command in list_revert_commands():
            print_command(console, command)


def _print_all_changes(console: Console, report: UpgradeReport, base: DN, *, details: bool) -> None:
    if report.changes and details:
        print_line(console, "All changes:")
        _print_changes(console, report.changes, base)
    elif report.changes:
        print_line(console, "All changes, equal changes together (to list each change: --details):")
        for group in report.groups:
            _print_group(console, group, base)


def _print_changes(console: Console, changes: Sequence[PlannedChange], base: DN) -> None:
    for dn, of_entry in groupby(changes, key=lambda each: each.dn):
        first, *rest = of_entry
        print_line(console, f"  {_SIGNS[first.kind]} {format_relative_dn(dn, base)}")
        for each in (first, *rest):
            note = f" ({each.check})" if each.check else ""
            if each.attribute:
                print_prose(console, f"      {format_change(each)}{note}")
            elif note:
                print_prose(console, f"      {each.check}")
            _print_sources(console, format_sources(each.places, is_gap=each.is_gap))


def _print_sources(console: Console, sources: Sequence[str]) -> None:
    if sources:
        print_prose(console, f"      from {join_limited(sources, MAX_NAMES)}")


def _print_checked_group(console: Console, group: ChangeGroup, base: DN) -> None:
    first = group.changes[0]
    sign = "~ " if first.kind == "modify" else ""
    print_prose(console, f"  {sign}{format_group(group)} ({first.check})")
    for each in group.changes:
        print_line(console, f"      {format_place(each.dn, '', base)}")
    _print_sources(console, format_sources(group.places, is_gap=first.is_gap))


def _print_group(console: Console, group: ChangeGroup, base: DN) -> None:
    first = group.changes[0]
    if len(group.changes) > 1:
        places = format_count(len(group.changes), "entry", "entries", grouped=True)
    else:
        places = format_place(first.dn, "", base)
    print_prose(console, f"  {'' if first.kind != 'modify' else '~ '}{format_group(group)} ({places})")
    _print_sources(console, format_sources(group.places, is_gap=first.is_gap))


def _print_dropped(console: Console, upgrade: Upgrade, base: DN, *, details: bool) -> None:
    if not upgrade.dropped:
        return
    hint = "" if details else " (to list them: --details)"
    changes = format_count(len(upgrade.dropped), "change")
    print_prose(console, f"not made: {changes} to parts that the site has removed or never had{hint}")
    if details:
        for each in upgrade.dropped:
            print_prose(console, f"  {format_relative_dn(each.dn, base)}: {each.reason}")


def _print_decisions(console: Console, decisions: Sequence[Decision], base: DN) -> None:
    if not decisions:
        print_line(console, "decisions: none")
        return
    print_prose(
        console,
        "Open decisions. Until you decide, the site's values stay. To use the value of the release: --take NUMBER. To "
        "keep the value of the site: --keep NUMBER.",
    )
    _print_numbered(console, decisions, base)


def _print_numbered(console: Console, decisions: Sequence[Decision], base: DN) -> None:
    for each in decisions:
        _print_decision(console, each, each.reason, base)


def _print_decision(console: Console, decision: Decision, remark: str, base: DN) -> None:
    name = decision.attribute
    print_prose(console, f"  {decision.number}. {format_place(decision.dn, name, base)}: {remark}")
    if name:
        print_prose(console, f"     site: {format_values(name, decision.site)}")
        print_prose(console, f"     release: {format_values(name, decision.release)}")


def _print_answers(console: Console, upgrade: Upgrade, base: DN) -> None:
    answers = list(list_answers(upgrade))
    if answers:
        print_line(console, "Answered decisions:")
    for each, answer in answers:
        _print_decision(console, each, answer, base)


def _print_gap_decisions(console: Console, upgrade: Upgrade, base: DN) -> None:
    """Print the decisions of the gap; without ``--gap`` only their number, because nothing depends on them."""
    decisions = upgrade.gap_decisions
    if decisions and upgrade.options.gap:
        print_line(console, "Differences from a new installation, in places where the site has its own values:")
        _print_numbered(console, decisions, base)
    elif decisions:
        count = format_count(len(decisions), "difference")
        places = "in places where the site has its own values"
        print_prose(
            console,
            f"compared with a new installation, the site also has {count} {places} (to list them: --gap all)",
        )


def _print_kept(console: Console, upgrade: Upgrade, base: DN) -> None:
    names = [format_place(each.dn, each.attribute, base) for each in upgrade.official.kept]
    if names:
        print_prose(
            console,
            f"values of the site that stay, although the release has other values: {join_limited(names, MAX_NAMES)}",
        )


def _print_offers(console: Console, upgrade: Upgrade) -> None:
    counts = Counter(each.kind for each in upgrade.gap_changes if not each.is_made)
    if counts:
        kinds = [kind for kind in GAP_LABELS if counts[kind]]
        listed = ", ".join(format_gap_count(kind, counts[kind]) for kind in kinds)
        print_prose(
            console,
            f"Compared with a new installation of {upgrade.target.label}, these differences remain: {listed} (to "
            f"remove the differences: --gap {','.join(kinds)})",
        )
    for offer in upgrade.clones:
        titles = ",".join(offer.titles)
        print_prose(
            console,
            f"{join_limited(offer.titles, MAX_NAMES)}: the same capabilities as {offer.original} (to change these AEs "
            f"in the same way: --also {titles})",
        )


def _print_checklist(console: Console, checklist: Checklist) -> None:
    """Print the files of the distribution that the administrator applies."""
    tasks = list(list_tasks(checklist))
    if tasks:
        print_line(console, "Also to do (dcmcfg does not change the database and WildFly):")
    else:
        print_line(console, "Also to do:")
        print_prose(console, f"  {NO_TASKS}")
    for task, paths in tasks:
        print_prose(console, f"  {task}: {', '.join(paths)}")
