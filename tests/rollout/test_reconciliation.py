"""What became of the steps of a transaction, by the tree alone; without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcmcfg.changes import Add, Change, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.rollout.reconciliation import count_applied_steps
from dcmcfg.rollout.record import RolloutContext, RolloutRecord, write_record
from dcmcfg.rollout.strategy import order_as_sent
from tests.rollout.programs import octets_of
from tests.trees import ARCHIVE, STORESCP, connection, site

NEW = DN.parse(f"cn=new,{STORESCP}")


def replacement(dn: DN, name: str, value: bytes) -> Modify:
    return Modify(dn, (Modification(Operation.REPLACE, name, (value,)),))


def changes() -> list[Change]:
    """Steps that build on each other, between others that do not."""
    renamed = Rename(NEW, RDN.of("cn", "renamed"))
    return [
        Add(connection(STORESCP, "104", name="new")),
        replacement(NEW, "dicomPort", b"105"),
        Add(connection(ARCHIVE, "106", name="other")),
        renamed,
        replacement(renamed.new_dn, "dicomHostname", b"LOCALHOST"),
        Add(connection(ARCHIVE, "107", name="third")),
        replacement(DN.parse(ARCHIVE), "dicomDescription", b"x"),
    ]


def planned(desired: list[Change]) -> Plan:
    plan = make_plan(site(), [DesiredChange(change) for change in desired])
    return order_as_sent(plan, len(plan.steps))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RolloutRecord:
    state: Path = tmp_path_factory.mktemp("state")
    return write_record(RolloutContext(state, "a test"), "ldap://pacs", planned(changes()), "in one transaction")


@pytest.mark.parametrize("made", range(len(changes()) + 1))
def test_the_first_steps_in_the_order_sent_are_recognised(record: RolloutRecord, made: int) -> None:
    tree = site().with_changes(record.changes[:made])
    assert count_applied_steps(tree, record, 1, len(record.changes)) == made


@pytest.mark.parametrize("begun_count", [1, 3])
def test_applied_steps_among_the_current_ones_are_counted(record: RolloutRecord, begun_count: int) -> None:
    tree = site().with_changes(record.changes[:4])
    assert count_applied_steps(tree, record, begun_count, len(record.changes)) == 4 - begun_count + 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(0, 5), min_size=1))
def test_steps_that_are_made_without_one_before_them_are_not_taken_for_the_first_ones(
    tmp_path_factory: pytest.TempPathFactory, made: set[int]
) -> None:
    adds: list[Change] = [Add(connection(ARCHIVE, name=f"new {number}")) for number in range(6)]
    state = tmp_path_factory.mktemp("state")
    record = write_record(RolloutContext(state, "a test"), "ldap://pacs", planned(adds), "in one transaction")
    tree = site().with_changes(record.changes[number] for number in made)
    expected = len(made) if made == set(range(len(made))) else None
    assert count_applied_steps(tree, record, 1, len(adds)) == expected


def test_the_order_sent_keeps_what_builds_on_each_other(record: RolloutRecord) -> None:
    assert octets_of(site().with_changes(record.changes)) == octets_of(site().with_changes(changes()))
    assert octets_of(
        site().with_changes(record.changes).with_changes(record.get_undo_changes(len(record.changes)))
    ) == octets_of(site())
