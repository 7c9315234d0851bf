"""The status of the nodes of the site, and the comparison of its replicas.

A module of its own: ``status`` of an archive of one node does not load it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dcmcfg.archive.archive_state import ServiceState
from dcmcfg.archive.control import NotStarted
from dcmcfg.cli import invocation
from dcmcfg.cli.printing import print_message, print_output, print_wait
from dcmcfg.cli.session.archive import make_control_service
from dcmcfg.cli.session.archive_stopped import describe_how_to_start
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.node_access import make_replica_opener
from dcmcfg.directory.ldap import connect
from dcmcfg.errors import ArchiveError, NotFound
from dcmcfg.nodes.comparison import ReplicaComparison, compare_replica
from dcmcfg.nodes.pending import find_leftover_markers, find_pending_activation
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.node_status import (
    NodeStatus,
    format_comparison_notes,
    format_status_notes,
    node_statuses_json,
    print_comparisons,
    print_node_statuses,
    replica_comparisons_json,
)
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.rollout.history import History
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.settings.nodes import make_node_settings, name_node_setting, select_nodes
from dcmcfg.settings.site import Node

_STOPPED, _FAILED = 1, 3
_MAX_PARALLEL = 16


def query_node_statuses(settings: Settings, names: Sequence[str]) -> tuple[NodeStatus, ...]:
    """Return the status of each selected node, in the order of the profile; raises :class:`NotFound` for a name."""
    # The clients are made one after the other: they may ask for a secret.
    services = [
        (node, make_node_settings(settings, node), make_control_service(make_node_settings(settings, node)))
        for node in select_nodes(settings, names)
    ]
    with ThreadPoolExecutor(max_workers=_MAX_PARALLEL) as pool:
        statuses = [
            pool.submit(_query_status, node, node_settings, service) for node, node_settings, service in services
        ]
        return tuple(each.result() for each in statuses)


def _query_status(node: Node, settings: Settings, service: Any) -> NodeStatus:
    try:
        status = service.status(print_wait)
    except NotStarted as error:
        next_step = name_node_setting(error.next_step, settings)
        return NodeStatus(node.name, node.archive_url, error.state, message=error.message, next_step=next_step)
    except ArchiveError as error:
        next_step = name_node_setting(error.next_step, settings)
        return NodeStatus(node.name, node.archive_url, ServiceState.UNKNOWN, message=error.message, next_step=next_step)
    next_step = "" if status.started else describe_how_to_start(settings)
    return NodeStatus(node.name, node.archive_url, status.service_state, status.seconds, next_step=next_step)


def show_node_statuses(
    settings: Settings, names: Sequence[str], extra_json: dict[str, Any], *, as_json: bool
) -> tuple[int, dict[str, Any]]:
    """Print the statuses of the nodes, unless *as_json*; return the exit code and the JSON with *extra_json*.

    The code is 0 if all are started, 1 if one is stopped, 3 if one does not run or does not respond.
    """
    statuses = query_node_statuses(settings, names)
    if not as_json:
        print_node_statuses(make_stdout_console(), statuses)
        for note in format_status_notes(statuses):
            print_output(escape_unprintable(note))
    for warning in find_node_warnings(settings):
        print_message(f"warning: {escape_unprintable(invocation.current().insert_site_options(warning))}")
    states = {each.state for each in statuses}
    code = 0 if states <= {ServiceState.STARTED} else _STOPPED if states <= _RUNNING else _FAILED
    return code, {"nodes": node_statuses_json(statuses)} | extra_json


_RUNNING = {ServiceState.STARTED, ServiceState.STOPPED}


def find_node_warnings(settings: Settings) -> tuple[str, ...]:
    """Return a sentence for a change that a node may not have loaded, and for each marker that is left."""
    history = History(get_state_folder())
    found = []
    pending = find_pending_activation(history, settings.ldap_url)
    if pending is not None:
        names = ", ".join(pending.pending_nodes) or "a node"
        found.append(
            f"{names} might not have loaded change {pending.record.number}. To continue: dcmcfg apply --resume"
        )
    found += [
        f"the marker of change {record.number} is still in the directory. To remove it: dcmcfg apply --resume"
        for record, _ in find_leftover_markers(history, settings.ldap_url)
    ]
    return tuple(found)


def show_replicas(
    settings: Settings, *, deep: bool, lag_allowance_s: float, as_json: bool
) -> tuple[int, dict[str, Any]]:
    """Compare the replicas of all nodes with the directory of the site; print and return as :func:`show_node_statuses`.

    The code is 0 if all are equal, 1 if one differs, 3 if one cannot be read. Raises :class:`NotFound` if no node
    reads a replica, and :class:`~dcmcfg.errors.DirectoryError` if the directory of the site cannot be read.
    """
    urls = list(dict.fromkeys(each.ldap_url for each in settings.nodes if each.ldap_url != settings.ldap_url))
    if not urls:
        raise NotFound(
            "no node of this site reads a replica of the directory",
            subject=settings.ldap_url,
            next_step="to list the nodes of the archive, and the commands to add them to the profile: "
            "dcmcfg config nodes --from-tree",
        )

    with open_directory(settings) as directory:
        server = directory.server

    def compare(url: str) -> ReplicaComparison:
        # Each comparison has a connection of its own to the provider.
        with connect(server) as provider:
            open_replica = make_replica_opener(server, url, server.receive_timeout_s)
            return compare_replica(provider, url, open_replica, deep=deep, lag_allowance_s=lag_allowance_s)

    with ThreadPoolExecutor(max_workers=_MAX_PARALLEL) as pool:
        comparisons = tuple(pool.map(compare, urls))
    if not as_json:
        print_comparisons(make_stdout_console(), comparisons, settings.ldap_url)
        for note in format_comparison_notes(comparisons):
            print_output(escape_unprintable(note))
    code = _FAILED if any(each.problem for each in comparisons) else int(not all(e.is_equal for e in comparisons))
    return code, {"ldap_url": settings.ldap_url, "replicas": replica_comparisons_json(comparisons)}
