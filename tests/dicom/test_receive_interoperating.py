"""Ordinary senders with all that they can propose, plainly and over TLS."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.storage.files import check_saved_file
from dcmcfg.dicom.storage.receiver import Receiver
from dcmcfg.dicom.tls import TlsFiles
from tests.dicom import dcmtk
from tests.dicom.certificates import Pki, make_pki
from tests.dicom.dcmtk import Made
from tests.dicom.raw_scu import RELEASE, RawScu, associate, stored
from tests.patience import PATIENCE_S, PATIENT, comes_true
from tests.tls_slapd import Files

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return dcmtk.make_instances(tmp_path_factory.mktemp("made"), per_series=2)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with Receiver("STORESCP", dcmtk.LOOPBACK, 0, PATIENT, save_folder=tmp_path_factory.mktemp("kept")) as receiver:
        yield receiver


@pytest.fixture
def receiver(shared: Receiver) -> Receiver:
    shared.take(lambda _: True)
    return shared


def _peer(receiver: Receiver) -> Peer:
    return Peer(receiver.ae_title, receiver.host, receiver.port)


@pytest.mark.parametrize(
    "options",
    [
        ("-x=",),
        ("-xe",),
        ("-xb",),
        ("-xi",),
        ("-xd", "+C"),
        ("-xd", "-R"),
        ("--max-send-pdu", "4096"),
        ("--max-pdu", "4096"),
        ("-usr", "user", "-pwd", "secret"),
        ("-usr", "user", "-epw"),
        ("-R", "+C"),
    ],
    ids=" ".join,
)
def test_dcmtk_s_storescu_with_whatever_it_proposes(receiver: Receiver, made: Made, options: tuple[str, ...]) -> None:
    sent = dcmtk.storescu(_peer(receiver), made.files, options=options)
    assert sent.returncode == 0, sent.stderr
    assert [each.sop_instance_uid for each in receiver.received] == list(made.sop_instance_uids)
    assert [check_saved_file(each).problem for each in receiver.received] == ["", ""]


def test_what_is_compressed_arrives_as_it_was(receiver: Receiver, tmp_path: Path) -> None:
    made = dcmtk.make_instances(tmp_path / "made", per_series=1)
    dataset = dcmread(made.files[0])
    dataset.PixelData = encapsulate([b"a code stream"])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.save_as(made.files[0], enforce_file_format=True)
    sent = dcmtk.storescu(_peer(receiver), made.files, options=["-xv"])
    assert sent.returncode == 0, sent.stderr
    (instance,) = receiver.received
    assert (instance.transfer_syntax, check_saved_file(instance).problem) == (JPEG2000Lossless, "")
    assert instance.saved_path is not None
    assert dcmread(instance.saved_path).PixelData == dataset.PixelData


def test_pynetdicom_s_storescu(receiver: Receiver, made: Made) -> None:
    command = [sys.executable, "-m", "pynetdicom", "storescu", "-q", "-aec", "STORESCP", receiver.host]
    folder = made.files[0].parent
    done = subprocess.run(
        [*command, str(receiver.port), str(folder)], capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(each.sop_instance_uid for each in receiver.received) == sorted(made.sop_instance_uids)


def test_an_abort_at_the_end_loses_nothing(receiver: Receiver, made: Made) -> None:
    dcmtk.storescu(_peer(receiver), made.files, options=["--abort"])
    assert len(receiver.received) == 2


# ---- TLS


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def secured(pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    context = TlsFiles(pki.ca, pki.server.certificate, pki.server.key).server_context()
    save_folder = tmp_path_factory.mktemp("kept")
    with Receiver("STORESCP", dcmtk.LOOPBACK, 0, PATIENT, save_folder=save_folder, tls=context) as receiver:
        yield receiver


def _over_tls(shown: Files, trusted: Path) -> list[str]:
    return ["+tls", str(shown.key), str(shown.certificate), "+cf", str(trusted)]


def test_dcmtk_s_storescu_over_tls(secured: Receiver, pki: Pki, tmp_path: Path) -> None:
    made = dcmtk.make_instances(tmp_path, "1.2.3.8", per_series=2)
    sent = dcmtk.storescu(_peer(secured), made.files, options=_over_tls(pki.client, pki.ca))
    assert sent.returncode == 0, sent.stderr
    received = secured.take(lambda _: True)
    assert [each.sop_instance_uid for each in received] == list(made.sop_instance_uids)
    assert [check_saved_file(each).problem for each in received] == ["", ""]


def test_who_does_not_speak_tls_as_we_do_is_turned_away_and_told(secured: Receiver, pki: Pki, made: Made) -> None:
    def last_trouble(*options: str) -> str:
        before = set(secured.problems)
        assert dcmtk.storescu(_peer(secured), made.files, options=options).returncode != 0
        assert comes_true(lambda: set(secured.problems) != before)
        (new,) = set(secured.problems) - before
        return new

    assert last_trouble() == "TLS handshake with 127.0.0.1 failed: wrong version number"
    assert "certificate verify failed" in last_trouble(*_over_tls(pki.strange, pki.ca))
    assert "alert unknown ca" in last_trouble(*_over_tls(pki.client, pki.strange_ca))
    assert secured.received == ()


def test_silence_instead_of_a_handshake_ends(pki: Pki) -> None:
    context = TlsFiles(pki.ca, pki.server.certificate, pki.server.key).server_context()
    with (
        Receiver("STORESCP", dcmtk.LOOPBACK, 0, replace(PATIENT, acse=0.3), tls=context) as receiver,
        socket.create_connection((receiver.host, receiver.port), timeout=PATIENCE_S) as connection,
    ):
        assert connection.recv(1) == b""
        assert receiver.problems == ("TLS handshake with 127.0.0.1 failed: no handshake received",)


@contextmanager
def _raw_over_tls(pki: Pki, timeouts: DicomTimeouts) -> Iterator[tuple[Receiver, RawScu]]:
    """An association over TLS, and its receiver."""
    server = TlsFiles(None, pki.server.certificate, pki.server.key).server_context()
    client = ssl.create_default_context(cafile=str(pki.ca))
    with (
        Receiver("STORESCP", dcmtk.LOOPBACK, 0, timeouts, tls=server) as receiver,
        socket.create_connection((receiver.host, receiver.port), timeout=PATIENCE_S) as plain,
        client.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        yield receiver, RawScu(connection).associated(associate())


def test_who_is_connected_over_tls_when_the_receiver_ends_is_told(pki: Pki, timeouts: DicomTimeouts) -> None:
    with _raw_over_tls(pki, timeouts) as (receiver, scu):
        scu.send(stored(b"1.2.3.1") + stored(b"1.2.3.2"))
        assert [scu.status(), scu.status()] == [0, 0]
        receiver.__exit__(None, None, None)
        assert scu.pdu() == (7, b"\0\0\0\0")
        assert len(receiver.received) == 2


def test_a_release_over_tls_is_answered(pki: Pki, timeouts: DicomTimeouts) -> None:
    with _raw_over_tls(pki, timeouts) as (_, scu):
        scu.send(RELEASE)
        assert scu.pdu() == (6, b"\0\0\0\0")
