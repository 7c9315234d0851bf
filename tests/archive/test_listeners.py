"""The archive's listeners by the tree, and whether something accepts connections there."""

from __future__ import annotations

import socket

from dcmcfg.archive.listeners import ArchiveListener, find_conflicting_connections, list_listeners, probe_listeners
from dcmcfg.model.devices import Configuration
from dcmcfg.render.reload import format_listener_states, listeners_json
from tests.trees import ARCHIVE, STORESCP, connection, site_entries, tree

URL = "http://127.0.0.1:8080/dcm4chee-arc"


def test_listeners_are_the_installed_dicom_and_hl7_connections_with_a_port() -> None:
    held = tree(
        *site_entries(),
        connection(ARCHIVE, "2575", name="hl7", dcmProtocol="HL7"),
        connection(ARCHIVE, "8080", name="http", dcmProtocol="HTTP"),
        connection(ARCHIVE, "514", name="syslog", dcmProtocol="SYSLOG_UDP"),
        connection(ARCHIVE, "104", name="off", dicomInstalled="FALSE"),
        connection(ARCHIVE, None, name="client"),
    )
    device = Configuration(held).get_device("dcm4chee-arc")
    assert [f"{each.name} {each.port}" for each in list_listeners(device)] == ["dicom 11112", "hl7 2575"]


def test_probe_shows_open_closed_and_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        opened, closed = server.getsockname()[1], other.getsockname()[1]
        other.close()
        found = probe_listeners(
            [ArchiveListener("a", "localhost", opened), ArchiveListener("b", "127.0.0.1", closed)], URL
        )
        assert [each.is_open for each in found] == [True, False]
    assert [each.is_open for each in probe_listeners([ArchiveListener("c", "host..invalid", 104)], URL)] == [None]


def test_of_connections_on_one_port_it_is_not_known_which_one_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = probe_listeners([ArchiveListener("a", "localhost", port), ArchiveListener("b", "LOCALHOST", port)], URL)
    assert [(each.is_open, each.shares_port) for each in found] == [(None, True)] * 2
    assert format_listener_states(found) == (
        f"Listeners (TCP connection): a (localhost:{port}): only one connection can listen on a shared port; "
        f"b (LOCALHOST:{port}): only one connection can listen on a shared port"
    )
    closed = probe_listeners([ArchiveListener("a", "localhost", port), ArchiveListener("b", "localhost", port)], URL)
    assert [each.is_open for each in closed] == [False, False]


def test_listener_that_the_archive_could_not_open_and_that_answers_is_another_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        port, open_port = server.getsockname()[1], other.getsockname()[1]
        listeners = [ArchiveListener("a", "localhost", port), ArchiveListener("b", "localhost", open_port)]
        found = probe_listeners(listeners, URL, unbound_address=f"LOCALHOST:{port}")
    assert format_listener_states(found) == (
        f"Listeners (TCP connection): a (localhost:{port}): port in use by another process or connection; "
        f"b (localhost:{open_port}): open"
    )
    told = [(each["open"], each["port_in_use_by_other"]) for each in listeners_json(found)]
    assert told == [(None, True), (True, False)]
    closed = probe_listeners(listeners[:1], URL, unbound_address=f"localhost:{port}")
    assert [(each["open"], each["port_in_use_by_other"]) for each in listeners_json(closed)] == [(False, False)]


def test_connections_of_other_devices_at_an_address_are_its_other_users() -> None:
    held = tree(
        *site_entries(),
        connection(STORESCP, "11112", name="second", dicomHostname="LOCALHOST"),
        connection(STORESCP, "11112", name="off", dicomInstalled="FALSE"),
        connection(STORESCP, "11112", name="elsewhere", dicomHostname="pacs2"),
    )
    assert find_conflicting_connections(Configuration(held), "dcm4chee-arc", "localhost:11112") == ("storescp/second",)
    assert find_conflicting_connections(Configuration(held), "dcm4chee-arc", "") == ()
