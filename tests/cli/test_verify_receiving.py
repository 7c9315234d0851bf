"""``dcmcfg verify --keep``: what is kept, what is told of it, and what it costs when that fails."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from pydicom import dcmread

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from tests.cli.verifying import STUDY, Verify
from tests.dicom import dcmtk
from tests.dicom.dcmtk import Made
from tests.dicom.raw_scu import associate, data_set, p_data, raw_scu, store, value
from tests.dicom.writing import no_file_longer_than
from tests.verify.scripted_archive import OnMove, scripted_archive

pytestmark = pytest.mark.real


def test_what_is_kept_is_told_and_reads(verify: Verify, plain_pacs: Peer, made: Made, tmp_path: Path) -> None:
    save_folder = tmp_path / "kept"
    result = verify(plain_pacs, "--keep", str(save_folder))
    assert result.exit_code == 0, result.output
    assert re.search(
        rf"""
Received  complete: 3 of 3 instances at WORKSTATION
          Caller: DCM4CHEE, Move Originator DCMCFG \(as reported by the caller, not a proof\)
          Receiver: WORKSTATION@[0-9.:]+, listening since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC
          Stored: 3 files in {re.escape(str(save_folder))}, each read back
Sent      DCM4CHEE → WORKSTATION: 3 . CT Image Storage, Explicit VR Little Endian, 0000 \(our receiver\)
Route """,
        result.stdout,
    ), result.stdout
    files = {path.stem: path for path in (save_folder / STUDY).iterdir()}
    assert set(files) == set(made.sop_instance_uids)
    assert {str(dcmread(path).SOPInstanceUID) for path in files.values()} == set(files)


def test_a_second_run_into_the_same_folder_keeps_the_same_files(
    verify: Verify, plain_pacs: Peer, tmp_path: Path
) -> None:
    for _ in range(2):
        assert verify(plain_pacs, "--keep", str(tmp_path / "kept")).exit_code == 0
    assert len(list((tmp_path / "kept").rglob("*.dcm"))) == 3


def test_json_tells_each_instance_with_its_digest_and_file(
    verify: Verify, plain_pacs: Peer, made: Made, tmp_path: Path
) -> None:
    instances = json.loads(verify(plain_pacs, "--keep", str(tmp_path), "--json").stdout)["received"]["instances"]
    assert [each["sop_instance_uid"] for each in instances] == list(made.sop_instance_uids)
    for each in instances:
        octets = Path(each["file"]).read_bytes()
        data_set_octets = octets[144 + int.from_bytes(octets[140:144], "little") :]
        assert each["sha256"] == hashlib.sha256(data_set_octets).hexdigest()
        assert (each["octets"], each["problem"]) == (len(data_set_octets), None)
        assert (each["study_instance_uid"], each["calling_ae_title"], each["move_originator_ae_title"]) == (
            STUDY,
            "DCM4CHEE",
            "DCMCFG",
        )


def test_without_files_none_is_told_but_the_digest_is(verify: Verify, plain_pacs: Peer) -> None:
    instances = json.loads(verify(plain_pacs, "--receive", "--json").stdout)["received"]["instances"]
    assert [(len(each["sha256"]), each["file"]) for each in instances] == [(64, None)] * 3


def test_a_full_disk_is_a_no_that_says_so(verify: Verify, plain_pacs: Peer, tmp_path: Path) -> None:
    with no_file_longer_than(100):
        result = verify(plain_pacs, "--keep", str(tmp_path / "kept"))
    assert result.exit_code == 1
    assert (
        "3 instances arrived and are corrupt (the first: the file could not be written: File too large)"
        in result.stdout.splitlines()[0]
    )
    assert "the folder of --keep has free space" in result.stdout
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_folder_that_is_none_is_3_before_anything_is_asked(verify: Verify, plain_pacs: Peer, made: Made) -> None:
    result = verify(plain_pacs, "--keep", str(made.files[0] / "below"))
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.endswith(
        "dcmcfg cannot store files in this folder (Not a directory)\n  next: specify another folder with --keep\n"
    )
    result = verify(plain_pacs, "--keep", str(made.files[0]))
    assert (result.exit_code, result.stdout) == (2, "")


def _sending(workstation: Peer, *octets: bytes) -> OnMove:
    """Send *octets* over an association with the destination."""

    def send(_: MoveExchange) -> MoveResponse:
        with raw_scu(workstation) as scu:
            scu.associated(associate(workstation.ae_title.encode()))
            for each in octets:
                scu.send(each)
                assert scu.status() == 0
        return MoveResponse(0, completed=1, failed=0)

    return send


def test_what_does_not_read_is_a_no(verify: Verify, workstation: Peer, tmp_path: Path) -> None:
    """The data set is cut off, and the sender says nothing of it."""
    one = dcmtk.make_instances(tmp_path / "one", STUDY, per_series=1)
    uid = one.sop_instance_uids[0].encode()
    cut = data_set(uid, STUDY.encode())[:-1]
    sent = p_data(value(store(uid), is_command=True), value(cut, is_command=False))
    with scripted_archive(one, _sending(workstation, sent)) as archive:
        result = verify(archive, "--keep", str(tmp_path / "kept"))
        received = verify(archive, "--receive")
    headline = (
        "1 instance arrived and is corrupt (the kept file is corrupt: the data set ends in the middle of an element)"
    )
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, f"NOT verified: {headline}")
    assert f"Corrupt: {uid.decode()}: the kept file is corrupt" in result.stdout
    assert received.exit_code == 0, "nobody looked"


def test_who_was_turned_away_is_noted(verify: Verify, workstation: Peer, made: Made) -> None:
    def send(_: MoveExchange) -> MoveResponse:
        dcmtk.storescu(Peer("OTHER", workstation.host, workstation.port), made.files, calling="LONGTERM")
        return MoveResponse(0xA702, completed=0, failed=3)

    with scripted_archive(made, send) as archive:
        result = verify(archive, "--receive")
    assert result.exit_code == 1
    note = "at the receiver of dcmcfg: LONGTERM (127.0.0.1) called OTHER: the association was rejected permanently"
    assert note in result.stdout
