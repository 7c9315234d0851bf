"""Where the archive is told to send to."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest

from dcmcfg.changes import Change
from dcmcfg.dicom.peer import Peer
from dcmcfg.edits.temporary_destination import TemporaryDestination
from dcmcfg.edits.temporary_mark import OwnerProcess
from dcmcfg.errors import DicomError
from dcmcfg.temporary.address import find_delivery_warnings, find_receiver_address
from dcmcfg.temporary.run import DestinationAddition
from tests.route.sites import DCM4CHEE, lab, put

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


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ((), " To route these objects through the archive: dcmcfg set-external-retrieve DCM4CHEE"),
        ((put("dcmAltCMoveSCP", "LONGTERM"), put("dcmExternalRetrieveAEDestination", "DCM4CHEE")), ""),
        (
            (put("dcmFallbackCMoveSCP", "LONGTERM"),),
            " To route these objects through the archive: dcmcfg set-external-retrieve DCM4CHEE; "
            "dcmcfg set dcm4chee-arc dcmFallbackCMoveSCPDestination=DCM4CHEE",
        ),
        (
            (put("dcmObjectStorageID", on=DCM4CHEE),),
            " To route these objects through the archive: dcmcfg set-external-retrieve AET",
        ),
    ],
)
def test_a_warning_about_a_sender_has_the_complete_command(changes: tuple[Change, ...], advice: str) -> None:
    tree = lab().with_changes(list(changes))
    owner = OwnerProcess(user="ann", host="desk7", pid=1, started=1, created=datetime(2026, 1, 2, tzinfo=UTC))
    destination = TemporaryDestination("DCMCFG_1", "192.0.2.1", 4242, owner)
    addition = DestinationAddition(destination, "dcm4chee-arc", "DCM4CHEE")
    assert find_delivery_warnings(addition.make_plan(tree).after, addition, "VIEWER") == (
        "LONGTERM sends its objects directly to DCMCFG_1, but does not know the AE DCMCFG_1. So these objects will not "
        f"be delivered.{advice}",
    )
