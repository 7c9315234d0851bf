"""The report of a diff for Markdown and for a web page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dcmcfg.dn import DN, NormalDN
from dcmcfg.nodes.second_look import Writer
from dcmcfg.plan.tree_diff import TreeDiff
from dcmcfg.printable import format_count
from dcmcfg.render.change_lines import ChangeListing
from dcmcfg.render.diff import DiffDirection, format_diff_counts, format_single_line
from dcmcfg.render.report import Fact, Report, ReportSection
from dcmcfg.timestamps import format_timestamp


def build_diff_report(
    diff: TreeDiff,
    side_names: tuple[str, str],
    direction: DiffDirection,
    base: DN,
    *,
    created: datetime,
    with_secrets: bool,
    writers: Mapping[tuple[NormalDN, str], Writer],
) -> Report:
    """Return the report with all differences; DNs are relative to *base*, *writers* as in ``print_diff``."""
    steps, not_compared = diff.plan.steps, ", ".join(diff.not_compared)
    facts: tuple[Fact, ...] = (
        ("From", f"{side_names[0]}, {format_count(len(diff.plan.before.entries), 'entry', 'entries')}"),
        ("To", f"{side_names[1]}, {format_count(len(diff.plan.after.entries), 'entry', 'entries')}"),
        (
            "Not compared",
            f"{not_compared} (secrets and vendor data that only one of the two configurations contains)"
            if not_compared
            else "",
        ),
        ("Time", format_timestamp(created)),
    )
    command = "dcmcfg diff"
    if not steps:
        return Report(command=command, headline="No differences", rating="good", facts=facts, created=created)
    marks = {key: writer.value for key, writer in writers.items()}
    listing = ChangeListing(plan=diff.plan, base=base, with_secrets=with_secrets, attribute_marks=marks)
    lines, _ = listing.build_lines(len(steps))
    sections = [
        ReportSection(title="Changes", sentences=(format_single_line(direction.heading),), changes=tuple(lines))
    ]
    if direction.reverse_command:
        sections.append(ReportSection(title="For the other direction", commands=(direction.reverse_command,)))
    return Report(
        command=command,
        headline=format_diff_counts(diff, direction),
        facts=facts,
        sections=tuple(sections),
        created=created,
    )
