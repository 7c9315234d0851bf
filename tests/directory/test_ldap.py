"""The LDAP connection against a real slapd."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import ConnectionLost, DirectoryError, NotFound
from dcmcfg.plan import assertions
from dcmcfg.plan.assertions import Equals, Not, Present
from tests import running_slapd
from tests.connecting import server_at, server_of
from tests.cutting_proxy import CuttingProxy
from tests.ports import free_port
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real

ARCHIVE = DN.parse("dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
NAME = "dcmExternalRetrieveAEDestination"


def described(text: str, dn: DN = ARCHIVE) -> Modify:
    return Modify(dn, (Modification(Operation.REPLACE, "dicomDescription", (text.encode(),)),))


def text_of(directory: LdapDirectory, name: str, dn: DN = ARCHIVE) -> str | None:
    entry = directory.read_entry(dn)
    assert entry is not None
    return entry.text(name)


def test_no_server_is_told_with_the_option_to_look_at() -> None:
    with pytest.raises(DirectoryError, match=r"connection refused.*--ldap-url"):
        connect(server_at(free_port()))


def test_a_wrong_password_is_told(slapd: RunningSlapd) -> None:
    with pytest.raises(DirectoryError, match=r"refused the bind DN or the password.*check --bind-dn") as refusal:
        connect(server_of(slapd, password="wrong"))
    assert refusal.value.result_code == 49


def test_no_password_is_never_an_anonymous_bind(slapd: RunningSlapd) -> None:
    with pytest.raises(DirectoryError, match="no password"):
        connect(server_of(slapd, password=""))


def test_a_base_dn_that_does_not_exist_is_told(slapd: RunningSlapd) -> None:
    with (
        connect(server_of(slapd, base_dn=DN.parse("cn=nowhere,dc=dcm4che,dc=org"))) as directory,
        pytest.raises(NotFound, match="cn=nowhere"),
    ):
        read_tree(directory)


def test_a_read_cut_short_by_the_size_limit_is_an_error(slapd: RunningSlapd) -> None:
    """An anonymous bind gets 500 entries at most, which ldap3 reports as success."""
    with (
        connect(server_of(slapd, bind_dn="", password="")) as directory,
        pytest.raises(DirectoryError, match="size limit") as refusal,
    ):
        read_tree(directory)
    assert refusal.value.result_code == 4


def test_the_whole_tree_is_read_as_a_third_party_reads_it(slapd: RunningSlapd, directory: LdapDirectory) -> None:
    tree = read_tree(directory)
    theirs = {entry.dn: entry for entry in slapd.entries()}
    assert len(theirs) == len(tree.entries) > 500
    for dn, entry in theirs.items():
        ours = tree.get(dn)
        assert ours is not None
        assert {a.name.lower(): sorted(a.values) for a in ours.attributes} == {
            a.name.lower(): sorted(a.values) for a in entry.attributes
        }
    assert set(tree.versions) == set(tree.entries)


def test_each_kind_of_change_is_made(directory: LdapDirectory) -> None:
    dn = DN.parse(f"cn=extra,{ARCHIVE}")
    entry = Entry.from_values(
        dn, {"objectClass": "dicomNetworkConnection", "cn": "extra", "dicomHostname": "localhost", "dicomPort": "1"}
    )
    directory.apply(Add(entry))
    directory.apply(Modify(dn, (Modification(Operation.DELETE, "dicomPort"),)))
    directory.apply(Modify(dn, (Modification(Operation.ADD, "dicomPort", (b"5",)),)))
    directory.apply(Modify(dn, (Modification(Operation.INCREMENT, "dicomPort", (b"2",)),)))
    assert text_of(directory, "dicomPort", dn) == "7"
    directory.apply(Rename(dn, RDN.of("cn", "other, with a comma")))
    renamed = ARCHIVE.child("cn", "other, with a comma")
    assert text_of(directory, "cn", renamed) == "other, with a comma"
    directory.apply(Delete(renamed))
    assert directory.read_entry(renamed) is None


def test_octets_that_are_no_text_come_back_as_they_were(directory: LdapDirectory) -> None:
    octets = bytes(range(256))
    directory.apply(Modify(ARCHIVE, (Modification(Operation.REPLACE, "dicomVendorData", (octets,)),)))
    entry = directory.read_entry(ARCHIVE)
    assert entry is not None
    assert entry.values("dicomVendorData") == (octets,)


def test_a_transaction_makes_all_of_its_changes(directory: LdapDirectory) -> None:
    device = ARCHIVE.parent.child("dicomDeviceName", "new")
    rename = Rename(device, RDN.of("dicomDeviceName", "newer"))
    directory.apply_in_transaction(
        [
            Add(
                Entry.from_values(
                    device, {"objectClass": "dicomDevice", "dicomDeviceName": "new", "dicomInstalled": "TRUE"}
                )
            ),
            Add(
                Entry.from_values(
                    device.child("cn", "dicom"),
                    {"objectClass": "dicomNetworkConnection", "cn": "dicom", "dicomHostname": "localhost"},
                )
            ),
            rename,
            described("made", rename.new_dn),
        ]
    )
    assert text_of(directory, "dicomDescription", rename.new_dn) == "made"
    assert directory.read_entry(rename.new_dn.child("cn", "dicom")) is not None


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_member_that_fails_leaves_nothing_changed_and_is_named(directory: LdapDirectory, index: int) -> None:
    before = read_tree(directory).entries
    missing = DN.parse("cn=nowhere,dc=dcm4che,dc=org")
    changes: list[Change] = [described("a"), described("b")]
    changes.insert(index, described("x", missing))
    with pytest.raises(NotFound, match="cn=nowhere"):
        directory.apply_in_transaction(changes)
    assert read_tree(directory).entries == before


def test_a_stale_assertion_ends_in_122_with_nothing_changed(directory: LdapDirectory) -> None:
    stale = replace(described("b"), controls=assertions.build_control([Equals("dicomDescription", b"never")]))
    before = read_tree(directory).entries
    with pytest.raises(DirectoryError, match="has changed since this change was planned") as refusal:
        directory.apply_in_transaction([described("a"), stale])
    assert refusal.value.result_code == 122
    assert read_tree(directory).entries == before


def test_assertions_over_several_steps_on_one_entry_hold(directory: LdapDirectory) -> None:
    steps: list[Change] = []
    assertion: assertions.Filter = Not(Present(NAME))
    for value in (b"A", b"B", b"C"):
        change = Modify(
            ARCHIVE, (Modification(Operation.REPLACE, NAME, (value,)),), assertions.build_control([assertion])
        )
        steps.append(change)
        assertion = Equals(NAME, value)
    directory.apply_in_transaction(steps)
    assert text_of(directory, NAME) == "C"


def test_a_last_child_cannot_be_deleted_in_a_transaction_of_this_slapd(directory: LdapDirectory) -> None:
    """Why plans put their deletes after the transaction (OpenLDAP before 2.6.11)."""
    device = ARCHIVE.parent.child("dicomDeviceName", "lonely")
    directory.apply(
        Add(
            Entry.from_values(
                device, {"objectClass": "dicomDevice", "dicomDeviceName": "lonely", "dicomInstalled": "TRUE"}
            )
        )
    )
    child = device.child("cn", "dicom")
    directory.apply(
        Add(
            Entry.from_values(
                child, {"objectClass": "dicomNetworkConnection", "cn": "dicom", "dicomHostname": "localhost"}
            )
        )
    )
    with pytest.raises(DirectoryError) as refusal:
        directory.apply_in_transaction([Delete(child), Delete(device)])
    assert refusal.value.result_code == 80
    assert directory.read_entry(child) is not None


def test_the_facts_of_a_stock_slapd(directory: LdapDirectory) -> None:
    facts = directory.read_capabilities()
    assert facts.transactions
    assert facts.assertions
    assert not facts.replicated


def test_an_ipv6_address_is_a_host() -> None:
    server = replace(server_at(1), url=f"ldap://[::1]:{free_port()}")
    with pytest.raises(DirectoryError, match="cannot connect to the LDAP server"):
        connect(server)


def test_a_provider_is_known_by_its_suffix_when_the_base_is_below_it(tmp_path: Path) -> None:
    provider = running_slapd.provider(tmp_path / "provider")
    base = DN.parse("cn=DICOM Configuration,dc=dcm4che,dc=org")
    with provider, connect(server_of(RunningSlapd(provider), base_dn=base)) as directory:
        assert directory.read_capabilities().replicated


def test_modifications_of_one_attribute_keep_their_order_however_it_is_spelt(directory: LdapDirectory) -> None:
    names = ("dicomDescription", "DICOMDESCRIPTION", "dicomDescription")
    steps = (Modification(Operation.REPLACE, name, (b"%d" % number,)) for number, name in enumerate(names))
    directory.apply(Modify(ARCHIVE, tuple(steps)))
    found = directory.read_entry(ARCHIVE)
    assert found is not None
    assert found.values("dicomDescription") == (b"2",)


def test_a_server_that_says_nothing_is_given_up_after_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(DirectoryError, match=r"connection to the LDAP server was lost|no answer in time"):
            connect(server_at(port, receive_timeout_s=1))


def test_a_connection_cut_after_a_change_was_sent_is_told_as_unknown(slapd: RunningSlapd) -> None:
    with (
        CuttingProxy(slapd.slapd.port, after=b"the last words") as proxy,
        connect(server_of(slapd, url=proxy.url)) as cut,
    ):
        with pytest.raises(ConnectionLost, match="connection to the LDAP server was lost"):
            cut.apply(described("the last words"))
        assert text_of(cut.reopen(), "dicomDescription") == "the last words"


def test_a_connection_that_ends_while_reading_is_an_error_and_not_half_a_tree(slapd: RunningSlapd) -> None:
    """The proxy lets 64 KiB of the answer through."""
    with (
        CuttingProxy(slapd.slapd.port, after=b"objectClass0", letting_through=65536) as proxy,
        connect(server_of(slapd, url=proxy.url)) as cut,
        pytest.raises(DirectoryError, match="connection to the LDAP server was lost"),
    ):
        read_tree(cut)
