"""The control endpoints of the stand-in archive, over real HTTP."""

from __future__ import annotations

import json

import pytest

from tests.dicom.dcmtk import echoscu
from tests.lab.running_site import AE, DEVICE, Answer, RunningSite

pytestmark = pytest.mark.real


@pytest.fixture
def site(bare_site: RunningSite) -> RunningSite:
    """Only the archive runs."""
    bare_site.start("archive")
    return bare_site


def status(site: RunningSite) -> str:
    answer = site.control("status", "GET")
    assert (answer.status, answer.content_type) == (200, "application/json")
    return str(json.loads(answer.body)["status"])


def test_reload_is_204_and_status_says_started(site: RunningSite) -> None:
    assert site.control("reload") == Answer(204, "", "")
    assert site.control("status", "GET").body == '{"status": "STARTED"}'


def test_stop_and_start_close_and_open_the_dicom_port(site: RunningSite) -> None:
    assert site.control("stop").status == 204
    assert status(site) == "STOPPED"
    assert echoscu(site.archive).returncode != 0
    assert site.control("reload").status == 204
    assert status(site) == "STOPPED"
    assert site.control("start").status == 204
    assert status(site) == "STARTED"
    assert echoscu(site.archive).returncode == 0


def test_start_when_started_is_500_already_listening(site: RunningSite) -> None:
    answer = site.control("start")
    assert (answer.status, answer.content_type) == (500, "text/plain")
    assert answer.body.startswith("java.lang.IllegalStateException: already listening\n\tat ")


def test_a_dangling_reference_makes_reload_500_with_a_stack_trace_and_changes_nothing(
    site: RunningSite,
) -> None:
    site.put("dicomNetworkConnectionReference", "cn=gone," + DEVICE, dn=AE)
    answer = site.control("reload")
    assert (answer.status, answer.content_type) == (500, "text/plain")
    first, *frames = answer.body.splitlines()
    assert first == ("org.dcm4che3.conf.api.ConfigurationNotFoundException: Device with specified name not found")
    assert frames
    assert all(frame.startswith("\tat ") for frame in frames)
    assert echoscu(site.archive).returncode == 0
    site.put("dicomNetworkConnectionReference", "cn=dicom," + DEVICE, dn=AE)
    assert site.control("reload").status == 204


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("dcmAECacheStaleTimeout", "5M", "java.lang.IllegalArgumentException: Invalid duration: 5M"),
        (
            "dcmCStoreSCUOfCMoveSCP",
            "LONGTERM",
            "java.lang.IllegalArgumentException: Invalid dcmCStoreSCUOfCMoveSCP: LONGTERM",
        ),
    ],
)
def test_an_unreadable_value_makes_reload_409_with_a_message(
    site: RunningSite, attribute: str, value: str, message: str
) -> None:
    site.put(attribute, value)
    assert site.control("reload") == Answer(409, "text/plain", f'{{"errorMessage":"{message}"}}')


def test_a_dead_directory_makes_reload_409(site: RunningSite) -> None:
    site.slapd.slapd.stop()
    answer = site.control("reload")
    assert (answer.status, answer.content_type) == (409, "text/plain")
    assert answer.body.startswith('{"errorMessage":"org.dcm4che3.conf.api.ConfigurationException: ')
    assert status(site) == "STARTED"


def test_other_paths_are_404_and_other_methods_405(site: RunningSite) -> None:
    assert site.control("nothing").status == 404
    assert site.control("reload", "GET").status == 405
    assert site.control("status", "POST").status == 405
