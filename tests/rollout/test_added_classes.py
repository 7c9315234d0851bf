"""Classes that commands of this account added with a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.rollout.added_classes import find_added_classes
from dcmcfg.rollout.history import History
from dcmcfg.rollout.record import RolloutContext, write_record
from dcmcfg.schema.definitions import load_bundled_schema
from tests.trees import STORESCP, site

URL = "ldap://pacs:389"
CONNECTION = DN.parse(f"cn=dicom,{STORESCP}")
SET = "dcmcfg set cn=dicom,… dcmTCPNoDelay=TRUE --yes"


ADDED = (
    Modification(Operation.ADD, "objectClass", (b"dcmNetworkConnection",)),
    Modification(Operation.ADD, "dcmTCPNoDelay", (b"TRUE",)),
)
ADDING = Modify(CONNECTION, ADDED)
REVERTED = tuple(Modification(Operation.DELETE, each.name, each.values) for each in reversed(ADDED))


def rolled_out(
    state: Path,
    command: str,
    *,
    undoes: int | None = None,
    done: int = 1,
    left_out: int = 0,
    change: Modify = ADDING,
) -> None:
    before = site().with_changes([ADDING] if change.modifications == REVERTED else [])
    plan = make_plan(before, [DesiredChange(change)])
    record = write_record(
        RolloutContext(state, "admin", command, undoes, rejected_count=left_out), URL, plan, "in one change"
    )
    with record.journal.open_for_writing() as pen:
        pen.write_ended(done)


def added(state: Path, *, url: str = URL, dn: DN = CONNECTION) -> frozenset[str]:
    return find_added_classes(History(state), url, load_bundled_schema(), dn)


@pytest.mark.parametrize("command", [SET, "dcmcfg --profile lab add-value cn=dicom,… dcmTCPNoDelay=TRUE"])
def test_a_class_added_together_with_a_value_was_added_implicitly(tmp_path: Path, command: str) -> None:
    rolled_out(tmp_path, command)
    assert added(tmp_path) == {"dcmnetworkconnection"}
    assert added(tmp_path, dn=DN.parse(str(CONNECTION).upper())) == {"dcmnetworkconnection"}
    assert added(tmp_path, url="ldap://other") == frozenset()
    assert added(tmp_path, dn=DN.parse(STORESCP)) == frozenset()


@pytest.mark.parametrize(
    "command",
    [
        "dcmcfg apply change.ldif",
        f"{SET} objectclass=dcmNetworkConnection",
        f"{SET} objectClass+=dcmNetworkConnection",
        "'",
    ],
)
def test_a_class_that_a_user_specified_was_not_added_implicitly(tmp_path: Path, command: str) -> None:
    rolled_out(tmp_path, command)
    assert added(tmp_path) == frozenset()


def test_the_last_command_that_specified_the_class_decides(tmp_path: Path) -> None:
    rolled_out(tmp_path, SET)
    rolled_out(tmp_path, f"{SET} objectClass=dcmNetworkConnection")
    assert added(tmp_path) == frozenset()
    rolled_out(tmp_path, SET)
    assert added(tmp_path) == {"dcmnetworkconnection"}


def test_reverted_and_empty_changes_do_not_count(tmp_path: Path) -> None:
    rolled_out(tmp_path, SET, done=0)
    assert added(tmp_path) == frozenset()
    rolled_out(tmp_path, SET)
    assert added(tmp_path) == {"dcmnetworkconnection"}
    rolled_out(tmp_path, "dcmcfg undo 2", undoes=2)
    assert added(tmp_path) == frozenset()


def test_what_was_undone_in_part_counts_unless_that_part_took_the_class(tmp_path: Path) -> None:
    rolled_out(tmp_path, SET)
    other = Modify(DN.parse(STORESCP), (Modification(Operation.ADD, "dicomDescription", (b"x",)),))
    rolled_out(tmp_path, "dcmcfg undo 1 --partial", undoes=1, left_out=1, change=other)
    assert added(tmp_path) == {"dcmnetworkconnection"}
    rolled_out(tmp_path, "dcmcfg undo 2", undoes=2)
    rolled_out(tmp_path, "dcmcfg undo 1 --partial", undoes=1, left_out=1, change=Modify(CONNECTION, REVERTED))
    assert added(tmp_path) == frozenset()


def test_an_unreadable_record_is_ignored(tmp_path: Path) -> None:
    rolled_out(tmp_path, SET)
    plan = History(tmp_path).get_rollout(1).folder / "plan.ldif"
    plan.write_text(plan.read_text() + "\n")
    assert added(tmp_path) == frozenset()
