"""Replicas are compared with their provider: real servers, in step, behind, stopped, or filled by other means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import Directory
from dcmcfg.errors import DirectoryError
from dcmcfg.nodes import comparison
from dcmcfg.nodes.comparison import EntryDifference, ReplicaComparison, compare_replica, compute_csn_lag
from dcmcfg.nodes.replicas import OpenReplica
from tests.connecting import server_of
from tests.nodes.replication import STANDING, Replication, replication
from tests.patience import PATIENCE_S
from tests.running_slapd import RunningSlapd

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
ARCHIVE = f"dicomDeviceName=dcm4chee-arc,{DEVICES}"
STORESCP = f"dicomDeviceName=storescp,{DEVICES}"
NEW = f"dicomDeviceName=new,{DEVICES}"
NEW_DEVICE = f"dn: {NEW}\nchangetype: add\nobjectClass: dicomDevice\ndicomDeviceName: new\ndicomInstalled: TRUE\n"


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Replication]:
    with replication(tmp_path) as both:
        yield both


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[Replication]:
    with replication(tmp_path, STANDING) as both:
        yield both


def compare(
    both: Replication, *, deep: bool = False, allowance_s: float = 0.0, opener: OpenReplica | None = None
) -> ReplicaComparison:
    with both.open_provider() as provider:
        return compare_replica(
            provider, both.consumer.url, opener or both.open_consumer, deep=deep, lag_allowance_s=allowance_s
        )


@pytest.mark.real
@pytest.mark.parametrize("deep", [False, True])
def test_a_replica_in_step_is_equal(following: Replication, deep: bool) -> None:
    count = len(following.provider.entries())
    assert compare(following, deep=deep) == ReplicaComparison(
        ldap_url=following.consumer.url,
        csn_lag_s=0.0,
        behind_s=0.0,
        entry_count=count,
        provider_entry_count=count,
        is_deep=deep,
    )
    assert compare(following, deep=deep).is_equal


@pytest.mark.real
def test_a_replica_that_catches_up_within_the_allowance_is_equal(following: Replication) -> None:
    following.describe(ARCHIVE, "x")
    following.modify(NEW_DEVICE)
    assert compare(following, deep=True, allowance_s=PATIENCE_S).is_equal


@pytest.mark.real
def test_a_replica_that_stays_behind_differs(standing: Replication) -> None:
    count = len(standing.provider.entries())
    standing.describe(ARCHIVE, "x")
    standing.modify(NEW_DEVICE)
    found = compare(standing, allowance_s=0.3)
    assert not found.is_equal
    assert found.csn_lag_s is not None
    assert found.csn_lag_s > 0
    assert (found.entry_count, found.provider_entry_count) == (count, count + 1)
    assert found.differences == (EntryDifference(NEW, is_missing=True),)


@pytest.mark.real
def test_a_replica_without_any_change_of_a_server_differs(standing: Replication) -> None:
    slapd = standing.provider.slapd
    slapd.stop()
    configuration = slapd.folder / "slapd.conf"
    configuration.write_text(f"serverID 10\n{configuration.read_text()}")
    slapd.start()
    standing.modify(NEW_DEVICE)
    found = compare(standing)
    assert found.missing_server_ids == ("00a",)
    assert not found.is_equal


@pytest.mark.real
def test_a_deep_comparison_names_the_differing_attributes(standing: Replication) -> None:
    standing.describe(ARCHIVE, "x")
    assert compare(standing).differences == ()
    assert compare(standing, deep=True).differences == (EntryDifference(ARCHIVE, attributes=("dicomDescription",)),)


@pytest.mark.real
def test_a_deleted_entry_that_the_replica_still_has_is_surplus(standing: Replication) -> None:
    name = f"dcmMetricsName=write-to-fs1,{ARCHIVE}"
    standing.modify(f"dn: {name}\nchangetype: delete\n")
    assert compare(standing).differences == (EntryDifference(name, is_surplus=True),)


@pytest.mark.real
def test_a_copy_without_context_csn_is_compared_by_its_entries(slapd: RunningSlapd, following: Replication) -> None:
    def open_copy() -> Directory:
        return connect(server_of(slapd))

    expected = following.provider.entries()
    found = compare(following, opener=open_copy)
    assert found.csn_lag_s is None
    assert found.entry_count == len(slapd.entries())
    following.modify(NEW_DEVICE, server=slapd)
    changed = compare(following, opener=open_copy, deep=True)
    assert changed.entry_count == found.entry_count + 1
    assert EntryDifference(NEW, is_surplus=True) in changed.differences
    assert following.provider.entries() == expected


@pytest.mark.real
def test_the_differences_are_limited(standing: Replication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "MAX_DIFFERENCES", 1)
    standing.describe(ARCHIVE, "x")
    standing.describe(STORESCP, "x")
    assert len(compare(standing, deep=True).differences) == 1


@pytest.mark.real
def test_a_stopped_replica_has_a_problem(following: Replication) -> None:
    following.consumer.slapd.stop()
    found = compare(following, allowance_s=PATIENCE_S)
    assert "connection refused" in found.problem.lower()
    assert not found.is_equal


@pytest.mark.real
def test_a_replica_that_stops_during_the_comparison_has_a_problem(following: Replication) -> None:
    def open_and_stop() -> Directory:
        opened = following.open_consumer()
        following.consumer.slapd.stop()
        return opened

    assert compare(following, opener=open_and_stop, allowance_s=PATIENCE_S).problem


@pytest.mark.real
def test_a_provider_that_cannot_be_read_is_an_error(following: Replication) -> None:
    with following.open_provider() as provider:
        following.provider.slapd.stop()
        with pytest.raises(DirectoryError):
            compare_replica(provider, "ldap://x", following.open_consumer, deep=False, lag_allowance_s=0.0)


def csn(time: str, server_id: str = "001") -> dict[str, str]:
    return {server_id: f"{time}#000000#{server_id}#000000"}


@pytest.mark.parametrize(
    ("provider", "replica", "expected"),
    [
        (csn("20261201000010.500000Z"), csn("20261201000010.500000Z"), 0.0),
        (csn("20261201000010.500000Z"), csn("20261201000000.000000Z"), 10.5),
        (csn("20261201000000.000000Z"), csn("20261201000010.000000Z"), 0.0),
        (csn("20261201000100Z"), csn("20261201000000Z"), 60.0),
        (
            csn("20261201000000Z") | csn("20261201000007Z", "002"),
            csn("20261201000000Z") | csn("20261201000005Z", "002"),
            2.0,
        ),
        ({}, csn("20261201000000Z"), None),
        (csn("20261201000000Z"), {}, None),
        ({"001": "odd#0#001#0"}, {"001": "odd#0#001#0"}, 0.0),
    ],
)
def test_the_lag_is_the_time_between_the_newest_changes(
    provider: dict[str, str], replica: dict[str, str], expected: float | None
) -> None:
    assert compute_csn_lag(provider, replica) == expected


@pytest.mark.parametrize(
    ("compared", "expected"),
    [
        (ReplicaComparison(ldap_url="x"), True),
        (ReplicaComparison(ldap_url="x", csn_lag_s=0.0), True),
        (ReplicaComparison(ldap_url="x", csn_lag_s=0.1), False),
        (ReplicaComparison(ldap_url="x", csn_lag_s=0.0, behind_s=0.0, missing_server_ids=("002",)), False),
        (ReplicaComparison(ldap_url="x", entry_count=1), False),
        (ReplicaComparison(ldap_url="x", problem="no connection"), False),
        (ReplicaComparison(ldap_url="x", differences=(EntryDifference("dn", is_missing=True),)), False),
    ],
)
def test_a_replica_is_equal_if_nothing_differs(compared: ReplicaComparison, expected: bool) -> None:
    assert compared.is_equal is expected
