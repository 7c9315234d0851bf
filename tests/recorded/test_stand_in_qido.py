"""Each recorded search is answered by the stand-in archive as by the real one: status, type, attributes and values."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.lab.archive.private_attributes import ALWAYS_EMPTY
from dcmcfg.lab.archive.service import open_database
from tests.lab.running_site import RunningSite, running_site
from tests.recorded.held import QIDO_DIFFERENCES, file_of, held_searches
from tests.recorded.recordings import HttpRecording, http, http_names
from tests.recorded.stand_in_studies import recorded_states, study_in
from tests.sampling import sample

pytestmark = pytest.mark.real
#: With ``includefield=all`` the real archive has these too, which the stand-in never knows.
NOT_IMITATED = frozenset(f"777710{number:02X}" for number in ALWAYS_EMPTY)
#: Times at which an instance was received: the values are those of the recorded archive's clock.
_TIMES = re.compile("777710(1[01]|2[012D]|3[01]|4[01])")
_HOST = re.compile("http://[^/]+/")
_ONE_STUDY = re.compile(r"1\.2\.826\.0\.1\.3680043\.8\.498\.777\.\d+|PatientID=P301")

Attributes = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, recordings: Path) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("lab")) as running:
        for state in recorded_states():
            put(running, state)
        running.start("archive")
        yield running


def put(site: RunningSite, state: str) -> None:
    """Put the recorded study of *state* into the database of the stand-in."""
    with closing(open_database(site.site)) as database:
        database.save(study_in(state))


def state_of(name: str) -> str:
    """Return the state of the study in the recording *name*; those of spellings and queries have study 301."""
    return next((state for state in recorded_states() if name.startswith(state)), "local-and-archived")


def get(site: RunningSite, recording: HttpRecording) -> tuple[int, str, str]:
    url = site.site.archive_url.removesuffix("/dcm4chee-arc") + recording.target
    request = urllib.request.Request(url, headers=dict(recording.more["request"]["headers"]))
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.headers.get("Content-Type", ""), response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Content-Type", ""), error.read().decode()


def comparable(found: Sequence[Attributes]) -> list[Attributes]:
    """Return *found* in the order of its UIDs, values as text, without hosts, times and what is never known."""
    cleaned = [
        {tag: _element(tag, element) for tag, element in each.items() if tag not in NOT_IMITATED} for each in found
    ]
    return sorted(cleaned, key=lambda each: [str(each.get(tag)) for tag in ("0020000D", "0020000E", "00080018")])


def _element(tag: str, element: Mapping[str, Any]) -> dict[str, Any]:
    values = [_HOST.sub("http://HOST/", json.dumps(each).strip('"')) for each in element.get("Value", [])]
    return {"vr": element["vr"], "Value": ["(time)"] * len(values) if _TIMES.match(tag) else values}


def attributes_only(found: Sequence[Attributes]) -> list[Attributes]:
    """Return the private attributes with their values, and of the others the tags: the studies are other ones."""
    return [
        {tag: each[tag] if tag.startswith("7777") else {"vr": each[tag]["vr"]} for tag in sorted(each)}
        for each in comparable(found)
    ]


@pytest.mark.parametrize(
    "name",
    sample(held_searches(), 0.5) or [pytest.param("", marks=pytest.mark.skip("no recordings"))],
)
def test_a_search_is_answered_as_recorded(site: RunningSite, name: str) -> None:
    recording = http(file_of(name), name)
    put(site, state_of(name))
    status, content_type, body = get(site, recording)
    recorded_type = dict(recording.headers).get("Content-Type", "")
    assert (status, content_type) == (recording.status, recorded_type)
    if recorded_type != "application/dicom+json":
        assert body == recording.text
        return
    answered, recorded = json.loads(body), json.loads(recording.text)
    shape = comparable if _ONE_STUDY.search(recording.target) else attributes_only
    assert shape(answered) == shape(recorded)


def test_a_deliberate_difference_is_one(site: RunningSite) -> None:
    answers = {name: get(site, http("qido-query", name)) for name in QIDO_DIFFERENCES}
    assert {name: status for name, (status, _, _) in answers.items()} == {
        "accept-xml": 406,
        "studies-csv": 406,
        "size": 404,
        "studies-fuzzymatching": 204,
    }


def test_every_search_is_held_or_a_difference(recordings: Path) -> None:
    searches = [name for file in ("qido", "qido-spelling", "qido-query") for name in http_names(file)]
    assert len(set(searches)) == len(searches) == 149
    assert sorted([*held_searches(), *QIDO_DIFFERENCES]) == sorted(searches)
