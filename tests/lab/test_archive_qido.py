"""The search by HTTP of the stand-in archive, and the private attributes that it gives."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from dcmcfg.lab.archive.seed import database_of
from dcmcfg.lab.studies import study
from tests.lab.requests import move_study
from tests.lab.running_site import AE, RunningSite, running_site

pytestmark = pytest.mark.real
PRIVATE = "includefield=77770010"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("lab")) as running:
        running.start("external", "storage", "archive")
        yield running


def get(site: RunningSite, path: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(f"{site.site.archive_url}/aets/{path}", timeout=20) as response:
            return response.status, response.headers.get("Content-Type", ""), response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Content-Type", ""), error.read().decode()


def found(site: RunningSite, query: str) -> list[dict[str, Any]]:
    status, content_type, body = get(site, f"DCM4CHEE/rs/{query}")
    assert (status, content_type) == (200, "application/dicom+json")
    answer: list[dict[str, Any]] = json.loads(body)
    return answer


def private(attributes: dict[str, Any]) -> dict[str, Any]:
    return {tag: element.get("Value") for tag, element in attributes.items() if tag.startswith("7777")}


def names(site: RunningSite, query: str) -> list[str]:
    return sorted(each["00200010"]["Value"][0] for each in found(site, query))


def test_a_purged_study_has_an_external_archive_and_no_storage_and_after_the_recall_it_has_both(
    site: RunningSite,
) -> None:
    query = f"studies?StudyInstanceUID={study('three').uid}&{PRIVATE}"
    (purged,) = found(site, query)
    assert private(purged) == {"77770010": ["DCM4CHEE Archive 5"], "77771045": ["LONGTERM"]}
    assert purged["00201208"]["Value"] == [3]
    assert purged["00080056"]["Value"] == ["NEARLINE"]
    site.put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
    site.reload()
    assert move_study(site.archive, "STORESCP", study("three").uid).status == 0
    (recalled,) = found(site, query)
    assert private(recalled) == private(purged) | {"77771028": ["fs1"]}
    assert recalled["00080056"]["Value"] == ["ONLINE"]


def test_private_attributes_come_only_when_asked_for(site: RunningSite) -> None:
    (plain,) = found(site, f"studies?StudyInstanceUID={study('twenty').uid}")
    assert private(plain) == {}
    (all_there_is,) = found(site, f"studies?0020000D={study('twenty').uid}&includefield=all")
    assert "77771045" in all_there_is


def test_the_objects_of_a_study_have_storages_of_their_own(site: RunningSite) -> None:
    status, _, body = get(site, f"DCM4CHEE/rs/studies/{study('local').uid}/instances?{PRIVATE}")
    assert status == 200
    assert [private(each) for each in json.loads(body)] == [
        {"77770010": ["DCM4CHEE Archive 5"], "77771028": ["fs1"], "77771050": ["fs1"]}
    ] * 5
    (one,) = found(site, f"instances?StudyInstanceUID={study('one').uid}&{PRIVATE}")
    assert {"77771043", "77771044", "77771045"} <= one.keys()
    assert "77771050" not in one


def test_the_archives_own_filters_narrow_a_search(site: RunningSite) -> None:
    assert names(site, "studies?ExternalRetrieveAET=LONGTERM") == ["JPEG-LS", "ONE", "THREE", "TWENTY"]
    assert names(site, "studies?ExternalRetrieveAET!=LONGTERM") == ["LOCAL"]
    pages = [names(site, f"studies?ExternalRetrieveAET!=*&PatientID=LAB-T*&limit=1&offset={n}") for n in (0, 1)]
    assert sorted(pages) == [["THREE"], ["TWENTY"]]
    assert "LOCAL" in names(site, "studies?storageID=fs1")
    database = database_of(site.site)
    database.set_failed_retrieves(study("one").uid, 2)
    database.close()
    assert names(site, "studies?incomplete=true") == names(site, "studies?retrievefailed=true") == ["ONE"]
    (one,) = found(site, f"studies?incomplete=true&{PRIVATE}")
    assert (private(one)["77771025"], private(one)["77771026"]) == (["PARTIAL"], [2])


def test_nothing_found_is_204_and_what_cannot_be_searched_400_or_404(site: RunningSite) -> None:
    assert get(site, f"DCM4CHEE/rs/studies?StudyInstanceUID={study('unknown').uid}") == (204, "", "")
    assert get(site, "NOBODY/rs/studies")[::2] == (404, "No such Application Entity: NOBODY")
    assert get(site, "DCM4CHEE/rs/studies?NoSuchAttribute=1")[::2] == (400, "NoSuchAttribute=1")
    assert get(site, "DCM4CHEE/rs/studies?limit=x")[0] == 400
    assert get(site, "DCM4CHEE/rs/wards")[0] == 404


def test_more_than_the_archive_may_tell_is_413(site: RunningSite) -> None:
    site.put("dcmQidoMaxNumberOfResults", "2", dn=AE)
    site.reload()
    assert get(site, "DCM4CHEE/rs/studies")[::2] == (413, "Request entity too large: 5 > 2")
    assert len(found(site, "studies?limit=2")) == 2
