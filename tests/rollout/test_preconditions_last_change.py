"""Who changed an entry last is told with the refusal, wherever it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.changes import Change, Delete, Modification, Modify, Operation
from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.errors import DirectoryError, DoesNotApply
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.rollout.execution import run_rollout
from dcmcfg.rollout.preconditions import add_last_change, add_last_change_on_refusal
from dcmcfg.rollout.record import RolloutContext
from dcmcfg.rollout.strategy import RolloutStrategy
from tests.connecting import server_of
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real

DEVICES = DN.parse("cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
ARCHIVE = DEVICES.child("dicomDeviceName", "dcm4chee-arc")
STORESCP = DEVICES.child("dicomDeviceName", "storescp")


def described(dn: DN, text: str) -> Modify:
    return Modify(dn, (Modification(Operation.REPLACE, "dicomDescription", (text.encode(),)),))


class Overtaken(LdapDirectory):
    """A connection that somebody else overtakes after the last look, before the first write."""

    overtaking: tuple[Change, ...] = ()

    def apply(self, change: Change) -> None:
        self._let_others_pass()
        super().apply(change)

    def apply_in_transaction(self, changes: object) -> None:
        self._let_others_pass()
        super().apply_in_transaction(changes)  # type: ignore[arg-type]

    def _let_others_pass(self) -> None:
        passing, self.overtaking = self.overtaking, ()
        with connect(self.server) as other:
            for change in passing:
                other.apply(change)


@pytest.fixture
def directory(slapd: RunningSlapd) -> Iterator[Overtaken]:
    server = server_of(slapd)
    with connect(server) as opened:
        yield Overtaken(server, opened._connection)


def planned(directory: Overtaken, *changes: Change) -> Plan:
    return make_plan(read_tree(directory), [DesiredChange(change) for change in changes])


def rolled_out(directory: Overtaken, plan: Plan, manner: RolloutStrategy, folder: Path) -> None:
    with add_last_change_on_refusal(directory, plan):
        run_rollout(directory, plan, strategy=manner, context=RolloutContext(folder, "test"), on_step=lambda *_: None)


@pytest.mark.parametrize("manner", [RolloutStrategy.STEP_BY_STEP, RolloutStrategy.TRANSACTION])
def test_a_failed_assertion_at_the_server_is_reported_with_values_and_modifier(
    directory: Overtaken, slapd: RunningSlapd, tmp_path: Path, manner: RolloutStrategy
) -> None:
    plan = planned(directory, described(STORESCP, "ours"), described(ARCHIVE, "ours"))
    directory.overtaking = (described(STORESCP, "theirs"),)
    with pytest.raises(DoesNotApply) as refusal:
        rolled_out(directory, plan, manner, tmp_path / "state")
    assert re.fullmatch(
        r"somebody has changed dicomDescription \(expected 'Storage SCP', found 'theirs'\) in the meantime; "
        rf"{re.escape(slapd.bind_dn)} changed the entry last, \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
        refusal.value.message,
    )
    assert refusal.value.subject == str(STORESCP)


def test_other_refusals_of_the_server_stay_as_they_are(directory: Overtaken, tmp_path: Path) -> None:
    wrong = Modify(STORESCP, (Modification(Operation.REPLACE, "dcmArchiveUrl", (b"x",)),))
    with pytest.raises(DirectoryError) as refusal:
        rolled_out(directory, planned(directory, wrong), RolloutStrategy.ONE_CHANGE, tmp_path)
    assert refusal.value.result_code == 17


def test_changes_before_the_first_write_are_reported_with_modifier(
    directory: Overtaken, slapd: RunningSlapd, tmp_path: Path
) -> None:
    plan = planned(directory, described(ARCHIVE, "ours"))
    with connect(directory.server) as other:
        other.apply(described(ARCHIVE, "theirs"))
    with pytest.raises(DoesNotApply, match=f"found 'theirs'.*; {slapd.bind_dn} changed the entry last"):
        rolled_out(directory, plan, RolloutStrategy.ONE_CHANGE, tmp_path)


def test_an_entry_that_went_while_asking_and_a_connection_that_did(directory: Overtaken) -> None:
    gone = DoesNotApply("moved", subject="x", changed_dn=str(ARCHIVE.child("cn", "gone")))
    assert add_last_change(directory, gone).message.endswith(
        "the directory does not show who deleted or renamed the entry"
    )
    directory.close()
    closed = DoesNotApply("moved", subject="x", changed_dn=str(ARCHIVE))
    assert add_last_change(directory, closed).message.startswith(
        "moved; dcmcfg could not read who changed the entry last ("
    )


def test_a_deleted_entry_is_reported_as_deleted(directory: Overtaken, tmp_path: Path) -> None:
    connection = STORESCP.child("cn", "dicom")
    plan = planned(directory, described(connection, "ours"))
    with connect(directory.server) as other:
        other.apply(Delete(connection))
    with pytest.raises(
        DoesNotApply, match="deleted or renamed the entry in the meantime; the directory does not show who did this"
    ):
        rolled_out(directory, plan, RolloutStrategy.ONE_CHANGE, tmp_path)
