"""References of whole trees, and what each means."""

from __future__ import annotations

from dcmcfg.entry import Entry
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.model.registries import REGISTRIES
from tests.trees import ARCHIVE, DEVICES, STORESCP, network_ae, site, site_entries, tree


def exporter(uri: str = "dicom:STORESCP", **more: str) -> Entry:
    values = {"objectClass": "dcmExporter", "dcmExporterID": "X", "dcmURI": uri, "dcmQueueName": "Export"}
    return Entry.from_values(f"dcmExporterID=X,{ARCHIVE}", values | dict(more))


def texts(references: References) -> list[tuple[str, str]]:
    return [(each.attribute, each.name) for each in references.all if each.kind is not EntityKind.ENTRY]


def test_what_an_entry_is_named_by_refers_to_nothing() -> None:
    assert texts(References(site())) == [("dcmObjectStorageID", "fs1")]


def test_an_exporter_refers_to_ae_queue_and_peer() -> None:
    references = References(tree(*site_entries(), exporter(dicomAETitle="DCM4CHEE")))
    assert set(texts(references)) == {
        ("dcmObjectStorageID", "fs1"),
        ("dcmURI", "STORESCP"),
        ("dcmQueueName", "Export"),
        ("dicomAETitle", "DCM4CHEE"),
    }
    found = {each.name: references.resolve(each) for each in references.all if each.kind is not EntityKind.ENTRY}
    assert found["Export"] is None
    assert found["STORESCP"] is not None
    assert str(found["STORESCP"].dn) == f"dicomAETitle=STORESCP,{STORESCP}"


def test_references_to_an_entry_are_those_by_its_name_and_by_its_dn() -> None:
    references = References(tree(*site_entries(), exporter(dicomAETitle="STORESCP")))
    (ae,) = references.find_entries(EntityKind.AE, "STORESCP")
    found = references.find_references_to(ae, EntityKind.AE, "STORESCP")
    assert [each.attribute for each in found] == ["dcmURI"], "the local name means an AE of the exporter's device"
    (connection,) = (each for each in references.tree.sorted_entries() if str(each.dn) == f"cn=dicom,{STORESCP}")
    (by_dn,) = references.find_references_to(connection, EntityKind.ENTRY, "")
    assert (by_dn.dn, by_dn.attribute) == (ae.dn, "dicomNetworkConnectionReference")


def test_a_local_name_is_not_found_on_another_device() -> None:
    references = References(tree(*site_entries(), exporter(dicomAETitle="STORESCP")))
    (local,) = (each for each in references.all if each.attribute == "dicomAETitle")
    assert (local.use, references.resolve(local)) == (NameUse.LOCAL, None)


def test_titles_are_compared_with_case_and_device_names_without() -> None:
    rule = Entry.from_values(
        f"cn=r,{ARCHIVE}",
        {
            "objectClass": "dcmExportRule",
            "cn": "r",
            "dicomDeviceName": "StoreSCP",
            "dcmEntity": "Study",
            "dcmExporterID": "X",
        },
    )
    references = References(tree(*site_entries(), exporter("dicom:storescp"), rule))
    by_name = {each.name: references.resolve(each) is not None for each in references.all}
    assert (by_name["StoreSCP"], by_name["storescp"], by_name["X"]) == (True, False, True)


def test_of_several_entries_the_first_is_meant_and_all_are_told() -> None:
    second = f"dicomDeviceName=zz,{DEVICES}"
    device = Entry.from_values(
        second, {"objectClass": "dicomDevice", "dicomDeviceName": "zz", "dicomInstalled": "TRUE"}
    )
    references = References(tree(*site_entries(), device, network_ae(second, "STORESCP"), exporter()))
    (reference,) = references.find_references(EntityKind.AE, "STORESCP")
    resolved = references.resolve(reference)
    assert resolved is not None
    assert str(resolved.dn).endswith(STORESCP)
    assert len(references.find_entries(EntityKind.AE, "STORESCP")) == 2


def test_connection_references_are_dns_and_resolve() -> None:
    references = References(site())
    found = [each for each in references.all if each.kind is EntityKind.ENTRY]
    assert {each.attribute for each in found} == {"dicomNetworkConnectionReference"}
    assert all(references.resolve(each) is not None for each in found)
    broken = Reference(
        dn=found[0].dn,
        attribute=found[0].attribute,
        value=b"nonsense",
        kind=EntityKind.ENTRY,
        use=NameUse.REMOTE,
        name="nonsense",
    )
    assert references.resolve(broken) is None


def test_a_title_that_the_device_has_not_means_that_of_another_a_queue_does_not() -> None:
    other = f"dicomDeviceName=other,{DEVICES}"
    entries = (
        Entry.from_values(other, {"objectClass": "dicomDevice", "dicomDeviceName": "other", "dicomInstalled": "TRUE"}),
        Entry.from_values(f"dcmQueueName=Export,{other}", {"objectClass": "dcmQueue", "dcmQueueName": "Export"}),
    )
    references = References(tree(*site_entries(), *entries, exporter(dicomAETitle="STORESCP")))
    (title,) = (each for each in references.all if each.attribute == "dicomAETitle")
    (queue,) = (each for each in references.all if each.attribute == "dcmQueueName")
    assert references.resolve(title) is None
    assert [str(each.dn) for each in references.find_candidates(title)] == [f"dicomAETitle=STORESCP,{STORESCP}"]
    assert references.find_candidates(queue) == ()


def test_the_kinds_with_a_registry_are_those_that_say_so() -> None:
    assert {registry.kind for registry in REGISTRIES} == {kind for kind in EntityKind if kind.value.registered}
