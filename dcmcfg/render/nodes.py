"""Render the results of the nodes after a change: a table, sentences, and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from dcmcfg.nodes.confirmation import Confirmation
from dcmcfg.nodes.replicas import ReplicaResult, ReplicaState
from dcmcfg.nodes.run import NodeResult, NodeState
from dcmcfg.nodes.second_look import Overwrite
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.reload import reload_json
from dcmcfg.render.terminal.list_table import ListColumn, print_list

_RELOADED = {
    NodeState.PENDING: "no",
    NodeState.REPLICA_BEHIND: "no",
    NodeState.REPLICA_UNREACHABLE: "no",
    NodeState.RELOADING: "unknown",
    NodeState.LOADED: "yes",
    NodeState.DIFFERS: "yes, but shows other values",
    NodeState.NOT_LOADED: "failed",
    NodeState.STOPPED: "yes, but STOPPED",
    NodeState.UNKNOWN: "uncertain",
}
_COLUMNS = (
    ListColumn(heading="Node"),
    ListColumn(heading="Written", drop_order=1),
    ListColumn(heading="Replica", min_width=12),
    ListColumn(heading="Reloaded", min_width=10),
    ListColumn(heading="Confirmed by", min_width=14),
)
#: The columns that make sense only after a change.
_OF_CHANGES = ("Written", "Confirmed by")
NOT_CONFIRMED = "not confirmed"


def print_nodes(console: Console, results: Sequence[NodeResult]) -> None:
    """Print a row for each node after a change: written, its replica, its reload, and the confirmation."""
    print_list(console, _COLUMNS, [tuple(map(escape_unprintable, _build_row(each))) for each in results])


def print_reloads(console: Console, results: Sequence[NodeResult]) -> None:
    """Print a row for each node after a reload without a change: its replica and its reload."""
    columns = [each for each in _COLUMNS if each.heading not in _OF_CHANGES]
    rows = (
        [cell for cell, column in zip(_build_row(each), _COLUMNS, strict=True) if column in columns] for each in results
    )
    print_list(console, columns, [tuple(map(escape_unprintable, row)) for row in rows])


def _build_row(result: NodeResult) -> tuple[str, ...]:
    return (
        result.name,
        "yes",
        _format_replica(result.replica),
        _RELOADED[result.state],
        _format_sources(result.confirmation),
    )


def _format_replica(replica: ReplicaResult | None) -> str:
    if replica is None:
        return "none"
    match replica.state:
        case ReplicaState.CURRENT:
            return f"after {replica.waited_s:.1f} s"
        case ReplicaState.BEHIND:
            return f"behind after {replica.waited_s:.0f} s"
        case ReplicaState.UNREACHABLE:
            return "not read"


def _format_sources(confirmation: Confirmation | None) -> str:
    if confirmation is None:
        return "-"
    return ", ".join(confirmation.sources) if confirmation.is_confirmed else NOT_CONFIRMED


def format_single_reload(confirmation: Confirmation | None) -> str:
    """Return the sentence about the reload of an archive of one node, with its *confirmation*, if there is one."""
    if confirmation is None:
        return "The archive has reloaded."
    if confirmation.is_confirmed:
        return f"The archive has reloaded, confirmed by {', '.join(confirmation.sources)}."
    return f"The archive has reloaded (204). dcmcfg cannot confirm this change: {confirmation.reason}."


def format_node_notes(results: Sequence[NodeResult]) -> Iterator[str]:
    """Yield a line for each node that did not load the change, or whose reload is not confirmed, with the reason."""
    for each in results:
        if each.error is not None:
            step = f" — {each.error.next_step}" if each.error.next_step else ""
            yield f"{each.name}: {each.error.message}{step}"
        elif each.replica is not None and not each.replica.is_current:
            kind = "cannot be read" if each.replica.state is ReplicaState.UNREACHABLE else "is behind"
            yield f"{each.name}: the replica {each.replica.ldap_url} {kind}: {each.replica.reason}"
        elif each.state is NodeState.PENDING:
            yield f"{each.name}: not reloaded, because an earlier node failed"
        elif each.confirmation is not None and not each.confirmation.is_confirmed:
            yield f"{each.name}: {each.confirmation.reason}"


def format_overwrite(overwrite: Overwrite) -> str:
    """Return a sentence about an entry that somebody has written after the plan."""
    names = ", ".join(overwrite.attributes)
    what = f"the values of {names} were changed" if names else "the entry was deleted, or deleted and added again"
    modifier = f" ({overwrite.modifier})" if overwrite.modifier else ""
    return f"{overwrite.dn}: after dcmcfg wrote this change, {what} {overwrite.writer.value}{modifier}"


def nodes_json(results: Sequence[NodeResult]) -> list[dict[str, Any]]:
    """Return the results for ``--json``, an object for each node.

    ``replica`` is null if the node reads the server that was written; ``confirmation`` is null if the node was not
    reloaded. ``seconds`` of a replica is the time that it took to hold the change.
    """
    return [
        {
            "name": each.name,
            "archive_url": each.archive_url,
            "ldap_url": each.ldap_url,
            "state": each.state.value,
            "loaded": each.is_loaded,
            "replica": _replica_json(each.replica),
            "reload": reload_json(each.reload) if each.reload is not None else None,
            "confirmation": _confirmation_json(each.confirmation),
            "message": each.error.message if each.error is not None else None,
            "next_step": (each.error.next_step or None) if each.error is not None else None,
        }
        for each in results
    ]


def _replica_json(replica: ReplicaResult | None) -> dict[str, Any] | None:
    if replica is None:
        return None
    return {
        "state": replica.state.value,
        "seconds": round(replica.waited_s, 3),
        "reason": replica.reason or None,
    }


def _confirmation_json(confirmation: Confirmation | None) -> dict[str, Any] | None:
    if confirmation is None:
        return None
    return {
        "state": confirmation.state.value,
        "confirmed_by": list(confirmation.sources),
        "reason": confirmation.reason or None,
    }


def overwrites_json(overwrites: Sequence[Overwrite]) -> list[dict[str, Any]]:
    """Return the entries that somebody has written after the plan, for ``--json``."""
    return [
        {
            "dn": str(each.dn),
            "attributes": list(each.attributes),
            "planned_attributes": list(each.planned),
            "writer": each.writer.value,
            "modifiers_name": each.modifier or None,
            "modify_timestamp": each.modified_at or None,
        }
        for each in overwrites
    ]
