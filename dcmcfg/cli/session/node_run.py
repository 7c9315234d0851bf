"""Make the nodes of the site load a change, and report the result of each.

A module of its own, because a command without a reload does not need the HTTP client.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dcmcfg.cli.options.node_options import MARKER, NONE, NodeOptions
from dcmcfg.cli.session.change_report import ReloadReport
from dcmcfg.cli.session.node_access import ReplicaProgress, make_node_access
from dcmcfg.cli.session.node_contact import ReachableNode, contact_nodes
from dcmcfg.cli.session.node_report import build_node_failure, make_reload_report, record_json
from dcmcfg.directory.server import Directory
from dcmcfg.errors import DcmcfgError, DirectoryError, IncompleteChange
from dcmcfg.model.devices import Configuration
from dcmcfg.nodes.expectations import Expectations, derive_expectations
from dcmcfg.nodes.marker import Marker, add_marker, make_marker, remove_marker
from dcmcfg.nodes.node_record import NodeRecorder
from dcmcfg.nodes.replicas import read_written_state
from dcmcfg.nodes.run import NodeAccess, NodeResult, NodeRun, NodeRunOptions, make_pending_results
from dcmcfg.nodes.second_look import Overwrite, find_overwrites
from dcmcfg.plan.plan import Plan
from dcmcfg.render.nodes import (
    format_overwrite,
)
from dcmcfg.rollout.reconciliation import collect_touched_dns
from dcmcfg.settings import Settings

_TOKEN_BYTES = 4


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
                f"The directory was changed, but the archive might not have loaded the change: {problem.message}",
                subject=problem.subject,
                next_step="to continue: dcmcfg apply --resume",
            ) from problem
        finally:
            activation.close()
        report = make_reload_report(results, overwrites, activation.notes, is_single=self.is_single)
        record_json(report)
        error = results[0].error
        if self.is_single and error is not None:
            raise self.nodes[0].archive.build_error(error, rollout_number, plan.after, is_undo=is_undo) from error
        failure = build_node_failure(results, overwrites, "" if is_undo else f"dcmcfg undo {rollout_number}")
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
                f"Not reloaded, because --node does not select these nodes: {names}. To reload: dcmcfg apply --resume"
            )

    def _add_marker(self) -> None:
        """Add the marker, if there is one; without it, the reloads are only not confirmed by it."""
        if self._marker is None:
            return
        try:
            add_marker(self._directory, self._marker, self._recorder)
        except DcmcfgError as error:
            self.notes.append(
                "warning: dcmcfg could not add the marker (a temporary entry) to the directory, so dcmcfg cannot use "
                f"the marker to confirm the reload: {error.message}"
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
            "The archive keeps the marker in its loaded configuration until its next reload"
            if self._selected.is_single
            else "The nodes keep the marker in their loaded configuration until their next reload"
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


def connect_nodes(settings: Settings, options: NodeOptions, *, alternative: str = "") -> SelectedNodes:
    """Return the selected nodes after each has responded, with nothing changed.

    With ``--keep-going``, a node that does not respond is only a warning. *alternative* replaces the suggestion of
    ``--no-reload``. Raises :class:`~dcmcfg.errors.ArchiveError` for a node that does not respond, and
    :class:`~dcmcfg.errors.NotFound` for an unknown node.
    """
    nodes = contact_nodes(settings, options, alternative)
    urls = dict.fromkeys(each.node.ldap_url for each in nodes if each.node.ldap_url != settings.ldap_url)
    return SelectedNodes(settings=settings, options=options, nodes=nodes, replica_urls=tuple(urls))
