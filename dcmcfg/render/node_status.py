"""Render the status of nodes, and the comparison of replicas with their provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

from rich.console import Console

from dcmcfg.archive.archive_state import ServiceState
from dcmcfg.nodes.comparison import EntryDifference, ReplicaComparison
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.list_table import ListColumn, print_list

_STATUS_COLUMNS = (
    ListColumn(heading="Node"),
    ListColumn(heading="State"),
    ListColumn(heading="Archive", min_width=24, keep_end=True),
    ListColumn(heading="Seconds", drop_order=1),
)
_REPLICA_COLUMNS = (
    ListColumn(heading="Replica", min_width=24, keep_end=True),
    ListColumn(heading="Result"),
    ListColumn(heading="Behind"),
    ListColumn(heading="Entries"),
)
#: The number of differences that are printed for each replica.
_MAX_SHOWN = 20


@dataclass(frozen=True)
class NodeStatus:
    """The state of a node, and the seconds until its response; ``message`` is the problem if it does not run."""

    name: str
    archive_url: str
    state: ServiceState
    seconds: float | None = None
    _: KW_ONLY
    message: str = ""
    next_step: str = ""


def print_node_statuses(console: Console, statuses: Sequence[NodeStatus]) -> None:
    """Print a row for each node."""
    print_list(
        console,
        _STATUS_COLUMNS,
        [
            tuple(
                map(
                    escape_unprintable,
                    (
                        each.name,
                        each.state.value.upper() if each.seconds is not None else each.state.value,
                        each.archive_url,
                        "" if each.seconds is None else f"{each.seconds:.2f}",
                    ),
                )
            )
            for each in statuses
        ],
    )


def format_status_notes(statuses: Sequence[NodeStatus]) -> Iterator[str]:
    """Yield a line for each node that is not started, with the next step."""
    for each in statuses:
        if each.state is not ServiceState.STARTED:
            problem = each.message or "the archive is STOPPED: its DICOM and HL7 ports are closed"
            yield f"{each.name}: {problem}" + (f" — {each.next_step}" if each.next_step else "")


def node_statuses_json(statuses: Sequence[NodeStatus]) -> list[dict[str, Any]]:
    """Return the statuses for ``--json``, an object for each node."""
    return [
        {
            "name": each.name,
            "archive_url": each.archive_url,
            "state": each.state.value,
            "duration_seconds": None if each.seconds is None else round(each.seconds, 3),
            "message": each.message or None,
            "next_step": each.next_step or None,
        }
        for each in statuses
    ]


def print_comparisons(console: Console, comparisons: Sequence[ReplicaComparison], provider_url: str) -> None:
    """Print a row for each replica of *provider_url*."""
    print_line(console, escape_unprintable(f"Provider: {provider_url}"))
    print_list(
        console, _REPLICA_COLUMNS, [tuple(map(escape_unprintable, _build_replica_row(each))) for each in comparisons]
    )


def _build_replica_row(comparison: ReplicaComparison) -> tuple[str, ...]:
    if comparison.problem:
        return comparison.ldap_url, "not read", "", ""
    lag_s = comparison.csn_lag_s
    return (
        comparison.ldap_url,
        ("equal" if comparison.is_deep else "in step") if comparison.is_equal else "differs",
        "unknown" if lag_s is None else f"{lag_s:.1f} s",
        f"{comparison.entry_count:,} of {comparison.provider_entry_count:,}",
    )


def format_comparison_notes(comparisons: Sequence[ReplicaComparison]) -> Iterator[str]:
    """Yield lines for the differences, the problems and the limits of the comparison."""
    for each in comparisons:
        if each.problem:
            yield f"{each.ldap_url}: {each.problem}"
        for difference in each.differences[:_MAX_SHOWN]:
            yield f"{each.ldap_url}: {_describe_difference(difference)}"
        if (more := len(each.differences) - _MAX_SHOWN) > 0:
            yield f"{each.ldap_url}: {more} more differences"
        if each.csn_lag_s is None and not each.problem:
            yield f"{each.ldap_url}: the servers show no contextCSN, so the lag is unknown"
        if each.missing_server_ids:
            yield f"{each.ldap_url}: the replica has no changes from the server ID {', '.join(each.missing_server_ids)}"
    if not any(each.is_deep for each in comparisons):
        yield "The values were not compared. To compare them: dcmcfg status --replicas --deep"


def _describe_difference(difference: EntryDifference) -> str:
    if difference.is_missing:
        return f"missing: {difference.dn}"
    if difference.is_surplus:
        return f"only on the replica: {difference.dn}"
    return f"differs in {', '.join(difference.attributes)}: {difference.dn}"


def replica_comparisons_json(comparisons: Sequence[ReplicaComparison]) -> list[dict[str, Any]]:
    """Return the comparisons for ``--json``; ``lag_seconds`` is null if the lag is unknown."""
    return [
        {
            "ldap_url": each.ldap_url,
            "equal": each.is_equal,
            "lag_seconds": each.csn_lag_s,
            "missing_server_ids": list(each.missing_server_ids),
            "entry_count": each.entry_count,
            "provider_entry_count": each.provider_entry_count,
            "values_compared": each.is_deep,
            "differences": [
                {
                    "dn": difference.dn,
                    "kind": "missing" if difference.is_missing else "surplus" if difference.is_surplus else "values",
                    "attributes": list(difference.attributes),
                }
                for difference in each.differences
            ],
            "problem": each.problem or None,
        }
        for each in comparisons
    ]
