"""What users write to name an entry."""

from __future__ import annotations

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import AmbiguousName, NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import describe_ae_with_title, format_target, resolve_dn, resolve_entry, resolve_target
from tests.trees import ARCHIVE, BASE, DEVICES, STORESCP, Values, network_ae, site, site_entries, tree


def device(name: str) -> Entry:
    values: Values = {"objectClass": "dicomDevice", "dicomDeviceName": name, "dicomInstalled": "TRUE"}
    return Entry.from_values(DN.parse(DEVICES).child("dicomDeviceName", name), values)


def ae(device_name: str, title: str) -> Entry:
    dn = DN.parse(DEVICES).child("dicomDeviceName", device_name).child("dicomAETitle", title)
    return Entry.from_values(dn, {"objectClass": "dicomNetworkAE", "dicomAETitle": title})


def with_more(*more: Entry) -> Configuration:
    return Configuration(tree(*site_entries(), *more))


DCM4CHEE = f"dicomAETitle=DCM4CHEE,{ARCHIVE}"


@pytest.mark.parametrize(
    ("text", "dn"),
    [
        ("dcm4chee-arc", ARCHIVE),
        ("DCM4CHEE-Arc", ARCHIVE),
        ("dcm4chee-arc/DCM4CHEE", DCM4CHEE),
        ("DCM4CHEE-ARC/DCM4CHEE", DCM4CHEE),
        ("AE:DCM4CHEE", DCM4CHEE),
        ("ae:STORESCP", f"dicomAETitle=STORESCP,{STORESCP}"),
        (ARCHIVE.replace(",", " , ").upper(), ARCHIVE),
        ("dicomDeviceName=storescp", STORESCP),
        ("cn=dicom,dicomDeviceName=storescp", f"cn=dicom,{STORESCP}"),
        (BASE, BASE),
    ],
)
def test_each_form_names_its_entry(text: str, dn: str) -> None:
    assert str(resolve_entry(Configuration(site()), text).dn) == dn


def test_names_that_look_like_another_form_are_found_all_the_same() -> None:
    hostile = ("a/b", "AE:a/b", "ae:DCM4CHEE", "dc=dcm4che,dc=org")
    titles = ("x/y", "a:b", "AE:x", 'q,+"<>;')
    configuration = with_more(
        *map(device, hostile), *(ae(device_name, title) for device_name in hostile for title in titles)
    )
    for device_name in hostile:
        assert resolve_entry(configuration, device_name).text("dicomDeviceName") == device_name
        for title in titles:
            found = resolve_target(configuration, f"{device_name}/{title}")
            assert found.ae is not None
            assert (found.ae.device.name, found.ae.title) == (device_name, title)
            assert resolve_entry(configuration, str(found.entry.dn)) == found.entry


def test_one_text_that_two_aes_are_meant_by_is_ambiguous() -> None:
    one, other = device("a"), device("a/b")
    configuration = with_more(one, other, ae("a", "b/c"), ae("a/b", "c"), ae("a", "DCM4CHEE"))
    with pytest.raises(AmbiguousName) as twice:
        resolve_target(configuration, "AE:DCM4CHEE")
    assert str(twice.value) == (
        "AE:DCM4CHEE matches a/DCM4CHEE and dcm4chee-arc/DCM4CHEE — specify one of these names, or the DN of the entry"
    )
    with pytest.raises(
        AmbiguousName, match=r"a/b/c matches dicomAETitle=b/c,.* and dicomAETitle=c,dicomDeviceName=a/b,"
    ):
        resolve_target(configuration, "a/b/c")


def test_views_come_with_the_entry() -> None:
    configuration = Configuration(site())
    assert [
        (found.device and found.device.name, found.ae and found.ae.title)
        for found in (resolve_target(configuration, text) for text in (ARCHIVE, DCM4CHEE, f"cn=dicom,{ARCHIVE}"))
    ] == [("dcm4chee-arc", None), ("dcm4chee-arc", "DCM4CHEE"), (None, None)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "pacs",
            "the device pacs does not exist — existing devices: dcm4chee-arc, storescp; forms of a target: "
            "dcmcfg help targets",
        ),
        (
            "DCM4CHEE",
            "the device DCM4CHEE does not exist — DCM4CHEE is an AE: specify dcm4chee-arc/DCM4CHEE, or its device "
            "dcm4chee-arc; forms of a target: dcmcfg help targets",
        ),
        (
            "dcm4chee",
            "the device dcm4chee does not exist — DCM4CHEE is an AE: specify dcm4chee-arc/DCM4CHEE, or its device "
            "dcm4chee-arc; forms of a target: dcmcfg help targets",
        ),
        ("pacs/STORESCP", "the device pacs does not exist — STORESCP is an AE: specify storescp/STORESCP"),
        (
            "pacs/X",
            "the device pacs does not exist — existing devices: dcm4chee-arc, storescp; forms of a target: "
            "dcmcfg help targets",
        ),
        ("AE:DCM4CHE", "no AE has the title DCM4CHE — did you mean dcm4chee-arc/DCM4CHEE?"),
        (
            "AE:dcm4chee",
            "no AE has the title dcm4chee — AE titles are case-sensitive: did you mean dcm4chee-arc/DCM4CHEE?",
        ),
        ("AE:ALIAS", "no AE has the title ALIAS — ALIAS is another title (dcmOtherAETitle) of dcm4chee-arc/LAST"),
        ("AE:zzz", "no AE has the title zzz — to list the AEs: dcmcfg ae list"),
        (
            "dcm4chee-arc/storescp",
            "the device dcm4chee-arc has no AE storescp — AEs of this device: AS_RECEIVED, DCM4CHEE, LAST",
        ),
        (
            "STORESCP/Dicom",
            "storescp/dicom is a connection, not an AE — to change the connection: dcmcfg connection set "
            "storescp/dicom; to specify its entry: cn=dicom,dicomDeviceName=storescp (dcmcfg help targets)",
        ),
        (
            "storescp/storescp",
            "the device storescp has no AE storescp — AE titles are case-sensitive: did you mean STORESCP?",
        ),
        (
            "dicomDeviceName=storscp",
            "dicomDeviceName=storscp: there is no such entry — "
            f"nearest existing entry: {DEVICES}; did you mean dicomDeviceName=storescp?",
        ),
        (
            f"cn=dico,{ARCHIVE}",
            f"cn=dico,{ARCHIVE}: there is no such entry — nearest existing entry: {ARCHIVE}; did you mean cn=dicom?",
        ),
        (
            "a=b",
            "the device a=b does not exist — existing devices: dcm4chee-arc, storescp; forms of a target: "
            "dcmcfg help targets",
        ),
        (
            "",
            "the device  does not exist — existing devices: dcm4chee-arc, storescp; forms of a target: "
            "dcmcfg help targets",
        ),
    ],
)
def test_what_is_not_there_is_told_with_what_may_be_meant(text: str, message: str) -> None:
    with pytest.raises(NotFound) as error:
        resolve_target(with_more(network_ae(ARCHIVE, "LAST", dcmOtherAETitle="ALIAS")), text)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (
            "STORESCP",
            "STORESCP is the device storescp here. For the AE with this title, specify AE:STORESCP",
        ),
        (
            "Twice",
            "Twice is the device twice here. For the AE with this title, specify storescp/Twice, twice/Twice",
        ),
        ("storescp", ""),
        ("Storescp", ""),
        ("SAME", ""),
        ("storescp/STORESCP", ""),
        ("AE:STORESCP", ""),
        (STORESCP, ""),
    ],
)
def test_a_device_that_is_written_like_the_title_of_an_ae_is_noted(text: str, note: str) -> None:
    configuration = with_more(
        device("twice"), ae("twice", "Twice"), ae("storescp", "Twice"), device("SAME"), ae("SAME", "SAME")
    )
    assert describe_ae_with_title(configuration, text, resolve_target(configuration, text)) == note


def test_a_tree_without_configuration_is_named_by_dn_alone() -> None:
    configuration = Configuration(tree(Entry.from_values(BASE, {"objectClass": "dcObject", "dc": "dcm4che"})))
    assert str(resolve_entry(configuration, BASE).dn) == BASE
    for text in ("x", "AE:X"):
        with pytest.raises(NotFound, match="no DICOM configuration"):
            resolve_entry(configuration, text)


@pytest.mark.parametrize("text", ["dcm4chee-arc", "dcm4chee-arc/DCM4CHEE", f"cn=dicom,{ARCHIVE}", BASE])
def test_what_a_command_calls_an_entry_names_it(text: str) -> None:
    configuration = Configuration(site())
    assert format_target(configuration.tree, resolve_entry(configuration, text)) == text


def test_a_dn_is_taken_as_it_is_before_it_is_taken_as_relative() -> None:
    assert str(resolve_dn(DN.parse("dicomDeviceName=storescp"), site())) == STORESCP
    assert str(resolve_dn(DN.parse(BASE), site())) == BASE
    assert str(resolve_dn(DN.parse("cn=nowhere"), site())) == "cn=nowhere"
