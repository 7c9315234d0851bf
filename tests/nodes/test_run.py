"""The nodes of an archive load a change one after the other, or at once, and each has its own result."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from dcmcfg.archive.reload_failures import (
    NotReloaded,
    Reload,
    ReloadAttempt,
    ReloadFailed,
    ReloadUnconfirmed,
    ReloadUnfinished,
)
from dcmcfg.archive.reload_outcome import ReloadSucceeded
from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.errors import ArchiveError, DcmcfgError, DirectoryError, IncompleteChange
from dcmcfg.model.tree import Tree
from dcmcfg.nodes.confirmation import ConfirmationState
from dcmcfg.nodes.expectations import EndpointExpectation, Expectation, Expectations, Match
from dcmcfg.nodes.replicas import ReplicaState, WrittenState
from dcmcfg.nodes.run import (
    NodeAccess,
    NodeResult,
    NodeRun,
    NodeRunOptions,
    NodeState,
    OnReplicaWait,
    make_pending_results,
)
from tests.patience import PATIENCE_S
from tests.trees import ARCHIVE, site

RELOAD = Reload((ReloadAttempt(204, ReloadSucceeded(), 0.1),))
PROVIDER, WEST_URL = "ldap://provider", "ldap://west"
EXPECTATIONS = Expectations((EndpointExpectation("/aets", "dicomAETitle", "NEW"),))
TREE = site()
KEY = TREE.key(DN.parse(ARCHIVE))
NOTHING_WRITTEN = WrittenState({}, {}, {}, 0.0)


@dataclass
class Node:
    """A node that shows its expectation after its reload, unless told otherwise; it notes what happens to it."""

    name: str
    events: list[str]
    error: DcmcfgError | None = None
    shows: tuple[Match, Match] = (Match.NOT_SHOWN, Match.SHOWN)
    problem: str = ""
    barrier: threading.Barrier | None = None
    is_loaded: bool = field(default=False, init=False)

    def reload(self) -> Reload:
        self.events.append(f"reload {self.name}")
        if self.barrier is not None:
            self.barrier.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        self.is_loaded = True
        return RELOAD

    def observe(self, expectations: Sequence[Expectation]) -> tuple[Match, ...]:
        self.events.append(f"observe {self.name}")
        return tuple(self.shows[self.is_loaded] for _ in expectations)

    def get_access(self, ldap_url: str = PROVIDER, open_replica: Any = None) -> NodeAccess:
        return NodeAccess(
            name=self.name,
            archive_url=f"http://{self.name}",
            ldap_url=ldap_url,
            reload=self.reload,
            observer=self,
            open_replica=open_replica,
        )


class Replica:
    """A replica that has the tree, or an older one; it cannot be reached if *error* is set."""

    def __init__(self, *, tree: Tree = TREE, error: DirectoryError | None = None) -> None:
        self._tree, self._error = tree, error
        self.opened = 0

    def __call__(self) -> Directory:
        self.opened += 1
        if self._error is not None:
            raise self._error
        return self  # type: ignore[return-value]  # as much of a directory as is read

    def read_entry(self, dn: DN, attributes: Sequence[str] = ("*",)) -> object:
        return self._tree.get(dn)

    def close(self) -> None:
        pass


def make_written() -> WrittenState:
    return WrittenState({KEY: DN.parse(ARCHIVE)}, {KEY: TREE.entries[KEY]}, {}, time.monotonic())


def run(
    *accesses: NodeAccess,
    written: WrittenState = NOTHING_WRITTEN,
    expectations: Expectations | None = EXPECTATIONS,
    seen: list[NodeResult] | None = None,
    on_replica_wait: OnReplicaWait = lambda _url, _seconds, _reason: None,
    **options: Any,
) -> dict[str, NodeResult]:
    results = NodeRun(
        accesses,
        written=written,
        tree=TREE,
        expectations=expectations,
        options=NodeRunOptions(**{"replica_timeout_s": PATIENCE_S, **options}),
        on_result=(seen if seen is not None else []).append,
        on_replica_wait=on_replica_wait,
    ).run()
    return {each.name: each for each in results}


def get_states(results: dict[str, NodeResult]) -> list[NodeState]:
    return [each.state for each in results.values()]


def test_nodes_are_reloaded_one_after_the_other_in_their_order() -> None:
    events: list[str] = []
    seen: list[NodeResult] = []
    results = run(*(Node(name, events).get_access() for name in ("east", "west")), seen=seen)
    assert events == [
        "observe east",
        "reload east",
        "observe east",
        "observe west",
        "reload west",
        "observe west",
    ]
    for each in results.values():
        assert each.is_loaded
        assert each.reload is RELOAD
        assert (each.replica, each.error) == (None, None)
        assert each.confirmation is not None
        assert each.confirmation.sources == ("GET /aets",)
    assert [(each.name, each.state.value) for each in seen] == [
        ("east", "pending"),
        ("west", "pending"),
        ("east", "reloading"),
        ("east", "loaded"),
        ("west", "reloading"),
        ("west", "loaded"),
    ]


def test_the_run_stops_at_the_first_node_that_fails() -> None:
    events: list[str] = []
    error = NotReloaded("HTTP 409")
    results = run(
        Node("east", events).get_access(),
        Node("west", events, error).get_access(),
        Node("north", events).get_access(),
    )
    assert get_states(results) == [NodeState.LOADED, NodeState.NOT_LOADED, NodeState.PENDING]
    assert "reload north" not in events
    assert results["west"].error is error
    assert results["west"].confirmation is None
    assert (results["north"].error, results["north"].confirmation) == (None, None)


def test_with_keep_going_the_other_nodes_are_reloaded() -> None:
    events: list[str] = []
    results = run(
        Node("east", events, NotReloaded("HTTP 409")).get_access(), Node("west", events).get_access(), keep_going=True
    )
    assert get_states(results) == [NodeState.NOT_LOADED, NodeState.LOADED]


def test_a_node_that_shows_other_values_differs_and_stops_the_run() -> None:
    events: list[str] = []
    differing = Node("east", events, shows=(Match.NOT_SHOWN, Match.NOT_SHOWN))
    results = run(differing.get_access(), Node("west", events).get_access())
    assert get_states(results) == [NodeState.DIFFERS, NodeState.PENDING]
    confirmation = results["east"].confirmation
    assert confirmation is not None
    assert confirmation.state is ConfirmationState.CONTRADICTED
    assert results["east"].reload is RELOAD


def test_a_node_that_cannot_be_observed_is_loaded_but_not_confirmed() -> None:
    node = Node("east", [], shows=(Match.UNKNOWN, Match.UNKNOWN), problem="GET /aets: HTTP 401")
    result = run(node.get_access())["east"]
    assert result.is_loaded
    assert result.confirmation is not None
    assert (result.confirmation.is_confirmed, result.confirmation.reason) == (False, "GET /aets: HTTP 401")


def test_without_expectations_nothing_is_confirmed() -> None:
    assert run(Node("east", []).get_access(), expectations=None)["east"].confirmation is None


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (NotReloaded("HTTP 409"), NodeState.NOT_LOADED),
        (ReloadUnfinished("a listener is closed"), NodeState.UNKNOWN),
        (ReloadUnconfirmed("the response was lost"), NodeState.UNKNOWN),
        (ReloadFailed("HTTP 500"), NodeState.UNKNOWN),
        (IncompleteChange("the archive is STOPPED"), NodeState.STOPPED),
        (ArchiveError("connection refused"), NodeState.NOT_LOADED),
    ],
)
def test_an_error_is_classified_by_what_is_known_of_the_node(error: DcmcfgError, state: NodeState) -> None:
    result = run(Node("east", [], error).get_access())["east"]
    assert (result.state, result.error, result.confirmation) == (state, error, None)
    assert not result.is_loaded


def test_the_attempts_of_a_failed_reload_are_kept() -> None:
    error = NotReloaded("HTTP 409")
    error.reload = RELOAD
    assert run(Node("east", [], error).get_access())["east"].reload is RELOAD


def test_parallel_nodes_are_reloaded_at_once() -> None:
    """Each reload waits until all have begun."""
    barrier = threading.Barrier(3)
    events: list[str] = []
    nodes = [Node(name, events, barrier=barrier) for name in ("east", "west", "north")]
    assert get_states(run(*(each.get_access() for each in nodes), parallel=True)) == [NodeState.LOADED] * 3


def test_parallel_nodes_do_not_stop_each_other() -> None:
    results = run(Node("east", [], NotReloaded("HTTP 409")).get_access(), Node("west", []).get_access(), parallel=True)
    assert get_states(results) == [NodeState.NOT_LOADED, NodeState.LOADED]


@pytest.mark.parametrize("parallel", [False, True])
def test_a_replica_that_is_behind_holds_up_its_own_nodes_only(parallel: bool) -> None:
    events: list[str] = []
    older = Replica(tree=site(dicomDescription="old"))
    results = run(
        Node("east", events).get_access(WEST_URL, older),
        Node("west", events).get_access(),
        Node("north", events).get_access(WEST_URL, older),
        written=make_written(),
        parallel=parallel,
        replica_timeout_s=0.1,
    )
    assert get_states(results) == [NodeState.REPLICA_BEHIND, NodeState.LOADED, NodeState.REPLICA_BEHIND]
    assert sorted(set(events)) == ["observe west", "reload west"]
    replica = results["east"].replica
    assert replica is not None
    assert (replica.state, replica.ldap_url) == (ReplicaState.BEHIND, WEST_URL)
    assert replica.reason == f"the entry {ARCHIVE} has its old values"
    assert results["north"].replica == replica
    assert results["west"].replica is None


def test_a_replica_that_cannot_be_reached_is_told_apart() -> None:
    down = Replica(error=DirectoryError("connection refused"))
    results = run(Node("east", []).get_access(WEST_URL, down), written=make_written(), replica_timeout_s=0.1)
    assert get_states(results) == [NodeState.REPLICA_UNREACHABLE]
    assert results["east"].replica is not None
    assert results["east"].replica.reason == "connection refused"


def test_a_replica_of_several_nodes_is_waited_for_once_and_before_any_reload() -> None:
    events: list[str] = []
    replica = Replica()
    results = run(
        Node("east", events).get_access(WEST_URL, replica),
        Node("west", events).get_access(WEST_URL, replica),
        written=make_written(),
    )
    assert get_states(results) == [NodeState.LOADED] * 2
    assert replica.opened == 1
    for each in results.values():
        assert each.replica is not None
        assert each.replica.is_current


def test_a_replica_is_not_read_if_nothing_was_written() -> None:
    replica = Replica()
    assert run(Node("east", []).get_access(WEST_URL, replica))["east"].is_loaded
    assert replica.opened == 0


def test_a_long_wait_names_the_replica() -> None:
    reports: list[tuple[str, str]] = []
    run(
        Node("east", []).get_access(WEST_URL, Replica(tree=site(dicomDescription="old"))),
        written=make_written(),
        replica_timeout_s=1.5,
        on_replica_wait=lambda url, _, reason: reports.append((url, reason)),
    )
    assert set(reports) == {(WEST_URL, f"the entry {ARCHIVE} has its old values")}


def test_an_interruption_leaves_the_results_so_far() -> None:
    events: list[str] = []

    def interrupt() -> Reload:
        raise KeyboardInterrupt

    east = Node("east", events)
    west = Node("west", events)
    access = NodeAccess(
        name="west", archive_url="http://west", ldap_url=PROVIDER, reload=interrupt, observer=west, open_replica=None
    )
    node_run = NodeRun(
        [east.get_access(), access],
        written=NOTHING_WRITTEN,
        tree=TREE,
        expectations=EXPECTATIONS,
        options=NodeRunOptions(),
    )
    with pytest.raises(KeyboardInterrupt):
        node_run.run()
    assert [each.state for each in node_run.results] == [NodeState.LOADED, NodeState.RELOADING]


def test_before_the_run_all_nodes_are_pending() -> None:
    (result,) = make_pending_results([Node("east", []).get_access()])
    assert result == NodeResult(name="east", archive_url="http://east", ldap_url=PROVIDER)
    assert result.state is NodeState.PENDING
