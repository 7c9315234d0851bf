"""The archive's database as a witness, held to what the real archive answered in each state of a study."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.archive.authorized_client import AuthorizedClient
from dcmcfg.archive.http_client import HttpClient
from dcmcfg.archive.qido import Qido
from dcmcfg.archive.record_search import search_records
from dcmcfg.archive.stored_studies import INSTANCE_FIELDS, STUDY_FIELDS, parse_instances, parse_studies
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.plan.recorded_names import RecordedName, RecordedStudies
from tests.archive.scripted import Scripted, scripted_archive
from tests.recorded.recordings import http

#: State of a study → its storage IDs, the title that all instances have, and storage and title of each instance.
STATES: dict[str, tuple[tuple[str, ...], str, list[tuple[tuple[str, ...], str]]]] = {
    "local-only": (("fs1",), "", [(("fs1",), "")] * 3),
    "local-and-archived": (("fs1",), "LONGTERM", [(("fs1",), "LONGTERM")] * 3),
    "purged-external-longterm": ((), "LONGTERM", [((), "LONGTERM")] * 3),
    "partly-purged": (("fs1",), "", [((), "LONGTERM"), ((), "LONGTERM"), (("fs1",), ""), *[((), "LONGTERM")] * 2]),
    "recalled-again": (("fs1",), "LONGTERM", [(("fs1",), "LONGTERM")] * 3),
    "on-unconfigured-storage": (("fs9",), "LONGTERM", [(("fs9",), "LONGTERM")] * 3),
    "purged-star": ((), "", [((), "")] * 3),
}


@pytest.fixture
def archive() -> Iterator[Scripted]:
    with scripted_archive() as script:
        yield script


def answered(name: str, fields: tuple[str, ...]) -> str:
    """Return the recorded answer *name* with only the private elements in *fields*, as if these were asked for."""
    kept: list[dict[str, Any]] = json.loads(http("qido", name).text)
    asked = {"77770010", *fields}
    return json.dumps(
        [{tag: each for tag, each in one.items() if not tag.startswith("7777") or tag in asked} for one in kept]
    )


@pytest.mark.parametrize("state", STATES)
def test_each_instance_is_read_as_the_database_has_it(recordings: Path, archive: Scripted, state: str) -> None:
    storages, external, each = STATES[state]
    archive.answer(200, answered(f"{state}-instances-el-six-1x", INSTANCE_FIELDS))
    study_uid = json.loads(archive.body)[0]["0020000D"]["Value"][0]
    found = Qido(archive.url, "DCM4CHEE", AuthorizedClient(HttpClient(), None)).get_study(study_uid)
    assert (found.is_known, found.instance_count, found.storage_ids, found.external_ae_title) == (
        True,
        len(each),
        storages,
        external,
    )
    assert [(one.storage_ids, one.external_ae_title) for one in found.instances or ()] == each


@pytest.mark.parametrize("state", STATES)
def test_each_study_is_read_as_the_database_has_it(recordings: Path, state: str) -> None:
    storages, external, each = STATES[state]
    (found,) = parse_studies(answered(f"{state}-studies-el-six-1x", STUDY_FIELDS))
    assert (found.instance_count, found.storage_ids, found.external_ae_title) == (len(each), storages, external)


def test_only_purged_studies_with_an_external_archive_are_recalled(recordings: Path, archive: Scripted) -> None:
    answers = [json.loads(answered(f"{state}-studies-el-six-1x", STUDY_FIELDS))[0] for state in STATES]
    archive.answer(200, json.dumps(answers))
    found = Qido(archive.url, "DCM4CHEE", AuthorizedClient(HttpClient(), None)).find_purged_studies(
        {}, max_results=9, max_examined=9
    )
    assert [(one.storage_ids, one.external_ae_title) for one in found] == [((), "LONGTERM")]


def test_a_study_that_the_database_does_not_have_is_unknown(recordings: Path, archive: Scripted) -> None:
    unknown = http("qido", "unknown-instances-el-six-1x")
    archive.answer(unknown.status, unknown.text)
    assert not Qido(archive.url, "DCM4CHEE", AuthorizedClient(HttpClient(), None)).get_study("1.2.3").is_known


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("read", [parse_studies, parse_instances])
def test_the_creator_alone_tells_nothing_and_is_refused(recordings: Path, state: str, read: Any) -> None:
    level = "studies" if read is parse_studies else "instances"
    with pytest.raises(ValueError, match=r"the requested element .* is missing"):
        read(http("qido", f"{state}-{level}-creator").text)


def test_studies_recorded_under_a_title_are_counted_purged_and_still_local(recordings: Path, archive: Scripted) -> None:
    answers = [json.loads(answered(f"{state}-studies-el-six-1x", STUDY_FIELDS))[0] for state in STATES]
    distinct = [each | {"0020000D": {"vr": "UI", "Value": [f"1.2.{at}"]}} for at, each in enumerate(answers)]
    archive.answer(200, json.dumps(distinct))
    name = RecordedName(EntityKind.AE, "LONGTERM", ())
    found = search_records([name], lambda: Qido(archive.url, "DCM4CHEE", AuthorizedClient(HttpClient(), None)))
    assert found.records == (RecordedStudies(name, purged=1, local=3),)


@pytest.mark.parametrize(
    ("name", "external"),
    [("studies-external-aet-longterm", "LONGTERM"), ("studies-external-aet-star", None)],
)
def test_the_real_archive_finds_the_studies_of_one_external_title_alone(
    recordings: Path, name: str, external: str | None
) -> None:
    found = [each["77771045"].get("Value", [None]) for each in json.loads(http("qido-query", name).text)]
    assert (found, http("qido-query", "studies-external-aet-nobody").status) == ([[external]] * len(found), 204)
