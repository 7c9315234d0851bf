"""Make the nodes of the site load a change, and report the result of each.

A module of its own, because a command without a reload does not need the HTTP client.
"""

from __future__ import annotations

import functools
import math
import secrets
import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import click

from dcmcfg.archive.control import ControlService
from dcmcfg.archive.loaded_configuration import TIMEOUTS, LoadedConfiguration
from dcmcfg.archive.reload_failures import Reload
from dcmcfg.cli import invocation
from dcmcfg.cli.options.node_options import MARKER, NONE, NodeOptions
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.archive import make_control_service, make_web_client
from dcmcfg.cli.session.change_report import ReloadReport
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.reload import ArchiveStopped, ReachableArchive, connect_archive, require_started
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import Directory, LdapServerSettings
from dcmcfg.errors import ArchiveError, DcmcfgError, DirectoryError, IncompleteChange
from dcmcfg.limits import HTTP_BODY
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.nodes.expectations import Expectations, derive_expectations
from dcmcfg.nodes.marker import Marker, add_marker, make_marker, remove_marker
from dcmcfg.nodes.node_record import NodeRecorder
from dcmcfg.nodes.observation import NodeObserver
from dcmcfg.nodes.pending import find_pending_activation
from dcmcfg.nodes.replicas import OpenReplica, WrittenState, read_written_state
from dcmcfg.nodes.run import NodeAccess, NodeResult, NodeRun, NodeRunOptions, make_pending_results
from dcmcfg.nodes.second_look import Overwrite, find_overwrites
from dcmcfg.plan.plan import Plan
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
from dcmcfg.rollout.history import History
from dcmcfg.rollout.reconciliation import collect_touched_dns
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema_names import DICOM_DEVICE_NAME
from dcmcfg.settings import Settings
from dcmcfg.settings.exposure import find_exposures
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.settings.nodes import (
    SINGLE_NODE,
    make_node_settings,
    make_replica_settings,
    name_node_setting,
    select_nodes,
)
from dcmcfg.settings.site import Node

_TOKEN_BYTES = 4
#: Seconds that a request to a replica may take at least.
_MIN_REPLICA_TIMEOUT_S = 2.0
#: Seconds of waiting at which a line is printed: at the start, and every ten seconds.
_FIRST_REPORT_S, _REPORT_INTERVAL_S = 1.0, 10.0


@dataclass(frozen=True)
class ReachableNode:
    """A node that responds, or that the user accepts to be down (``--keep-going``)."""

    node: Node
    archive: ReachableArchive


@dataclass(frozen=True, kw_only=True)
class SelectedNodes:
    """The nodes of a run, which were asked before anything is written."""

    settings: Settings
    options: NodeOptions
    nodes: tuple[ReachableNode, ...]
    replica_urls: tuple[str, ...]

    @property
    def is_single(self) -> bool:
        """Whether the site lists no nodes, and its archive reads the server that is written."""
        return not self.settings.nodes

    def activate(
        self,
        directory: Directory,
        plan: Plan,
        *,
        rollout_number: int,
        record_folder: Path,
        is_undo: bool,
        print_nodes: Callable[[ReloadReport], None],
    ) -> ReloadReport:
        """Make the nodes load *plan*, which change *rollout_number* has written, and confirm it; return the report.

        If a node has not loaded the change, or may not have loaded it, *print_nodes* prints the table of the nodes,
        and :class:`IncompleteChange` is raised.
        """
        activation = _Activation(
            self, directory, plan, recorder=NodeRecorder(record_folder), rollout_number=rollout_number
        )
        try:
            results = activation.run()
            overwrites = activation.look_again()
        except IncompleteChange:
            raise
        except DcmcfgError as problem:
            raise IncompleteChange(
                f"The directory was changed, but the archive may not have loaded the change: {problem.message}",
                subject=problem.subject,
                next_step="to go on: dcmcfg apply --resume",
            ) from problem
        finally:
            activation.close()
        report = _make_report(results, overwrites, activation.notes, is_single=self.is_single)
        _record_json(report)
        error = results[0].error
        if self.is_single and error is not None:
            raise self.nodes[0].archive.build_error(error, rollout_number, plan.after, is_undo=is_undo) from error
        failure = _build_failure(results, overwrites, "" if is_undo else f"dcmcfg undo {rollout_number}")
        if failure is not None:
            print_nodes(report)
            raise failure
        return report

    def require_device(self, plan: Plan) -> None:
        """Raise :class:`~dcmcfg.errors.NotFound` if a marker is requested, but *plan* leaves no device to add it to."""
        if self.options.confirm == MARKER:
            Configuration(plan.after).get_device(self.settings.device)


class _Activation:
    """One run over the nodes, with its marker."""

    def __init__(
        self,
        selected: SelectedNodes,
        directory: Directory,
        plan: Plan,
        *,
        recorder: NodeRecorder,
        rollout_number: int,
    ) -> None:
        self._selected, self._directory, self._plan = selected, directory, plan
        self._reopened: Directory | None = None
        self._recorder = recorder
        self._marker = self._make_marker(rollout_number) if selected.options.confirm == MARKER else None
        self._accesses = tuple(map(self._make_access, selected.nodes))
        self.notes: list[str] = []

    def run(self) -> tuple[NodeResult, ...]:
        """Return the results of the nodes; an interruption leaves the remaining nodes as they are."""
        self._note_results(make_pending_results(self._accesses))
        self._note_left_out()
        try:
            self._ensure_connection()
            self._add_marker()
            return self._make_run().run()
        except KeyboardInterrupt:
            raise IncompleteChange(
                "The directory was changed, and the reload was interrupted", next_step="dcmcfg apply --resume"
            ) from None
        except DcmcfgError as error:
            raise IncompleteChange(
                f"The directory was changed, but the nodes could not be reloaded: {error.message}",
                subject=error.subject,
                next_step="dcmcfg apply --resume",
            ) from error
        finally:
            self._remove_marker()

    def _note_results(self, results: Sequence[NodeResult]) -> None:
        """Write the states of nodes into the record; the nodes matter more than the record, so a failure is a note."""
        try:
            self._recorder.write_results(results)
        except DcmcfgError as error:
            note = f"warning: {error.subject}: {error.message}"
            if note not in self.notes:
                self.notes.append(note)

    def _note_left_out(self) -> None:
        """Note the nodes of the site that ``--node`` leaves out: they keep their configuration until their reload."""
        selected = {each.node.name for each in self._selected.nodes}
        left_out = [each for each in self._selected.settings.nodes if each.name not in selected]
        if not left_out:
            return
        with suppress(DcmcfgError):  # as in _note_results, which has reported it
            self._recorder.add_left_out(
                [NodeResult(name=each.name, archive_url=each.archive_url, ldap_url=each.ldap_url) for each in left_out]
            )
        pending = set(self._recorder.record.pending_nodes)
        names = ", ".join(each.name for each in left_out if each.name in pending)
        if names:
            self.notes.append(
                f"Not reloaded, because --node selects other nodes: {names}. To reload: dcmcfg apply --resume"
            )

    def _add_marker(self) -> None:
        """Add the marker, if there is one; without it, the reloads are only not confirmed by it."""
        if self._marker is None:
            return
        try:
            add_marker(self._directory, self._marker, self._recorder)
        except DcmcfgError as error:
            self.notes.append(
                "warning: the marker could not be added, so dcmcfg cannot confirm the reload with the marker: "
                f"{error.message}"
            )
            self._marker = None

    def close(self) -> None:
        """Close the connection that replaced the one of the change, if there is one."""
        if self._reopened is not None:
            self._reopened.close()

    def _ensure_connection(self) -> None:
        """Connect again if the connection was lost, such as with the response to the last write."""
        try:
            self._directory.read_entry(self._directory.server.base_dn, ("1.1",))
        except DirectoryError:
            self._directory = self._reopened = self._directory.reopen()

    def look_again(self) -> tuple[Overwrite, ...]:
        """Return the entries of the plan that somebody has written since; a failed read is only a note."""
        settings = self._selected.settings
        try:
            overwrites = find_overwrites(
                self._directory, self._plan, own_dn=settings.bind_dn, archive_dn=settings.archive_bind_dn
            )
            if overwrites:
                self._recorder.write_overwritten([format_overwrite(each) for each in overwrites])
        except DcmcfgError as error:
            self.notes.append(f"warning: the changed entries could not be read again: {error.message}")
            return ()
        return overwrites

    def _make_run(self) -> NodeRun:
        names = list(collect_touched_dns(self._plan.changes))
        expectations: Expectations | None = None
        if self._selected.options.confirm != NONE:
            expectations = derive_expectations(self._plan, self._selected.settings.device)
        if self._marker is not None and expectations is not None:
            names.append(self._marker.dn)
            expectations = replace(expectations, all=(*expectations.all, self._marker.expectation))
        written = read_written_state(self._directory, self._plan.after, names if self._selected.replica_urls else ())
        options = self._selected.options
        return NodeRun(
            self._accesses,
            written=written,
            tree=self._plan.after,
            expectations=expectations,
            options=NodeRunOptions(
                keep_going=options.keep_going,
                parallel=options.parallel,
                replica_timeout_s=options.replica_timeout_s,
            ),
            on_result=lambda result: self._note_results([result]),
            on_replica_wait=ReplicaProgress().report,
        )

    def _make_marker(self, rollout_number: int) -> Marker:
        device = Configuration(self._plan.after).get_device(self._selected.settings.device)
        return make_marker(device.entry.dn, rollout_number, secrets.token_hex(_TOKEN_BYTES))

    def _remove_marker(self) -> None:
        if self._marker is None:
            return
        try:
            remove_marker(self._directory, self._marker.dn, self._recorder)
        except DcmcfgError as error:
            self.notes.append(
                f"warning: the marker {self._marker.dn} is still in the directory ({error.message}); to remove it: "
                "dcmcfg apply --resume"
            )
            return
        shown_until = (
            "The archive shows the marker until its next reload"
            if self._selected.is_single
            else "The nodes show the marker until their next reload"
        )
        self.notes.append(f"The marker is removed from the directory. {shown_until}.")

    def _make_access(self, reachable: ReachableNode) -> NodeAccess:
        return make_node_access(
            self._selected.settings,
            reachable.node,
            reachable.archive.service,
            server=self._directory.server,
            # The table of several nodes has the sentence once.
            message_prefix="The directory was changed. " if self._selected.is_single else "",
            replica_timeout_s=self._selected.options.replica_timeout_s,
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
        _warn_of_exposures(settings, nodes)
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


class ReplicaProgress:
    """Prints a line while a replica is behind: after a second, then every ten seconds."""

    def __init__(self) -> None:
        self._next_s: dict[str, float] = {}

    def report(self, ldap_url: str, seconds: float, reason: str) -> None:
        """Print the state of the replica at *ldap_url* after *seconds*, if it is time."""
        if seconds < self._next_s.get(ldap_url, _FIRST_REPORT_S):
            return
        self._next_s[ldap_url] = seconds + _REPORT_INTERVAL_S
        print_message(escape_unprintable(f"waiting for the replica {ldap_url} ({seconds:.0f} s): {reason} …"))


def make_node_access(
    settings: Settings,
    node: Node,
    service: ControlService,
    *,
    server: LdapServerSettings | None,
    message_prefix: str = "",
    replica_timeout_s: float,
) -> NodeAccess:
    """Return the access to *node*, whose control service is *service*, and whose replica *open_replica* opens.

    *server* is the connection to the directory of the site, whose credentials a replica accepts too; None if no node
    reads a replica. The message about a STOPPED archive begins with *message_prefix*.
    """
    node_settings = make_node_settings(settings, node)
    client = make_web_client(node_settings, TIMEOUTS, HTTP_BODY)
    return NodeAccess(
        name=node.name,
        archive_url=node.archive_url,
        ldap_url=node.ldap_url,
        reload=functools.partial(_reload, click.get_current_context(), service, node_settings, message_prefix),
        observer=NodeObserver(
            LoadedConfiguration(node.archive_url, client),
            "DCMCFG",
            uses_own_host=bool(settings.nodes),
            other_urls=tuple(each.archive_url for each in settings.nodes if each != node),
        ),
        open_replica=None
        if server is None or node.ldap_url == settings.ldap_url
        else make_replica_opener(server, node.ldap_url, replica_timeout_s),
    )


def make_replica_opener(server: LdapServerSettings, ldap_url: str, timeout_s: float) -> OpenReplica:
    """Return a function that connects to the replica at *ldap_url* with the credentials of *server*.

    No request takes much longer than *timeout_s* seconds, so that a silent replica does not hold up the run.
    """
    bounded_s = min(max(timeout_s, _MIN_REPLICA_TIMEOUT_S), server.receive_timeout_s)
    replica = replace(
        server,
        url=ldap_url,
        connect_timeout_s=min(bounded_s, server.connect_timeout_s),
        receive_timeout_s=math.ceil(bounded_s),
    )
    return functools.partial(connect, replica)


def _warn_of_exposures(settings: Settings, nodes: Sequence[Node]) -> None:
    """Warn of a password that is sent to a replica unencrypted."""
    for url in dict.fromkeys(each.ldap_url for each in nodes if each.ldap_url != settings.ldap_url):
        for warning in find_exposures(make_replica_settings(settings, url)):
            run = invocation.current()
            if warning not in run.printed_warnings:
                print_message(f"warning: {escape_unprintable(warning)}")
                run.printed_warnings.add(warning)


def _reload(context: click.Context, service: ControlService, settings: Settings, message_prefix: str) -> Reload:
    # Nodes may be reloaded in threads, which have no context of the command.
    with context.scope(cleanup=False):
        reload = service.reload()
        # A STOPPED archive loads the configuration too, but its ports remain closed.
        try:
            require_started(service, settings, message_prefix)
        except ArchiveStopped as error:
            error.reload = reload
            raise
    return reload


def connect_nodes(settings: Settings, options: NodeOptions, *, alternative: str = "") -> SelectedNodes:
    """Return the selected nodes after each has responded; raises :class:`ArchiveError` with nothing changed.

    With ``--keep-going``, a node that does not respond is only a warning. *alternative* replaces the suggestion of
    ``--no-reload``. Raises :class:`~dcmcfg.errors.NotFound` for an unknown node.
    """
    found = []
    for node in select_nodes(settings, options.names):
        node_settings = make_node_settings(settings, node)
        archive = _connect(node_settings, node, options, alternative)
        if settings.nodes:
            _require_device(node_settings, node)
        found.append(ReachableNode(node, archive))
    _warn_of_exposures(settings, [each.node for each in found])
    urls = dict.fromkeys(each.node.ldap_url for each in found if each.node.ldap_url != settings.ldap_url)
    return SelectedNodes(settings=settings, options=options, nodes=tuple(found), replica_urls=tuple(urls))


def _require_device(settings: Settings, node: Node) -> None:
    """Raise :class:`ArchiveError` if *node* runs with another device: then it is an archive of its own."""
    client = make_web_client(settings, TIMEOUTS, HTTP_BODY)
    content = LoadedConfiguration(node.archive_url, client).read("/devicename")
    name = content.get(DICOM_DEVICE_NAME) if isinstance(content, dict) else None
    # LDAP compares names of devices without case. Without an answer, nothing is known, and the reload decides.
    if isinstance(name, str) and name.lower() != settings.device.lower():
        raise ArchiveError(
            f"node {node.name} runs with the device {name}, not with {settings.device}; nothing was changed",
            subject=node.archive_url,
            next_step="make a separate profile for the archive with the other device; "
            f"to remove the node from this profile: dcmcfg config unset {settings.profile}.nodes.{node.name}",
        )


def _connect(settings: Settings, node: Node, options: NodeOptions, alternative: str) -> ReachableArchive:
    try:
        return connect_archive(settings, alternative) if alternative else connect_archive(settings)
    except ArchiveError as error:
        if not settings.nodes:
            raise
        if options.keep_going:
            print_message(f"warning: node {node.name}: {escape_unprintable(error.message)}")
            return ReachableArchive.without_contact(settings)
        raise ArchiveError(
            f"node {node.name}: {error.message}",
            subject=error.subject,
            next_step=f"{name_node_setting(error.next_step, settings)}; to go on with the other nodes: --keep-going",
        ) from error


def _make_report(
    results: Sequence[NodeResult], overwrites: Sequence[Overwrite], notes: Sequence[str], *, is_single: bool
) -> ReloadReport:
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


def _build_failure(
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
        return IncompleteChange(message, next_step=f"to go on with these nodes: dcmcfg apply --resume{undo}")
    lost = [each for each in overwrites if each.loses_change]
    if lost:
        return IncompleteChange(
            f"The nodes have reloaded, but the directory no longer has this change: {format_overwrite(lost[0])}",
            subject=str(lost[0].dn),
            next_step=f"to see the present values: dcmcfg get {shlex.quote(str(lost[0].dn))}{undo}",
        )
    return None


def _record_json(report: ReloadReport) -> None:
    """Add the results of the nodes to the JSON that is printed if the command fails later."""
    run = invocation.current()
    previous_result = run.partial_result
    fields = dict(report.extra_json)
    if report.json_fields is not None:
        fields["reload"] = report.json_fields
    run.partial_result = lambda: ({} if previous_result is None else previous_result()) | fields
