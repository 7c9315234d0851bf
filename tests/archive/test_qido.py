"""Searches by HTTP, against a real server with scripted answers: what is read, and what cannot be."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dcmcfg.archive.bearer import Bearer
from dcmcfg.archive.qido import Qido
from dcmcfg.archive.stored import StoredObject, StoredStudy
from dcmcfg.archive.web import Timeouts, Web
from dcmcfg.errors import ArchiveError
from tests.archive.scripted import Scripted

QUICK = Timeouts(connect=0.5, answer=0.3)
CREATOR = {"77770010": {"vr": "LO", "Value": ["DCM4CHEE Archive 5"]}}


def element(*values: object) -> dict[str, Any]:
    return {"vr": "UN", "Value": list(values)}


def told(uid: str = "1.2.3", **private: object) -> dict[str, Any]:
    """A study in DICOM JSON; *private* are elements of the archive's block, which is 10."""
    return {
        "0020000D": element(uid),
        "00201208": element(3),
        "00080056": element("NEARLINE"),
        **CREATOR,
        **{f"777710{number[1:]}": element(value) for number, value in private.items()},
    }


def qido(archive: Scripted, *data_sets: Mapping[str, Any], token: str | None = None) -> Qido:
    archive.answer(200, json.dumps(list(data_sets)))
    return Qido(archive.url, "DCM4CHEE", Bearer(Web(timeouts=QUICK), token))


def test_a_study_is_asked_for_with_all_that_is_private(archive: Scripted) -> None:
    found = qido(archive, told(x45="LONGTERM", x28="fs1", x25="PARTIAL", x26=2), token="abc").study("1.2.3")
    assert found == StoredStudy("1.2.3", True, 3, "NEARLINE", ("fs1",), "LONGTERM", "PARTIAL", 2)
    path = "/dcm4chee-arc/aets/DCM4CHEE/rs/studies?StudyInstanceUID=1.2.3&includefield=77770010"
    assert archive.requests == [("GET", path, "Bearer abc")]


def test_a_purged_study_without_an_external_archive_has_neither(archive: Scripted) -> None:
    assert qido(archive, told()).study("1.2.3") == StoredStudy("1.2.3", True, 3, "NEARLINE")
    assert qido(archive, told(x45="*")).study("1.2.3").external == ""


def test_the_block_is_that_of_the_creator(archive: Scripted) -> None:
    moved = told()
    moved["77770010"] = element("SOMEBODY ELSE")
    moved |= {"77770012": element("DCM4CHEE Archive 5"), "77771045": element("WRONG"), "77771245": element("RIGHT")}
    assert qido(archive, moved).study("1.2.3").external == "RIGHT"


def test_a_study_that_is_not_there_is_not_known(archive: Scripted) -> None:
    service = qido(archive)
    assert service.study("1.2.3") == StoredStudy("1.2.3", known=False)
    archive.answer(204)
    assert not service.study("1.2.3").known
    assert not qido(archive, told("9.9")).study("1.2.3").known


def test_objects_have_files_of_their_own(archive: Scripted) -> None:
    here = {"00080018": element("1.1"), **CREATOR, "77771050": element("fs1"), "77771043": element("*")}
    away = {"00080018": element("1.2"), **CREATOR, "77771043": element("LONGTERM")}
    found = qido(archive, here, away).objects("1.2.3")
    assert found == (StoredObject("1.1", ("fs1",)), StoredObject("1.2", (), "LONGTERM"))
    assert archive.requests[0][1].startswith("/dcm4chee-arc/aets/DCM4CHEE/rs/studies/1.2.3/instances?")


def test_purged_studies_are_those_with_an_external_archive_and_without_a_storage(archive: Scripted) -> None:
    service = qido(archive, told("1.1", x45="A"), told("1.2", x45="A", x28="fs1"), told("1.3"), told("1.4", x45="B"))
    found = service.purged({"PatientID": "P*"}, enough=9, most=100)
    assert [each.study_uid for each in found] == ["1.1", "1.4"]
    assert [each.study_uid for each in service.purged({}, enough=1, most=100)] == ["1.1"]
    asked = parse_qs(urlsplit(archive.requests[0][1]).query)
    assert (asked["PatientID"], asked["ExternalRetrieveAET!"], asked["orderby"]) == (["P*"], ["*"], ["StudyDate"])


def test_purged_studies_are_looked_for_page_by_page_and_not_for_ever(archive: Scripted) -> None:
    service = qido(archive, *[told(f"1.{number}", x45="A", x28="fs1") for number in range(200)])
    assert service.purged({}, enough=1, most=600) == ()
    offsets = [parse_qs(urlsplit(path).query)["offset"] for _, path, _ in archive.requests]
    assert offsets == [["0"], ["200"], ["400"]]


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (401, "", "the archive wants a token (HTTP 401)"),
        (403, "", "the archive wants a token (HTTP 403)"),
        (404, "", "nothing to search here (HTTP 404): no archive, or none with the AE DCM4CHEE"),
        (413, "", "the archive does not tell so many (HTTP 413)"),
        (302, "", "redirected to nowhere (HTTP 302), which is not followed"),
        (500, "java.lang.X: gone\n\tat y", "X: gone (HTTP 500)"),
        (200, "<html>", "an answer that is not a dcm4chee archive's: no JSON"),
        (200, "[" * 20_000, "an answer that is not a dcm4chee archive's: no JSON"),
        (200, "{}", "an answer that is not a dcm4chee archive's: no list of data sets"),
        (200, "[1]", "an answer that is not a dcm4chee archive's: no list of data sets"),
        (200, "[{}]", "an answer that is not a dcm4chee archive's: no attributes of DCM4CHEE Archive 5"),
        (200, json.dumps([CREATOR]), "an answer that is not a dcm4chee archive's: no Study Instance UID"),
    ],
)
def test_what_is_no_answer_to_a_search_is_told(archive: Scripted, status: int, body: str, what: str) -> None:
    service = qido(archive)
    archive.answer(status, body)
    with pytest.raises(ArchiveError) as caught:
        service.study("1.2.3")
    assert (caught.value.what, caught.value.on) == (what, f"{archive.url}/aets/DCM4CHEE/rs/studies")


@pytest.mark.parametrize(
    "data_set",
    [
        {"00201208": {"Value": [{"a": 1}]}, "00080056": 7},
        {"00201208": {"Value": ["x"]}, "00080056": {"Value": None}},
        {"00201208": {}, "00080056": {"Value": [None, 1.5]}},
    ],
)
def test_malformed_elements_count_as_absent(archive: Scripted, data_set: dict[str, Any]) -> None:
    found = qido(archive, told() | data_set).study("1.2.3")
    assert (found.number, found.availability) == (None, "")


def test_an_archive_that_hangs_is_left(archive: Scripted) -> None:
    service = qido(archive)
    archive.hang = threading.Event()
    with pytest.raises(ArchiveError, match=r"no answer within 0\.3 s"):
        service.study("1.2.3")
