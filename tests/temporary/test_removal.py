"""A temporary destination taken out of a real slapd, whatever has become of it and of its record meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.errors import ChangeInProgress, Refused
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.rollout.execution import run_rollout
from dcmcfg.rollout.history import History, RolloutStatus, determine_status
from dcmcfg.rollout.lock import lock_directory
from dcmcfg.rollout.record import RolloutContext
from dcmcfg.rollout.strategy import RolloutStrategy
from dcmcfg.temporary import removal
from dcmcfg.temporary.removal import remove_destination
from dcmcfg.temporary.run import DestinationAddition
from tests.connecting import server_of
from tests.edits.test_temporary_destination import NEW, OURS
from tests.running_slapd import RunningSlapd
from tests.trees import ARCHIVE, DEVICES, connection, network_ae, octets

pytestmark = pytest.mark.real
ASKED = DN.parse(f"dicomAETitle=DCM4CHEE,{ARCHIVE}")
LIST = "dcmAcceptedMoveDestination"
Octets = dict[str, dict[str, frozenset[bytes]]]


@dataclass
class Added:
    """A directory with the destination in it, and the tree from before."""

    slapd: RunningSlapd
    directory: Directory
    occasion: RolloutContext
    before: Octets

    def octets(self) -> Octets:
        with connect(server_of(self.slapd)) as directory:
            return octets(read_tree(directory))

    def make(self, *changes: Change) -> None:
        with connect(server_of(self.slapd)) as directory:
            for change in changes:
                directory.apply(change)

    def taken_back(self) -> int | None:
        return remove_destination(self.directory, self.occasion, NEW.ae_title).rollout_number

    @property
    def history(self) -> History:
        return History(self.occasion.state_folder)

    def forget(self) -> None:
        """Lose the record, as another account and another machine have none."""
        shutil.rmtree(self.occasion.state_folder)

    def cut_off(self, journal: str) -> None:
        """Have the journal of the addition end as it does where the process was killed."""
        (self.occasion.state_folder / "rollouts" / "1" / "journal").write_text(journal)


@pytest.fixture
def added(slapd: RunningSlapd, tmp_path: Path) -> Iterator[Added]:
    with connect(server_of(slapd)) as directory:
        directory.apply(_list(Operation.ADD, "STORESCP"))
        tree = read_tree(directory)
        context = RolloutContext(tmp_path / "state", "site")
        plan = DestinationAddition(NEW, "dcm4chee-arc", "DCM4CHEE").make_plan(tree)
        assert len(plan.steps) == 5
        run_rollout(directory, plan, strategy=RolloutStrategy.STEP_BY_STEP, context=context, on_step=lambda *_: None)
        yield Added(slapd, directory, context, octets(tree))


def _list(operation: Operation, *titles: str) -> Modify:
    return Modify(ASKED, (Modification(operation, LIST, tuple(map(str.encode, titles))),))


def deletes(*names: str) -> Sequence[Change]:
    return [Delete(DN.parse(name)) for name in names]


def test_the_record_takes_it_back_and_history_says_so(added: Added) -> None:
    assert added.taken_back() == 2
    assert added.octets() == added.before
    record = added.history.get_rollout(1)
    undo_record = added.history.find_undo_of(record)
    assert undo_record
    assert undo_record.number == 2
    assert added.taken_back() is None


def test_without_a_record_the_tree_tells(added: Added) -> None:
    added.forget()
    assert added.taken_back() == 1
    assert added.octets() == added.before


AE = f"dicomAETitle={NEW.ae_title},{OURS}"
DIALOG = f"cn=dicom,{OURS}"
REGISTRATION = f"dicomAETitle={NEW.ae_title},cn=Unique AE Titles Registry,cn=DICOM Configuration,dc=dcm4che,dc=org"


@pytest.mark.parametrize(
    "meanwhile",
    [
        [_list(Operation.DELETE, NEW.ae_title)],
        deletes(AE),
        [*deletes(AE, DIALOG, OURS)],
        [*deletes(AE, DIALOG, OURS, REGISTRATION), _list(Operation.DELETE, NEW.ae_title)],
        [Modify(DN.parse(AE), (Modification(Operation.ADD, "dicomApplicationCluster", (b"x",)),))],
        [Add(replace(connection(OURS, "104"), dn=DN.parse(f"cn=more,{OURS}")).with_values("cn", [b"more"]))],
    ],
    ids=["off the list", "no AE", "registration alone", "all gone", "changed", "a connection more"],
)
def test_whatever_somebody_has_done_to_it_meanwhile_nothing_of_it_is_left(
    added: Added, meanwhile: Sequence[Change]
) -> None:
    added.make(*meanwhile)
    added.taken_back()
    assert added.octets() == added.before
    assert added.taken_back() is None


def test_what_others_have_done_meanwhile_stays(added: Added) -> None:
    foreign_entries = (connection(OURS, "104", name="theirs"), network_ae(OURS, "THEIRS", references=("theirs",)))
    added.make(_list(Operation.ADD, "VIEWER"), _list(Operation.DELETE, "STORESCP"), *map(Add, foreign_entries))
    assert added.taken_back() == 2
    after = added.octets()
    assert after[str(ASKED)][LIST] == {b"VIEWER"}
    assert f"dicomAETitle=THEIRS,{OURS}" in after
    assert after.keys() - added.before.keys() == {OURS, *(str(each.dn) for each in foreign_entries)}


def test_what_names_it_elsewhere_is_told(added: Added) -> None:
    device = DN.parse(f"dicomDeviceName=storescp,{DEVICES}")
    added.make(Modify(device, (Modification(Operation.REPLACE, "dicomDescription", (NEW.ae_title.encode(),)),)))
    taken = remove_destination(added.directory, added.occasion, NEW.ae_title)
    assert taken.remaining_references == (f"{device} (dicomDescription)",)


@pytest.mark.parametrize("begun", [2, 5])
def test_a_record_that_was_cut_off_and_overtaken_is_no_hindrance(added: Added, begun: int) -> None:
    """Killed at a step, then cleaned up by another account: the journal fits nothing that is there."""
    added.cut_off(f"planned\nbegins {begun} {begun}\n")
    state = added.occasion.state_folder
    aside = state.with_name("aside")
    state.rename(aside)
    assert added.taken_back() == 1
    shutil.rmtree(state)
    aside.rename(state)
    assert added.taken_back() is None
    assert added.octets() == added.before
    assert added.history.find_unfinished(added.slapd.url) is None


def test_a_taking_back_that_was_cut_off_at_its_end_turns_out_to_be_done(added: Added) -> None:
    assert added.taken_back() == 2
    (added.history.get_rollout(2).folder / "journal").write_text("planned\nbegins 5 5\n")
    assert added.taken_back() is None
    assert added.octets() == added.before
    assert determine_status(added.history.get_rollout(2)) is RolloutStatus.APPLIED


def test_anothers_roll_out_is_waited_for(added: Added, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "MAX_WAIT_S", 0.1)
    with lock_directory(added.occasion.state_folder, added.slapd.url), pytest.raises(ChangeInProgress):
        added.taken_back()
    assert added.taken_back() == 2


def test_anothers_roll_out_that_is_half_done_is_not_touched(added: Added) -> None:
    with connect(server_of(added.slapd)) as directory:
        two = [DesiredChange(_list(Operation.ADD, title)) for title in ("A", "B")]
        plan, context = make_plan(read_tree(directory), two), added.occasion
        run_rollout(directory, plan, strategy=RolloutStrategy.STEP_BY_STEP, context=context, on_step=lambda *_: None)
    (context.state_folder / "rollouts" / "2" / "journal").write_text("planned\nended 1\n")
    with pytest.raises(Refused, match=r"change 2 .* is unfinished"):
        added.taken_back()
