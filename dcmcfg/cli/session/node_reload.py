"""Reload nodes without a change of the directory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from dcmcfg.cli.options.node_options import NodeOptions
from dcmcfg.cli.session.archive import make_control_service
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.node_access import ReplicaProgress, make_node_access, warn_of_exposures
from dcmcfg.errors import ArchiveError, DcmcfgError
from dcmcfg.model.tree import Tree
from dcmcfg.nodes.node_record import NodeRecorder
from dcmcfg.nodes.pending import find_pending_activation
from dcmcfg.nodes.replicas import WrittenState, read_written_state
from dcmcfg.nodes.run import NodeResult, NodeRun, NodeRunOptions
from dcmcfg.rollout.history import History
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.settings.nodes import (
    make_node_settings,
    select_nodes,
)


def require_reloaded(settings: Settings, options: NodeOptions) -> None:
    """Reload the selected nodes; raises :class:`ArchiveError` if one of them is not reloaded."""
    for result in reload_nodes(settings, options):
        if result.error is not None:
            raise ArchiveError(
                f"node {result.name}: {result.error.message}",
                subject=result.error.subject,
                next_step=result.error.next_step,
            )
        if not result.is_loaded:
            reason = result.replica.reason if result.replica is not None else result.state.value
            raise ArchiveError(f"node {result.name} is not reloaded: {reason}", subject=result.archive_url)


def note_reloads(settings: Settings, reloaded_nodes: Sequence[str]) -> None:
    """Note in the newest change that *reloaded_nodes* have loaded it, unless its record has this already."""
    pending = find_pending_activation(History(get_state_folder()), settings.ldap_url)
    if pending is None or pending.node_record is None:
        return
    with suppress(DcmcfgError):  # a reload that has happened must not fail because of the record
        recorder = NodeRecorder(pending.record.folder)
        for name in set(reloaded_nodes) & set(pending.pending_nodes):
            recorder.note_reloaded(name)


def reload_nodes(
    settings: Settings, options: NodeOptions, on_result: Callable[[NodeResult], None] = lambda _: None
) -> tuple[NodeResult, ...]:
    """Reload the selected nodes of a site that lists its nodes; return the results.

    A node that reads a replica is reloaded when the replica has caught up with the directory of the site. *on_result*
    is called with the result of a node whenever it changes.
    """
    nodes = select_nodes(settings, options.names)
    services = {each.name: make_control_service(make_node_settings(settings, each)) for each in nodes}
    tree = Tree(load_bundled_schema(), {})
    written, server = WrittenState({}, {}, {}, time.monotonic()), None
    if any(each.ldap_url != settings.ldap_url for each in nodes):
        warn_of_exposures(settings, nodes)
        with open_directory(settings) as directory:
            written, server = read_written_state(directory, tree, ()), directory.server
    accesses = [
        make_node_access(
            settings, each, services[each.name], server=server, replica_timeout_s=options.replica_timeout_s
        )
        for each in nodes
    ]
    run = NodeRun(
        accesses,
        written=written,
        tree=tree,
        expectations=None,
        options=NodeRunOptions(
            keep_going=options.keep_going, parallel=options.parallel, replica_timeout_s=options.replica_timeout_s
        ),
        on_result=on_result,
        on_replica_wait=ReplicaProgress().report,
    )
    return run.run()
