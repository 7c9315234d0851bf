"""Searches by HTTP, against a real server with scripted answers: what is read, and what cannot be."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dcmcfg.archive.authorized_client import AuthorizedClient
from dcmcfg.archive.http_client import HttpClient, HttpTimeouts
from dcmcfg.archive.qido import Qido
from dcmcfg.archive.stored_studies import StoredInstance, StoredStudy
from dcmcfg.errors import ArchiveError
from dcmcfg.limits import QIDO_BODY, override_limits
from tests.archive.scripted import Scripted
from tests.patience import PATIENCE_S

CREATOR = {"77770010": {"vr": "LO", "Value": ["DCM4CHEE Archive 5"]}}
INSTANCES = "/dcm4chee-arc/aets/DCM4CHEE/rs/studies/1.2.3/instances"


def element(*values: object) -> dict[str, Any]:
    return {"vr": "UN", "Value": list(values)} if values else {"vr": "UN"}


def private(block: str = "10", **values: str) -> dict[str, Any]:
    """Return the private elements of an answer: those asked for come back, empty where there is no value."""
    block_elements = ("25", "26", "28", "43", "45", "50")
    elements = {each: element(*([values[f"x{each}"]] if f"x{each}" in values else [])) for each in block_elements}
    return {f"777700{block}": element("DCM4CHEE Archive 5")} | {
        f"7777{block}{number}": found for number, found in elements.items()
    }


def study(uid: str = "1.2.3", **values: str) -> dict[str, Any]:
    """A study in DICOM JSON as the archive answers a search."""
    return {"0020000D": element(uid), "00201208": element(3), "00080056": element("NEARLINE")} | private(**values)


def instance(uid: str, block: str = "10", **values: str) -> dict[str, Any]:
    """An instance likewise."""
    return {"00080018": element(uid), "00080056": element("ONLINE")} | private(block, **values)


def qido(
    archive: Scripted, *data_sets: Mapping[str, Any], token: str | None = None, answer_s: float = PATIENCE_S
) -> Qido:
    archive.answer(200, json.dumps(list(data_sets)))
    web = HttpClient(timeouts=HttpTimeouts(response=answer_s), limit=QIDO_BODY)
    return Qido(archive.url, "DCM4CHEE", AuthorizedClient(web, token))


def test_a_study_is_one_request_for_its_instances_by_the_numbers_of_the_elements(archive: Scripted) -> None:
    found = qido(
        archive, instance("1.1", x50="fs1", x43="LONGTERM"), instance("1.2", x43="LONGTERM", x25="PARTIAL"), token="abc"
    ).get_study("1.2.3")
    assert found.instances == (
        StoredInstance("1.1", ("fs1",), "LONGTERM"),
        StoredInstance("1.2", (), "LONGTERM"),
    )
    assert (found.is_known, found.instance_count, found.storage_ids, found.external_ae_title) == (
        True,
        2,
        ("fs1",),
        "LONGTERM",
    )
    query = "includefield=77771025,77771026,77771043,77771050&limit=2000&offset=0"
    assert archive.requests == [("GET", f"{INSTANCES}?{query}", "Bearer abc")]


def test_a_study_has_the_external_archive_that_all_its_instances_have(archive: Scripted) -> None:
    assert qido(archive, instance("1.1", x43="A"), instance("1.2", x43="B")).get_study("1.2.3").external_ae_title == ""
    assert qido(archive, instance("1.1", x43="A"), instance("1.2")).get_study("1.2.3").external_ae_title == ""
    assert qido(archive, instance("1.1", x43="*")).get_study("1.2.3").external_ae_title == ""


def test_the_block_is_that_of_the_creator(archive: Scripted) -> None:
    foreign_block = instance("1.1", x43="WRONG") | {"77770010": element("SOMEBODY ELSE")} | private("12", x43="RIGHT")
    assert qido(archive, foreign_block).get_study("1.2.3").external_ae_title == "RIGHT"


def test_a_study_that_is_not_there_is_not_known(archive: Scripted) -> None:
    service = qido(archive)
    archive.answer(204)
    assert service.get_study("1.2.3") == StoredStudy("1.2.3", is_known=False)
    archive.answer(200, "[]")
    assert not service.get_study("1.2.3").is_known


@pytest.mark.parametrize("absent", ["77771050", "77771043", "77771025"])
def test_an_element_that_does_not_come_back_tells_nothing(archive: Scripted, absent: str) -> None:
    lacking = {tag: found for tag, found in instance("1.1", x50="fs1").items() if tag != absent}
    with pytest.raises(ArchiveError, match=f"the requested element {absent} is missing"):
        qido(archive, lacking).get_study("1.2.3")


@pytest.mark.parametrize(
    "value", [{"InlineBinary": "ZnMx"}, {"Value": [None]}, {"Value": "fs1"}, {"Value": [1.5]}, {"Value": [True]}]
)
def test_a_value_that_cannot_be_read_is_not_taken_for_none(archive: Scripted, value: dict[str, Any]) -> None:
    with pytest.raises(ArchiveError, match="the value of the element 77771050 cannot be read"):
        qido(archive, instance("1.1") | {"77771050": {"vr": "LO"} | value}).get_study("1.2.3")
    with pytest.raises(ArchiveError, match="the value of the element 77771028 cannot be read"):
        qido(archive, study(x45="A") | {"77771028": {"vr": "LO"} | value}).find_purged_studies(
            {}, max_results=1, max_examined=1
        )


def test_answers_that_contradict_each_other_are_refused(archive: Scripted) -> None:
    with pytest.raises(ArchiveError, match="the response contains an instance twice"):
        qido(archive, instance("1.1", x50="fs1"), instance("1.1")).get_study("1.2.3")
    assert qido(archive, instance("1.1", x50="fs1"), instance("1.1", x50="fs1")).get_study("1.2.3").instance_count == 1
    with pytest.raises(
        ArchiveError,
        match=r"contains an instance of the study 9\.9, but dcmcfg did not request this study",
    ):
        qido(archive, instance("1.1") | {"0020000D": element("9.9")}).get_study("1.2.3")


def test_a_study_is_asked_for_page_by_page(archive: Scripted) -> None:
    service = qido(archive, *[instance(f"1.{number}", x50="fs1") for number in range(2000)])
    second = "includefield=77771025,77771026,77771043,77771050&limit=2000&offset=2000"
    archive.by_path[f"aets/DCM4CHEE/rs/studies/1.2.3/instances?{second}"] = (
        200,
        b"[%s]" % json.dumps(instance("9.9")).encode(),
    )
    assert service.get_study("1.2.3").instance_count == 2001
    assert len(archive.requests) == 2


def test_a_page_that_the_archive_cut_short_is_not_the_last(archive: Scripted) -> None:
    service = qido(archive, instance("1.1", x50="fs1"))
    archive.headers = {"Warning": "299 pacs:8080: The number of results exceeded the maximum supported by the server"}
    second = "includefield=77771025,77771026,77771043,77771050&limit=2000&offset=1"
    archive.by_path[f"aets/DCM4CHEE/rs/studies/1.2.3/instances?{second}"] = (204, b"")
    assert service.get_study("1.2.3").instance_count == 1
    assert len(archive.requests) == 2


def test_purged_studies_are_those_with_an_external_archive_and_without_a_storage(archive: Scripted) -> None:
    service = qido(
        archive, study("1.1", x45="A"), study("1.2", x45="A", x28="fs1"), study("1.3"), study("1.4", x45="B")
    )
    found = service.find_purged_studies({"PatientID": "P*"}, max_results=9, max_examined=100)
    assert [each.study_uid for each in found] == ["1.1", "1.4"]
    assert [each.study_uid for each in service.find_purged_studies({}, max_results=1, max_examined=100)] == ["1.1"]
    query = parse_qs(urlsplit(archive.requests[0][1]).query)
    assert (query["PatientID"], query["ExternalRetrieveAET!"], query["orderby"]) == (["P*"], ["*"], ["StudyDate"])
    assert query["includefield"] == ["77771025,77771026,77771028,77771045"]


def test_purged_studies_are_looked_for_page_by_page_and_not_for_ever(archive: Scripted) -> None:
    service = qido(archive)
    page = "aets/DCM4CHEE/rs/studies?ExternalRetrieveAET!=*&orderby=StudyDate&includefield={}&limit=200&offset={}"
    for offset in (0, 200, 400):
        studies = [study(f"1.{offset + number}", x45="A", x28="fs1") for number in range(200)]
        path = page.format("77771025,77771026,77771028,77771045", offset)
        archive.by_path[path] = (200, json.dumps(studies).encode())
    assert service.find_purged_studies({}, max_results=1, max_examined=600) == ()
    offsets = [parse_qs(urlsplit(path).query)["offset"] for _, path, _ in archive.requests]
    assert offsets == [["0"], ["200"], ["400"]]


def test_pages_without_anything_new_end_the_search(archive: Scripted) -> None:
    """As a proxy makes them that drops the offset."""
    repeats = "the search does not end: the archive repeated the results of earlier pages"
    cut_short = {"Warning": "299 pacs:8080: The number of results exceeded the maximum supported by the server"}
    service = qido(archive, instance("1.1", x50="fs1"), instance("1.2", x50="fs1"))
    archive.headers = cut_short
    with pytest.raises(ArchiveError, match=repeats):
        service.get_study("1.2.3")
    assert len(archive.requests) == 2
    service = qido(archive, study("1.1", x45="A"))
    archive.headers = cut_short
    with pytest.raises(ArchiveError, match=repeats):
        service.find_studies({}, max_results=9)
    with pytest.raises(ArchiveError, match=repeats):
        service.find_purged_studies({}, max_results=9, max_examined=1000)
    assert len(archive.requests) == 6


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (401, "", "the archive requires a token (HTTP 401)"),
        (403, "", "the archive requires a token (HTTP 403)"),
        (404, "", "no search service (HTTP 404): no archive has this URL, or the archive has no AE DCM4CHEE"),
        (413, "", "the search has more results than the archive returns (HTTP 413)"),
        (302, "", "redirected to nowhere (HTTP 302), but dcmcfg does not follow redirects"),
        (500, "java.lang.X: gone\n\tat y", "X: gone (HTTP 500)"),
        (200, "<html>", "the response is not from a dcm4chee archive: not JSON"),
        (200, "[" * 20_000, "the response is not from a dcm4chee archive: JSON nested too deeply"),
        (200, "{}", "the response is not from a dcm4chee archive: not a list of data sets"),
        (200, "[1]", "the response is not from a dcm4chee archive: not a list of data sets"),
        (200, "[{}]", "the response is not from a dcm4chee archive: no elements of DCM4CHEE Archive 5"),
        (200, json.dumps([CREATOR]), "the response is not from a dcm4chee archive: no SOP Instance UID"),
    ],
)
def test_what_is_no_answer_to_a_search_is_told(archive: Scripted, status: int, body: str, what: str) -> None:
    service = qido(archive)
    archive.answer(status, body)
    with pytest.raises(ArchiveError) as error_info:
        service.get_study("1.2.3")
    assert (error_info.value.message, error_info.value.subject) == (
        what,
        f"{archive.url}/aets/DCM4CHEE/rs/studies/1.2.3/instances",
    )


@pytest.mark.parametrize(
    "data_set",
    [
        {"00201208": {"Value": [{"a": 1}]}, "00080056": 7},
        {"00201208": {"Value": ["x"]}, "00080056": {"Value": None}},
        {"00201208": {}, "00080056": {"Value": [None, 1.5]}},
    ],
)
def test_malformed_elements_count_as_absent(archive: Scripted, data_set: dict[str, Any]) -> None:
    (found,) = qido(archive, study(x45="A") | data_set).find_purged_studies({}, max_results=1, max_examined=1)
    assert (found.instance_count, found.availability) == (None, "")


def test_a_number_of_thousands_of_digits_is_read(archive: Scripted) -> None:
    digits = element("9" * 5000)
    given = study(x45="A") | {"00201208": digits, "77771026": digits}
    (found,) = qido(archive, given).find_purged_studies({}, max_results=1, max_examined=1)
    assert (found.instance_count, found.failed_retrieves) == (10**20 - 1, 10**20 - 1)


def test_an_archive_that_hangs_is_left(archive: Scripted) -> None:
    service = qido(archive, answer_s=0.3)
    archive.hang = threading.Event()
    with pytest.raises(ArchiveError, match=r"no answer within 0\.3 s"):
        service.get_study("1.2.3")


def test_an_answer_that_does_not_end_is_refused_with_the_limit(archive: Scripted) -> None:
    service = qido(archive, instance("1.1", x50="fs1" * 2000))
    with override_limits({"qido-body": 4096}), pytest.raises(ArchiveError, match="longer than 4K octets") as refused:
        service.get_study("1.2.3")
    assert refused.value.next_step.endswith("repeat the command with --max qido-body=8K")


def test_pages_without_end_are_refused_with_the_limit(archive: Scripted) -> None:
    service = qido(archive)
    for offset in range(50):
        path = f"{INSTANCES}?includefield=77771025,77771026,77771043,77771050&limit=2000&offset={offset}"
        page = json.dumps([instance(f"1.{offset}")]).encode()
        archive.by_path[path.removeprefix("/dcm4chee-arc/")] = (200, page)
    archive.headers = {"Warning": "299 more"}
    with override_limits({"qido-octets": 4096}), pytest.raises(ArchiveError, match="longer than 4K octets") as refused:
        service.get_study("1.2.3")
    assert refused.value.next_step.endswith("--max qido-octets=8K")
    with (
        override_limits({"qido-instances": 10}),
        pytest.raises(ArchiveError, match="more than 10 instances") as refused,
    ):
        service.get_study("1.2.3")
    assert refused.value.next_step.endswith("--max qido-instances=20")
