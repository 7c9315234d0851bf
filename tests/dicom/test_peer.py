from __future__ import annotations

import pytest

from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.errors import MalformedInput


def test_peer_prints_as_it_is_written_on_command_lines() -> None:
    assert str(Peer("DCM4CHEE", "pacs", 11112)) == "DCM4CHEE@pacs:11112"


def test_peer_with_an_ipv6_address_keeps_port_and_address_apart() -> None:
    assert str(Peer("A", "::1", 104)) == "A@[::1]:104"


@pytest.mark.parametrize("port", [-1, 0, 65536, 99999])
def test_peer_refuses_what_is_no_port(port: int) -> None:
    with pytest.raises(MalformedInput, match="not a TCP port"):
        Peer("A", "pacs", port)


def test_peer_refuses_an_empty_host() -> None:
    with pytest.raises(MalformedInput, match="host is missing"):
        Peer("A", "", 104)


def test_default_timeouts_outlast_the_stock_archive_s_retrieve_timeout() -> None:
    assert DicomTimeouts().dimse > 300
    assert DicomTimeouts().network > 300


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_timeouts_must_be_above_zero(seconds: float) -> None:
    with pytest.raises(MalformedInput, match="dimse time-out"):
        DicomTimeouts(dimse=seconds)
