"""The search by HTTP of the stand-in archive, and the private attributes that it gives."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from dcmcfg.archive.authorized_client import AuthorizedClient
from dcmcfg.archive.http_client import HttpClient
from dcmcfg.archive.qido import Qido
from dcmcfg.lab.archive.service import open_database
from dcmcfg.lab.studies import get_standard_study
from tests.lab.requests import move_study
from tests.lab.running_site import AE, RunningSite, running_site
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.real
PRIVATE = "includefield=77771025,77771026,77771028,77771043,77771044,77771045,77771050"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("lab")) as running:
        running.start("external", "storage", "archive")
        yield running


def get(site: RunningSite, path: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(f"{site.site.archive_url}/aets/{path}", timeout=PATIENCE_S) as response:
            return response.status, response.headers.get("Content-Type", ""), response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Content-Type", ""), error.read().decode()


def search_results(site: RunningSite, query: str) -> list[dict[str, Any]]:
    status, content_type, body = get(site, f"DCM4CHEE/rs/{query}")
    assert (status, content_type) == (200, "application/dicom+json")
    answer: list[dict[str, Any]] = json.loads(body)
    return answer


def private(attributes: dict[str, Any]) -> dict[str, Any]:
    return {tag: element.get("Value") for tag, element in attributes.items() if tag.startswith("7777")}


def names(site: RunningSite, query: str) -> list[str]:
    return sorted(each["00200010"]["Value"][0] for each in search_results(site, query))


def test_a_purged_study_has_an_external_archive_and_no_storage_and_after_the_recall_it_has_both(
    site: RunningSite,
) -> None:
    query = f"studies?StudyInstanceUID={get_standard_study('three').uid}&{PRIVATE}"
    (purged,) = search_results(site, query)
    asked_for = {f"777710{element}": None for element in (25, 26, 28, 43, 44, 45, 50)}
    assert private(purged) == asked_for | {"77770010": ["DCM4CHEE Archive 5"], "77771045": ["LONGTERM"]}
    assert purged["00201208"]["Value"] == [3]
    assert purged["00080056"]["Value"] == ["NEARLINE"]
    site.put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
    site.reload()
    assert move_study(site.archive, "STORESCP", get_standard_study("three").uid).status == 0
    (recalled,) = search_results(site, query)
    assert private(recalled) == private(purged) | {"77771028": ["fs1"]}
    assert recalled["00080056"]["Value"] == ["NEARLINE"]


def test_a_private_attribute_comes_when_it_is_asked_for_by_number_and_all_those_with_a_value_with_all(
    site: RunningSite,
) -> None:
    query = f"studies?0020000D={get_standard_study('twenty').uid}"
    (plain,) = search_results(site, query)
    assert private(plain) == {}
    (creator,) = search_results(site, f"{query}&includefield=77770010")
    assert creator.keys() - plain.keys() == {"77770010", "77771010"}
    (all_there_is,) = search_results(site, f"{query}&includefield=all")
    assert "77771045" in all_there_is
    assert "77771025" not in all_there_is


def test_the_objects_of_a_study_have_storages_of_their_own(site: RunningSite) -> None:
    status, _, body = get(site, f"DCM4CHEE/rs/studies/{get_standard_study('local').uid}/instances?{PRIVATE}")
    assert status == 200
    stored = [{tag: value for tag, value in private(each).items() if value} for each in json.loads(body)]
    assert stored == [{"77770010": ["DCM4CHEE Archive 5"], "77771028": ["fs1"], "77771050": ["fs1"]}] * 5
    (one,) = search_results(site, f"instances?StudyInstanceUID={get_standard_study('one').uid}&{PRIVATE}")
    assert [private(one)[f"777710{element}"] for element in (43, 44, 45, 50)] == [["LONGTERM"]] * 3 + [None]


def test_the_archives_own_filters_narrow_a_search(site: RunningSite) -> None:
    assert names(site, "studies?ExternalRetrieveAET=LONGTERM") == ["JPEG-LS", "ONE", "THREE", "TWENTY"]
    assert names(site, "studies?ExternalRetrieveAET!=LONGTERM") == ["LOCAL"]
    pages = [names(site, f"studies?ExternalRetrieveAET!=*&PatientID=LAB-T*&limit=1&offset={n}") for n in (0, 1)]
    assert sorted(pages) == [["THREE"], ["TWENTY"]]
    assert "LOCAL" in names(site, "studies?storageID=fs1")
    database = open_database(site.site)
    database.set_failed_retrieves(get_standard_study("one").uid, 2)
    database.close()
    assert names(site, "studies?incomplete=true") == names(site, "studies?retrievefailed=true") == ["ONE"]
    (one,) = search_results(site, f"studies?incomplete=true&{PRIVATE}")
    assert (private(one)["77771025"], private(one)["77771026"]) == (["PARTIAL"], [2])


def test_nothing_found_is_204_and_what_cannot_be_searched_400_or_404(site: RunningSite) -> None:
    assert get(site, f"DCM4CHEE/rs/studies?StudyInstanceUID={get_standard_study('unknown').uid}") == (204, "", "")
    assert get(site, "NOBODY/rs/studies")[::2] == (404, '{"errorMessage":"No such Application Entity: NOBODY"}')
    invalid = "[CLASS]\r[]\r[Invalid Query Parameter]\r[/dcm4chee-arc/aets/DCM4CHEE/rs/studies?NoSuchAttribute=1]\r\r"
    assert get(site, "DCM4CHEE/rs/studies?NoSuchAttribute=1")[::2] == (400, invalid)
    assert get(site, "DCM4CHEE/rs/studies?limit=x")[0] == 400
    assert get(site, "DCM4CHEE/rs/wards")[0] == 404


def test_more_results_than_a_page_may_have_are_cut_and_more_matches_than_a_query_may_have_are_413(
    site: RunningSite,
) -> None:
    site.put("dcmQidoMaxNumberOfResults", "2", dn=AE)
    site.reload()
    assert len(search_results(site, "studies")) == len(search_results(site, "studies?limit=3")) == 2
    pages = Qido(site.site.archive_url, "DCM4CHEE", AuthorizedClient(HttpClient()))
    assert pages.get_study(get_standard_study("twenty").uid).instance_count == 20, (
        "a page that was cut short is not the last"
    )
    site.put("dcmQueryMaxNumberOfResults", "3", dn=AE)
    site.reload()
    assert get(site, "DCM4CHEE/rs/studies")[0] == 413
