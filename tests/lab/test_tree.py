"""The LDIF files in ``ldif/``: a sound tree, on the lab's ports, and examples that work on it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import LabError
from dcmcfg.lab import tree
from dcmcfg.lab.site import Ports
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import find_ldif_folder, list_example_files, list_site_files, load_site_entries
from dcmcfg.ldif.writer import format_entry
from dcmcfg.schema.definitions import load_bundled_schema
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

PORTS = Ports(ldap=1, http=2, archive=3, external=4, storage=5, archive_tls=7, workstation=6)
DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
ARCHIVE = f"dicomDeviceName=dcm4chee-arc,{DEVICES}"
#: Examples that need another one before them.
AFTER = {"remove-workstation.ldif": "add-workstation.ldif"}


def by_dn(entries: tuple[Entry, ...]) -> Mapping[NormalDN, Entry]:
    return {load_bundled_schema().normalise_dn(entry.dn): entry for entry in entries}


def entry(entries: tuple[Entry, ...], dn: str) -> Entry:
    return by_dn(entries)[load_bundled_schema().normalise_dn(DN.parse(dn))]


def classes_of(directory: RunningSlapd, dn: str) -> set[str]:
    return set(entry(directory.entries(), dn).texts("objectClass"))


def test_parents_stand_before_children_and_nothing_twice() -> None:
    seen: set[object] = set()
    for one in load_site_entries(PORTS):
        name = load_bundled_schema().normalise_dn(one.dn)
        assert name not in seen
        assert not seen or load_bundled_schema().normalise_dn(one.dn.parent) in seen
        seen.add(name)
    assert len(seen) > 1_000


def test_lab_listens_where_its_tree_says() -> None:
    entries = load_site_entries(PORTS)
    addresses = {
        (one.dn.rdns[1].parts[0][1], one.text("cn")): (one.text("dicomHostname"), one.text("dicomPort"))
        for one in entries
        if one.is_a("dicomNetworkConnection")
    }

    assert addresses[("dcm4chee-arc", "dicom")] == ("127.0.0.1", "3")
    assert addresses[("dcm4chee-arc", "http")] == ("127.0.0.1", "2")
    assert addresses[("longterm", "dicom")] == ("127.0.0.1", "4")
    assert addresses[("storescp", "dicom")] == ("127.0.0.1", "5")
    assert addresses[("workstation", "dicom")] == ("127.0.0.1", "6")
    assert addresses[("dcm4chee-arc", "dicom-tls")] == ("127.0.0.1", "7")


def test_every_reference_names_a_connection_of_the_same_device() -> None:
    entries = load_site_entries(PORTS)
    known = by_dn(entries)
    for one in entries:
        for reference in one.texts("dicomNetworkConnectionReference"):
            connection = known[load_bundled_schema().normalise_dn(DN.parse(reference))]
            assert connection.is_a("dicomNetworkConnection")
            assert connection.dn.parent == one.dn.parent


def test_every_name_in_use_is_registered_and_no_other() -> None:
    entries = load_site_entries(PORTS)

    for attribute, used, registered in (
        ("dicomAETitle", "dicomNetworkAE", "dicomUniqueAETitle"),
        ("dcmWebAppName", "dcmWebApp", "dcmUniqueWebAppName"),
        ("hl7ApplicationName", "hl7Application", "hl7UniqueApplicationName"),
    ):
        in_use = {one.text(attribute) for one in entries if one.is_a(used)} - {"*"}
        assert {one.text(attribute) for one in entries if one.is_a(registered)} == in_use


def test_external_retrieve_is_set_up_but_for_its_destination() -> None:
    entries = load_site_entries(PORTS)
    storage = entry(entries, f"dcmStorageID=fs1,{ARCHIVE}")

    assert [one.dn for one in entries if "dcmExternalRetrieveAEDestination" in one] == []
    assert storage.text("dcmStorageDuration") == "CACHE"
    assert storage.text("dcmExternalRetrieveAET") == "LONGTERM"
    assert entry(entries, f"dcmExporterID=LONGTERM,{ARCHIVE}").text("dcmStgCmtSCP") == "LONGTERM"
    rule = entry(entries, f"cn=Export to LONGTERM,{ARCHIVE}")
    assert rule.text("dcmProperty") == "SendingApplicationEntityTitle!=LONGTERM"


def test_capabilities_are_what_the_generator_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    path = find_ldif_folder() / "generate.py"
    specification = importlib.util.spec_from_file_location("generate", path)
    assert specification is not None
    assert specification.loader is not None
    generate = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "generate", generate)  # dataclasses look their module up
    specification.loader.exec_module(generate)

    assert {name: (path.parent / "site" / name).read_text("utf-8") for name in generate.files()} == generate.files()


def test_missing_files_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tree, "_FOLDERS", (tmp_path,))

    with pytest.raises(LabError, match="reinstall dcmcfg"):
        list_site_files()


@pytest.mark.real
def test_real_slapd_takes_the_rewritten_tree_as_it_is(tmp_path: Path) -> None:
    entries = load_site_entries(PORTS)
    server = Slapd(tmp_path, port=free_port(), root_password=PASSWORD)
    server.prepare()
    server.load_ldif("".join(map(format_entry, entries)))
    with server:
        assert by_dn(RunningSlapd(server).entries()).keys() == by_dn(entries).keys()


@pytest.mark.real
@pytest.mark.parametrize("file", list_example_files(), ids=lambda path: path.name)
def test_example_applies_to_the_tree(slapd: RunningSlapd, file: Path) -> None:
    before = slapd.entries()
    for name in filter(None, (AFTER.get(file.name), file.name)):
        done = slapd.run_client("ldapmodify", "-f", str(file.with_name(name)))
        assert done.returncode == 0, done.stderr

    if file.name in {"clear-external-retrieve.ldif", "remove-workstation.ldif"}:
        assert by_dn(slapd.entries()).keys() == by_dn(before).keys()
    else:
        assert slapd.entries() != before


@pytest.mark.real
def test_set_and_clear_work_in_each_state(slapd: RunningSlapd) -> None:
    untouched = slapd.entries()
    for name, value in (("set", "DCM4CHEE"), ("set", "DCM4CHEE"), ("clear", None), ("clear", None)):
        file = find_ldif_folder() / "examples" / f"{name}-external-retrieve.ldif"
        assert slapd.run_client("ldapmodify", "-f", str(file)).returncode == 0
        assert entry(slapd.entries(), ARCHIVE).text("dcmExternalRetrieveAEDestination") == value
    assert slapd.entries() == untouched


@pytest.mark.real
def test_default_configuration_of_the_archive_is_there_to_test_with(upstream_slapd: RunningSlapd) -> None:
    assert {"dcmArchiveDevice", "dicomDevice"} <= classes_of(upstream_slapd, ARCHIVE)
    assert len(upstream_slapd.entries()) == 1_529
