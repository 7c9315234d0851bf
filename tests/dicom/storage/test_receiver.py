from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE

from dcmcfg.dicom.echo import send_echo
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.storage.incoming_data_set import read_data_set_uids
from dcmcfg.dicom.storage.receiver import ReceivedInstance, Receiver
from dcmcfg.errors import DicomError, MalformedInput
from dcmcfg.limits import override_limits
from tests.dicom import dcmtk
from tests.dicom.conftest import Source
from tests.patience import PATIENCE_S

real = pytest.mark.real
PRIVATE_SOP_CLASS = "1.2.826.0.1.3680043.9.9999.1"


@pytest.fixture
def receiver(timeouts: DicomTimeouts) -> Iterator[Receiver]:
    with Receiver("STORESCP", dcmtk.LOOPBACK, 0, timeouts) as receiver:
        yield receiver


def _peer(receiver: Receiver) -> Peer:
    return Peer(receiver.ae_title, receiver.host, receiver.port)


@real
def test_storescu_s_instances_are_counted(receiver: Receiver, tmp_path: Path) -> None:
    made = dcmtk.make_instances(tmp_path)
    sent = dcmtk.storescu(_peer(receiver), made.files, calling="LONGTERM")
    assert sent.returncode == 0, sent.stderr
    assert [instance.sop_instance_uid for instance in receiver.received] == list(made.sop_instance_uids)
    first = receiver.received[0]
    assert first.study_uid == made.study_uid
    assert first.sop_class_uid == "1.2.840.10008.5.1.4.1.1.2"
    assert (first.calling_ae_title, first.move_originator_ae_title) == ("LONGTERM", None)
    assert 300 < first.data_set_length < made.files[0].stat().st_size


@real
@pytest.mark.parametrize(
    ("option", "transfer_syntax"),
    [
        ("-xi", "1.2.840.10008.1.2"),
        ("-xe", "1.2.840.10008.1.2.1"),
        ("-xd", "1.2.840.10008.1.2.1.99"),
    ],
)
def test_study_is_known_in_each_encoding(option: str, transfer_syntax: str, receiver: Receiver, tmp_path: Path) -> None:
    made = dcmtk.make_instances(tmp_path, per_series=1)
    sent = dcmtk.storescu(_peer(receiver), made.files, options=[option])
    assert sent.returncode == 0, sent.stderr
    (instance,) = receiver.received
    assert (instance.transfer_syntax, instance.study_uid) == (transfer_syntax, made.study_uid)


@real
def test_private_storage_sop_class_is_accepted(receiver: Receiver, tmp_path: Path) -> None:
    made = dcmtk.make_instances(tmp_path, per_series=1, sop_class=PRIVATE_SOP_CLASS)
    entity = AE("SENDER")
    entity.add_requested_context(PRIVATE_SOP_CLASS, ExplicitVRLittleEndian)
    association = entity.associate(receiver.host, receiver.port, ae_title=receiver.ae_title)
    status = association.send_c_store(dcmread(made.files[0]), originator_aet="ME", originator_id=7)
    association.release()
    assert status.Status == 0x0000
    (instance,) = receiver.received
    assert (instance.sop_class_uid, instance.move_originator_ae_title) == (PRIVATE_SOP_CLASS, "ME")


@real
def test_compressed_transfer_syntax_is_accepted_as_proposed(receiver: Receiver) -> None:
    entity = AE("SENDER")
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.2", ["1.2.840.10008.1.2.4.90", ImplicitVRLittleEndian])
    association = entity.associate(receiver.host, receiver.port, ae_title=receiver.ae_title)
    accepted = [context.transfer_syntax[0] for context in association.accepted_contexts]
    association.release()
    assert accepted == ["1.2.840.10008.1.2.4.90"]


@real
def test_other_called_ae_title_is_rejected(receiver: Receiver, tmp_path: Path, timeouts: DicomTimeouts) -> None:
    made = dcmtk.make_instances(tmp_path, per_series=1)
    other = Peer("OTHER", receiver.host, receiver.port)
    assert dcmtk.storescu(other, made.files).returncode != 0
    with pytest.raises(DicomError, match="1/1/7"):
        send_echo(other, "ME", timeouts)
    assert receiver.received == ()


@real
def test_echo_is_answered(receiver: Receiver, timeouts: DicomTimeouts) -> None:
    assert dcmtk.echoscu(_peer(receiver)).returncode == 0
    assert send_echo(_peer(receiver), "ME", timeouts).seconds > 0


@real
def test_movescu_of_dcmtk_fills_the_receiver(source: Source, timeouts: DicomTimeouts) -> None:
    with Receiver("RECEIVER", "localhost", source.receiver.port, timeouts) as receiver:
        move_result = dcmtk.movescu(source.peer, source.made.study_uid, "RECEIVER", calling="WORKSTATION")
        assert move_result.returncode == 0, move_result.stderr
        assert receiver.wait_until(lambda received: len(received) == 4, seconds=PATIENCE_S)
        assert receiver.received_count == 4
    assert {instance.move_originator_ae_title for instance in receiver.received} == {"WORKSTATION"}


@real
def test_callback_sees_each_instance_and_parallel_senders_lose_none(tmp_path: Path, timeouts: DicomTimeouts) -> None:
    seen: list[ReceivedInstance] = []
    with Receiver("STORESCP", dcmtk.LOOPBACK, 0, timeouts, on_received=seen.append) as receiver:
        studies = [dcmtk.make_instances(tmp_path / str(n), f"1.2.3.{n}", per_series=5) for n in range(3)]
        senders = [threading.Thread(target=dcmtk.storescu, args=(_peer(receiver), made.files)) for made in studies]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        received = receiver.received
    expected = sorted(uid for made in studies for uid in made.sop_instance_uids)
    assert sorted(instance.sop_instance_uid for instance in received) == expected
    assert sorted(instance.sop_instance_uid for instance in seen) == expected


@real
def test_what_is_taken_of_one_study_is_gone_and_the_rest_stays(receiver: Receiver, tmp_path: Path) -> None:
    studies = [dcmtk.make_instances(tmp_path / str(n), f"1.2.3.{n}", per_series=2) for n in range(2)]
    for made in studies:
        assert dcmtk.storescu(_peer(receiver), made.files).returncode == 0
    taken = receiver.take(lambda each: each.study_uid == "1.2.3.0")
    assert [instance.sop_instance_uid for instance in taken] == list(studies[0].sop_instance_uids)
    assert receiver.take(lambda each: each.study_uid == "1.2.3.0") == ()
    assert [instance.sop_instance_uid for instance in receiver.received] == list(studies[1].sop_instance_uids)


@real
def test_waiting_ends_when_time_is_over(receiver: Receiver) -> None:
    assert not receiver.wait_until(lambda received: bool(received), seconds=0.2)


@real
def test_port_taken_by_dcmtk_is_said_with_its_pid(tmp_path: Path, timeouts: DicomTimeouts) -> None:
    with (
        dcmtk.storescp(tmp_path / "in") as peer,
        pytest.raises(DicomError, match=rf"port {peer.port} is already in use by storescp \(pid \d+\)"),
        Receiver("STORESCP", dcmtk.LOOPBACK, peer.port, timeouts),
    ):
        pass


@real
def test_port_taken_by_ourselves_is_said(receiver: Receiver, timeouts: DicomTimeouts) -> None:
    with (
        pytest.raises(DicomError, match=rf"already in use by .*\(pid {os.getpid()}\)"),
        Receiver("STORESCP", "localhost", receiver.port, timeouts),
    ):
        pass


@real
def test_port_is_free_again_afterwards(timeouts: DicomTimeouts) -> None:
    with Receiver("STORESCP", "localhost", 0, timeouts) as first:
        port = first.port
    with Receiver("STORESCP", "localhost", port, timeouts) as second:
        assert second.port == port


def test_another_machine_s_address_is_refused(timeouts: DicomTimeouts) -> None:
    with (
        pytest.raises(DicomError, match="not this machine"),
        Receiver("STORESCP", "192.0.2.1", 11115, timeouts),
    ):
        pass


def test_what_is_no_ae_title_is_refused(timeouts: DicomTimeouts) -> None:
    with pytest.raises(MalformedInput):
        Receiver("A" * 17, dcmtk.LOOPBACK, 0, timeouts)


@real
def test_sender_that_hangs_does_not_keep_the_receiver_from_ending(capfd: pytest.CaptureFixture[str]) -> None:
    patient = DicomTimeouts(acse=10 * PATIENCE_S, network=10 * PATIENCE_S)
    with socket.socket() as sender, Receiver("STORESCP", dcmtk.LOOPBACK, 0, patient) as receiver:
        sender.connect((dcmtk.LOOPBACK, receiver.port))
        sender.sendall(b"\x01\x00\x00\x00\x01\x00half a request")
        time.sleep(0.3)  # until it has been read, most likely
        ending = threading.Thread(target=receiver.__exit__, args=(None, None, None), daemon=True)
        ending.start()
        ending.join(PATIENCE_S)
        assert not ending.is_alive()
    assert capfd.readouterr() == ("", "")


@real
def test_garbage_does_not_disturb_the_next_sender(
    receiver: Receiver, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for octets in (b"GET / HTTP/1.1\r\n\r\n", b"\x01\x00\x00\x00\x00\x04\xff\xff\xff\xff", b"\x04\x00\x00\x00\x00\x00"):
        with socket.create_connection((dcmtk.LOOPBACK, receiver.port)) as sender:
            sender.sendall(octets)
            time.sleep(0.1)
    made = dcmtk.make_instances(tmp_path, per_series=1)
    assert dcmtk.storescu(_peer(receiver), made.files).returncode == 0
    assert len(receiver.received) == 1
    assert capfd.readouterr() == ("", "")


@settings(max_examples=100)
@given(
    st.binary(max_size=200),
    st.sampled_from([ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]),
)
def test_octets_that_are_no_data_set_have_no_study_or_some_text(octets: bytes, syntax: UID) -> None:
    assert isinstance(read_data_set_uids(octets, syntax, 1 << 20).study_uid, str)


@real
def test_instances_beyond_the_limit_are_refused_and_not_kept(tmp_path: Path, timeouts: DicomTimeouts) -> None:
    made = dcmtk.make_instances(tmp_path, per_series=3)
    with (
        override_limits({"instances": 2}),
        Receiver("STORESCP", dcmtk.LOOPBACK, 0, timeouts, save_folder=tmp_path / "kept") as receiver,
    ):
        dcmtk.storescu(_peer(receiver), made.files, calling="LONGTERM")
        assert receiver.received_count == 2
        (trouble,) = receiver.problems
    assert trouble.startswith("LONGTERM sent more than 2 instances that the receiver records for the result")
    assert trouble.endswith("--max instances=4")
    assert len(list((tmp_path / "kept").rglob("*.*"))) == 3, "the study's folder and two files"
