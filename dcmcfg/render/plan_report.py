"""The report of a plan and of the change that applied it, for Markdown and for a web page."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from dcmcfg.model.devices import find_devices_dn
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.risk_checks import NewFinding, Risk
from dcmcfg.plan.step_effects import classify_steps, describe_required_actions
from dcmcfg.printable import format_count
from dcmcfg.render.change_lines import ChangeListing
from dcmcfg.render.ldif_lines import format_changes_ldif
from dcmcfg.render.plan import MAX_LDIF_LINES, format_applied_counts, format_plan_counts, format_unchanged_lines
from dcmcfg.render.report import Fact, Report, ReportCell, ReportSection
from dcmcfg.render.terminal.console import ExtraOutput
from dcmcfg.timestamps import format_timestamp

#: The maximum number of entries in a report; the file of ``--output`` has all of them.
_MAX_ENTRIES = 500
_MAX_SIMILAR_STEPS = 20
_ACTIONS_PREFIX = "To take effect: "
#: Columns of text that is made for a terminal.
_CAPTURE_WIDTH = 100


@dataclass(frozen=True, kw_only=True)
class PlanReportFacts:
    """What is known of a plan and its result.

    ``site`` is the headline of the site, ``command`` the command line without secrets. ``strategy`` is how the plan is
    applied, ``preconditions`` who checks them. ``forced_names`` are the names of accepted risks. ``change_number`` is
    the number of the applied change, None if nothing was applied. ``result_lines`` follow after it, such as the result
    of the reload. ``apply_commands`` apply the plan, ``undo_command`` reverts it.
    """

    plan: Plan
    site: str
    command: str
    created: datetime
    strategy: str = ""
    preconditions: str = ""
    reverts: str = ""
    plan_file: str = ""
    warnings: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()
    forced_names: frozenset[str] = frozenset()
    rejected: tuple[str, ...] = ()
    change_number: int | None = None
    result_lines: tuple[str, ...] = ()
    apply_commands: tuple[str, ...] = ()
    undo_command: str = ""
    show_ldif: bool = False
    extra_output: ExtraOutput | None = None


def build_plan_report(facts: PlanReportFacts) -> Report:
    """Return the report; secrets are left out as in the text of a plan."""
    return Report(
        command="dcmcfg plan" if facts.change_number is None else "dcmcfg change",
        headline=_format_headline(facts),
        rating="plain" if facts.change_number is None else "good",
        facts=tuple(_list_facts(facts)),
        sections=tuple(_build_sections(facts)),
        created=facts.created,
    )


def _format_headline(facts: PlanReportFacts) -> str:
    if not facts.plan.steps:
        return "No changes"
    if facts.change_number is None:
        return f"Plan: {format_plan_counts(facts.plan)}"
    return f"Change {facts.change_number} was applied: {format_applied_counts(facts.plan)}"


def _list_facts(facts: PlanReportFacts) -> Iterator[Fact]:
    plan = facts.plan
    yield "Site", facts.site
    yield "Command", ReportCell(facts.command, is_code=True)
    yield "Reverts", facts.reverts
    if plan.steps:
        yield "Steps", f"{format_count(len(plan.steps), 'step')}, {facts.strategy}"
    yield "Preconditions", facts.preconditions
    yield "Takes effect", "; ".join(_list_effects(plan))
    yield "Required actions", describe_required_actions(plan).removeprefix(_ACTIONS_PREFIX)
    yield "Plan file", ReportCell(facts.plan_file, is_code=True)
    for line in facts.result_lines:
        yield "Result", line
    yield "Time", format_timestamp(facts.created)


def _list_effects(plan: Plan) -> Iterator[str]:
    """Yield when the steps take effect, each phrase once, with the number of steps if there are several phrases."""
    counts = Counter(each.describe() for each in classify_steps(plan))
    for phrase, count in counts.items():
        yield phrase if len(counts) == 1 else f"{phrase} ({format_count(count, 'step')})"


def _build_sections(facts: PlanReportFacts) -> Iterator[ReportSection]:
    if facts.warnings:
        yield ReportSection(title="Warnings", items=facts.warnings)
    yield from _build_risks(facts)
    if facts.rejected:
        yield ReportSection(title="Rejected", sentences=("These items are not in the plan.",), items=facts.rejected)
    if facts.plan.steps:
        yield _build_changes(facts.plan)
    if unchanged := tuple(format_unchanged_lines(facts.plan)):
        yield ReportSection(title="Unchanged", items=unchanged)
    if facts.extra_output is not None and (text := _capture_text(facts.extra_output)):
        yield ReportSection(title="Details", text=text)
    yield from _build_commands(facts)
    if facts.plan.steps:
        ldif = format_changes_ldif(facts.plan.changes)
        if facts.show_ldif or len(ldif.splitlines()) <= MAX_LDIF_LINES:
            yield ReportSection(title="LDIF", text=ldif, text_language="ldif")


def _build_changes(plan: Plan) -> ReportSection:
    listing = ChangeListing(
        plan=plan,
        base=find_devices_dn(plan.before, plan.after),
        max_similar=_MAX_SIMILAR_STEPS,
        marks=[each.describe() for each in classify_steps(plan)],
    )
    lines, remaining = listing.build_lines(_MAX_ENTRIES)
    more = f"The first {_MAX_ENTRIES} entries are shown. The plan file has {remaining} more steps."
    return ReportSection(title="Changes", sentences=(more,) if remaining else (), changes=tuple(lines))


def _build_risks(facts: PlanReportFacts) -> Iterator[ReportSection]:
    if facts.risks:
        yield ReportSection(
            title="Risks",
            sentences=("dcmcfg applies a plan with a risk only if you specify the option that accepts this risk.",),
            columns=("Risk", "Reason", "Entries", "Accepted"),
            rows=tuple(_make_risk_row(each, facts.forced_names) for each in facts.risks),
            is_open=True,
        )
    findings = [new for risk in facts.risks for new in risk.findings]
    if findings:
        yield ReportSection(
            title="New problems",
            sentences=("The plan causes these problems. A rule of dcmcfg check finds each problem.",),
            columns=("Rule", "Entry", "Attribute", "Problem", "Fix"),
            rows=tuple(_make_finding_row(each) for each in findings),
        )


def _make_risk_row(risk: Risk, forced_names: frozenset[str]) -> tuple[ReportCell, ...]:
    is_accepted = risk.is_accepted(forced_names)
    state = ReportCell("accepted", rating="fair") if is_accepted else ReportCell(f"--force-{risk.name}", is_code=True)
    names = ReportCell(
        format_count(len(risk.entries), "entry", "entries") if risk.entries else "", details=tuple(risk.entries)
    )
    return ReportCell(risk.name, is_code=True), ReportCell(risk.description), names, state


def _make_finding_row(new: NewFinding) -> tuple[ReportCell, ...]:
    finding = new.finding
    return (
        ReportCell(finding.rule.name, is_code=True),
        ReportCell(str(finding.dn), is_code=True),
        ReportCell(finding.attribute, is_code=True),
        ReportCell(finding.message),
        ReportCell(new.fix),
    )


def _build_commands(facts: PlanReportFacts) -> Iterator[ReportSection]:
    if facts.apply_commands:
        yield ReportSection(title="To apply the plan", commands=facts.apply_commands)
    if facts.plan.steps:
        number_note = "When dcmcfg has applied the plan, it prints the number of the change."
        yield ReportSection(
            title="To revert the change",
            sentences=(number_note,) if facts.change_number is None else (),
            commands=(facts.undo_command,),
        )


def _capture_text(extra_output: ExtraOutput) -> str:
    """Return what *extra_output* prints below the plan."""
    target = io.StringIO()
    extra_output.print_below_plan(Console(file=target, width=_CAPTURE_WIDTH, height=25, color_system=None))
    return target.getvalue().strip("\n")
