"""Ports that two connections of the archive share, by the addresses that it binds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dcmcfg.changes import Change
from dcmcfg.entry import Entry
from dcmcfg.lint.catalogue import RULES_BY_NAME
from dcmcfg.lint.linter import lint
from dcmcfg.model.tree import Tree
from tests.lint.breaking import ARCHIVE, STORESCP_DEVICE, put, valid_tree
from tests.recorded.recordings import http
from tests.trees import ARCHIVE as SMALL
from tests.trees import connection, site_entries, tree

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULES = ("port-taken", "port-possibly-taken")
TAKEN, PERHAPS = RULES


def rules_and_connections(checked_tree: Tree) -> list[tuple[str, str]]:
    """Rule and connection of each."""
    return [
        (each.rule.name, str(each.dn.rdn)) for each in lint(checked_tree, NOW, [RULES_BY_NAME[name] for name in RULES])
    ]


def two(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """The rules that connections *a* and *b* of the archive break, which have port 104."""
    others = [entry for entry in site_entries() if not entry.is_a("dicomNetworkConnection")]
    made = [listener("a", first), listener("b", second)]
    return [rule for rule, _ in rules_and_connections(tree(*others, *made))]


def listener(name: str, values: dict[str, str]) -> Entry:
    entry = connection(SMALL, "104", name=name)
    entry = entry.with_values("objectClass", (b"dicomNetworkConnection", b"dcmNetworkConnection"))
    for attribute, text in values.items():
        entry = entry.with_values(attribute, (text.encode(),) if text else ())
    return entry


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        # Where dcmBindAddress is absent, dicomHostname is bound.
        ("localhost", "localhost", TAKEN),
        ("localhost", "127.0.0.1", TAKEN),
        ("localhost", "LOCALHOST", TAKEN),
        ("localhost", "::1", PERHAPS),
        ("::1", "localhost", PERHAPS),
        ("127.0.0.1", "127.0.0.2", None),
        ("127.0.0.1", "::1", None),
        ("127.0.0.1", "127.1", TAKEN),  # as Java reads it
        ("127.0.0.1", "::ffff:127.0.0.1", TAKEN),
        ("::1", "0:0:0:0:0:0:0:1", TAKEN),
        ("::1", "[::1]", TAKEN),
        ("10.0.0.1", "10.0.0.2", None),
        ("0.0.0.0", "10.0.0.2", TAKEN),
        ("10.0.0.2", "0.0.0.0", TAKEN),
        ("::", "10.0.0.2", TAKEN),
        ("0", "::1", TAKEN),
        ("0.0.0.0", "pacs", TAKEN),
        ("", "10.0.0.2", TAKEN),  # neither attribute: all addresses
        ("pacs", "PACS.", TAKEN),
        ("pacs", "pacs2", PERHAPS),
        ("pacs", "10.0.0.2", PERHAPS),
        ("10.0.0.2", "pacs", PERHAPS),
        ("256.1.1.1", "10.0.0.2", PERHAPS),
    ],
)
@pytest.mark.parametrize("attribute", ["dicomHostname", "dcmBindAddress"])
def test_addresses(attribute: str, first: str, second: str, rule: str | None) -> None:
    addresses = [{attribute: text} if text else {"dicomHostname": ""} for text in (first, second)]
    assert two(addresses[0], addresses[1]) == ([rule] if rule else [])


def test_of_a_connection_without_the_archives_own_class_the_bind_address_is_not_read() -> None:
    plain = connection(SMALL, name="two", dcmBindAddress="10.0.0.1")
    assert rules_and_connections(tree(*site_entries(), plain)) == [(TAKEN, "cn=two")]


def test_the_bind_address_counts_before_the_host_name() -> None:
    assert two({"dcmBindAddress": "10.0.0.1"}, {"dcmBindAddress": "10.0.0.2"}) == []
    assert two({"dicomHostname": "a"}, {"dicomHostname": "b"}) == [PERHAPS]


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ("DICOM", "HL7", TAKEN),
        ("HL7", "HL7_MLLP2", TAKEN),
        ("DICOM", "SYSLOG_UDP", None),  # another transport
        ("DICOM", "SYSLOG_TLS", PERHAPS),
        ("HTTP", "DICOM", PERHAPS),
        ("DICOM", "HTTP", PERHAPS),
        ("HTTP", "HTTP", None),
        ("HTTP", "SYSLOG_TLS", PERHAPS),
        ("SYSLOG_UDP", "SYSLOG_UDP", PERHAPS),
    ],
)
def test_protocols(first: str, second: str, rule: str | None) -> None:
    assert two({"dcmProtocol": first}, {"dcmProtocol": second}) == ([rule] if rule else [])


@pytest.mark.parametrize(
    "second",
    [
        {"dicomInstalled": "FALSE"},
        {"dicomPort": "105"},
        {"dicomPort": ""},
        {"dicomPort": "-1"},
        {"dicomPort": "0"},
        {"dicomPort": "99999"},
    ],
)
def test_a_connection_that_does_not_listen_takes_no_port(second: dict[str, str]) -> None:
    assert two({}, second) == []


def test_tls_is_no_other_port() -> None:
    assert two({}, {"dicomTLSCipherSuite": "TLS_RSA_WITH_AES_128_CBC_SHA"}) == [TAKEN]


def test_a_device_that_is_not_installed_opens_no_port() -> None:
    entries = [*site_entries(dicomInstalled="FALSE"), connection(SMALL, name="two")]
    assert rules_and_connections(tree(*entries)) == []
    assert rules_and_connections(tree(*site_entries(), connection(SMALL, name="two"))) == [(TAKEN, "cn=two")]


def test_the_ports_of_remote_devices_are_not_the_archives() -> None:
    changes = [put(f"cn=dicom,{STORESCP_DEVICE}", dicomPort="11115", dicomHostname="0.0.0.0")]
    assert rules_and_connections(valid_tree().with_changes(changes)) == []


def test_each_connection_is_named_once_with_a_port_of_its_own() -> None:
    others = [connection(SMALL, name=f"c{number}") for number in range(4)]
    given = lint(tree(*site_entries(), *others), NOW, [RULES_BY_NAME[TAKEN]])
    assert [each.message.rpartition(" in the")[0].rpartition("; ")[2] for each in given] == [
        f"port {port} is unused" for port in (11113, 11114, 11115, 11116)
    ]
    assert {each.impact for each in given} == {"stops-next-start"}


def test_where_no_port_is_left_none_is_proposed() -> None:
    ports = {"dicomPort": "65535"}
    others = [entry for entry in site_entries() if not entry.is_a("dicomNetworkConnection")]
    (given,) = lint(tree(*others, listener("a", ports), listener("b", ports)), NOW, [RULES_BY_NAME[TAKEN]])
    assert given.message == "the connection a also has port 65535 (addresses: localhost)"


@pytest.mark.usefixtures("recordings")
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("reload-two-connections-one-port", put(f"cn=dicom-tls,{ARCHIVE}", dicomPort="11115")),
        ("reload-hl7-on-dicom-port", put(f"cn=hl7,{ARCHIVE}", dicomPort="11115")),
    ],
)
def test_what_the_real_archive_could_not_bind_is_found(name: str, change: Change) -> None:
    """It answered 500 and took the new configuration; the connection that came later stayed closed."""
    recorded = http("ctrl-broken", name)
    assert recorded.status == 500
    assert recorded.text.startswith("java.io.IOException: Unable to start TCPListener on localhost:9112\n")
    assert "Address already in use" in recorded.text
    closed = [each for each, state in recorded.more["afterwards"]["ports"].items() if state == "refused"]
    assert [(TAKEN, f"cn={each}") for each in closed] == rules_and_connections(valid_tree().with_changes([change]))
