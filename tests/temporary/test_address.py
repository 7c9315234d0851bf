"""Where the archive is told to send to."""

from __future__ import annotations

import socket

import pytest

from dcmcfg.dicom.peer import Peer
from dcmcfg.errors import DicomError
from dcmcfg.temporary.address import find_receiver_address

ARCHIVE = Peer("DCM4CHEE", "127.0.0.1", 11112)


def test_an_archive_on_this_machine_calls_loopback_and_any_free_port() -> None:
    where = find_receiver_address(ARCHIVE, ("localhost",), None)
    assert (where.host, where.port, where.listening_host) == ("127.0.0.1", 0, "127.0.0.1")
    assert where.reason == "this machine's address on the route to 127.0.0.1"


def test_what_was_said_counts_and_another_machines_address_is_listened_for_everywhere() -> None:
    assert find_receiver_address(ARCHIVE, (), ("127.0.0.1", 4242)).listening_host == "127.0.0.1"
    where = find_receiver_address(ARCHIVE, (), ("192.0.2.7", 4242))
    assert (where.host, where.port, where.listening_host, where.reason) == (
        "192.0.2.7",
        4242,
        "0.0.0.0",
        "from --temporary-address",
    )


def test_a_stock_tree_says_localhost_so_the_way_to_the_servers_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def on_the_way(host: str, port: int) -> str | None:
        return {"localhost": "127.0.0.1", "ldap.hospital": "10.1.2.3"}.get(host)

    monkeypatch.setattr("dcmcfg.temporary.address.find_source_address", on_the_way)
    stock = Peer("DCM4CHEE", "localhost", 11112)
    where = find_receiver_address(stock, ("ldap.hospital",), None)
    assert (where.host, where.listening_host, where.reason) == (
        "10.1.2.3",
        "10.1.2.3",
        "this machine's address on the route to ldap.hospital",
    )
    with pytest.raises(DicomError, match="no network route to the archive's host"):
        find_receiver_address(Peer("DCM4CHEE", "arc.invalid", 11112), (), None)


def test_the_address_is_the_one_that_the_peer_sees() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            seen = server.accept()[1][0]
    assert find_receiver_address(Peer("DCM4CHEE", "localhost", port), (), None).host == seen
