from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import UID, ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEG2000Lossless

from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.storage.files import InstanceFolder, _rename_if_absent, build_file_header
from dcmcfg.dicom.storage.receiver import Receiver
from dcmcfg.errors import DicomError
from tests.dicom import dcmtk
from tests.dicom.raw_scu import data_set, p_data, pdu, raw_scu, store, stored, value
from tests.dicom.writing import no_file_longer_than
from tests.growth import growth

real = pytest.mark.real


@pytest.fixture
def receiver(tmp_path: Path, timeouts: DicomTimeouts) -> Iterator[Receiver]:
    with Receiver("STORESCP", dcmtk.LOOPBACK, 0, timeouts, save_folder=tmp_path / "kept") as receiver:
        yield receiver


def _peer(receiver: Receiver) -> Peer:
    return Peer(receiver.ae_title, receiver.host, receiver.port)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _kept(folder: InstanceFolder, study_uid: str | None, uid: str, octets: bytes = b"octets") -> Path:
    file = folder.create_file(octets)
    return file.finish(study_uid, uid)


@real
@pytest.mark.parametrize("option", ["-xi", "-xe", "-xb", "-xd"])
def test_each_instance_is_a_file_that_dcmtk_and_pydicom_read(receiver: Receiver, tmp_path: Path, option: str) -> None:
    made = dcmtk.make_instances(tmp_path / "made", per_series=2)
    assert dcmtk.storescu(_peer(receiver), made.files, calling="LONGTERM", options=[option]).returncode == 0
    assert {instance.problem for instance in receiver.received} == {""}
    paths = [tmp_path / "kept" / made.study_uid / f"{uid}.dcm" for uid in made.sop_instance_uids]
    assert [instance.saved_path for instance in receiver.received] == paths
    for path, source, instance in zip(paths, made.files, receiver.received, strict=True):
        read, sent = dcmread(path), dcmread(source)
        assert read.pop("PixelData").value == sent.pop("PixelData").value  # its VR goes by the transfer syntax
        assert read == sent
        meta = read.file_meta
        assert meta.TransferSyntaxUID == instance.transfer_syntax
        assert (meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID) == (
            read.SOPClassUID,
            read.SOPInstanceUID,
        )
        assert (meta.SourceApplicationEntityTitle, meta["ReceivingApplicationEntityTitle"].value) == (
            "LONGTERM",
            "STORESCP",
        )
        assert dcmtk.dcmdump(path).returncode == 0
        assert path.stat().st_mode & 0o777 == 0o600


@real
def test_without_a_folder_nothing_is_kept(timeouts: DicomTimeouts) -> None:
    with Receiver("STORESCP", dcmtk.LOOPBACK, 0, timeouts) as receiver, raw_scu(_peer(receiver)) as scu:
        scu.associated().send(stored())
        assert scu.status() == 0
        assert [(each.saved_path, each.problem) for each in receiver.received] == [(None, "")]


@real
def test_half_an_instance_leaves_no_file(receiver: Receiver, tmp_path: Path) -> None:
    with raw_scu(_peer(receiver)) as scu:
        scu.associated()
        scu.send(p_data(value(store(), is_command=True), value(data_set(), is_command=False, is_last=False)))
        scu.send(pdu(7, b"\0\0\0\0"))
        assert scu.pdu() == (0, b"")
    assert _files(tmp_path) == {}


@real
@pytest.mark.parametrize("uid", [b"../../../escaped", b"/tmp/escaped", b"..", b"1.2\0.3", b"1" * 128, b"a b", b"CON:"])
def test_whatever_the_uids_are_no_file_is_outside(receiver: Receiver, tmp_path: Path, uid: bytes) -> None:
    octets = data_set(uid, study=uid)
    with raw_scu(_peer(receiver)) as scu:
        scu.associated().send(p_data(value(store(uid), is_command=True), value(octets, is_command=False)))
        assert scu.status() == 0
    (path,) = _files(tmp_path)
    folder, study, name = Path(path).parts
    assert (folder, study[:6], name[:6], len(name)) == ("kept", "other-", "other-", 42)


@settings(max_examples=200)
@given(st.none() | st.text(), st.text())
def test_no_uid_leads_out_of_the_folder(tmp_path_factory: pytest.TempPathFactory, study: str | None, uid: str) -> None:
    root = tmp_path_factory.getbasetemp() / "laws"
    path = _kept(InstanceFolder(root), study, uid)
    assert path.resolve().parent.parent == root.resolve()
    assert path.read_bytes() == b"octets"


def test_many_instances_of_one_uid_are_kept_in_linear_time(tmp_path: Path) -> None:
    folders = itertools.count()

    def keeping(count: int) -> Callable[[], object]:
        folder = InstanceFolder(tmp_path / str(next(folders)))
        return lambda: [_kept(folder, "1.2", "1.2.3", b"%d" % number) for number in range(count)]

    assert growth(keeping, 25) < 4.5


def test_each_content_of_one_uid_is_one_file_whichever_run_has_kept_it(tmp_path: Path) -> None:
    contents = [b"%d" % number for number in range(5)]
    earlier = [_kept(InstanceFolder(tmp_path), "1.2", "1.2.3", octets) for octets in contents]
    assert [path.name for path in earlier] == ["1.2.3.dcm", *(f"1.2.3~{number}.dcm" for number in range(2, 6))]
    folder = InstanceFolder(tmp_path)
    for octets, path in [*zip(contents, earlier, strict=True)][::-1] * 2:
        assert _kept(folder, "1.2", "1.2.3", octets) == path
    new = [_kept(folder, "1.2", "1.2.3", b"new") for _ in range(2)]
    assert [path.name for path in new] == ["1.2.3~6.dcm"] * 2
    assert sorted(_files(tmp_path).values()) == sorted([*contents, b"new"])


@real
def test_an_instance_that_comes_again_is_one_file_and_another_of_its_name_a_second(
    receiver: Receiver, tmp_path: Path
) -> None:
    with raw_scu(_peer(receiver)) as scu:
        scu.associated().send(stored() + stored())
        other = p_data(value(store(), is_command=True), value(data_set() + b"\x21\0\0\0\0\0\0\0", is_command=False))
        scu.send(other + other)
        assert [scu.status() for _ in range(4)] == [0] * 4
    assert sorted(_files(tmp_path / "kept")) == ["1.2.3/1.2.3.1.dcm", "1.2.3/1.2.3.1~2.dcm"]
    assert [each.saved_path and each.saved_path.name for each in receiver.received] == ["1.2.3.1.dcm"] * 2 + [
        "1.2.3.1~2.dcm"
    ] * 2


def test_files_that_were_there_before_stay(tmp_path: Path) -> None:
    folder = InstanceFolder(tmp_path)
    existing_file = tmp_path / "1.2" / "1.2.3.dcm"
    existing_file.parent.mkdir()
    existing_file.write_bytes(b"of somebody else")
    assert _kept(folder, "1.2", "1.2.3").name == "1.2.3~2.dcm"
    assert existing_file.read_bytes() == b"of somebody else"


def test_many_at_once_lose_none(tmp_path: Path) -> None:
    folders = [InstanceFolder(tmp_path) for _ in range(4)]
    writers = [
        threading.Thread(target=_kept, args=(folder, "1.2", "1.2.3", b"%d" % number))
        for number, folder in enumerate(folders * 5)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(map(int, _files(tmp_path).values())) == list(range(20))


def test_where_a_file_has_one_name_only_it_is_renamed_and_none_is_lost(tmp_path: Path) -> None:
    written, path = tmp_path / "written", tmp_path / "path"
    written.write_bytes(b"one")
    assert _rename_if_absent(written, path)
    written.write_bytes(b"two")
    assert not _rename_if_absent(written, path)
    assert (path.read_bytes(), written.read_bytes()) == (b"one", b"two")


@real
@pytest.mark.parametrize("octets", [100, 200_000])
def test_what_cannot_be_written_is_refused_and_told_and_the_next_one_is_kept(
    receiver: Receiver, tmp_path: Path, octets: int
) -> None:
    """100 is less than the head of a file, which is written at the end only, with what little follows it."""
    large = data_set() + b"\x28\0\0\0\0\0\4\0" + b"\0" * 0x40000
    with raw_scu(_peer(receiver)) as scu:
        scu.associated()
        with no_file_longer_than(octets):
            content = data_set() if octets < 1000 else large
            scu.send(p_data(value(store(), is_command=True), value(content, is_command=False)))
            assert scu.status() == 0xA700
        assert _files(tmp_path) == {}
        scu.send(stored(b"1.2.3.2"))
        assert scu.status() == 0
    assert [each.problem for each in receiver.received] == ["the file could not be written: File too large", ""]
    assert list(_files(tmp_path / "kept")) == ["1.2.3/1.2.3.2.dcm"]


@real
def test_a_folder_that_is_none_is_said_before_anybody_calls(tmp_path: Path, timeouts: DicomTimeouts) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    with (
        pytest.raises(DicomError, match="dcmcfg cannot store files in this folder"),
        Receiver("STORESCP", dcmtk.LOOPBACK, 0, timeouts, save_folder=path),
    ):
        pass
    assert path.read_bytes() == b""


@real
def test_a_folder_that_is_gone_meanwhile_is_told(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "kept").rmdir()
    with raw_scu(_peer(receiver)) as scu:
        scu.associated().send(stored())
        assert scu.status() == 0xA700
    assert [each.problem for each in receiver.received] == ["the file could not be written: No such file or directory"]


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, JPEG2000Lossless, UID("1.2.3.4")])
def test_the_head_of_a_file_is_what_pydicom_reads(tmp_path: Path, syntax: UID) -> None:
    head = build_file_header(
        sop_class_uid=b"1.2.840.10008.5.1.4.1.1.2",
        sop_instance_uid=b"1.2.3",
        transfer_syntax=syntax,
        source_ae_title="A" * 15,
        receiving_ae_title="B",
    )
    (tmp_path / "file").write_bytes(head)
    meta = dcmread(tmp_path / "file").file_meta
    assert (meta.TransferSyntaxUID, meta.MediaStorageSOPInstanceUID) == (syntax, "1.2.3")
    assert meta.FileMetaInformationGroupLength == len(head) - 144
    assert head.startswith(b"\0" * 128 + b"DICM")
