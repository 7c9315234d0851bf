"""The report on the nodes after a change, and the error for nodes that have not loaded it."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Sequence

from dcmcfg.cli import invocation
from dcmcfg.cli.session.change_report import ReloadReport
from dcmcfg.errors import IncompleteChange
from dcmcfg.nodes.run import NodeResult, NodeState
from dcmcfg.nodes.second_look import Overwrite
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.nodes import (
    format_node_notes,
    format_overwrite,
    format_single_reload,
    nodes_json,
    overwrites_json,
    print_nodes,
)
from dcmcfg.render.reload import format_repair_note, reload_json
from dcmcfg.settings.nodes import (
    SINGLE_NODE,
)


def make_reload_report(
    results: Sequence[NodeResult], overwrites: Sequence[Overwrite], notes: Sequence[str], *, is_single: bool
) -> ReloadReport:
    """Return the lines, the table and the JSON for *results*; *notes* and *overwrites* follow the lines.

    An archive without nodes (*is_single*) has lines instead of the table.
    """
    first = results[0]
    lines: list[str] = []
    if is_single and first.error is None:
        if first.reload is not None and (note := format_repair_note(first.reload)):
            lines.append(note)
        lines.append(format_single_reload(first.confirmation))
    elif not is_single:
        lines += format_node_notes(results)
    lines += notes
    lines += [f"warning: {format_overwrite(each)}" for each in overwrites]
    return ReloadReport(
        reload_json(first.reload) if len(results) == 1 and first.reload is not None else None,
        {"nodes": nodes_json(results), "overwritten": overwrites_json(overwrites)},
        tuple(escape_unprintable(each) for each in lines),
        None if is_single else functools.partial(print_nodes, results=results),
    )


def build_node_failure(
    results: Sequence[NodeResult], overwrites: Sequence[Overwrite], undo_command: str
) -> IncompleteChange | None:
    """Return the error for nodes that have not loaded the change, or for a change that was overwritten, or None."""
    failed = [each for each in results if not each.is_loaded]
    undo = f"; to revert the change: {undo_command}" if undo_command else ""
    if failed:
        names = ", ".join(f"{each.name} ({each.state.value})" for each in failed)
        if len(results) == 1 and results[0].name == SINGLE_NODE:
            reason = failed[0].confirmation.reason if failed[0].confirmation is not None else ""
            message = (
                f"The directory was changed and the archive reloaded, but the archive shows other values: {reason}"
            )
        else:
            message = (
                f"The directory was changed, but at least one node has not loaded the change or is not started: {names}"
            )
        # The same node would stop the next run too, so the nodes after it would never load the change.
        others = (
            "; to continue with the other nodes if a node fails: dcmcfg apply --resume --keep-going"
            if any(each.state is NodeState.PENDING for each in failed)
            else ""
        )
        return IncompleteChange(message, next_step=f"to continue with these nodes: dcmcfg apply --resume{others}{undo}")
    lost = [each for each in overwrites if each.loses_change]
    if lost:
        return IncompleteChange(
            f"The nodes have reloaded, but the directory no longer has this change: {format_overwrite(lost[0])}",
            subject=str(lost[0].dn),
            next_step=f"to see the present values: dcmcfg get {shlex.quote(str(lost[0].dn))}{undo}",
        )
    return None


def record_json(report: ReloadReport) -> None:
    """Add the results of the nodes to the JSON that is printed if the command fails later."""
    run = invocation.current()
    previous_result = run.partial_result
    fields = dict(report.extra_json)
    if report.json_fields is not None:
        fields["reload"] = report.json_fields
    run.partial_result = lambda: ({} if previous_result is None else previous_result()) | fields
