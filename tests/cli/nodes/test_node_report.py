"""The next step after a change that a node has not loaded."""

from __future__ import annotations

import pytest

from dcmcfg.cli.session.node_report import build_node_failure
from dcmcfg.nodes.run import NodeResult, NodeState

RESUME = "to continue with these nodes: dcmcfg apply --resume"
KEEP_GOING = "to continue with the other nodes if a node fails: dcmcfg apply --resume --keep-going"


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((NodeState.LOADED, NodeState.STOPPED), RESUME),
        ((NodeState.LOADED, NodeState.STOPPED, NodeState.PENDING), f"{RESUME}; {KEEP_GOING}"),
    ],
)
def test_a_node_behind_one_that_failed_can_be_reached_with_keep_going(
    states: tuple[NodeState, ...], expected: str
) -> None:
    results = [
        NodeResult(name=f"node{number}", archive_url="http://pacs", ldap_url="ldap://pacs", state=state)
        for number, state in enumerate(states, 1)
    ]
    failure = build_node_failure(results, (), "dcmcfg undo 3")
    assert failure is not None
    assert failure.next_step == f"{expected}; to revert the change: dcmcfg undo 3"
