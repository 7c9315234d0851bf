"""What the stand-in archive answers to a C-MOVE that it cannot carry out, in the words of the real one."""

from __future__ import annotations

import socket

import pytest

from dcmcfg.lab.archive.service import open_database, seed
from dcmcfg.lab.studies import get_standard_study
from tests.dicom.dcmtk import movescu
from tests.lab.requests import identifier, move, move_study
from tests.lab.running_site import AE, RunningSite

pytestmark = pytest.mark.real
DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
LONGTERM = f"dicomDeviceName=longterm,{DEVICES}"
STORESCP = f"dicomDeviceName=storescp,{DEVICES}"
UNKNOWN_STUDY = "1.2.3.4"


@pytest.fixture
def site(bare_site: RunningSite) -> RunningSite:
    """Only the archive runs."""
    bare_site.start("archive")
    return bare_site


def test_a_destination_that_is_not_in_the_directory_is_a801_with_its_title(site: RunningSite) -> None:
    outcome = move_study(site.archive, "NOBODY", get_standard_study("three").uid)
    assert (outcome.status, outcome.comment) == (0xA801, "Unknown AE: NOBODY")
    assert outcome.counters == {}
    assert "MoveDestinationUnknown" in movescu(site.archive, get_standard_study("three").uid, "NOBODY").stderr


def test_a_destination_in_another_case_is_unknown(site: RunningSite) -> None:
    assert move_study(site.archive, "storescp", get_standard_study("three").uid).comment == "Unknown AE: storescp"


def test_a_destination_that_is_not_installed_is_a801(site: RunningSite) -> None:
    site.put("dicomInstalled", "FALSE", dn=STORESCP)
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.comment) == (0xA801, "AE: STORESCP not installed")


def test_a_dangling_connection_reference_makes_the_destination_unknown(site: RunningSite) -> None:
    site.modify(f"dn: cn=dicom,{STORESCP}\nchangetype: delete\n")
    assert move_study(site.archive, "STORESCP", get_standard_study("three").uid).comment == "Unknown AE: STORESCP"


def test_an_unreadable_destination_ends_the_association_without_a_response(site: RunningSite) -> None:
    site.put("dicomPort", "70000", dn=f"cn=dicom,{STORESCP}")
    assert move(site.archive, "STORESCP", identifier(StudyInstanceUID=get_standard_study("three").uid)) is None


def test_that_an_ae_is_unknown_is_remembered_until_the_reload(site: RunningSite) -> None:
    site.put("dicomInstalled", "FALSE", dn=STORESCP)
    assert move_study(site.archive, "STORESCP", UNKNOWN_STUDY).status == 0xA801
    site.put("dicomInstalled", "TRUE", dn=STORESCP)
    assert move_study(site.archive, "STORESCP", UNKNOWN_STUDY).status == 0xA801
    site.reload()
    assert move_study(site.archive, "STORESCP", UNKNOWN_STUDY).status == 0x0000


def test_a_destination_that_is_not_accepted_is_c801(site: RunningSite) -> None:
    site.put("dcmAcceptedMoveDestination", "WORKSTATION", dn=AE)
    site.reload()
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.comment) == (0xC801, "Move Destination not allowed")
    assert move_study(site.archive, "WORKSTATION", UNKNOWN_STUDY).status == 0x0000


def test_no_match_is_success_without_counters(site: RunningSite) -> None:
    outcome = move_study(site.archive, "STORESCP", UNKNOWN_STUDY)
    assert (outcome.status, outcome.comment, outcome.counters) == (0x0000, "", {})
    assert move_study(site.archive, "STORESCP", get_standard_study("unknown").uid).counters == {}


@pytest.mark.parametrize(
    ("keys", "comment"),
    [
        (identifier(), "Missing StudyInstanceUID (0020,000D)"),
        (identifier("SERIES", SeriesInstanceUID="1.2"), "Missing StudyInstanceUID (0020,000D)"),
        (identifier("PATIENT", PatientID="X"), "Invalid QueryRetrieveLevel (0008,0052) - PATIENT"),
    ],
)
def test_a_bad_identifier_is_a900_and_names_the_tag(site: RunningSite, keys: object, comment: str) -> None:
    outcome = move(site.archive, "STORESCP", keys)  # type: ignore[arg-type]  # a Dataset in each row
    assert outcome is not None
    assert (outcome.status, outcome.comment) == (0xA900, comment)


def test_the_checks_go_identifier_then_white_list_then_destination_then_match(site: RunningSite) -> None:
    site.put("dcmAcceptedMoveDestination", "NOBODY", dn=AE)
    site.reload()
    bad = move(site.archive, "STORESCP", identifier())
    assert bad is not None
    assert bad.status == 0xA900
    assert move_study(site.archive, "STORESCP", UNKNOWN_STUDY).status == 0xC801
    assert move_study(site.archive, "NOBODY", UNKNOWN_STUDY).status == 0xA801


def test_an_external_archive_that_is_not_running_is_a702_connection_refused(site: RunningSite) -> None:
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.comment) == (0xA702, "java.net.ConnectException: Connection refused")


def test_an_external_archive_that_is_not_in_the_directory_is_a702_without_its_title(
    site: RunningSite,
) -> None:
    site.put("dicomInstalled", "FALSE", dn=LONGTERM)
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.comment) == (
        0xA702,
        "org.dcm4che3.conf.api.ConfigurationNotFoundException: AE: LONGTE",
    )
    site.modify(f"dn: cn=dicom,{LONGTERM}\nchangetype: delete\n")
    site.reload()
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert outcome.comment == "org.dcm4che3.conf.api.ConfigurationNotFoundException: Unknown AE"


def test_an_external_archive_that_rejects_is_a702_with_the_reason_cut_off(site: RunningSite) -> None:
    site.put("dicomPort", str(site.site.ports.archive), dn=f"cn=dicom,{LONGTERM}")
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.comment) == (
        0xA702,
        "A-ASSOCIATE-RJ[result: 1 - rejected-permanent, source: 1 - servi",
    )


def test_an_unknown_host_is_a702_unknown_host(site: RunningSite) -> None:
    site.put("dicomHostname", "nowhere.invalid", dn=f"cn=dicom,{LONGTERM}")
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.comment) == (0xA702, "java.net.UnknownHostException: nowhere.invalid")


def test_a_tls_only_external_archive_is_a702_incompatible(site: RunningSite) -> None:
    site.put("dicomTLSCipherSuite", "TLS_RSA_WITH_AES_128_CBC_SHA", dn=f"cn=dicom,{LONGTERM}")
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.comment) == (
        0xA702,
        "org.dcm4che3.net.IncompatibleConnectionException: No compatible",
    )


def test_an_external_archive_that_keeps_silent_is_a702_and_holds_nobody_else_up(site: RunningSite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        site.put("dicomPort", str(silent.getsockname()[1]), dn=f"cn=dicom,{LONGTERM}")
        outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert outcome.status == 0xA702


def test_objects_without_a_recorded_external_archive_are_a702_unknown_ae(bare_site: RunningSite) -> None:
    seed(bare_site.site)
    database = open_database(bare_site.site)
    database.save([type(each)(each.header, is_local=False) for each in database.list_instances()])
    database.close()
    bare_site.start("archive")
    outcome = move_study(bare_site.archive, "STORESCP", get_standard_study("three").uid)
    assert (outcome.status, outcome.comment) == (
        0xA702,
        "org.dcm4che3.conf.api.ConfigurationNotFoundException: Unknown AE",
    )


def test_a_dead_directory_is_a702(site: RunningSite) -> None:
    site.slapd.slapd.stop()
    outcome = move_study(site.archive, "STORESCP", get_standard_study("three").uid)
    assert outcome.status == 0xA702
    assert outcome.comment.startswith("org.dcm4che3.conf.api.ConfigurationException: ")
    assert len(outcome.comment) == 64
