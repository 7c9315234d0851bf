from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynetdicom import status as table

import dcmcfg
from dcmcfg.dicom.status import Service, explain, get_category, is_transient_failure

SERVICES: tuple[Service, ...] = ("C-MOVE", "C-FIND", "C-STORE", "C-ECHO")
JAVA = "org.dcm4che3.conf.api.ConfigurationNotFoundException: "


@settings(max_examples=200)
@given(st.sampled_from(SERVICES), st.integers(0, 0xFFFF), st.text(max_size=64))
def test_every_status_has_a_meaning_and_every_failure_something_to_look_at(
    service: Service, status: int, comment: str
) -> None:
    meaning = explain(service, status, comment)
    assert meaning.meaning
    assert str(meaning).startswith(f"{status:04X}, ")
    assert comment in str(meaning)
    if meaning.category == "failure":
        assert meaning.suggested_check


def test_a_status_is_spelt_in_one_way() -> None:
    """Four hexadecimal digits, and no H after them, in the program and its pages."""
    root = Path(dcmcfg.__file__).parents[1]
    other = re.compile(r"X\}H|\b(?=[0-9A-F]*\d)[0-9A-F]{4}H\b")
    texts = {path: path.read_text() for path in (*root.glob("dcmcfg/**/*.py"), *root.glob("docs/**/*.md"))}
    assert len(texts) > 500
    assert [str(path) for path, text in texts.items() if other.search(text)] == []


@pytest.mark.parametrize(
    ("status", "category"),
    [
        (0x0000, "success"),
        (0xFF00, "pending"),
        (0xFF01, "pending"),
        (0xFE00, "cancel"),
        (0xB000, "warning"),
        (0x0107, "warning"),
        (0xA702, "failure"),
        (0xC801, "failure"),
        (0x0110, "failure"),
        (0xFF02, "failure"),
    ],
)
def test_categories_go_by_number(status: int, category: str) -> None:
    assert get_category(status) == category


def test_pynetdicom_knows_no_status_that_we_put_elsewhere() -> None:
    for codes in (table.QR_MOVE_SERVICE_CLASS_STATUS, table.QR_FIND_SERVICE_CLASS_STATUS):
        for code, (category, _) in codes.items():
            assert get_category(code) == category.lower(), f"{code:04X}"


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        (f"{JAVA}Unknown AE", "does not know the AE of the external archive"),
        (f"{JAVA}AE: LTA no", "not installed"),
        ("A-ASSOCIATE-RJ[result: 1 - rejected-permanent, source: 1 - servi", "rejected"),
        ("java.net.ConnectException: Connection refused", "nothing listens"),
        ("java.net.UnknownHostException: host", "resolve"),
        ("java.net.SocketTimeoutException: Connect timed out", "time-out of"),
        (
            "org.dcm4che3.net.IncompatibleConnectionException: No compatible",
            "the archive has no connection that is compatible with a connection of the external archive",
        ),
        ("java.lang.IllegalStateException: Not installed", "archive's own AE"),
        ("org.dcm4che3.conf.api.ConfigurationException: javax.naming.Name", "cannot load"),
    ],
)
def test_a702_is_told_by_what_is_left_of_the_java_exception(comment: str, expected: str) -> None:
    assert len(comment) <= 64
    assert expected in explain("C-MOVE", 0xA702, comment).meaning


@pytest.mark.parametrize(
    "comment",
    [
        "java.net.ConnectException: Connection refused",
        "java.net.UnknownHostException: host",
        "java.net.SocketTimeoutException: Connect timed out",
        "A-ASSOCIATE-RJ[result: 1 - rejected-permanent, source: 1 - servi",
        "org.dcm4che3.net.IncompatibleConnectionException: No compatible",
        "org.dcm4che3.conf.api.ConfigurationException: javax.naming.Name",
    ],
)
def test_a702_for_an_association_that_could_not_be_had_names_external_archive_and_destination(comment: str) -> None:
    meaning = explain("C-MOVE", 0xA702, comment).meaning
    assert "the external archive (for a purged study)" in meaning
    assert "the destination (for a study in the archive's own storage)" in meaning


def test_a702_without_a_comment_points_at_transfer_capabilities_and_the_destination() -> None:
    look_at = explain("C-MOVE", 0xA702).suggested_check
    assert "dicomTransferCapability" in look_at
    assert "destination" in look_at


def test_a702_after_a_reject_tells_that_the_requester_s_title_is_what_the_external_archive_sees() -> None:
    assert "the requester's AE title" in explain("C-MOVE", 0xA702, "A-ASSOCIATE-RJ[result: 1").suggested_check


def test_a801_of_the_archive_itself_names_the_missing_ae() -> None:
    meaning = explain("C-MOVE", 0xA801, "Unknown AE: STORESCP")
    assert "to the archive itself" in meaning.meaning
    assert "whether LDAP has a device with the AE STORESCP" in meaning.suggested_check


def test_a801_for_an_ae_that_is_not_installed_points_at_dicom_installed() -> None:
    assert (
        "dicomInstalled of the AE STORESCP" in explain("C-MOVE", 0xA801, "AE: STORESCP not installed").suggested_check
    )


@pytest.mark.parametrize("comment", ["", "Move Destination: STORESCP unknown"])
def test_a801_that_is_passed_on_tells_both_settings(comment: str) -> None:
    meaning = explain("C-MOVE", 0xA801, comment)
    assert "external archive" in meaning.meaning
    assert "If the attribute is not set" in meaning.suggested_check
    assert "If the attribute is set" in meaning.suggested_check
    assert "dcmExternalRetrieveAEDestination" in meaning.suggested_check


def test_c801_names_the_white_list() -> None:
    assert "dcmAcceptedMoveDestination" in explain("C-MOVE", 0xC801, "Move Destination not allowed").suggested_check


@pytest.mark.parametrize(
    ("service", "status", "meaning", "check"),
    [
        ("C-MOVE", 0x0000, "success: all sub-operations completed", ""),
        ("C-MOVE", 0xA701, "refused: out of resources, so the peer could not count", "the archive's database"),
        ("C-MOVE", 0xA7FF, "refused: out of resources", "the peer's log"),
        ("C-FIND", 0xB001, "the peer reached its limit for matches", "the peer's limit for the number of matches"),
        ("C-STORE", 0xB007, "stored, although the data set does not match its SOP class", "the source of the instance"),
        ("C-ECHO", 0x0122, "refused: SOP class not supported", "transfer capabilities"),
        ("C-ECHO", 0x9999, "not a standard status", "the peer's log"),
    ],
)
def test_the_meaning_of_a_status(service: Service, status: int, meaning: str, check: str) -> None:
    found = explain(service, status)
    assert found.meaning.startswith(meaning)
    assert check in found.suggested_check
    assert bool(check) == bool(found.suggested_check)


def test_a_status_prints_as_code_meaning_and_comment() -> None:
    assert str(explain("C-ECHO", 0x0122, "no")) == "0122, refused: SOP class not supported (no)"


@pytest.mark.parametrize(
    ("service", "status", "comment", "passing"),
    [
        ("C-MOVE", 0xA701, "", True),
        ("C-MOVE", 0xA702, "", True),
        ("C-MOVE", 0x0213, "", True),
        ("C-MOVE", 0xA702, "java.net.ConnectException: Connection refused", True),
        ("C-MOVE", 0xA702, "A-ASSOCIATE-RJ[result: 2 - rejected-transient, source: 3 - servi", True),
        ("C-MOVE", 0xA702, "A-ASSOCIATE-RJ[result: 1 - rejected-permanent, source: 1 - servi", False),
        ("C-MOVE", 0xA702, f"{JAVA}Unknown AE: LONGTERM"[:64], False),
        ("C-MOVE", 0xA702, "org.dcm4che3.net.IncompatibleConnectionException: No compatible", False),
        ("C-MOVE", 0xA801, "Unknown AE: X", False),
        ("C-MOVE", 0xB000, "", False),
        ("C-MOVE", 0x0000, "", False),
        ("C-FIND", 0xA700, "", True),
        ("C-FIND", 0xA710, "", False),
        ("C-FIND", 0xA900, "", False),
    ],
)
def test_what_a_peer_is_short_of_may_be_there_later(service: Service, status: int, comment: str, passing: bool) -> None:
    assert is_transient_failure(service, status, comment) is passing


def test_only_a_failure_is_transient() -> None:
    for service in SERVICES:
        transient = {status for status in range(0x10000) if is_transient_failure(service, status)}
        assert {get_category(status) for status in transient} == {"failure"}
