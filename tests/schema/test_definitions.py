"""The bundled schema answers by name."""

from __future__ import annotations

import time

import pytest

from dcmcfg.dn import DN
from dcmcfg.schema.definitions import Schema, load_bundled_schema

SCHEMA = load_bundled_schema()


@pytest.mark.parametrize("name", ["dicomAETitle", "DICOMAETITLE", "1.2.840.10008.15.0.3.7"])
def test_attribute_is_found_by_name_in_any_case_and_by_oid(name: str) -> None:
    attribute = SCHEMA.attribute(name)

    assert attribute is not None
    assert (attribute.name, attribute.syntax, attribute.equality_rule) == (
        "dicomAETitle",
        "IA5String",
        "caseExactIA5Match",
    )
    assert attribute.single_valued


def test_attribute_is_found_by_alias() -> None:
    assert SCHEMA.attribute("commonName") is SCHEMA.attribute("cn") is not None


def test_options_of_an_attribute_are_ignored() -> None:
    assert SCHEMA.attribute("userCertificate;binary") is SCHEMA.attribute("userCertificate") is not None


def test_unknown_names_are_not_found() -> None:
    assert SCHEMA.attribute("dcmAlternativeCMoveSCP") is None
    assert SCHEMA.object_class("dcmNothing") is None


def test_object_class_is_found_in_any_case() -> None:
    device = SCHEMA.object_class("DCMARCHIVEDEVICE")

    assert device is not None
    assert (device.name, device.kind) == ("dcmArchiveDevice", "auxiliary")
    assert "dcmFuzzyAlgorithmClass" in device.must
    assert "dcmExternalRetrieveAEDestination" in device.may


def test_every_attribute_of_a_class_is_defined() -> None:
    named = {name for known in SCHEMA.object_classes for name in (*known.must, *known.may)}

    assert [name for name in sorted(named) if SCHEMA.attribute(name) is None] == []


def test_values_compare_by_the_rule_of_their_attribute() -> None:
    assert SCHEMA.normalise_value("dicomDeviceName", b"CT  One") == SCHEMA.normalise_value(
        "DICOMDEVICENAME", b"ct one "
    )
    assert SCHEMA.normalise_value("dicomAETitle", b"CT1") != SCHEMA.normalise_value("dicomAETitle", b"ct1")
    assert SCHEMA.normalise_value("dicomVendorData", b"a  b") == b"a  b"
    assert SCHEMA.normalise_value("notInTheSchema", b"A  b ") == b"A  b "


def test_object_classes_compare_by_name_and_oid() -> None:
    assert SCHEMA.normalise_value("objectClass", b"DICOMDEVICE") == b"dicomdevice"
    assert SCHEMA.normalise_value("objectClass", b"1.2.840.10008.15.0.4.4") == b"dicomdevice"


def test_dns_compare_by_the_rules_of_the_attributes_in_them() -> None:
    def same(one: str, other: str) -> bool:
        return SCHEMA.normalise_dn(DN.parse(one)) == SCHEMA.normalise_dn(DN.parse(other))

    assert same("dicomDeviceName=CT,dc=x", "DICOMDEVICENAME=ct, DC=X")
    assert same("commonName=a,dc=x", "2.5.4.3=A,dc=x")
    assert same("cn=a+dicomAETitle=B,dc=x", "dicomAETitle=B+cn=a,dc=x")
    assert not same("dicomAETitle=CT,dc=x", "dicomAETitle=ct,dc=x")
    assert SCHEMA.normalise_dn_value("dicomAETitle", "CT") == "CT"


def test_references_are_equal_however_they_are_spelt() -> None:
    spelt = b"CN=dicom, dicomDeviceName=ARC,dc=x"
    assert SCHEMA.normalise_value("dicomNetworkConnectionReference", spelt) == b"cn=dicom,dicomdevicename=arc,dc=x"


def test_a_hundred_thousand_values_take_no_second() -> None:
    started = time.process_time()
    for _ in range(100_000):
        SCHEMA.normalise_value("dicomNetworkConnectionReference", b"cn=dicom,dicomDeviceName=dcm4chee-arc,dc=dcm4che")

    assert time.process_time() - started < 1.0


def test_an_empty_schema_compares_octets() -> None:
    assert Schema((), ()).normalise_value("cn", b"A") == b"A"
