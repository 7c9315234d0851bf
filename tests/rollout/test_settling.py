"""What became of the steps of a transaction, by the tree alone; without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcmcfg.changes import Add, Change, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.plan.plan import Plan, Wanted, make_plan
from dcmcfg.rollout.reconciliation import how_many_made
from dcmcfg.rollout.record import Occasion, Record, record_roll_out
from dcmcfg.rollout.strategy import in_order_sent
from tests.rollout.programs import octets_of
from tests.trees import ARCHIVE, STORESCP, connection, site

NEW = DN.parse(f"cn=new,{STORESCP}")


def replaced(dn: DN, name: str, value: bytes) -> Modify:
    return Modify(dn, (Modification(Operation.REPLACE, name, (value,)),))


def changes() -> list[Change]:
    """Steps that build on each other, between others that do not."""
    renamed = Rename(NEW, RDN.of("cn", "renamed"))
    return [
        Add(connection(STORESCP, "104", name="new")),
        replaced(NEW, "dicomPort", b"105"),
        Add(connection(ARCHIVE, "106", name="other")),
        renamed,
        replaced(renamed.new_dn, "dicomHostname", b"LOCALHOST"),
        Add(connection(ARCHIVE, "107", name="third")),
        replaced(DN.parse(ARCHIVE), "dicomDescription", b"x"),
    ]


def planned(wanted: list[Change]) -> Plan:
    plan = make_plan(site(), [Wanted(change) for change in wanted])
    return in_order_sent(plan, len(plan.steps))


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    state: Path = tmp_path_factory.mktemp("state")
    return record_roll_out(Occasion(state, "a test"), "ldap://pacs", planned(changes()), "in one transaction")


@pytest.mark.parametrize("made", range(len(changes()) + 1))
def test_the_first_steps_in_the_order_sent_are_recognised(record: Record, made: int) -> None:
    tree = site().after(record.changes[:made])
    assert how_many_made(tree, record, 1, len(record.changes)) == made


@pytest.mark.parametrize("begun", [1, 3])
def test_of_the_steps_under_way_the_made_ones_are_counted(record: Record, begun: int) -> None:
    tree = site().after(record.changes[:4])
    assert how_many_made(tree, record, begun, len(record.changes)) == 4 - begun + 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(0, 5), min_size=1))
def test_steps_that_are_made_without_one_before_them_are_not_taken_for_the_first_ones(
    tmp_path_factory: pytest.TempPathFactory, made: set[int]
) -> None:
    adds: list[Change] = [Add(connection(ARCHIVE, name=f"new {number}")) for number in range(6)]
    state = tmp_path_factory.mktemp("state")
    record = record_roll_out(Occasion(state, "a test"), "ldap://pacs", planned(adds), "in one transaction")
    tree = site().after(record.changes[number] for number in made)
    expected = len(made) if made == set(range(len(made))) else None
    assert how_many_made(tree, record, 1, len(adds)) == expected


def test_the_order_sent_keeps_what_builds_on_each_other(record: Record) -> None:
    assert octets_of(site().after(record.changes)) == octets_of(site().after(changes()))
    assert octets_of(site().after(record.changes).after(record.undo(len(record.changes)))) == octets_of(site())
