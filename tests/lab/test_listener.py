"""The DICOM port of a lab process."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dcmcfg.dicom.echo import send_echo
from dcmcfg.dicom.peer import Peer
from dcmcfg.lab import listener
from dcmcfg.lab.listener import build_archive_contexts, listen
from tests.dicom.certificates import make_pki
from tests.dicom.dcmtk import LOOPBACK, echoscu
from tests.dicom.tls_scp import server_context
from tests.patience import PATIENT
from tests.ports import free_port


def test_it_leaves_its_port_when_it_stops() -> None:
    port = free_port()
    for _ in range(3):
        with listen("DCM4CHEE", port, [], build_archive_contexts()):
            assert echoscu(Peer("DCM4CHEE", LOOPBACK, port)).returncode == 0
        with socket.socket() as probe:
            assert probe.connect_ex((LOOPBACK, port)) != 0


def test_who_begins_no_tls_handshake_keeps_nobody_else_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_HANDSHAKE_TIMEOUT_S", 0.2)
    pki, port = make_pki(tmp_path), free_port()
    with (
        listen("DCM4CHEE", port, [], build_archive_contexts(), tls=server_context(pki.server)),
        socket.create_connection((LOOPBACK, port)),
    ):
        assert (
            send_echo(Peer("DCM4CHEE", LOOPBACK, port), "ME", PATIENT, pki.trusting.client_context()).tls_session
            is not None
        )
