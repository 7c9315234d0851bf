"""The parts ``nodes``, ``loaded`` and ``replicas``: the archive's nodes, and the directory servers that they read."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from dcmcfg.archive.archive_state import ServiceState
from dcmcfg.archive.control import ArchiveStatus, NotStarted
from dcmcfg.archive.failures import NoResponse
from dcmcfg.directory.ldap import connect
from dcmcfg.errors import DcmcfgError
from dcmcfg.monitoring.deadline import Deadline, Outcome, run_all
from dcmcfg.monitoring.metrics import (
    NODE_OTHER_VALUES,
    NODE_RESPONSE,
    NODE_STARTED,
    NODES_NOT_STARTED,
    REPLICA_BEHIND,
    REPLICA_EQUAL,
)
from dcmcfg.monitoring.parts import Part
from dcmcfg.monitoring.report import Figure, PartResult
from dcmcfg.monitoring.site import MonitoredNode, MonitoredSite, SharedTree
from dcmcfg.monitoring.state import Limit, State, find_worst
from dcmcfg.nodes.comparison import ReplicaComparison, compare_replica
from dcmcfg.nodes.expectations import EndpointExpectation, Match, derive_shown_values
from dcmcfg.nodes.pending import find_pending_activation
from dcmcfg.printable import format_count
from dcmcfg.rollout.history import History

#: Seconds for which a difference of a replica must remain.
_LAG_ALLOWANCE_S = 1.0
#: The number of values that a detail names.
_MAX_NAMED = 3
#: States that show nothing about the archive: another server answered, or the credentials are wrong.
_UNKNOWN_STATES = (ServiceState.UNKNOWN, ServiceState.WRONG_PATH, ServiceState.NOT_AN_ARCHIVE)


def check_nodes(site: MonitoredSite, limit: Limit, deadline: Deadline) -> PartResult:
    """Return whether the nodes of *site* are started; *limit* is that of the number of nodes that are not."""
    inner = deadline.leave_margin()
    outcomes = run_all({each.name: functools.partial(_query_status, each) for each in site.nodes}, inner)
    states = {name: _get_service_state(outcome) for name, outcome in outcomes.items()}
    unknown = [name for name, state in states.items() if state in _UNKNOWN_STATES]
    not_started = [name for name, state in states.items() if state is not ServiceState.STARTED and name not in unknown]
    figures = [Figure(metric=NODES_NOT_STARTED, value=len(not_started), limit=limit)]
    for name, outcome in outcomes.items():
        is_started = states[name] is ServiceState.STARTED
        figures.append(Figure(metric=NODE_STARTED, value=int(is_started), label_values=(name,)))
        if outcome.value is not None:
            figures.append(Figure(metric=NODE_RESPONSE, value=outcome.value.seconds, label_values=(name,)))
    started_count = len(states) - len(not_started) - len(unknown)
    return PartResult(
        part=Part.NODES,
        state=find_worst([limit.judge(len(not_started)), *(State.UNKNOWN for _ in unknown)]),
        summary=f"{started_count} of {format_count(len(states), 'node')} started",
        details=tuple(
            f"{name}: {_describe_status(states[name], outcome, inner)}"
            for name, outcome in outcomes.items()
            if states[name] is not ServiceState.STARTED
        ),
        figures=tuple(figures),
    )


def _query_status(node: MonitoredNode) -> ArchiveStatus:
    return node.clients().service.status()


def _get_service_state(outcome: Outcome[ArchiveStatus]) -> ServiceState:
    match outcome:
        case Outcome(value=ArchiveStatus() as status):
            return status.service_state
        case Outcome(error=NotStarted() as error):
            return error.state
        case Outcome(error=None | NoResponse()):
            return ServiceState.NO_RESPONSE
        case _:
            return ServiceState.UNKNOWN


def _describe_status(state: ServiceState, outcome: Outcome[ArchiveStatus], deadline: Deadline) -> str:
    if outcome.is_timeout:
        return f"no response within {deadline.seconds:.1f} s"
    if state is ServiceState.STOPPED:
        return "the archive is STOPPED: its DICOM and HL7 ports are closed"
    return describe_error(outcome.error)


def describe_error(error: Exception | None) -> str:
    """Return the message of *error*; for an unexpected one, its type and text."""
    if isinstance(error, DcmcfgError):
        return error.full_message.replace("\n", ";")
    return f"internal error ({type(error).__name__}: {error})"


def check_loaded(site: MonitoredSite, shared: SharedTree, limit: Limit, deadline: Deadline) -> PartResult:
    """Return whether the nodes show the values of the directory; *limit* is that of the values that they do not show.

    A change of this account that a node may not have loaded is a warning.
    """
    expected = derive_shown_values(shared.wait().tree, site.device)
    outcomes = run_all(
        {each.name: functools.partial(_find_other_values, each, expected) for each in site.nodes},
        deadline.leave_margin(),
    )
    states: list[State] = []
    details: list[str] = []
    figures: list[Figure] = []
    for name, outcome in outcomes.items():
        if outcome.value is None:
            states.append(State.UNKNOWN)
            reason = "no response in time" if outcome.is_timeout else describe_error(outcome.error)
            details.append(f"{name}: {reason}")
            continue
        others, problem = outcome.value
        # A node that shows nothing does not show equal values.
        if others or not problem:
            figures.append(Figure(metric=NODE_OTHER_VALUES, value=len(others), label_values=(name,), limit=limit))
        states.append(limit.judge(len(others)))
        if others:
            details.append(f"{name}: {_describe_other_values(others)}")
        if problem:
            states.append(State.UNKNOWN)
            details.append(f"{name}: {problem}")
    if pending := _describe_pending_change(site):
        states.append(State.WARNING)
        details.append(pending)
    equal_count = sum(outcome.value == ((), "") for outcome in outcomes.values())
    return PartResult(
        part=Part.LOADED,
        state=find_worst(states),
        summary=f"{equal_count} of {format_count(len(outcomes), 'node')} "
        f"{'shows' if len(outcomes) == 1 else 'show'} the values of the directory",
        details=tuple(details),
        figures=tuple(figures),
    )


def _find_other_values(
    node: MonitoredNode, expected: Sequence[EndpointExpectation]
) -> tuple[tuple[EndpointExpectation, ...], str]:
    """Return the expectations that *node* does not show, and the reason why a value could not be read."""
    loaded = node.clients().loaded
    matches = [(each, each.match(loaded.read(each.path))) for each in expected]
    others = tuple(each for each, match in matches if match is Match.NOT_SHOWN)
    return others, loaded.problem if any(match is Match.UNKNOWN for _, match in matches) else ""


def _describe_other_values(others: Sequence[EndpointExpectation]) -> str:
    named = ", ".join(f"{each.shown_key or 'the entry'} of {each.name}" for each in others[:_MAX_NAMED])
    more = len(others) - _MAX_NAMED
    return (
        f"the node shows other values than the directory: {named}{f' and {more} more' if more > 0 else ''}. To load "
        "the configuration: dcmcfg reload"
    )


def _describe_pending_change(site: MonitoredSite) -> str:
    """Return a sentence for a change of this account that a node may not have loaded; empty if there is none.

    Other accounts have other records, so a record that cannot be read is not an error of the site.
    """
    try:
        pending = find_pending_activation(History(site.get_state_folder()), site.ldap_url)
    except DcmcfgError:
        return ""
    if pending is None:
        return ""
    names = ", ".join(pending.pending_nodes) or "a node"
    return f"{names} might not have loaded change {pending.record.number}. To continue: dcmcfg apply --resume"


def check_replicas(site: MonitoredSite, limit: Limit, deadline: Deadline) -> PartResult:
    """Return whether the replicas that the nodes read are equal to the directory; *limit* is that of the lag."""
    inner = deadline.leave_margin()
    outcomes = run_all(
        {url: functools.partial(_compare, site, url, inner) for url in site.replica_urls},
        inner,
    )
    states: list[State] = []
    details: list[str] = []
    figures: list[Figure] = []
    for url, outcome in outcomes.items():
        compared = outcome.value
        if compared is None:
            is_timeout = outcome.is_timeout
            states.append(State.CRITICAL if is_timeout else State.UNKNOWN)
            reason = f"no response within {inner.seconds:.1f} s" if is_timeout else describe_error(outcome.error)
            details.append(f"{url}: {reason}")
            continue
        state, reason = _judge_replica(compared, limit)
        states.append(state)
        if reason:
            details.append(f"{url}: {reason}")
        figures.append(Figure(metric=REPLICA_EQUAL, value=int(compared.is_equal), label_values=(url,)))
        if compared.behind_s is not None:
            figures.append(Figure(metric=REPLICA_BEHIND, value=compared.behind_s, label_values=(url,), limit=limit))
    equal_count = sum(outcome.value is not None and outcome.value.is_equal for outcome in outcomes.values())
    return PartResult(
        part=Part.REPLICAS,
        state=find_worst(states),
        summary=f"{equal_count} of {format_count(len(outcomes), 'replica')} in step",
        details=tuple(details),
        figures=tuple(figures),
    )


def _compare(site: MonitoredSite, url: str, deadline: Deadline) -> ReplicaComparison:
    with connect(site.bound_server(deadline)) as provider:
        return compare_replica(
            provider,
            url,
            lambda: connect(site.bound_server(deadline, url)),
            deep=False,
            lag_allowance_s=min(_LAG_ALLOWANCE_S, deadline.remaining_s / 2),
        )


def _judge_replica(compared: ReplicaComparison, limit: Limit) -> tuple[State, str]:
    """Return the state of a replica, and the reason if it is not equal."""
    if compared.problem:
        return State.CRITICAL, f"the replica cannot be read: {compared.problem}"
    if compared.is_equal:
        return State.OK, ""
    counts = f"{compared.entry_count:,} of {compared.provider_entry_count:,} entries"
    if compared.missing_server_ids:
        servers = ", ".join(compared.missing_server_ids)
        return (
            State.CRITICAL,
            f"the replica has received no changes from the servers with these IDs: {servers} ({counts})",
        )
    if compared.behind_s is None:
        # Without contextCSN, a replica that is only late looks the same as one that has lost entries.
        return (
            State.WARNING,
            f"the replica differs from the directory ({counts}). The lag is unknown, because the servers show no "
            "contextCSN",
        )
    if compared.behind_s > 0:
        return limit.judge(compared.behind_s), f"{compared.behind_s:.1f} s behind ({counts})"
    return State.CRITICAL, f"the replica has the newest change, but differs from the directory ({counts})"
