"""Views on devices, AEs and connections."""

from __future__ import annotations

import pytest

from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration, NetworkAE
from tests.trees import ARCHIVE, BASE, STORESCP, connection, network_ae, site, site_entries, storage_scp, tree


def ae(title: str, *more: Entry, without: str = "") -> NetworkAE:
    entries = [entry for entry in site_entries() if not without or str(entry.dn) != without]
    found = Configuration(tree(*entries, *more)).find_network_ae(title)
    assert found is not None
    return found


def test_device_names_ignore_case() -> None:
    assert Configuration(site()).get_device("DCM4CHEE-ARC").is_archive


def test_an_unknown_device_is_told_with_those_there_are() -> None:
    with pytest.raises(NotFound, match=r"the device pacs does not exist.*dcm4chee-arc, storescp"):
        Configuration(site()).get_device("pacs")


def test_an_unknown_ae_is_told_with_those_of_the_device() -> None:
    with pytest.raises(NotFound, match=r"no AE STORESCP.*AS_RECEIVED, DCM4CHEE"):
        Configuration(site()).get_device("dcm4chee-arc").get_network_ae("STORESCP")


def test_a_tree_without_configuration_names_the_base_dn_option() -> None:
    with pytest.raises(NotFound, match="--base-dn"):
        _ = Configuration(tree(Entry.from_values(BASE, {"objectClass": "dcObject", "dc": "dcm4che"}))).root


def test_the_listening_connection_is_the_first_installed_plain_dicom_one_with_a_port() -> None:
    names = ("initiator", "off", "tls", "hl7", "late", "dicom")
    found = ae(
        "X",
        connection(ARCHIVE, None, name="initiator"),
        connection(ARCHIVE, "1", name="off", dicomInstalled="FALSE"),
        connection(ARCHIVE, "2", name="tls", dicomTLSCipherSuite="TLS_RSA_WITH_AES_128_CBC_SHA"),
        connection(ARCHIVE, "3", name="hl7", dcmProtocol="HL7"),
        connection(ARCHIVE, "4", name="late"),
        network_ae(ARCHIVE, "X", references=names),
    )
    assert (plain := found.find_listening_connection()) is not None
    assert plain.port == 4
    assert (tls := found.find_listening_connection(tls=True)) is not None
    assert tls.port == 2


def test_a_dangling_reference_is_left_out() -> None:
    assert ae("X", network_ae(ARCHIVE, "X", references=("gone", "dicom"))).connections[0].port == 11112


def test_a_device_that_is_not_installed_takes_its_aes_along() -> None:
    off = Configuration(site(dicomInstalled="FALSE")).get_device("dcm4chee-arc")
    assert not any(network_ae.installed for network_ae in off.network_aes)


def test_storage_is_taken_by_capability_or_through_the_ae_that_shares_them() -> None:
    assert ae("DCM4CHEE").is_storage_scp
    assert not ae("AS_RECEIVED").is_storage_scp
    sharing = network_ae(ARCHIVE, "X", dcmShareTransferCapabilitiesFromAETitle="DCM4CHEE")
    assert ae("X", sharing).is_storage_scp


def test_a_title_on_two_devices_is_found_once() -> None:
    twice = (network_ae(STORESCP, "DCM4CHEE"), storage_scp(STORESCP, "DCM4CHEE"))
    assert ae("DCM4CHEE", *twice).device.name == "dcm4chee-arc"
