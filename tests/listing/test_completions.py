"""What an unfinished word may become."""

from __future__ import annotations

from dcmcfg.entry import Entry
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import target
from dcmcfg.schema.definitions import bundled
from dcmcfg.search.completions import attributes, devices, label, referable, targets, titles, values
from tests.lint.breaking import sound
from tests.trees import ARCHIVE, network_ae, site, site_entries, tree


def names(begun: str) -> list[str]:
    odd = network_ae(ARCHIVE, "*", dicomDescription="any")
    return [name for name, _ in targets(Configuration(tree(*site_entries(), odd)), begun)]


def test_devices_and_aes_are_offered_device_names_in_any_case() -> None:
    assert names("") == [
        "dcm4chee-arc",
        "storescp",
        "dcm4chee-arc/*",
        "dcm4chee-arc/AS_RECEIVED",
        "dcm4chee-arc/DCM4CHEE",
        "storescp/STORESCP",
    ]
    assert names("STORESCP/") == ["storescp/STORESCP"]
    assert names("ae:D") == ["ae:DCM4CHEE"]
    assert names("AE:d") == [], "case counts in AE titles"
    assert names("x") == []
    assert list(titles(Configuration(site()), "S")) == [("STORESCP", "storescp")]
    assert list(devices(Configuration(site()), "D")) == [("dcm4chee-arc", "archive")]


def test_attributes_are_those_that_may_stand_there_or_do_with_the_forms_name() -> None:
    schema, entry = bundled(), target(Configuration(site()), "storescp")
    assert list(attributes(schema, "DCMEXTERNALRETRIEVEAED")) == [
        ("dcmExternalRetrieveAEDestination", label("dcmExternalRetrieveAEDestination"))
    ]
    assert label("dcmExternalRetrieveAEDestination")
    assert label("nothing") == ""
    device = schema.object_class("dcmDevice")
    assert device is not None
    assert {name for name, _ in attributes(schema, "dcm", entry)} == {n for n in device.may if n.startswith("dcm")}
    assert [name for name, _ in attributes(schema, "", entry, held=True)] == [
        "dicomDeviceName",
        "dicomInstalled",
        "objectClass",
    ]


def test_values_are_those_held_but_for_secrets_or_those_known() -> None:
    schema = bundled()
    entry = target(Configuration(site(dcmKeyStorePin="geheim", dicomDescription="x")), "dcm4chee-arc")
    assert list(values(schema, "dicominstalled", "")) == ["TRUE", "FALSE"]
    assert list(values(schema, "dcmProtocol", "HL7")) == ["HL7", "HL7_MLLP2"]
    assert "NEVER" in list(values(schema, "dcmOverwritePolicy", ""))
    assert list(values(schema, "dicomDescription", "", entry)) == ["x"]
    assert list(values(schema, "dcmKeyStorePin", "", entry)) == []
    assert list(values(schema, "nothing", "")) == []


def test_values_that_name_a_thing_are_completed_by_what_is_there() -> None:
    configuration = Configuration(sound())
    archive, storescp = target(configuration, "dcm4chee-arc"), target(configuration, "storescp")

    def offered(name: str, begun: str, entry: Entry | None = archive) -> list[str]:
        return list(referable(configuration, name, begun, entry))

    assert offered("dcmexternalretrieveaedestination", "d") == ["DCM4CHEE"]
    assert offered("dcmExternalRetrieveAEDestination", "", storescp) == ["STORESCP"], "looked for on its own device"
    assert {"LONGTERM", "STORESCP"} <= set(offered("dcmRetrieveAET", "")), "looked for on all"
    assert offered("dcmObjectStorageID", "") == ["fs1"]
    assert "Export" in offered("dcmQueueName", "", None)
    assert offered("dcmURI", "dicom:ST") == ["dicom:STORESCP"]
    assert offered("dcmURI", "storage:") == ["storage:fs1"]
    assert offered("dcmURI", "") == offered("dicomDescription", "") == offered("dcmURI", "http://") == []
    assert offered("dicomDeviceName", "") == [], "it is what the entry itself is called"
