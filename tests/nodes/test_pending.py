"""A change that a node may not have loaded is found in the records, by the newest change of its directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.nodes.node_record import NodeRecorder
from dcmcfg.nodes.pending import find_leftover_markers, find_pending_activation, rebuild_plan
from dcmcfg.nodes.run import NodeResult, NodeState
from dcmcfg.rollout.history import History
from dcmcfg.rollout.record import RolloutContext, RolloutRecord, write_record
from dcmcfg.rollout.reload_result import RecordedReload, RecordedReloadOutcome, write_reload
from tests.rollout.records import ELSEWHERE, URL, plan
from tests.trees import ARCHIVE, STORESCP, octets, site

MARKER = f"dcmAttributeSetType=DIFF_RS+dcmAttributeSetID=dcmcfg-1-x,{ARCHIVE}"


def record(state: Path, *, url: str = URL, done: int | None = 2, reload_requested: bool = True) -> RolloutRecord:
    """A change of two steps that ended with *done* made, or was interrupted in the second (None)."""
    context = RolloutContext(state, "admin", "dcmcfg test", None, reload_requested=reload_requested)
    written = write_record(context, url, plan(), "step by step")
    with written.journal.open_for_writing() as pen:
        if done is None:
            pen.write_started(2, 2)
        else:
            pen.write_ended(done)
    return written


def write_nodes(change: RolloutRecord, **states: NodeState) -> None:
    recorder = NodeRecorder(change.folder)
    recorder.write_results(
        [NodeResult(name=name, archive_url="http://x", ldap_url=URL, state=state) for name, state in states.items()]
    )


def find(state: Path) -> tuple[int, tuple[str, ...]] | None:
    """Return the number of the pending change, and its pending nodes."""
    found = find_pending_activation(History(state), URL)
    return None if found is None else (found.record.number, found.pending_nodes)


def test_without_changes_nothing_is_pending(tmp_path: Path) -> None:
    assert find(tmp_path) is None


@pytest.mark.parametrize("state", [each for each in NodeState if each is not NodeState.LOADED])
def test_a_node_that_is_not_known_to_have_loaded_the_change_is_pending(tmp_path: Path, state: NodeState) -> None:
    write_nodes(record(tmp_path), east=NodeState.LOADED, west=state)
    assert find(tmp_path) == (1, ("west",))


def test_nothing_is_pending_if_every_node_has_loaded_the_change(tmp_path: Path) -> None:
    write_nodes(record(tmp_path), east=NodeState.LOADED, west=NodeState.LOADED)
    assert find(tmp_path) is None


@pytest.mark.parametrize(
    ("requested", "outcome", "is_pending"),
    [
        (True, None, True),  # killed between the last write and the reload
        (True, RecordedReloadOutcome.UNKNOWN, True),
        (True, RecordedReloadOutcome.LOADED, False),
        (True, RecordedReloadOutcome.FAILED, False),
        (True, RecordedReloadOutcome.NOT_REQUESTED, False),
        (False, None, False),
        (False, RecordedReloadOutcome.NOT_REQUESTED, False),
    ],
)
def test_without_states_of_nodes_the_reload_decides(
    tmp_path: Path, requested: bool, outcome: RecordedReloadOutcome | None, is_pending: bool
) -> None:
    change = record(tmp_path, reload_requested=requested)
    if outcome is not None:
        write_reload(change.folder, RecordedReload(outcome))
    assert find(tmp_path) == ((1, ()) if is_pending else None)


def test_only_the_newest_change_counts(tmp_path: Path) -> None:
    """A reload loads everything that was written before it."""
    write_nodes(record(tmp_path), east=NodeState.NOT_LOADED)
    write_nodes(record(tmp_path), east=NodeState.LOADED)
    assert find(tmp_path) is None
    write_nodes(record(tmp_path), east=NodeState.UNKNOWN)
    assert find(tmp_path) == (3, ("east",))


def test_a_change_of_another_directory_does_not_count(tmp_path: Path) -> None:
    write_nodes(record(tmp_path), east=NodeState.NOT_LOADED)
    write_nodes(record(tmp_path, url=ELSEWHERE), east=NodeState.LOADED)
    assert find(tmp_path) == (1, ("east",))


@pytest.mark.parametrize("done", [None, 0, 1])
def test_a_change_that_is_not_completely_applied_does_not_count(tmp_path: Path, done: int | None) -> None:
    write_nodes(record(tmp_path), east=NodeState.NOT_LOADED)
    record(tmp_path, done=done)
    assert find(tmp_path) == (1, ("east",))


def test_markers_that_may_be_left_are_found_in_all_changes_of_the_directory(tmp_path: Path) -> None:
    kept, removed, elsewhere = record(tmp_path), record(tmp_path), record(tmp_path, url=ELSEWHERE)
    for each in (kept, removed, elsewhere):
        NodeRecorder(each.folder).write_marker(DN.parse(MARKER), is_present=True)
    NodeRecorder(removed.folder).write_marker(DN.parse(MARKER), is_present=False)
    record(tmp_path)
    damaged = record(tmp_path)
    (damaged.folder / "nodes.json").write_text('{"format": 99}')
    (found,) = find_leftover_markers(History(tmp_path), URL)
    assert (found[0].number, found[1]) == (kept.number, DN.parse(MARKER))


def test_the_plan_of_a_change_is_rebuilt_from_its_record(tmp_path: Path) -> None:
    change, planned = record(tmp_path), plan()
    rebuilt = rebuild_plan(change, planned.after)
    assert octets(rebuilt.before) == octets(planned.before)
    assert octets(rebuilt.after) == octets(planned.after)
    assert [each.change.dn for each in rebuilt.steps] == [each.change.dn for each in planned.steps]


def describe(dn: str, operation: Operation, *values: str) -> Modify:
    return Modify(
        DN.parse(dn), (Modification(operation, "dicomDescription", tuple(value.encode() for value in values)),)
    )


@pytest.mark.parametrize(
    "later",
    [
        lambda: describe(ARCHIVE, Operation.REPLACE, "y"),
        lambda: describe(STORESCP, Operation.DELETE),
    ],
)
def test_a_value_that_has_changed_since_proves_nothing(tmp_path: Path, later: Callable[[], Modify]) -> None:
    """The plan has no steps, so nothing is expected of a node."""
    tree = plan().after.with_changes([later()])
    rebuilt = rebuild_plan(record(tmp_path), tree)
    assert rebuilt.steps == ()
    assert octets(rebuilt.after) == octets(tree)


def test_a_tree_without_the_change_proves_nothing(tmp_path: Path) -> None:
    assert rebuild_plan(record(tmp_path), site()).steps == ()
