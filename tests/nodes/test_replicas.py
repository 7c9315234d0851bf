"""A replica is waited for until it holds what was written, at a real provider with real consumers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.errors import DirectoryError
from dcmcfg.model.tree import Tree
from dcmcfg.nodes.replicas import (
    OpenReplica,
    ReplicaResult,
    ReplicaState,
    WrittenState,
    read_context_csn,
    read_written_state,
    wait_for_replica,
)
from dcmcfg.schema.definitions import load_bundled_schema
from tests.connecting import server_of
from tests.nodes.replication import STANDING, Replication, replication
from tests.patience import PATIENCE_S
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
ARCHIVE = f"dicomDeviceName=dcm4chee-arc,{DEVICES}"
STORESCP = f"dicomDeviceName=storescp,{DEVICES}"
NEW = f"dicomDeviceName=new,{DEVICES}"
NEW_DEVICE = f"dn: {NEW}\nchangetype: add\nobjectClass: dicomDevice\ndicomDeviceName: new\ndicomInstalled: TRUE\n"
TREE = Tree(load_bundled_schema(), {})
SHORT_S = 0.3


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Replication]:
    with replication(tmp_path) as both:
        yield both


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[Replication]:
    """With a consumer that is behind from the first write on."""
    with replication(tmp_path, STANDING) as both:
        yield both


def read(both: Replication, *names: str) -> WrittenState:
    with both.open_provider() as provider:
        return read_written_state(provider, TREE, [DN.parse(each) for each in names])


def wait(
    both: Replication, written: WrittenState, timeout_s: float = PATIENCE_S, opener: OpenReplica | None = None
) -> ReplicaResult:
    return wait_for_replica(both.consumer.url, opener or both.open_consumer, written, TREE, timeout_s=timeout_s)


def require_current(result: ReplicaResult) -> None:
    assert (result.state, result.reason) == (ReplicaState.CURRENT, "")
    assert result.is_current


def test_a_replica_that_follows_is_current_after_a_change_an_addition_and_a_deletion(following: Replication) -> None:
    following.describe(ARCHIVE, "x")
    require_current(wait(following, read(following, ARCHIVE)))
    following.modify(NEW_DEVICE)
    require_current(wait(following, read(following, ARCHIVE, NEW)))
    assert NEW in {str(each.dn) for each in following.consumer.entries()}
    following.modify(f"dn: {NEW}\nchangetype: delete\n")
    require_current(wait(following, read(following, NEW)))
    assert NEW not in {str(each.dn) for each in following.consumer.entries()}


def test_a_replica_that_is_behind_has_a_reason(standing: Replication) -> None:
    standing.describe(ARCHIVE, "x")
    result = wait(standing, read(standing, ARCHIVE), SHORT_S)
    assert (result.state, result.reason) == (ReplicaState.BEHIND, f"the entry {ARCHIVE} has its old values")
    assert result.waited_s >= SHORT_S
    assert result.ldap_url == standing.consumer.url
    standing.modify(NEW_DEVICE)
    result = wait(standing, read(standing, NEW), SHORT_S)
    assert (result.state, result.reason) == (ReplicaState.BEHIND, f"the entry {NEW} is missing")


def test_a_deleted_entry_that_the_replica_still_has_makes_it_behind(standing: Replication) -> None:
    name = f"dcmMetricsName=write-to-fs1,{ARCHIVE}"
    standing.modify(f"dn: {name}\nchangetype: delete\n")
    result = wait(standing, read(standing, name), SHORT_S)
    assert (result.state, result.reason) == (ReplicaState.BEHIND, f"the entry {name} is still there")


def test_without_entries_the_context_csn_decides(standing: Replication) -> None:
    written = read(standing)
    require_current(wait(standing, written))
    standing.describe(ARCHIVE, "x")
    newer = read(standing)
    result = wait(standing, newer, SHORT_S)
    assert result.state is ReplicaState.BEHIND
    ((server_id, csn),) = newer.context_csn.items()
    assert result.reason == f"contextCSN is {written.context_csn[server_id]}, older than {csn}"


def test_equal_entries_are_not_enough_if_the_context_csn_is_older(standing: Replication) -> None:
    """The change may touch more than the entries that are compared."""
    standing.describe(STORESCP, "x")
    result = wait(standing, read(standing, ARCHIVE), SHORT_S)
    assert result.state is ReplicaState.BEHIND
    assert result.reason.startswith("contextCSN is ")


def test_a_later_write_of_somebody_else_to_the_same_entry_counts_as_current(following: Replication) -> None:
    following.describe(ARCHIVE, "ours")
    written = read(following, ARCHIVE)
    following.describe(ARCHIVE, "theirs")
    require_current(wait(following, read(following, ARCHIVE)))
    require_current(wait(following, written))


def test_an_entry_that_somebody_else_deletes_makes_the_replica_behind(following: Replication) -> None:
    """Nothing shows that it ever held what was written."""
    following.modify(NEW_DEVICE)
    written = read(following, NEW)
    following.modify(f"dn: {NEW}\nchangetype: delete\n")
    require_current(wait(following, read(following, NEW)))
    assert wait(following, written, SHORT_S).reason == f"the entry {NEW} is missing"


def test_a_stopped_replica_is_unreachable(following: Replication) -> None:
    following.consumer.slapd.stop()
    following.describe(ARCHIVE, "x")
    result = wait(following, read(following, ARCHIVE), SHORT_S)
    assert result.state is ReplicaState.UNREACHABLE
    assert "connection refused" in result.reason.lower()


def test_a_replica_that_starts_during_the_wait_is_read(following: Replication) -> None:
    following.consumer.slapd.stop()
    following.describe(ARCHIVE, "x")
    attempts: list[int] = []

    def open_replica() -> Directory:
        attempts.append(1)
        if len(attempts) == 3:
            following.consumer.slapd.start()
        return following.open_consumer()

    require_current(wait(following, read(following, ARCHIVE), opener=open_replica))
    assert len(attempts) >= 3


def test_a_connection_that_ends_during_the_wait_is_opened_again(standing: Replication) -> None:
    """The consumer reads the tree anew when it starts."""
    standing.describe(ARCHIVE, "x")
    opened: list[Directory] = []

    def open_replica() -> Directory:
        if opened:
            standing.consumer.slapd.start()
        opened.append(standing.open_consumer())
        if len(opened) == 1:
            standing.consumer.slapd.stop()
        return opened[-1]

    require_current(wait(standing, read(standing, ARCHIVE), opener=open_replica))
    assert len(opened) == 2


def test_a_long_wait_is_reported(standing: Replication) -> None:
    standing.describe(ARCHIVE, "x")
    reports: list[tuple[float, str]] = []
    result = wait_for_replica(
        standing.consumer.url,
        standing.open_consumer,
        read(standing, ARCHIVE),
        TREE,
        timeout_s=1.5,
        on_wait=lambda seconds, reason: reports.append((seconds, reason)),
    )
    assert not result.is_current
    assert {reason for _, reason in reports} == {f"the entry {ARCHIVE} has its old values"}


def test_nothing_written_is_nothing_to_wait_for() -> None:
    assert WrittenState({}, {}, {}, time.monotonic()).is_empty()
    key = TREE.key(DN.parse(ARCHIVE))
    assert not WrittenState({key: DN.parse(ARCHIVE)}, {}, {}, time.monotonic()).is_empty()
    assert not WrittenState({}, {}, {"000": "x"}, time.monotonic()).is_empty()


def test_a_server_without_context_csn_is_compared_by_its_entries(slapd: RunningSlapd, following: Replication) -> None:
    """A copy of the directory that is filled by other means than slapd's replication."""

    def open_copy() -> Directory:
        return connect(server_of(slapd))

    with connect(server_of(slapd)) as copy:
        assert read_context_csn(copy) == {}
    following.describe(ARCHIVE, "x")
    # The entry of the copy is younger by its entryCSN, but it has the old values.
    following.describe(ARCHIVE, "old", server=slapd)
    written = read(following, ARCHIVE)
    assert wait(following, written, SHORT_S, open_copy).reason == f"the entry {ARCHIVE} has its old values"
    following.describe(ARCHIVE, "x", server=slapd)
    require_current(wait(following, written, opener=open_copy))


def test_a_provider_without_context_csn_is_compared_by_its_entries_too(slapd: RunningSlapd) -> None:
    with connect(server_of(slapd)) as directory:
        written = read_written_state(directory, TREE, [DN.parse(ARCHIVE), DN.parse(NEW)])
    assert written.context_csn == {}
    assert set(written.entries) == {TREE.key(DN.parse(ARCHIVE))}
    result = wait_for_replica(slapd.url, lambda: connect(server_of(slapd)), written, TREE, timeout_s=PATIENCE_S)
    require_current(result)


@pytest.mark.parametrize("base", [ARCHIVE, DEVICES, "dc=dcm4che,dc=org"])
def test_the_context_csn_is_that_of_the_suffix_above_the_base_dn(following: Replication, base: str) -> None:
    with connect(server_of(following.provider, base_dn=DN.parse(base))) as directory:
        found = read_context_csn(directory)
    assert list(found) == ["000"]


def test_a_provider_that_cannot_be_read_is_an_error(slapd: RunningSlapd) -> None:
    with connect(server_of(slapd)) as directory:
        slapd.slapd.stop()
        with pytest.raises(DirectoryError):
            read_written_state(directory, TREE, _dns(ARCHIVE))


def _dns(*names: str) -> Sequence[DN]:
    return [DN.parse(each) for each in names]
