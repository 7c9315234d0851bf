"""The DICOM port of a lab process."""

from __future__ import annotations

import socket
import time

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.listener import all_contexts, listening
from tests.dicom.dcmtk import LOOPBACK, echoscu
from tests.ports import free_port


def test_it_stops_at_once_and_leaves_its_port() -> None:
    """Three of them stop one after the other when a lab goes down."""
    port, seconds = free_port(), []
    for _ in range(3):
        with listening("DCM4CHEE", port, [], all_contexts()):
            assert echoscu(Peer("DCM4CHEE", LOOPBACK, port)).returncode == 0
            begun = time.monotonic()
        seconds.append(time.monotonic() - begun)
        with socket.socket() as probe:
            assert probe.connect_ex((LOOPBACK, port)) != 0
    assert min(seconds) < 0.3
