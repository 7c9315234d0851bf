"""Wait until a replica of the directory holds what was written, and compare replicas with their provider."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError
from dcmcfg.model.tree import Tree
from dcmcfg.plan import entry_diff
from dcmcfg.rollout.reconciliation import read_entries

#: Seconds between two reads of a replica: short at first, because most replicas follow at once.
_FIRST_INTERVAL_S, _LONGEST_INTERVAL_S = 0.02, 0.5
_CONTEXT_CSN = "contextCSN"
_VERSION = "entryCSN"
_ATTRIBUTES = ("*", _VERSION)
#: Seconds between two calls of ``on_wait``.
_REPORT_INTERVAL_S = 1.0

OpenReplica = Callable[[], Directory]
#: (seconds waited, reason) → None
OnWait = Callable[[float, str], None]


class ReplicaState(Enum):
    """The state of a replica at the end of the wait."""

    CURRENT = "current"
    BEHIND = "behind"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class ReplicaResult:
    """The result of waiting for the replica at ``ldap_url``.

    ``waited_s`` are the seconds from the end of the write until the replica held it, or until the time-out: the lag.
    ``reason`` names what is missing, or why the replica cannot be read.
    """

    ldap_url: str
    state: ReplicaState
    waited_s: float
    reason: str = ""

    @property
    def is_current(self) -> bool:
        return self.state is ReplicaState.CURRENT


@dataclass(frozen=True)
class WrittenState:
    """What a replica must hold: the ``entries`` by key (None: no such entry), read from the provider after the write.

    ``context_csn`` are the provider's values of contextCSN by server ID, empty if the provider has none.
    """

    names: Mapping[NormalDN, DN]
    entries: Mapping[NormalDN, Entry]
    context_csn: Mapping[str, str]
    written_at: float

    def is_empty(self) -> bool:
        """Return whether there is nothing to wait for."""
        return not self.names and not self.context_csn


def read_written_state(provider: Directory, tree: Tree, names: Sequence[DN]) -> WrittenState:
    """Return what *provider* holds now of the entries *names*, and its contextCSN.

    *tree* decides how DNs are compared. Raises :class:`~dcmcfg.errors.DirectoryError`.
    """
    written_at = time.monotonic()
    # The contextCSN comes first: what it covers is in the entries that are read after it.
    context_csn = read_context_csn(provider)
    by_key = {tree.key(dn): dn for dn in names}
    entries = read_entries(provider, tree, by_key.values(), _ATTRIBUTES) if by_key else {}
    return WrittenState(by_key, entries, context_csn, written_at)


def read_context_csn(directory: Directory) -> Mapping[str, str]:
    """Return the contextCSN of the suffix of *directory* by server ID (``001`` …); empty if it has none.

    Each value is ``TIMESTAMP#COUNT#SERVER#MODIFICATION`` in fields of fixed length, so values of one server ID are
    ordered as text (OpenLDAP).
    """
    base = directory.server.base_dn
    for depth in range(len(base.rdns)):
        entry = directory.read_entry(DN(base.rdns[depth:]), (_CONTEXT_CSN,))
        if entry is not None and (values := entry.texts(_CONTEXT_CSN)):
            return {value.split("#")[2]: value for value in values if value.count("#") == 3}
    return {}


def wait_for_replica(
    ldap_url: str,
    open_replica: OpenReplica,
    written: WrittenState,
    tree: Tree,
    *,
    timeout_s: float,
    on_wait: OnWait = lambda _seconds, _reason: None,
) -> ReplicaResult:
    """Read the replica until it holds *written*, for at most *timeout_s* seconds; return the result.

    *open_replica* opens a connection; it is called again if the connection ends. *on_wait* is called about once a
    second. The replica must hold every written entry. If both servers have a contextCSN, that of the replica must not
    be older, and the replica may hold a later version of an entry.
    """
    replica: Directory | None = None
    interval_s, reported_at, reason, is_reached = _FIRST_INTERVAL_S, time.monotonic(), "", False
    try:
        while True:
            try:
                replica = replica or open_replica()
                reason = _find_difference(replica, written, tree)
                is_reached = True
            except DcmcfgError as error:
                _close(replica)
                replica, reason, is_reached = None, error.message, False
            waited_s = time.monotonic() - written.written_at
            if is_reached and not reason:
                return ReplicaResult(ldap_url, ReplicaState.CURRENT, waited_s)
            if waited_s >= timeout_s:
                state = ReplicaState.BEHIND if is_reached else ReplicaState.UNREACHABLE
                return ReplicaResult(ldap_url, state, waited_s, reason)
            if time.monotonic() - reported_at >= _REPORT_INTERVAL_S:
                on_wait(waited_s, reason)
                reported_at = time.monotonic()
            time.sleep(min(interval_s, max(0.0, timeout_s - waited_s)))
            interval_s = min(interval_s * 2, _LONGEST_INTERVAL_S)
    finally:
        _close(replica)


def _close(replica: Directory | None) -> None:
    if replica is not None:
        replica.close()


def _find_difference(replica: Directory, written: WrittenState, tree: Tree) -> str:
    """Return what *replica* lacks of *written*, as a phrase; empty if it lacks nothing."""
    context_csn = read_context_csn(replica) if written.context_csn else {}
    found = read_entries(replica, tree, written.names.values(), _ATTRIBUTES) if written.names else {}
    for key, dn in written.names.items():
        expected, entry = written.entries.get(key), found.get(key)
        if expected is None or entry is None:
            if expected is not entry:
                return f"the entry {dn} is {'still there' if expected is None else 'missing'}"
        # Without contextCSN, the replica may be filled by other means, and its entryCSN may be of its own.
        elif not _are_equal(entry, expected, tree) and not (context_csn and _is_later(entry, expected)):
            return f"the entry {dn} has its old values"
    if context_csn:
        for server_id, csn in written.context_csn.items():
            if context_csn.get(server_id, "") < csn:
                return f"contextCSN is {context_csn.get(server_id) or 'missing'}, older than {csn}"
    return ""


def _are_equal(entry: Entry, expected: Entry, tree: Tree) -> bool:
    return entry_diff.are_equal(entry.with_values(_VERSION, ()), expected.with_values(_VERSION, ()), tree.schema)


def _is_later(entry: Entry, expected: Entry) -> bool:
    """Return whether *entry* is a later version than *expected*: somebody may have changed it since.

    Replicas keep the entryCSN of the provider. It begins with the time, so versions are ordered as text.
    """
    version, expected_version = entry.text(_VERSION), expected.text(_VERSION)
    return bool(version and expected_version) and str(version) > str(expected_version)
