"""Make the nodes of an archive load a change: wait for their replicas, reload them, and confirm each reload."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass, replace
from enum import Enum
from typing import Protocol

from dcmcfg.archive.reload_failures import NotReloaded, Reload, ReloadFailed
from dcmcfg.errors import DcmcfgError, IncompleteChange
from dcmcfg.model.tree import Tree
from dcmcfg.nodes.confirmation import Confirmation, ConfirmationState, judge_reload
from dcmcfg.nodes.expectations import Expectation, Expectations, Match
from dcmcfg.nodes.replicas import OpenReplica, ReplicaResult, ReplicaState, WrittenState, wait_for_replica

#: Seconds to wait for a replica by default.
REPLICA_TIMEOUT_S = 60.0


class NodeState(Enum):
    """What has happened on a node; the values are words of the report and of the record."""

    PENDING = "pending"  # nothing was sent to the node
    REPLICA_BEHIND = "replica behind"  # not reloaded, because the node would have read the old configuration
    REPLICA_UNREACHABLE = "replica unreachable"  # not reloaded either
    RELOADING = "reloading"  # the reload was requested; without a later state, its result is unknown
    LOADED = "loaded"
    DIFFERS = "differs"  # the reload succeeded, but the node shows other values
    STOPPED = "stopped"  # the configuration is loaded, but the archive is STOPPED: its ports are closed
    NOT_LOADED = "not loaded"  # the node keeps its previous configuration
    UNKNOWN = "unknown"  # the response was lost, or the new configuration is in effect with a closed port


class Observer(Protocol):
    """Shows what a node has loaded."""

    def observe(self, expectations: Sequence[Expectation]) -> tuple[Match, ...]:
        """Return for each of *expectations* whether the node shows it now."""

    @property
    def problem(self) -> str:
        """The reason why something could not be observed; empty if there was none."""


@dataclass(frozen=True, kw_only=True)
class NodeAccess:
    """A node of the archive, and what the run needs of it.

    ``reload`` makes it load its configuration; it raises the errors of
    :meth:`~dcmcfg.archive.control.ControlService.reload`. ``open_replica`` connects to the directory server that the
    node reads; None if it reads the server that was written.
    """

    name: str
    archive_url: str
    ldap_url: str
    reload: Callable[[], Reload]
    observer: Observer
    open_replica: OpenReplica | None = None


@dataclass(frozen=True, kw_only=True)
class NodeResult:
    """The result of a node: ``replica`` is None if the node reads the server that was written.

    ``error`` is the reason if the state is not ``LOADED``, None if the run stopped before the node.
    """

    name: str
    archive_url: str
    ldap_url: str
    state: NodeState = NodeState.PENDING
    replica: ReplicaResult | None = None
    reload: Reload | None = None
    confirmation: Confirmation | None = None
    error: DcmcfgError | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether the node has loaded the change according to all that is known."""
        return self.state is NodeState.LOADED


@dataclass(frozen=True)
class NodeRunOptions:
    """How the nodes are handled.

    ``keep_going``: reload the other nodes after one has failed. ``parallel``: reload all nodes at once.
    ``replica_timeout_s``: seconds to wait for each replica.
    """

    _: KW_ONLY
    keep_going: bool = False
    parallel: bool = False
    replica_timeout_s: float = REPLICA_TIMEOUT_S


#: Called with the result so far of a node whenever its state changes.
OnResult = Callable[[NodeResult], None]
#: (LDAP URL, seconds waited, reason) → None
OnReplicaWait = Callable[[str, float, str], None]


def make_pending_results(nodes: Sequence[NodeAccess]) -> tuple[NodeResult, ...]:
    """Return the results before the run."""
    return tuple(NodeResult(name=each.name, archive_url=each.archive_url, ldap_url=each.ldap_url) for each in nodes)


class NodeRun:
    """Makes *nodes* load what was *written* to the directory; ``results`` are those of the nodes, in order.

    *expectations* are what a node shows after it has loaded the change; None if no reload is to be confirmed.
    """

    def __init__(
        self,
        nodes: Sequence[NodeAccess],
        *,
        written: WrittenState,
        tree: Tree,
        expectations: Expectations | None,
        options: NodeRunOptions,
        on_result: OnResult = lambda _: None,
        on_replica_wait: OnReplicaWait = lambda _url, _seconds, _reason: None,
    ) -> None:
        self._nodes = {each.name: each for each in nodes}
        self._written, self._tree = written, tree
        self._expectations = expectations
        self._options = options
        self._on_result, self._on_replica_wait = on_result, on_replica_wait
        self._results = {each.name: each for each in make_pending_results(nodes)}

    @property
    def results(self) -> tuple[NodeResult, ...]:
        """The results so far."""
        return tuple(self._results.values())

    def run(self) -> tuple[NodeResult, ...]:
        """Wait for the replicas, then reload and confirm the nodes; return the results.

        The nodes of a replica that is behind are not reloaded, the others are. After a node whose reload failed, no
        further node is reloaded, unless the options say otherwise: the next one might fail in the same way.
        """
        replicas = self._wait_for_replicas()
        ready = []
        for node in self._nodes.values():
            replica = replicas.get(node.ldap_url)
            if replica is not None and not replica.is_current:
                is_behind = replica.state is ReplicaState.BEHIND
                state = NodeState.REPLICA_BEHIND if is_behind else NodeState.REPLICA_UNREACHABLE
                self._update(node, state=state, replica=replica)
            else:
                self._update(node, replica=replica)
                ready.append(node)
        if self._options.parallel:
            with ThreadPoolExecutor(max_workers=max(1, len(ready))) as pool:
                list(pool.map(self._reload, ready))
        else:
            for node in ready:
                self._reload(node)
                if not self._results[node.name].is_loaded and not self._options.keep_going:
                    break
        return self.results

    def _wait_for_replicas(self) -> Mapping[str, ReplicaResult]:
        """Return the result of each replica by its URL."""
        opened = {each.ldap_url: each.open_replica for each in self._nodes.values() if each.open_replica is not None}
        if not opened or self._written.is_empty():
            return {}

        def wait(url: str) -> ReplicaResult:
            return wait_for_replica(
                url,
                opened[url],
                self._written,
                self._tree,
                timeout_s=self._options.replica_timeout_s,
                on_wait=lambda seconds, reason: self._on_replica_wait(url, seconds, reason),
            )

        with ThreadPoolExecutor(max_workers=len(opened)) as pool:
            return {each.ldap_url: each for each in pool.map(wait, opened)}

    def _reload(self, node: NodeAccess) -> None:
        expected = self._expectations.all if self._expectations is not None else ()
        # The observation comes after the replica holds the change, so a later difference is due to the reload.
        before = node.observer.observe(expected)
        self._update(node, state=NodeState.RELOADING)
        try:
            reload = node.reload()
        except DcmcfgError as error:
            self._update(node, state=_classify_failure(error), error=error, reload=getattr(error, "reload", None))
            return
        confirmation = None
        if self._expectations is not None:
            after = node.observer.observe(expected)
            confirmation = judge_reload(
                self._expectations,
                before,
                after,
                node.observer.problem,
                is_replicated=bool(self._written.context_csn),
            )
        is_contradicted = confirmation is not None and confirmation.state is ConfirmationState.CONTRADICTED
        self._update(
            node,
            state=NodeState.DIFFERS if is_contradicted else NodeState.LOADED,
            reload=reload,
            confirmation=confirmation,
        )

    def _update(self, node: NodeAccess, **changes: object) -> None:
        self._results[node.name] = replace(self._results[node.name], **changes)  # type: ignore[arg-type]
        self._on_result(self._results[node.name])


def _classify_failure(error: DcmcfgError) -> NodeState:
    match error:
        case NotReloaded():
            return NodeState.NOT_LOADED
        case ReloadFailed():
            return NodeState.UNKNOWN
        # The caller has found that the archive is STOPPED.
        case IncompleteChange():
            return NodeState.STOPPED
        # The request did not reach the archive, or its web server refused it.
        case _:
            return NodeState.NOT_LOADED
