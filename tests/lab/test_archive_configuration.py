"""The stand-in archive's loader, AE cache and database, without a network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dcmcfg.directory.server import Scope
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lab.archive.configuration import Device, NetworkAE
from dcmcfg.lab.archive.database import Database, InstanceRecord, extract_header
from dcmcfg.lab.archive.java_exceptions import (
    ConfigurationNotFoundException,
    DanglingReference,
    IllegalArgumentException,
    IllegalStateException,
    IncompatibleConnectionException,
)
from dcmcfg.lab.archive.loader import parse_duration
from dcmcfg.lab.archive.lookup import AECache, DirectoryConfiguration, DirectoryReader
from dcmcfg.lab.archive.outgoing_connection import select_connection
from dcmcfg.lab.archive.server import (
    CALLED_AE_TITLE_NOT_RECOGNISED,
    CALLING_AE_TITLE_NOT_RECOGNISED,
    find_rejection_reason,
)
from dcmcfg.lab.site import Ports, Site
from dcmcfg.lab.studies import get_standard_study
from dcmcfg.lab.tree import load_site_entries

BASE = DN.parse(Site.base_dn)
DEVICES = f"cn=Devices,cn=DICOM Configuration,{BASE}"
ARCHIVE = f"dicomDeviceName=dcm4chee-arc,{DEVICES}"
PORTS = Ports(ldap=1389, http=18080, archive=21112, external=21119, storage=21115, archive_tls=21762, workstation=21117)
#: A lab without certificates.
SITE = Site(Path("/no-such-lab"), PORTS)


class Memory:
    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = {entry.dn: entry for entry in entries}
        self.reads = 0

    def read(self, base: DN, scope: Scope = "subtree", attributes: Sequence[str] = ("*",)) -> tuple[Entry, ...]:
        assert scope == "subtree"
        assert "objectClass" in attributes or attributes == ("*",)
        self.reads += 1
        return tuple(entry for dn, entry in self.entries.items() if dn.is_below(base))

    def change(self, dn: str, attribute: str, *values: str) -> None:
        key = DN.parse(dn)
        self.entries[key] = self.entries[key].with_values(attribute, [value.encode() for value in values])

    def configuration(self) -> DirectoryConfiguration:
        @contextmanager
        def opened() -> Iterator[DirectoryReader]:
            yield self

        return DirectoryConfiguration(opened, BASE)

    def archive(self) -> Device:
        return self.configuration().load_device("dcm4chee-arc")


@pytest.fixture
def memory() -> Memory:
    return Memory(load_site_entries(PORTS))


def find_existing_ae(memory: Memory, title: str) -> NetworkAE:
    ae = memory.configuration().find_ae(title)
    assert ae is not None
    return ae


def test_the_labs_tree_loads_with_what_the_stand_in_acts_on(memory: Memory) -> None:
    device = memory.archive()
    assert [ae.title for ae in device.aes] == ["DCM4CHEE", "AS_RECEIVED", "IOCM_REGULAR_USE", "WORKLIST"]
    assert device.ae_cache_stale_timeout_s == 300
    assert device.external_availability == "NEARLINE"
    ae = device.find_ae("DCM4CHEE")
    assert ae is not None
    assert ae.external_retrieve_destination is None
    assert ae.send_pending_interval_s == 5
    assert {(each.retrieve_timeout_s, each.store_timeout_s) for each in ae.connections} == {(300, 300)}
    assert ae.object_storages


def test_an_aes_capabilities_may_be_shared_from_another(memory: Memory) -> None:
    device = memory.archive()
    shared, own = device.find_ae("IOCM_REGULAR_USE"), device.find_ae("AS_RECEIVED")
    assert shared is not None
    assert own is not None
    assert shared.capabilities == own.capabilities != ()
    memory.change(f"dicomAETitle=IOCM_REGULAR_USE,{ARCHIVE}", "dcmShareTransferCapabilitiesFromAETitle", "GONE")
    again = memory.archive().find_ae("IOCM_REGULAR_USE")
    assert again is not None
    assert again.capabilities == ()


def test_an_ae_is_found_by_its_exact_title_with_the_address_of_its_connection(memory: Memory) -> None:
    local = find_existing_ae(memory, "DCM4CHEE")
    assert str(select_connection(SITE, find_existing_ae(memory, "LONGTERM"), local).peer) == "LONGTERM@127.0.0.1:21119"
    assert (
        str(select_connection(SITE, find_existing_ae(memory, "WORKSTATION"), local).peer)
        == "WORKSTATION@127.0.0.1:21117"
    )
    for title in ("longterm", "NOBODY", "*"):
        assert memory.configuration().find_ae(title) is None


def test_another_devices_connection_makes_every_ae_of_the_device_unloadable(memory: Memory) -> None:
    memory.change(
        f"dicomAETitle=WORKLIST,{ARCHIVE}",
        "dicomNetworkConnectionReference",
        f"cn=dicom,dicomDeviceName=storescp,{DEVICES}",
    )
    with pytest.raises(DanglingReference, match="Device with specified name not found"):
        memory.configuration().find_ae("DCM4CHEE")


def test_a_reference_in_other_case_and_spacing_is_the_same(memory: Memory) -> None:
    memory.change(f"dicomAETitle=WORKLIST,{ARCHIVE}", "dicomNetworkConnectionReference", f"CN=DICOM, {ARCHIVE}")
    assert memory.archive().find_ae("WORKLIST") is not None


@pytest.mark.parametrize(
    ("dn", "attribute", "value"),
    [
        (f"cn=dicom,{ARCHIVE}", "dicomPort", "0"),
        (f"cn=dicom,{ARCHIVE}", "dicomPort", "70000"),
        (f"cn=dicom,{ARCHIVE}", "dicomPort", "-2"),
        (f"cn=dicom,{ARCHIVE}", "dcmProtocol", "dicom"),
        (f"cn=dicom,{ARCHIVE}", "dcmProtocol", "HL7"),
        (ARCHIVE, "dcmAECacheStaleTimeout", "PT"),
        (ARCHIVE, "dcmSendPendingCMoveInterval", "P1W"),
        (ARCHIVE, "dcmCStoreSCUOfCMoveSCP", "A="),
    ],
)
def test_a_value_that_the_archive_cannot_read_fails_the_whole_device(
    memory: Memory, dn: str, attribute: str, value: str
) -> None:
    memory.change(dn, attribute, value)
    with pytest.raises(IllegalArgumentException):
        memory.archive()


def test_a_connection_with_port_minus_one_does_not_listen(memory: Memory) -> None:
    memory.change(f"cn=dicom,{ARCHIVE}", "dicomPort", "-1")
    ports = {each.dn: each.port for each in memory.archive().connections}
    assert ports[DN.parse(f"cn=dicom,{ARCHIVE}").normalised()] is None


def test_installed_is_inherited_and_false_on_the_device_wins(memory: Memory) -> None:
    local = find_existing_ae(memory, "DCM4CHEE")
    storescp = f"dicomDeviceName=storescp,{DEVICES}"
    memory.change(f"cn=dicom,{storescp}", "dicomInstalled")
    assert select_connection(SITE, find_existing_ae(memory, "STORESCP"), local).peer.port == 21115
    memory.change(f"cn=dicom,{storescp}", "dicomInstalled", "FALSE")
    with pytest.raises(IncompatibleConnectionException):
        select_connection(SITE, find_existing_ae(memory, "STORESCP"), local)
    memory.change(f"cn=dicom,{storescp}", "dicomInstalled", "TRUE")
    memory.change(storescp, "dicomInstalled", "FALSE")
    assert not find_existing_ae(memory, "STORESCP").installed
    with pytest.raises(IllegalStateException, match="Not installed"):
        select_connection(SITE, find_existing_ae(memory, "LONGTERM"), replace(local, installed=False))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT5M", 300),
        ("pt5s", 5),
        ("P1DT2H3M4.5S", 93784.5),
        ("PT90M", 5400),
        ("PT0,5S", 0.5),
        ("P2D", 172800),
    ],
)
def test_a_duration_is_read(text: str, expected: float) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "5M", "P1W", "PT-5S", "P1Y", "PT5M "])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(IllegalArgumentException):
        parse_duration(text)


def test_who_is_called_is_exact_then_any_then_another_title() -> None:
    plain = NetworkAE("A", installed=True, acceptor=True, connections=(), other_titles=("B",))
    anyone = replace(plain, title="*", other_titles=())
    assert Device("d", (), (plain,)).find_called_ae("B") is plain
    assert Device("d", (), (plain,)).find_called_ae("b") is None
    both = Device("d", (), (plain, anyone))
    assert both.find_called_ae("A") is plain
    assert both.find_called_ae("B") is anyone


def test_whom_it_rejects_and_why(memory: Memory) -> None:
    device = memory.archive()
    ae = device.find_ae("DCM4CHEE")
    assert ae is not None
    listening_on = frozenset(each.dn for each in device.connections if each.port == PORTS.archive)
    assert len(listening_on) == 1
    assert find_rejection_reason(device, "DCM4CHEE", "ANYBODY", listening_on) == 0
    assert find_rejection_reason(device, "DCM4CHEE", "ANYBODY", frozenset()) == CALLED_AE_TITLE_NOT_RECOGNISED
    strict = replace(device, aes=(replace(ae, accepted_calling_ae_titles=("VIEWER",)),))
    assert find_rejection_reason(strict, "DCM4CHEE", "VIEWER", listening_on) == 0
    assert find_rejection_reason(strict, "DCM4CHEE", "viewer", listening_on) == CALLING_AE_TITLE_NOT_RECOGNISED
    deaf = replace(device, aes=(replace(ae, acceptor=False),))
    assert find_rejection_reason(deaf, "DCM4CHEE", "VIEWER", listening_on) == CALLED_AE_TITLE_NOT_RECOGNISED


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_ae_and_its_absence_are_kept_until_stale(memory: Memory) -> None:
    clock = Clock()
    cache = AECache(memory.configuration().find_ae, clock)
    cache.stale_timeout_s = 300
    with pytest.raises(ConfigurationNotFoundException, match="Unknown AE: NOBODY"):
        cache.find_application_entity("NOBODY")
    cache.find_application_entity("LONGTERM")
    reads = memory.reads
    clock.now = 300
    cache.find_application_entity("LONGTERM")
    with pytest.raises(ConfigurationNotFoundException):
        cache.find_application_entity("NOBODY")
    assert memory.reads == reads
    clock.now = 301
    cache.find_application_entity("LONGTERM")
    assert memory.reads > reads


def test_without_a_stale_timeout_only_the_reload_forgets(memory: Memory) -> None:
    clock = Clock()
    cache = AECache(memory.configuration().find_ae, clock)
    cache.find_application_entity("LONGTERM")
    memory.change(f"dicomDeviceName=longterm,{DEVICES}", "dicomInstalled", "FALSE")
    clock.now = 1e9
    cache.find_application_entity("LONGTERM")
    cache.clear()
    with pytest.raises(ConfigurationNotFoundException, match="AE: LONGTERM not installed"):
        cache.find_application_entity("LONGTERM")


def test_an_unreadable_device_is_not_remembered(memory: Memory) -> None:
    cache = AECache(memory.configuration().find_ae, Clock())
    memory.change(f"cn=dicom,dicomDeviceName=longterm,{DEVICES}", "dicomPort", "0")
    with pytest.raises(IllegalArgumentException):
        cache.find_application_entity("LONGTERM")
    memory.change(f"cn=dicom,dicomDeviceName=longterm,{DEVICES}", "dicomPort", "104")
    cache.find_application_entity("LONGTERM")


def test_the_database_keeps_instances_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "database.sqlite"
    headers = [extract_header(each) for each in get_standard_study("three").instances]
    instances = [
        InstanceRecord(header, is_local=False, external_aet="LONGTERM", availability="NEARLINE") for header in headers
    ]
    database = Database(path)
    assert database.is_empty()
    database.save(instances)
    database.close()
    again = Database(path)
    assert not again.is_empty()
    assert {each.sop_instance_uid: each for each in again.list_instances()} == {
        each.sop_instance_uid: each for each in instances
    }
    again.save([replace(instances[0], is_local=True, retrieve_aets=("A", "B"))])
    found = again.find_instance(instances[0].sop_instance_uid)
    assert found is not None
    assert (found.is_local, found.retrieve_aets) == (True, ("A", "B"))
    assert again.find_instance("1.2.3") is None
    assert "PixelData" not in found.header
    again.close()


def test_the_database_serves_several_threads(tmp_path: Path) -> None:
    database = Database(tmp_path / "database.sqlite")
    work: list[Callable[[], object]] = [
        lambda each=each: database.save([InstanceRecord(extract_header(each), is_local=True)])  # type: ignore[misc]
        for each in get_standard_study("twenty").instances
    ]
    threads = [threading.Thread(target=each) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.sop_instance_uid for each in database.list_instances()} == get_standard_study(
        "twenty"
    ).sop_instance_uids
    database.close()
