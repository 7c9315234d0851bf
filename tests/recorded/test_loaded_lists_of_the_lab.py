"""The stand-in's lists of loaded entries have the items that the real archive was recorded to list.

The recordings were made with the archive's default configuration; storages and exporters were changed there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.entry import Entry
from dcmcfg.lab.archive.loaded_lists import LoadedLists, build_loaded_lists
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from tests.recorded.recordings import http as recorded_http

pytestmark = pytest.mark.usefixtures("recordings")
DEVICE = "dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
#: What the recorded archive had instead of, or beside, the default configuration.
CONFIGURED = (
    Entry.from_values(f"dcmExporterID=LONGTERM,{DEVICE}", {"objectClass": "dcmExporter", "dcmExporterID": "LONGTERM"}),
)
#: How it differed in the default storage.
FS1 = {
    "dcmURI": "${jboss.server.storage.url}/fs1/",
    "dcmStorageDuration": "CACHE",
    "dcmDeleterThreshold": "1MB",
    "dcmExternalRetrieveAET": "LONGTERM",
}


@pytest.fixture(scope="module")
def lists(upstream: Path) -> LoadedLists:
    """The lists of the default configuration, with what the recorded archive had."""
    with (upstream / "5.33.1" / "default-config.ldif").open("rb") as file:
        records = read_all(file, "default-config.ldif")
    entries = [each.entry for each in records if isinstance(each, ContentRecord)]
    below = [each for each in entries if str(each.dn).endswith(DEVICE)]
    below = [_as_configured(each) for each in below]
    return build_loaded_lists(sorted((*below, *CONFIGURED), key=lambda each: len(each.dn.rdns)))


def _as_configured(entry: Entry) -> Entry:
    if entry.is_a("dcmStorage"):
        for name, value in FS1.items():
            entry = entry.with_values(name, [value.encode()])
    # Release 5.35 has one tag more than 5.33.
    if entry.text("dcmEntity") == "Study":
        entry = entry.with_values("dcmTag", [*entry.values("dcmTag"), b"00380050"])
    return entry


def recorded(name: str) -> tuple[str, int, Any]:
    """Return path, status and content of a recorded answer."""
    found = recorded_http("rest", name)
    return found.target.removeprefix("/dcm4chee-arc"), found.status, json.loads(found.text)


@pytest.mark.parametrize(
    "name",
    [
        "aets",
        "attribute-filter-bad",
        "attribute-filter-study",
        "attribute-set",
        "attribute-set-qido",
        "devicename",
        "export",
        "metrics",
        "queue",
        "reject",
    ],
)
def test_a_list_is_the_recorded_one(lists: LoadedLists, name: str) -> None:
    path, status, content = recorded(name)
    answer = lists.find(path)
    assert answer is not None
    assert (answer[0], json.loads(answer[1])) == (status, content)


def test_a_storage_is_listed_as_recorded_except_for_its_space(lists: LoadedLists) -> None:
    path, status, content = recorded("storage")
    answer = lists.find(path)
    assert answer is not None
    mine = json.loads(answer[1])
    for item in (*mine, *content):
        assert item.pop("usableSpace") <= item.pop("totalSpace")
    assert (answer[0], mine) == (status, content)


def test_other_paths_are_no_lists(lists: LoadedLists) -> None:
    assert lists.find("/devices") is None
    assert lists.find("/aets/DCM4CHEE") is None
