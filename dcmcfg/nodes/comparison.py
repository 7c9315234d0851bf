"""Compare replicas of the directory with their provider: contextCSN, number of entries, and the entries themselves."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime

from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import DcmcfgError
from dcmcfg.model.tree import Tree
from dcmcfg.nodes.replicas import OpenReplica, read_context_csn
from dcmcfg.plan import entry_diff

#: Seconds that a replica may be behind without being reported as different, by default.
LAG_ALLOWANCE_S = 5.0
_POLL_S = 0.25
#: The maximum number of entries that a comparison names.
MAX_DIFFERENCES = 100


@dataclass(frozen=True)
class EntryDifference:
    """An entry that differs: ``attributes`` are empty if it is ``missing`` on the replica, or ``surplus`` there."""

    dn: str
    _: KW_ONLY
    is_missing: bool = False
    is_surplus: bool = False
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReplicaComparison:
    """The comparison of the replica at ``ldap_url`` with its provider.

    ``csn_lag_s`` is the time between the newest changes that both have, in seconds; None if one of them has no
    contextCSN. ``behind_s`` is the age of the oldest change that the replica does not have, in seconds by the clock of
    this machine; 0 if it has all, and None without contextCSN. ``missing_server_ids`` are the servers of which the
    provider has changes, but the replica has none. ``entry_count`` and ``provider_entry_count`` are the numbers of
    entries at and below the base DN. ``differences`` are those that remain after the allowance for lag; they are
    complete only if ``is_deep``. ``problem`` is the reason why the replica could not be compared.
    """

    ldap_url: str
    csn_lag_s: float | None = None
    missing_server_ids: tuple[str, ...] = ()
    behind_s: float | None = None
    entry_count: int = 0
    provider_entry_count: int = 0
    differences: tuple[EntryDifference, ...] = ()
    is_deep: bool = False
    problem: str = ""

    @property
    def is_equal(self) -> bool:
        """Whether the replica is known to hold the same, as far as it was compared."""
        is_behind = bool(self.missing_server_ids) or (self.csn_lag_s is not None and self.csn_lag_s > 0)
        return not (self.problem or self.differences or is_behind or self.entry_count != self.provider_entry_count)


def compare_replica(
    provider: Directory, ldap_url: str, open_replica: OpenReplica, *, deep: bool, lag_allowance_s: float
) -> ReplicaComparison:
    """Compare the replica at *ldap_url* with *provider*; with *deep*, also the values of each entry.

    A difference counts only if it remains for *lag_allowance_s* seconds. Raises
    :class:`~dcmcfg.errors.DirectoryError` if the provider cannot be read; a replica that cannot be read has a problem.
    """
    deadline = time.monotonic() + lag_allowance_s
    try:
        replica = open_replica()
    except DcmcfgError as error:
        return ReplicaComparison(ldap_url=ldap_url, is_deep=deep, problem=error.message)
    try:
        while True:
            compared = _compare_now(provider, replica, ldap_url, deep=deep)
            if compared.is_equal or compared.problem or time.monotonic() >= deadline:
                return compared
            time.sleep(min(_POLL_S, max(0.0, deadline - time.monotonic())))
    finally:
        replica.close()


def _compare_now(provider: Directory, replica: Directory, ldap_url: str, *, deep: bool) -> ReplicaComparison:
    provider_csn, expected = read_context_csn(provider), read_tree(provider)
    try:
        replica_csn, found = read_context_csn(replica), read_tree(replica)
    except DcmcfgError as error:
        return ReplicaComparison(ldap_url=ldap_url, is_deep=deep, problem=error.message)
    return ReplicaComparison(
        ldap_url=ldap_url,
        csn_lag_s=compute_csn_lag(provider_csn, replica_csn),
        missing_server_ids=tuple(sorted(provider_csn.keys() - replica_csn.keys())) if replica_csn else (),
        behind_s=compute_time_behind(provider_csn, replica_csn, expected.versions.values(), time.time()),
        entry_count=len(found.entries),
        provider_entry_count=len(expected.entries),
        differences=tuple(_find_differences(expected, found, deep=deep))[:MAX_DIFFERENCES],
        is_deep=deep,
    )


def compute_csn_lag(provider: Mapping[str, str], replica: Mapping[str, str]) -> float | None:
    """Return the seconds between the newest changes of both, by their contextCSN; None if one of them has none.

    Only server IDs that both have are compared.
    """
    if not provider or not replica:
        return None
    return max(
        0.0,
        *(_parse_csn_time(csn) - _parse_csn_time(replica.get(server_id, csn)) for server_id, csn in provider.items()),
    )


def compute_time_behind(
    provider: Mapping[str, str], replica: Mapping[str, str], versions: Iterable[str], now_s: float
) -> float | None:
    """Return the age of the oldest change that the replica lacks, in seconds at *now_s* (since 1970); 0 for none.

    *provider* and *replica* are their contextCSN by server ID; None if one of them has none. *versions* are the
    entryCSN of the provider's entries. A deleted entry has none, so the age is at least that of the newest change.
    """
    if not provider or not replica:
        return None
    missing = {
        server_id: replica[server_id]
        for server_id, csn in provider.items()
        if server_id in replica and replica[server_id] < csn
    }
    if not missing:
        return 0.0
    times = [_parse_csn_time(provider[server_id]) for server_id in missing]
    for version in versions:
        fields = version.split("#")
        if len(fields) == 4 and fields[2] in missing and version > missing[fields[2]]:
            times.append(_parse_csn_time(version))
    return max(0.0, now_s - min(times))


def _parse_csn_time(csn: str) -> float:
    """Return the time of *csn* in seconds since the epoch; 0 for an unknown form."""
    text = csn.partition("#")[0]
    for form in ("%Y%m%d%H%M%S.%fZ", "%Y%m%d%H%M%SZ"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return 0.0


def _find_differences(expected: Tree, found: Tree, *, deep: bool) -> Sequence[EntryDifference]:
    differences = []
    for key in sorted(expected.entries.keys() | found.entries.keys(), key=len):
        entry, other = expected.entries.get(key), found.entries.get(key)
        if entry is None and other is not None:
            differences.append(EntryDifference(str(other.dn), is_surplus=True))
        elif entry is not None and other is None:
            differences.append(EntryDifference(str(entry.dn), is_missing=True))
        # Entries with the same entryCSN may differ all the same, after a restore for example, so all are compared.
        elif entry is not None and other is not None and deep:
            names = entry_diff.find_differing_attributes(entry, other, expected.schema)
            if names:
                differences.append(EntryDifference(str(entry.dn), attributes=tuple(names)))
    return differences
