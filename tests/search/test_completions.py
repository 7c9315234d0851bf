"""What an unfinished word may become."""

from __future__ import annotations

from dcmcfg.entry import Entry
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import resolve_entry
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.search.completions import (
    complete_ae_titles,
    complete_attributes,
    complete_devices,
    complete_references,
    complete_targets,
    complete_values,
    get_form_label,
)
from tests.lint.breaking import valid_tree
from tests.trees import ARCHIVE, network_ae, site, site_entries, tree


def names(prefix: str) -> list[str]:
    odd = network_ae(ARCHIVE, "*", dicomDescription="any")
    return [name for name, _ in complete_targets(Configuration(tree(*site_entries(), odd)), prefix)]


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
    assert list(complete_ae_titles(Configuration(site()), "S")) == [("STORESCP", "storescp")]
    assert list(complete_devices(Configuration(site()), "D")) == [("dcm4chee-arc", "archive")]


def test_attributes_are_those_that_may_stand_there_or_do_with_the_forms_name() -> None:
    schema, entry = load_bundled_schema(), resolve_entry(Configuration(site()), "storescp")
    assert list(complete_attributes(schema, "DCMEXTERNALRETRIEVEAED")) == [
        ("dcmExternalRetrieveAEDestination", get_form_label("dcmExternalRetrieveAEDestination"))
    ]
    assert get_form_label("dcmExternalRetrieveAEDestination")
    assert get_form_label("nothing") == ""
    device = schema.object_class("dcmDevice")
    assert device is not None
    assert {name for name, _ in complete_attributes(schema, "dcm", entry)} == {
        n for n in device.may if n.startswith("dcm")
    }
    assert [name for name, _ in complete_attributes(schema, "", entry, only_present=True)] == [
        "dicomDeviceName",
        "dicomInstalled",
        "objectClass",
    ]


def test_values_are_those_held_but_for_secrets_or_those_known() -> None:
    schema = load_bundled_schema()
    entry = resolve_entry(Configuration(site(dcmKeyStorePin="geheim", dicomDescription="x")), "dcm4chee-arc")
    assert list(complete_values(schema, "dicominstalled", "")) == ["TRUE", "FALSE"]
    assert list(complete_values(schema, "dcmProtocol", "HL7")) == ["HL7", "HL7_MLLP2"]
    assert "NEVER" in list(complete_values(schema, "dcmOverwritePolicy", ""))
    assert list(complete_values(schema, "dicomDescription", "", entry)) == ["x"]
    assert list(complete_values(schema, "dcmKeyStorePin", "", entry)) == []
    assert list(complete_values(schema, "nothing", "")) == []


def test_values_that_name_a_thing_are_completed_by_what_is_there() -> None:
    configuration = Configuration(valid_tree())
    archive, storescp = resolve_entry(configuration, "dcm4chee-arc"), resolve_entry(configuration, "storescp")

    def offered(name: str, prefix: str, entry: Entry | None = archive) -> list[str]:
        return list(complete_references(configuration, name, prefix, entry))

    assert offered("dcmexternalretrieveaedestination", "d") == ["DCM4CHEE"]
    assert offered("dcmExternalRetrieveAEDestination", "", storescp) == ["STORESCP"], "looked for on its own device"
    assert {"LONGTERM", "STORESCP"} <= set(offered("dcmRetrieveAET", "")), "looked for on all"
    assert offered("dcmObjectStorageID", "") == ["fs1"]
    assert "Export" in offered("dcmQueueName", "", None)
    assert offered("dcmURI", "dicom:ST") == ["dicom:STORESCP"]
    assert offered("dcmURI", "storage:") == ["storage:fs1"]
    assert offered("dcmURI", "") == offered("dicomDescription", "") == offered("dcmURI", "http://") == []
    assert offered("dicomDeviceName", "") == [], "it is what the entry itself is called"
