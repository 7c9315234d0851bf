"""Compare two pages of ``docs/explanation/`` with the answers of the real archive."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dcmcfg.lint.linter import lint
from dcmcfg.schema.check import LocatedEntry, check_entries
from tests.lint.breaking import ARCHIVE, DCM4CHEE, EXPORTER, NOW, more, put, valid_tree
from tests.recorded.recordings import http, http_names

_EXPLANATION = Path(__file__).parents[2] / "docs" / "explanation"
PAGE = (_EXPLANATION / "archive-behaviour.md").read_text("utf-8")
PURGED_STUDIES_PAGE = (_EXPLANATION / "purged-studies.md").read_text("utf-8")
#: First cell of a row of the page → beginning of the recordings' names.
STUDIES = {
    "local": "local",
    "purged, or on a storage that is not configured": "purged|unconfigured-storage",
    "partly purged": "partly-purged",
    "unknown": "unknown|unknown-external-wado-rs|unknown-fallback-wado-uri",
    "purged, with `dcmExternalWadoRSWebAppName`": "purged-external-wado-rs",
    "partly purged, with `dcmExternalWadoRSWebAppName`": "partly-purged-external-wado-rs",
    "purged, with `dcmFallbackWadoURIWebAppName`": "purged-fallback-wado-uri",
    "any of the last three, if the web application is not in LDAP": "purged-external-wado-rs-unknown-webapp",
}
LOADED = {
    "reload-exporter-uri-scheme": (put(EXPORTER, dcmURI="nosuch:LONGTERM"), "exporter-scheme-unknown"),
    "reload-exporter-queue": (put(EXPORTER, dcmQueueName="NOSUCH"), "queue-unknown"),
    "reload-object-storage-unknown": (put(DCM4CHEE, dcmObjectStorageID="nosuch"), "storage-unknown"),
    "reload-tag": (more(f"dcmEntity=Study,{ARCHIVE}", "dcmTag", "0020000Z"), "check"),
}


def rows(page: str, heading: str) -> dict[str, list[str]]:
    section = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1:] for cells in lines[1:]}


@pytest.mark.parametrize(("study", "names"), STUDIES.items(), ids=list(STUDIES))
def test_the_answers_to_wado_are_those_recorded(recordings: Path, study: str, names: str) -> None:
    cells = rows(PURGED_STUDIES_PAGE, "Viewing a purged study")[study]
    for column, request in zip(cells, ("rs-(?:study|metadata)", "rs-instance", "uri"), strict=True):
        stated = re.search(r"\b\d{3}\b", column)
        recorded = [name for name in http_names("wado") if re.fullmatch(f"(?:{names})-{request}", name)]
        assert recorded
        assert stated is not None
        assert {http("wado", name).status for name in recorded} == {int(stated[0])}


@pytest.mark.parametrize("name", LOADED)
def test_a_value_that_loads_although_nothing_works_is_reported(recordings: Path, name: str) -> None:
    assert http("ctrl-broken", name).status == 204
    change, rule = LOADED[name]
    tree = valid_tree().with_changes([change])
    found = {each.rule.name for each in lint(tree, NOW)}
    checked = check_entries((LocatedEntry(entry) for entry in tree.sorted_entries()), tree.schema, live=True)
    found |= {"check" for each in checked if each.attribute == "dcmTag"}
    assert rule in found
    assert f"`{rule}`" in PAGE or f"`dcmcfg {rule}`" in PAGE


def test_a_reload_accepts_a_wrong_key_store_pin(recordings: Path) -> None:
    assert http("ctrl-broken", "reload-keystore-pin").status == 204
