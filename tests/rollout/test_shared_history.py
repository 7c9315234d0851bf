"""The folder of a shared history: what is written there, what is believed, and what happens without it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.errors import AmbiguousName, NotFound
from dcmcfg.rollout.change_reference import ChangeReference, parse_reference, select_shared_record
from dcmcfg.rollout.history import History, RolloutStatus
from dcmcfg.rollout.lock import get_account_name
from dcmcfg.rollout.record import RolloutContext, RolloutRecord, RolloutSharing, write_record
from dcmcfg.rollout.recorded_steps import RecordedAttribute, StepOperation
from dcmcfg.rollout.shared_history import SharedHistory
from dcmcfg.rollout.shared_record import compute_record_id
from dcmcfg.rollout.site_history import SiteHistory
from dcmcfg.shared_folders import find_network_file_system
from tests.rollout.records import URL, plan
from tests.trees import ARCHIVE


class Group:
    """A shared folder, and the warnings that its users were given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warnings: list[str] = []
        folder.mkdir()
        folder.chmod(0o2770)

    def open(self) -> SharedHistory:
        return SharedHistory(self.folder, self.warnings.append)

    def record(self, state: Path, *, undo_of: int | None = None, ended: bool = True) -> RolloutRecord:
        context = RolloutContext(state, f"cn=admin @ {URL}", "dcmcfg set", undo_of, sharing=RolloutSharing(self.folder))
        record = write_record(context, URL, plan(), "step by step")
        if ended:
            with record.journal.open_for_writing() as pen:
                pen.write_ended(2)
        return record

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if not path.name.startswith(".lock"))


@pytest.fixture
def group(tmp_path: Path) -> Group:
    return Group(tmp_path / "shared")


def test_a_record_is_shared_with_its_values_and_its_progress(tmp_path: Path, group: Group) -> None:
    record = group.record(tmp_path / "state", ended=False)
    group.open().publish(record)
    (shared,) = group.open().read_records()
    assert (shared.number, shared.status, shared.applied_steps) == (1, RolloutStatus.INTERRUPTED, ())
    assert (shared.identity, shared.command) == ("cn=admin", "dcmcfg set")
    with record.journal.open_for_writing() as pen:
        pen.write_ended(1)
    group.open().publish_pending(tmp_path / "state")
    (shared,) = group.open().read_records()
    assert (shared.status, len(shared.applied_steps)) == (RolloutStatus.PARTIALLY_APPLIED, 1)
    (step,) = shared.applied_steps
    assert (step.operation, step.dn) == (StepOperation.CHANGE, ARCHIVE)
    assert step.attributes == (RecordedAttribute("dicomDescription", (), ("x",)),)
    assert group.warnings == []


def test_a_missing_a_damaged_and_an_outdated_record_are_written_again(tmp_path: Path, group: Group) -> None:
    record = group.record(tmp_path / "state")
    group.open().publish_pending(tmp_path / "state")
    (name,) = group.names()
    whole = (group.folder / name).read_bytes()
    for damage in (b"", whole[: len(whole) // 2], None):
        if damage is None:
            (group.folder / name).unlink()
        else:
            (group.folder / name).write_bytes(damage)
            assert group.open().read_records() == ()
            assert "the shared record of a change is damaged" in group.warnings.pop()
        group.open().publish_pending(tmp_path / "state")
        assert (group.folder / name).read_bytes() == whole
    with record.journal.open_for_writing() as pen:
        pen.write_closed(1)
    group.open().publish_pending(tmp_path / "state")
    assert group.open().read_records()[0].status is RolloutStatus.CLOSED


def test_a_folder_that_vanishes_costs_a_warning_and_no_record(tmp_path: Path, group: Group) -> None:
    group.folder.rmdir()
    shared = group.open()
    assert not shared.can_lock(URL)
    shared.publish(group.record(tmp_path / "state"))
    shared.publish_pending(tmp_path / "state")
    assert len(group.warnings) == 1
    assert "cannot be used (No such file or directory)" in group.warnings[0]
    group.folder.mkdir()
    group.folder.chmod(0o2770)
    group.open().publish_pending(tmp_path / "state")
    assert [each.number for each in group.open().read_records()] == [1]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16k,mode=2770", "tmpfs", folder], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_and_a_read_only_disk_cost_a_warning_and_no_record(tmp_path: Path, small_disk: Path) -> None:
    warnings: list[str] = []
    shared = SharedHistory(small_disk, warnings.append)
    assert shared.can_lock(URL)
    group = Group(tmp_path / "shared")
    group.folder = small_disk
    record = group.record(tmp_path / "state")
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(bytes(64 * 1024))
    shared.publish(record)
    assert "(No space left on device)" in warnings.pop()
    assert shared.can_lock(URL)
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    fresh = SharedHistory(small_disk, warnings.append)
    assert not fresh.can_lock(URL)
    assert "(Read-only file system)" in warnings.pop()
    fresh.publish(record)
    assert "(Read-only file system)" in warnings.pop()
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    fresh.publish_pending(tmp_path / "state")
    assert [each.number for each in fresh.read_records()] == [1]


def test_files_that_others_could_have_written_are_not_believed(tmp_path: Path, group: Group) -> None:
    group.open().publish(group.record(tmp_path / "state"))
    (name,) = group.names()
    path = group.folder / name
    path.rename(tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    assert group.open().read_records() == ()
    assert "the record cannot be read (Too many levels of symbolic links)" in group.warnings.pop()
    path.unlink()
    shutil.copy(tmp_path / "outside", path)
    path.chmod(0o660)
    assert group.open().read_records() == ()
    assert "other accounts can write to the file" in group.warnings.pop()
    path.chmod(0o640)
    assert len(group.open().read_records()) == 1
    os.mkfifo(group.folder / "pipe.json")
    assert len(group.open().read_records()) == 1
    assert "not a regular file" in group.warnings.pop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another account")
def test_an_account_cannot_write_a_record_in_the_name_of_another(tmp_path: Path, group: Group) -> None:
    group.open().publish(group.record(tmp_path / "state"))
    (name,) = group.names()
    os.chown(group.folder / name, 61002, -1)
    assert group.open().read_records() == ()
    assert "the file belongs to the account 61002, but another account made the change" in group.warnings.pop()
    content = json.loads((group.folder / name).read_text()) | {"uid": 61002, "account": "root"}
    (group.folder / name).write_text(json.dumps(content))
    (shared,) = group.open().read_records()
    assert shared.account == "61002"


@pytest.mark.parametrize("key", ["number", "steps", "status", "counts", "started_at", "uid"])
@pytest.mark.parametrize("value", [None, -1, "x", [1], {"a": []}])
def test_a_record_with_values_of_other_types_is_damaged(tmp_path: Path, group: Group, key: str, value: object) -> None:
    group.open().publish(group.record(tmp_path / "state"))
    (name,) = group.names()
    content = json.loads((group.folder / name).read_text())
    if key == "started_at" and value == "x":
        pytest.skip("a text is the right type")
    (group.folder / name).write_text(json.dumps(content | {key: value}))
    assert group.open().read_records() == ()
    assert len(group.warnings) == 1


def test_changes_within_one_second_are_in_their_order(tmp_path: Path, group: Group) -> None:
    made = [group.record(tmp_path / state) for state in ("one", "one", "two")]
    for record in made:
        group.open().publish(record)
    assert [each.record_id for each in group.open().read_records()] == [compute_record_id(each) for each in made[::-1]]


def test_changes_of_one_name_are_told_apart_by_their_hosts(tmp_path: Path, group: Group) -> None:
    account = get_account_name()
    for state, host in (("one", "pacs1"), ("two", "pacs2")):
        record = group.record(tmp_path / state)
        path = record.folder / "head.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"host": host}))
        group.open().publish(RolloutRecord(record.folder))
    history = SiteHistory(History(tmp_path / "own"), group.open())
    references = {history.get_reference(each) for each in history.foreign}
    assert references == {f"{account}@pacs1-1", f"{account}@pacs2-1"}
    assert select_shared_record(history.foreign, ChangeReference(account, 1, "pacs2")).host == "pacs2"
    with pytest.raises(AmbiguousName, match=f"{account}@pacs1-1, {account}@pacs2-1"):
        select_shared_record(history.foreign, ChangeReference(account, 1))
    with pytest.raises(NotFound):
        select_shared_record(history.foreign, ChangeReference(account, 2))


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("op2-3", ChangeReference("op2", 3)),
        ("op2-bauer-3", ChangeReference("op2-bauer", 3)),
        ("op2@pacs-1-3", ChangeReference("op2", 3, "pacs-1")),
        ("3", None),
        ("op2-0", None),
        ("-3", None),
        ("op2-", None),
    ],
)
def test_a_reference_is_an_account_and_a_number(text: str, reference: ChangeReference | None) -> None:
    assert parse_reference(text) == reference
    if reference is not None:
        assert str(reference) == text


def test_a_change_recorded_before_the_shared_history_stays_private(tmp_path: Path, group: Group) -> None:
    write_record(RolloutContext(tmp_path / "state", "s", "c"), URL, plan(), "step by step")
    group.open().publish_pending(tmp_path / "state")
    assert group.names() == []


@pytest.mark.parametrize(
    ("mounts", "kind"),
    [
        ("1 0 0:1 / / rw - ext4 /dev/sda rw\n", ""),
        ("1 0 0:1 / / rw - ext4 /dev/sda rw\n2 1 0:2 / /srv/a\\040b rw shared:1 - nfs4 nas:/a rw\n", "nfs4"),
        ("1 0 0:1 / / rw - nfs4 nas:/ rw\n2 1 0:2 / /srv rw - xfs /dev/sdb rw\n", ""),
        ("1 0 0:1 / / rw - ext4 /dev/sda rw\n2 1 0:2 / /srv/a\\040 rw - nfs4 nas:/a rw\n", ""),
        ("nonsense\n\n - \n", ""),
    ],
)
def test_the_file_system_is_that_of_the_innermost_mount(tmp_path: Path, mounts: str, kind: str) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(mounts)
    assert find_network_file_system(Path("/srv/a b/history"), table) == kind
