"""The states of the nodes after a change, in the file ``nodes.json`` in the folder of the record of the change.

The file is written before each step, so that ``dcmcfg apply --resume`` can go on after an interruption.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dcmcfg.changes import Delete
from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError
from dcmcfg.files.private import sync_folder, write_private
from dcmcfg.format_number import FileFormat
from dcmcfg.nodes.run import NodeResult, NodeState
from dcmcfg.plan.ldif_output import format_undo

_NAME, _MARKER_UNDO_FILE = "nodes.json", "marker-undo.ldif"
NODES_FORMAT = FileFormat("the states of the nodes", 1)


@dataclass(frozen=True, kw_only=True)
class RecordedNode:
    """The state of one node: ``confirmed_by`` are the sources of the confirmation, ``reason`` explains the state."""

    name: str
    archive_url: str
    ldap_url: str
    state: NodeState
    confirmed_by: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RecordedMarker:
    """The marker entry of the change: its DN, and whether it may be in the directory."""

    dn: str
    is_present: bool


@dataclass(frozen=True, kw_only=True)
class NodeRecord:
    """The states of the nodes after a change, and the marker if the change has one.

    ``overwritten`` are sentences about entries that somebody wrote between the change and the end of its run.
    """

    nodes: tuple[RecordedNode, ...]
    marker: RecordedMarker | None = None
    overwritten: tuple[str, ...] = ()

    @property
    def pending_nodes(self) -> tuple[str, ...]:
        """The names of the nodes that are not known to have loaded the change."""
        return tuple(each.name for each in self.nodes if each.state is not NodeState.LOADED)

    @property
    def is_finished(self) -> bool:
        """Whether every node has loaded the change, and no marker is left."""
        return not self.pending_nodes and not (self.marker is not None and self.marker.is_present)


class NodeRecorder:
    """Writes the states of the nodes into the record in *folder*.

    The states that an earlier run recorded for other nodes are kept. Nodes that are reloaded in parallel can share a
    recorder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Each update is a read and a write of the whole record.
        self._lock = threading.Lock()
        self._record = read_node_record(folder) or NodeRecord(nodes=())

    @property
    def record(self) -> NodeRecord:
        """The record as written last."""
        return self._record

    def write_results(self, results: Sequence[NodeResult]) -> None:
        """Write the states of *results*; raises :class:`DcmcfgError`."""
        with self._lock:
            updated = {each.name: each for each in self._record.nodes}
            for each in results:
                updated[each.name] = _make_recorded_node(each)
            self._write(replace(self._record, nodes=tuple(updated.values())))

    def write_result(self, result: NodeResult) -> None:
        """Write the state of one node; raises :class:`DcmcfgError`."""
        self.write_results([result])

    def add_left_out(self, results: Sequence[NodeResult]) -> None:
        """Add nodes that this run leaves out, unless the record has their states; raises :class:`DcmcfgError`."""
        known = {each.name for each in self._record.nodes}
        self.write_results([each for each in results if each.name not in known])

    def note_reloaded(self, name: str) -> None:
        """Note that the node *name* was reloaded later, without a confirmation; raises :class:`DcmcfgError`."""
        with self._lock:
            nodes = tuple(
                replace(each, state=NodeState.LOADED, reason="reloaded later") if each.name == name else each
                for each in self._record.nodes
            )
            self._write(replace(self._record, nodes=nodes))

    def write_marker(self, dn: DN, *, is_present: bool) -> None:
        """Note the marker *dn*: written before it is added, and after it is removed; raises :class:`DcmcfgError`.

        The file ``marker-undo.ldif`` in the record removes it without dcmcfg.
        """
        path = self._folder / _MARKER_UNDO_FILE
        if is_present and not path.exists():
            try:
                write_private(path, format_undo([Delete(dn)], comments=("dcmcfg undo of a marker",)))
            except OSError as error:
                raise DcmcfgError(
                    f"the undo file that removes the marker cannot be written ({error.strerror})", subject=str(path)
                ) from error
        with self._lock:
            self._write(replace(self._record, marker=RecordedMarker(dn=str(dn), is_present=is_present)))

    def write_overwritten(self, sentences: Sequence[str]) -> None:
        """Note the entries that somebody wrote after the change; raises :class:`DcmcfgError`."""
        with self._lock:
            self._write(replace(self._record, overwritten=tuple(sentences)))

    def _write(self, record: NodeRecord) -> None:
        path, new = self._folder / _NAME, self._folder / f".{_NAME}"
        text = json.dumps(NODES_FORMAT.add_number(_to_json(record)), indent=2) + "\n"
        try:
            # A killed process may have left the file, and write_private only creates new ones.
            new.unlink(missing_ok=True)
            write_private(new, text)
            new.replace(path)
            sync_folder(self._folder)
        except OSError as error:
            raise DcmcfgError(
                f"the states of the nodes cannot be written ({error.strerror})", subject=str(path)
            ) from error
        self._record = record


def read_node_record(folder: Path) -> NodeRecord | None:
    """Return the states of the nodes from the record in *folder*, or None if it has none.

    Raises :class:`~dcmcfg.errors.UnknownFormat`.
    """
    path = folder / _NAME
    try:
        content = NODES_FORMAT.read_object(json.loads(path.read_text("utf-8")), str(path))
        marker = content["marker"]
        return NodeRecord(
            nodes=tuple(_parse_node(each) for each in content["nodes"]),
            marker=RecordedMarker(dn=str(marker["dn"]), is_present=bool(marker["present"])) if marker else None,
            overwritten=tuple(map(str, content["overwritten"])),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _make_recorded_node(result: NodeResult) -> RecordedNode:
    confirmation = result.confirmation
    reason = result.error.message if result.error is not None else ""
    if not reason and result.replica is not None and not result.replica.is_current:
        reason = result.replica.reason
    if not reason and confirmation is not None:
        reason = confirmation.reason
    return RecordedNode(
        name=result.name,
        archive_url=result.archive_url,
        ldap_url=result.ldap_url,
        state=result.state,
        confirmed_by=confirmation.sources if confirmation is not None else (),
        reason=reason,
    )


def _to_json(record: NodeRecord) -> dict[str, Any]:
    marker = record.marker
    return {
        "nodes": [
            {
                "name": each.name,
                "archive_url": each.archive_url,
                "ldap_url": each.ldap_url,
                "state": each.state.value,
                "confirmed_by": list(each.confirmed_by),
                "reason": each.reason,
            }
            for each in record.nodes
        ],
        "marker": {"dn": marker.dn, "present": marker.is_present} if marker is not None else None,
        "overwritten": list(record.overwritten),
    }


def _parse_node(content: dict[str, Any]) -> RecordedNode:
    return RecordedNode(
        name=str(content["name"]),
        archive_url=str(content["archive_url"]),
        ldap_url=str(content["ldap_url"]),
        state=NodeState(content["state"]),
        confirmed_by=tuple(map(str, content["confirmed_by"])),
        reason=str(content["reason"]),
    )
