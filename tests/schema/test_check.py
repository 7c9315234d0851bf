"""Every rule of the check, with an entry that breaks it and one that does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lab.tree import list_site_files
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.schema.check import LocatedEntry, check_entries
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.findings import RULES, EntryFinding, SourceLocation
from dcmcfg.schema.structure import StructureChecker, check_structure
from dcmcfg.schema.web_form import get_form_fields
from tests.trees import ARCHIVE, BASE, DEVICES, STORESCP, connection, network_ae, site_entries

UPSTREAM = os.environ.get("DCMCFG_UPSTREAM", "")
RELEASES = os.environ.get("DCMCFG_RELEASES", "")
FILES = ("init-baseDN.ldif", "init-config.ldif", "default-config.ldif", "default-ui-config.ldif")


def found(*entries: Entry, live: bool = False, newer: bool = False) -> list[EntryFinding]:
    return list(
        check_entries(
            [LocatedEntry(entry) for entry in entries], load_bundled_schema(), live=live, server_is_newer=newer
        )
    )


def rules(*entries: Entry, live: bool = False) -> list[tuple[str, str, bytes | None]]:
    return [(each.rule.name, each.attribute, each.value) for each in found(*entries, live=live)]


def site_with(name: str, *values: str) -> tuple[Entry, ...]:
    """The small site, the archive device holding *values* of attribute *name*."""
    octets = tuple(value.encode() for value in values)
    return tuple(entry.with_values(name, octets) if str(entry.dn) == ARCHIVE else entry for entry in site_entries())


def test_a_site_in_order_has_no_findings() -> None:
    assert found(*site_entries()) == found(*site_entries(), live=True) == []


@pytest.mark.parametrize(
    ("name", "values", "rule", "wrong"),
    [
        ("dcmFoo", ["1"], "unknown-attribute", None),
        ("dcmURI", ["file:/x"], "attribute-not-allowed", None),
        ("dcmFuzzyAlgorithmClass", [], "missing-attribute", None),
        ("dicomDescription", ["a", "b"], "single-valued", None),
        ("dicomManufacturer", ["é", "É"], "duplicate-value", "É"),
        ("dicomInstalled", ["true"], "syntax", "true"),
        ("dcmQidoMaxNumberOfResults", ["010"], "syntax", "010"),
        ("dicomRelatedDeviceReference", ["nonsense"], "syntax", "nonsense"),
        ("dcmExternalRetrieveAEDestination", ["É"], "syntax", "É"),
        ("dcmSendPendingCMoveInterval", ["5s"], "format", "5s"),
        ("dcmRejectExpiredStudiesSchedule", ["hour=24"], "format", "hour=24"),
        ("dcmStorageVerificationInitialDelay", ["PT5M"], "format", "PT5M"),
        ("dcmExternalRetrieveAEDestination", ["A" * 17], "ae-title", "A" * 17),
        ("dcmRejectConflictingPatientAttribute", ["0020000Z"], "tag", "0020000Z"),
        ("dcmRejectConflictingPatientAttribute", ["StudyDate"], "format", "StudyDate"),
        ("dicomInstitutionCode", ["1^2^3"], "format", "1^2^3"),
        ("dcmOverwritePolicy", ["SOMETIMES"], "enumeration", "SOMETIMES"),
        ("dcmQidoMaxNumberOfResults", ["2147483648"], "format", "2147483648"),
        ("dcmSeriesMetadataFetchSize", ["0"], "format", "0"),
        ("dicomRelatedDeviceReference", [f"cn=gone,{BASE}"], "dangling-reference", f"cn=gone,{BASE}"),
    ],
)
def test_a_breach_is_found_by_its_rule(name: str, values: list[str], rule: str, wrong: str | None) -> None:
    findings = rules(*site_with(name, *values))
    assert (rule, name, wrong.encode() if wrong is not None else None) in findings
    assert {each for each, _, _ in findings} - {"single-valued"} <= {rule}


def test_an_attribute_with_other_options_is_another_one() -> None:
    entries = site_with("dicomDescription", "a")
    tagged = [
        entry.with_values("dicomDescription;lang-de", (b"a",)) if "dicomDescription" in entry else entry
        for entry in entries
    ]
    assert rules(*tagged) == []
    twice = [entry.with_values("dicomDescription;LANG-DE", (b"a", b"b")) for entry in tagged[-1:]]
    assert ("single-valued", "dicomDescription", None) in rules(*tagged[:-1], *twice)


def test_a_uid_that_is_none_is_told() -> None:
    odd = [
        entry.with_values("dicomSOPClass", (b"1.02",)) if "dicomSOPClass" in entry else entry
        for entry in site_entries()
    ]
    assert set(rules(*odd)) == {("syntax", "dicomSOPClass", b"1.02")}


@pytest.mark.parametrize("port", ["0", "65536", "-2", "9" * 5000])
def test_a_port_out_of_range_is_an_error(port: str) -> None:
    (finding,) = found(*site_entries(), connection(ARCHIVE, port, name="more"))
    assert (finding.rule.name, finding.severity, finding.attribute) == ("port", "error", "dicomPort")


def test_port_minus_one_is_a_connection_that_does_not_listen() -> None:
    (finding,) = found(*site_entries(), connection(ARCHIVE, "-1", name="more"))
    assert (finding.rule.name, finding.severity, finding.impact) == ("out-of-range", "warning", "rule")
    assert finding.message == "the connection does not listen"


@pytest.mark.parametrize("port", ["1", "65535"])
def test_the_first_and_last_port_are_in_range(port: str) -> None:
    assert found(*site_entries(), connection(ARCHIVE, port, name="more")) == []


@pytest.mark.parametrize(
    ("name", "value", "kind", "severity"),
    [
        ("dcmOverwritePolicy", "SOMETIMES", "unloadable", "error"),
        ("dcmSendPendingCMoveInterval", "5s", "unloadable", "error"),
        ("dicomThisNodeCertificateReference", f"cn=gone,{BASE}", "unloadable", "error"),
        ("dicomRelatedDeviceReference", f"cn=gone,{BASE}", "reference", "warning"),
        ("dicomInstalled", "true", "rule", "error"),
        ("dcmKeyStoreURL", "file:/key", "stops-next-start", "error"),
    ],
)
def test_each_finding_has_a_kind(name: str, value: str, kind: str, severity: str) -> None:
    assert {(each.impact, each.severity) for each in found(*site_with(name, value))} == {(kind, severity)}


def test_every_rule_of_what_the_archive_does_not_load_is_an_error() -> None:
    assert {rule.severity for rule in RULES if rule.impact in ("unloadable", "stops-next-start")} == {"error"}


def test_names_of_attributes_and_classes_are_read_in_any_case() -> None:
    odd = [
        Entry.from_values(
            entry.dn,
            {a.name.upper(): [v.upper() if a.name == "objectClass" else v for v in a.values] for a in entry.attributes},
        )
        for entry in site_with("dcmSendPendingCMoveInterval", "5s")
    ]
    assert rules(*odd) == [("format", "dcmSendPendingCMoveInterval", b"5s")]


def test_a_host_of_numbers_that_is_no_address_is_a_warning() -> None:
    odd = connection(STORESCP, "104", name="more").with_values("dicomHostname", (b"300.1.1.1",))
    (finding,) = found(*site_entries(), odd)
    assert (finding.rule.name, finding.severity, finding.attribute, finding.message) == (
        "host",
        "warning",
        "dicomHostname",
        "not a valid IPv4 address",
    )


def test_a_number_below_the_forms_minimum_is_a_warning() -> None:
    odd = connection(STORESCP, "104", name="more", dcmTCPConnectTimeout="5")
    odd = odd.with_values("objectClass", (b"dicomNetworkConnection", b"dcmNetworkConnection"))
    (finding,) = found(*site_entries(), odd)
    assert (finding.rule.name, finding.severity) == ("out-of-range", "warning")


def test_a_protocol_in_small_letters_fails_the_device_and_is_an_error() -> None:
    odd = connection(STORESCP, "104", name="more", dcmProtocol="dicom")
    odd = odd.with_values("objectClass", (b"dicomNetworkConnection", b"dcmNetworkConnection"))
    (finding,) = found(*site_entries(), odd)
    assert (finding.rule.name, finding.severity, finding.value) == ("enumeration", "error", b"dicom")


def test_a_misspelt_class_hides_what_classes_require_and_allow() -> None:
    odd = Entry.from_values(f"cn=x,{ARCHIVE}", {"objectClass": "dicomNetworkConection", "cn": "x", "dcmURI": "file:/x"})
    assert rules(*site_entries(), odd) == [("unknown-class", "objectClass", b"dicomNetworkConection")]


def test_an_entry_without_object_class_is_told() -> None:
    assert rules(*site_entries(), Entry.from_values(f"cn=x,{ARCHIVE}", {"cn": "x"})) == [
        ("missing-attribute", "objectClass", None)
    ]


def test_top_is_a_class_and_the_naming_value_counts_as_present() -> None:
    entry = Entry.from_values(
        f"cn=x,{ARCHIVE}", {"objectClass": ("top", "dicomNetworkConnection"), "dicomHostname": "h"}
    )
    assert found(*site_entries(), entry) == []


def test_one_attribute_under_two_names_is_one_attribute() -> None:
    odd = connection(ARCHIVE, "104", name="more").with_values("2.5.4.3", (b"MORE",))
    assert ("duplicate-value", "cn", b"MORE") in rules(*site_entries(), odd)


def test_an_entry_given_twice_is_told_at_the_second_place() -> None:
    entry = site_entries()[0]
    spelt = Entry.from_values("DC=dcm4che, dc=ORG", {a.name: a.values for a in entry.attributes})
    (finding,) = check_entries(
        [LocatedEntry(entry, SourceLocation("a.ldif", 1)), LocatedEntry(spelt, SourceLocation("b.ldif", 7))],
        load_bundled_schema(),
        live=False,
    )
    assert (finding.rule.name, finding.location) == ("duplicate-entry", SourceLocation("b.ldif", 7))


@pytest.mark.parametrize("live", [True, False])
def test_an_entry_without_parent_is_found_where_one_further_up_is_there(live: bool) -> None:
    gone = f"dicomDeviceName=gone,{DEVICES}"
    orphan, below = (
        connection(gone, "104"),
        Entry.from_values(f"cn=x,cn=dicom,{gone}", {"objectClass": "top", "cn": "x"}),
    )
    findings = [each for each in found(*site_entries(), orphan, below, live=live) if each.rule.name == "parent-missing"]
    assert [(each.dn, each.message) for each in findings] == [(orphan.dn, f"the parent entry is missing: {gone}")]


def test_a_file_may_hold_subtrees_without_what_is_above_them() -> None:
    parts = [entry for entry in site_entries() if entry.dn.is_below(DN.parse(DEVICES))]
    assert found(*parts) == []


def test_to_a_server_that_holds_it_an_unknown_name_is_known_and_here_a_warning() -> None:
    (finding,) = found(*site_with("dcmFromTheFuture", "1"), live=True, newer=True)
    assert (finding.rule.name, finding.severity) == ("unknown-attribute", "warning")


def test_what_the_server_keeps_itself_is_no_unknown_attribute() -> None:
    assert found(*site_with("entryUUID", "1"), *()) == []


def test_other_entries_of_the_directory_are_not_the_archives() -> None:
    person = Entry.from_values(f"uid=joe,{BASE}", {"objectClass": "inetOrgPerson", "uid": "joe", "sn": "x"})
    assert found(*site_entries(), person) == []


def test_a_reference_out_of_the_part_that_a_file_holds_is_passed_over() -> None:
    part = network_ae(STORESCP, "X", references=("gone",))
    assert found(part) == []
    assert [rule for rule, _, _ in rules(part, live=True)] == ["required-reference"]
    assert [rule for rule, _, _ in rules(*site_entries(), part)] == ["required-reference"]


def test_references_are_found_however_they_are_spelt() -> None:
    ae = network_ae(STORESCP, "X").with_values(
        "dicomNetworkConnectionReference", (f"CN=Dicom, {STORESCP.upper()}".encode(),)
    )
    assert found(*site_entries(), ae) == []


def test_messages_never_repeat_a_value() -> None:
    secret = "very-secret-" * 10_000
    for name in ("dcmKeyStorePin", "dicomInstalled", "dcmSendPendingCMoveInterval", "dicomRelatedDeviceReference"):
        assert all("very-secret" not in each.message for each in found(*site_with(name, secret, "é" + secret)))


def test_the_labs_own_tree_has_neither_error_nor_warning() -> None:
    assert [
        (f.dn, f.attribute, f.message)
        for f in check_entries(subjects(list_site_files()), load_bundled_schema(), live=True)
    ] == []


@pytest.mark.skipif(not RELEASES, reason="DCMCFG_RELEASES is not set: the default tree of 5.23.0 is not checked")
def test_the_archive_loads_the_default_configuration_of_an_old_release() -> None:
    read = subjects([Path(RELEASES) / "5.23.0" / name for name in FILES])
    assert len(read) > 500
    unloadable = [each for each in check_entries(read, load_bundled_schema(), live=True) if each.impact == "unloadable"]
    assert [(each.dn, each.attribute, each.message) for each in unloadable] == []


@pytest.mark.skipif(not UPSTREAM, reason="DCMCFG_UPSTREAM is not set: the archive's default trees are not checked")
@pytest.mark.parametrize("version", ["5.29.0", "5.31.0", "5.33.1"])
def test_the_archives_default_configuration_has_neither_error_nor_warning(version: str) -> None:
    read = subjects([Path(UPSTREAM) / version / name for name in FILES])
    assert len(read) > 1000
    assert [(f.dn, f.attribute, f.message) for f in check_entries(read, load_bundled_schema(), live=True)] == []


def test_every_field_of_the_form_is_of_a_known_attribute_and_class() -> None:
    schema = load_bundled_schema()
    fields = [(name, of) for name in (a.name for a in schema.attributes) for of in get_form_fields(name)]
    assert len(fields) > 1000
    assert [(name, of) for name, of in fields if schema.object_class(of) is None] == []


def subjects(files: tuple[Path, ...] | list[Path]) -> list[LocatedEntry]:
    read = []
    for path in files:
        with path.open("rb") as source:
            records = read_all(source, path.name)
        read += [
            LocatedEntry(each.entry, SourceLocation(path.name, each.line))
            for each in records
            if isinstance(each, ContentRecord)
        ]
    return read


def test_entries_alike_are_judged_each_by_what_it_lacks() -> None:
    whole = network_ae(STORESCP, "ONE")
    lacking = whole.with_values("dicomAssociationAcceptor", ())
    structures = StructureChecker(load_bundled_schema())
    judged = [structures.find_problems(each) for each in (whole, network_ae(STORESCP, "TWO"), lacking, lacking, whole)]
    assert judged == [
        tuple(check_structure(load_bundled_schema(), each)) for each in (whole, whole, lacking, lacking, whole)
    ]
    assert [len(each) for each in judged] == [0, 0, 1, 1, 0]
