"""The states of the nodes are kept in the record of a change, before each step and after it."""

from __future__ import annotations

import json
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.archive.reload_failures import NotReloaded
from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError, UnknownFormat
from dcmcfg.nodes.confirmation import Confirmation, ConfirmationState
from dcmcfg.nodes.node_record import NodeRecord, NodeRecorder, RecordedMarker, RecordedNode, read_node_record
from dcmcfg.nodes.replicas import ReplicaResult, ReplicaState
from dcmcfg.nodes.run import NodeResult, NodeState
from tests.patience import PATIENCE_S

MARKER = "dcmAttributeSetType=DIFF_RS+dcmAttributeSetID=dcmcfg-1-x,dc=y"
CONFIRMED = Confirmation(ConfirmationState.CONFIRMED, ("GET /aets", "port 11113"))
NOT_CONFIRMED = Confirmation(
    ConfirmationState.NOT_CONFIRMED, reason="the archive does not show any of the changed values"
)


def result(name: str, state: NodeState = NodeState.PENDING, **values: Any) -> NodeResult:
    return NodeResult(name=name, archive_url=f"http://{name}", ldap_url="ldap://pacs", state=state, **values)


def node(name: str, state: NodeState = NodeState.PENDING, **values: Any) -> RecordedNode:
    return RecordedNode(name=name, archive_url=f"http://{name}", ldap_url="ldap://pacs", state=state, **values)


def test_a_record_without_the_file_has_no_states(tmp_path: Path) -> None:
    assert read_node_record(tmp_path) is None
    assert NodeRecorder(tmp_path).record == NodeRecord(nodes=())


def test_states_are_read_as_written(tmp_path: Path) -> None:
    recorder = NodeRecorder(tmp_path)
    recorder.write_results([result("east"), result("west")])
    assert read_node_record(tmp_path) == NodeRecord(nodes=(node("east"), node("west")))
    recorder.write_result(result("east", NodeState.LOADED, confirmation=CONFIRMED))
    recorder.write_marker(DN.parse(MARKER), is_present=True)
    recorder.write_overwritten(["the entry x was changed"])
    expected = NodeRecord(
        nodes=(node("east", NodeState.LOADED, confirmed_by=("GET /aets", "port 11113")), node("west")),
        marker=RecordedMarker(dn=MARKER, is_present=True),
        overwritten=("the entry x was changed",),
    )
    assert read_node_record(tmp_path) == recorder.record == expected


@pytest.mark.parametrize("state", NodeState)
def test_each_state_is_read_as_written(tmp_path: Path, state: NodeState) -> None:
    NodeRecorder(tmp_path).write_result(result("east", state))
    record = read_node_record(tmp_path)
    assert record is not None
    assert record.nodes == (node("east", state),)
    assert record.pending_nodes == (() if state is NodeState.LOADED else ("east",))


def test_a_second_run_keeps_the_states_of_the_other_nodes_and_the_marker(tmp_path: Path) -> None:
    first = NodeRecorder(tmp_path)
    first.write_results([result("east", NodeState.LOADED), result("west", NodeState.NOT_LOADED)])
    first.write_marker(DN.parse(MARKER), is_present=True)
    second = NodeRecorder(tmp_path)
    second.write_results([result("west", NodeState.LOADED)])
    second.write_marker(DN.parse(MARKER), is_present=False)
    assert read_node_record(tmp_path) == NodeRecord(
        nodes=(node("east", NodeState.LOADED), node("west", NodeState.LOADED)),
        marker=RecordedMarker(dn=MARKER, is_present=False),
    )


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"error": NotReloaded("HTTP 409"), "confirmation": NOT_CONFIRMED}, "HTTP 409"),
        ({"replica": ReplicaResult("ldap://w", ReplicaState.BEHIND, 1.0, "x is missing")}, "x is missing"),
        ({"replica": ReplicaResult("ldap://w", ReplicaState.CURRENT, 1.0), "confirmation": NOT_CONFIRMED},
         NOT_CONFIRMED.reason),
        ({"confirmation": CONFIRMED}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_the_reason_explains_the_state(tmp_path: Path, values: dict[str, Any], reason: str) -> None:
    NodeRecorder(tmp_path).write_result(result("east", NodeState.LOADED, **values))
    record = read_node_record(tmp_path)
    assert record is not None
    assert record.nodes[0].reason == reason


@pytest.mark.parametrize(
    ("nodes", "marker", "is_finished"),
    [
        ((), None, True),
        ((node("east", NodeState.LOADED),), None, True),
        ((node("east", NodeState.LOADED), node("west", NodeState.RELOADING)), None, False),
        ((node("east", NodeState.LOADED),), RecordedMarker(dn=MARKER, is_present=True), False),
        ((node("east", NodeState.LOADED),), RecordedMarker(dn=MARKER, is_present=False), True),
    ],
)
def test_a_change_is_finished_if_every_node_has_loaded_it_and_no_marker_is_left(
    nodes: tuple[RecordedNode, ...], marker: RecordedMarker | None, is_finished: bool
) -> None:
    assert NodeRecord(nodes=nodes, marker=marker).is_finished is is_finished


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    NodeRecorder(tmp_path).write_result(result("east"))
    assert stat.S_IMODE((tmp_path / "nodes.json").stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["nodes.json"]


def test_a_file_that_a_killed_process_left_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".nodes.json").write_text("{")
    NodeRecorder(tmp_path).write_result(result("east"))
    assert [each.name for each in tmp_path.iterdir()] == ["nodes.json"]
    assert read_node_record(tmp_path) is not None


def test_nodes_that_report_at_the_same_time_are_all_recorded(tmp_path: Path) -> None:
    recorder = NodeRecorder(tmp_path)
    names = [f"node{number}" for number in range(12)]
    barrier = threading.Barrier(len(names))

    def report(name: str) -> None:
        barrier.wait(PATIENCE_S)
        for state in (NodeState.RELOADING, NodeState.LOADED):
            recorder.write_result(result(name, state))

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(report, names))
    record = read_node_record(tmp_path)
    assert record is not None
    assert {each.name: each.state for each in record.nodes} == dict.fromkeys(names, NodeState.LOADED)


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DcmcfgError, match="the states of the nodes cannot be written") as failed:
        NodeRecorder(tmp_path / "gone").write_result(result("east"))
    assert failed.value.subject == str(tmp_path / "gone" / "nodes.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("nodes"),
        lambda content: content.pop("marker"),
        lambda content: content["nodes"][0].pop("reason"),
        lambda content: content["nodes"][0].update(state="asleep"),
        lambda content: content.update(nodes=3),
        lambda content: content.update(marker={"dn": "x"}),
    ],
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, change: Any) -> None:
    NodeRecorder(tmp_path).write_result(result("east"))
    path = tmp_path / "nodes.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    assert read_node_record(tmp_path) is None


def test_a_file_of_a_later_program_is_refused(tmp_path: Path) -> None:
    NodeRecorder(tmp_path).write_result(result("east"))
    path = tmp_path / "nodes.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(UnknownFormat):
        read_node_record(tmp_path)
    with pytest.raises(UnknownFormat):
        NodeRecorder(tmp_path)


def test_pending_nodes_are_in_the_order_of_the_record() -> None:
    record = NodeRecord(nodes=(node("west"), node("east", NodeState.LOADED), node("north", NodeState.UNKNOWN)))
    assert record.pending_nodes == ("west", "north")
    assert replace(record, nodes=()).pending_nodes == ()
