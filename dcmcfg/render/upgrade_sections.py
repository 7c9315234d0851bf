"""The report of an upgrade as titled sections of facts, tables and commands, for Markdown and for the web page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from dcmcfg.dn import DN
from dcmcfg.printable import format_count
from dcmcfg.render.report import Report, ReportCell, ReportSection
from dcmcfg.render.upgrade_commands import REVERT_NOTE, list_apply_commands, list_revert_commands
from dcmcfg.render.upgrade_places import (
    GAP_LABELS,
    NO_TASKS,
    format_changed_count,
    format_configuration_match,
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
from dcmcfg.timestamps import format_timestamp
from dcmcfg.upgrade.checklist import Checklist
from dcmcfg.upgrade.merge_result import Decision
from dcmcfg.upgrade.report import ChangeGroup, UpgradeReport


def build_upgrade_report(report: UpgradeReport, base: DN) -> Report:
    """Return *report* for Markdown and for a web page; DNs are relative to *base*."""
    return Report(
        command="dcmcfg upgrade plan",
        headline=report.headline,
        rating="open" if report.upgrade.decisions else "good",
        facts=list_lead_facts(report),
        sections=tuple(build_sections(report, base)),
        created=report.created,
    )


def list_lead_facts(report: UpgradeReport) -> tuple[tuple[str, str], ...]:
    """Return the facts below the headline."""
    upgrade, status = report.upgrade, report.upgrade.status
    counts = Counter(report.changed_dns.values())
    return (
        ("Configuration", f"{report.subject}, {format_count(len(upgrade.plan.before.entries), 'entry', 'entries')}"),
        ("Release of the configuration", format_configuration_match(status)),
        *list_differing_components(status),
        ("Archive software", format_software(status.software)),
        (
            "Changes",
            f"{format_count(counts['add'], 'entry', 'entries')} added, {format_changed_count(report)}, "
            f"{counts['delete']} deleted; from {format_count(len(report.files), 'file')} of the release",
        ),
        *(("Vendor data", line) for line in list_vendor_lines(upgrade)),
        ("Plan", report.plan_file),
        ("Report of", format_timestamp(report.created)),
    )


def build_sections(report: UpgradeReport, base: DN) -> Iterator[ReportSection]:
    """Yield the sections of *report*, what to check first at the top; DNs are relative to *base*."""
    yield _build_checks(report, base)
    yield _build_decisions(report, base)
    yield from _build_answers(report, base)
    yield _build_changes(report, base)
    yield from _build_new_problems(report)
    yield from _build_dropped(report, base)
    yield from _build_kept(report, base)
    yield from _build_names(report)
    yield from _build_offers(report, base)
    yield _build_checklist(report.upgrade.checklist)
    yield from _build_steps(report)


def _build_checks(report: UpgradeReport, base: DN) -> ReportSection:
    groups = [each for each in report.groups if each.changes[0].check]
    return ReportSection(
        title="Check these changes first",
        is_open=True,
        sentences=()
        if groups
        else ("No change of this plan affects what users see, who may connect, or where files are stored.",),
        columns=("Change", "Place", "Reason to check", "Source") if groups else (),
        rows=tuple(
            (
                ReportCell(format_group(each), is_code=True),
                _summarise([format_place(change.dn, "", base) for change in each.changes]),
                ReportCell(each.changes[0].check),
                _make_source_cell(each),
            )
            for each in groups
        ),
    )


def _build_decisions(report: UpgradeReport, base: DN) -> ReportSection:
    upgrade = report.upgrade
    # The decisions of the gap do not matter for a plan that does not make it.
    decisions = (*upgrade.decisions, *(upgrade.gap_decisions if upgrade.options.gap else ()))
    if not decisions:
        return ReportSection(title="Decisions", sentences=("Nothing is left to decide.",))
    return ReportSection(
        title="Decisions",
        sentences=(
            "The site and the release have changed the same places. Until you decide, the plan keeps the values of the "
            "site. To use the value of the release, plan again with --take NUMBER. To confirm the value of the site, "
            "plan again with --keep NUMBER.",
        ),
        columns=("Number", "Place", "Value of the site", "Value of the release", "Reason"),
        rows=tuple((*_list_sides(each, base), ReportCell(each.reason)) for each in decisions),
    )


def _build_answers(report: UpgradeReport, base: DN) -> Iterator[ReportSection]:
    answers = tuple(list_answers(report.upgrade))
    if answers:
        yield ReportSection(
            title="Answered decisions",
            sentences=("The site and the release have changed the same places. You have made these decisions.",),
            columns=("Number", "Place", "Value of the site", "Value of the release", "Decision"),
            rows=tuple((*_list_sides(each, base), ReportCell(answer)) for each, answer in answers),
        )


def _list_sides(decision: Decision, base: DN) -> tuple[ReportCell, ...]:
    """Return the cells of number, place, and both values of *decision*."""
    name = decision.attribute
    return (
        ReportCell(str(decision.number)),
        ReportCell(format_place(decision.dn, name, base), is_code=True),
        ReportCell(format_values(name, decision.site) if name else "", is_code=True),
        ReportCell(format_values(name, decision.release) if name else "", is_code=True),
    )


def _build_changes(report: UpgradeReport, base: DN) -> ReportSection:
    groups = report.groups
    if not groups:
        return ReportSection(title="All changes", sentences=("The plan changes nothing.",))
    return ReportSection(
        title="All changes",
        sentences=(
            "Equal changes are in one row. The source is the official update file, with the line of the record.",
        ),
        columns=("Change", "Place", "Source"),
        rows=tuple(
            (ReportCell(format_group(each), is_code=True), _make_places_cell(each, base), _make_source_cell(each))
            for each in groups
        ),
    )


def _make_places_cell(group: ChangeGroup, base: DN) -> ReportCell:
    places = [format_place(each.dn, "", base) for each in group.changes]
    if len(places) == 1:
        return ReportCell(places[0], is_code=True)
    with_sources = tuple(
        f"{place} ({', '.join(format_sources(each.places))})" if each.places else place
        for place, each in zip(places, group.changes, strict=True)
    )
    return ReportCell(format_count(len(places), "entry", "entries", grouped=True), details=with_sources)


def _make_source_cell(group: ChangeGroup) -> ReportCell:
    sources = format_sources(group.places, is_gap=group.changes[0].is_gap)
    if len(sources) <= 1:
        return ReportCell("".join(sources), is_code=not group.changes[0].is_gap)
    return ReportCell(format_count(len(sources), "file"), details=sources)


def _build_dropped(report: UpgradeReport, base: DN) -> Iterator[ReportSection]:
    by_reason: dict[str, list[str]] = {}
    for each in report.upgrade.dropped:
        by_reason.setdefault(each.reason, []).append(format_place(each.dn, "", base))
    if by_reason:
        yield ReportSection(
            title="Changes that are not made",
            sentences=(
                "The plan does not contain these changes of the release, because the changes do not apply to this "
                "site. Example: the site has removed the entry that the release changes.",
            ),
            columns=("Reason", "Place"),
            rows=tuple((ReportCell(reason), _summarise(places)) for reason, places in by_reason.items()),
        )


def _build_new_problems(report: UpgradeReport) -> Iterator[ReportSection]:
    problems = report.upgrade.new_problems
    if problems:
        yield ReportSection(
            title="New problems after the upgrade",
            sentences=(
                "The upgrade causes these problems: the configuration does not have them now. Solve the problems after "
                "the upgrade.",
            ),
            columns=("Problem",),
            rows=tuple((ReportCell(each),) for each in problems),
        )


def _build_kept(report: UpgradeReport, base: DN) -> Iterator[ReportSection]:
    kept = report.upgrade.official.kept
    if kept:
        yield ReportSection(
            title="Values of the site that stay",
            sentences=(
                "The release has other values, but such values are different at each site. The plan keeps the values "
                "of the site, and there is nothing to decide.",
            ),
            columns=("Place", "Value of the site", "Value of the release"),
            rows=tuple(
                (
                    ReportCell(format_place(each.dn, each.attribute, base), is_code=True),
                    ReportCell(format_values(each.attribute, each.site), is_code=True),
                    ReportCell(format_values(each.attribute, each.release), is_code=True),
                )
                for each in kept
            ),
        )


def _summarise(places: Sequence[str]) -> ReportCell:
    if len(places) == 1:
        return ReportCell(places[0], is_code=True)
    return ReportCell(format_count(len(places), "entry", "entries", grouped=True), details=tuple(places))


def _build_names(report: UpgradeReport) -> Iterator[ReportSection]:
    facts = tuple((name[0].upper() + name[1:], text) for name, text in list_role_lines(report.upgrade))
    if facts:
        yield ReportSection(title="Names and parts of this site", facts=facts)


def _build_offers(report: UpgradeReport, base: DN) -> Iterator[ReportSection]:
    upgrade = report.upgrade
    offered = [each for each in upgrade.gap_changes if not each.is_made]
    if offered:
        yield ReportSection(
            title=f"Differences from a new installation of {upgrade.target.label}",
            sentences=(
                "The update files do not remove these differences, so the plan does not remove them either. To remove "
                "the differences, plan again with --gap KIND.",
            ),
            columns=("Kind", "Meaning", "Place"),
            rows=tuple(
                (
                    ReportCell(kind, is_code=True),
                    ReportCell(plural),
                    _summarise(
                        [
                            format_place(each.dn, ", ".join(each.attributes), base)
                            for each in offered
                            if each.kind == kind
                        ]
                    ),
                )
                for kind, (_, plural) in GAP_LABELS.items()
                if any(each.kind == kind for each in offered)
            ),
        )
    if upgrade.clones:
        yield ReportSection(
            title="Copies of AEs",
            sentences=(
                "These AEs have the same capabilities as an AE of the release. To change these AEs in the same way, "
                "plan again with the option --also and the AE titles.",
            ),
            columns=("AE", "Copies"),
            rows=tuple(
                (ReportCell(each.original, is_code=True), ReportCell(", ".join(each.titles), is_code=True))
                for each in upgrade.clones
            ),
        )


def _build_checklist(checklist: Checklist) -> ReportSection:
    title = "Also to do"
    if checklist.is_empty:
        return ReportSection(
            title=title,
            sentences=(NO_TASKS,),
        )
    return ReportSection(
        title=title,
        sentences=(
            "dcmcfg does not change the database, WildFly and the software of the archive. Do these tasks yourself, "
            "with the files of the distribution.",
        ),
        columns=("Task", "Files"),
        rows=tuple(
            (ReportCell(task[0].upper() + task[1:]), _list_files(paths)) for task, paths in list_tasks(checklist)
        ),
    )


def _list_files(paths: Sequence[str]) -> ReportCell:
    if len(paths) == 1:
        return ReportCell(paths[0], is_code=True)
    return ReportCell(format_count(len(paths), "file"), details=tuple(paths))


def _build_steps(report: UpgradeReport) -> Iterator[ReportSection]:
    schema = "" if report.has_schema else "Install the schema of the release. "
    yield ReportSection(
        title="To apply the upgrade",
        sentences=(f"{schema}Apply the plan, and list the remaining differences from a new installation.",),
        commands=list_apply_commands(report),
    )
    yield ReportSection(title="To revert the upgrade", sentences=(REVERT_NOTE,), commands=list_revert_commands())
