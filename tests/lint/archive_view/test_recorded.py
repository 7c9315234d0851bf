"""The device as a real archive 5.35.1 showed it, compared with the default configuration that it came with."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lint.archive_view.differences import DeviceView, find_view_differences
from dcmcfg.lint.archive_view.pairing import pair_entries
from dcmcfg.lint.archive_view.shown_object import parse_object
from dcmcfg.model.tree import Tree
from dcmcfg.schema.findings import EntryFinding
from tests.lint.test_stock import stock
from tests.sampling import sample
from tests.trees import ARCHIVE

Json = dict[str, Any]
#: What the archive was configured with (README of the recordings), and what 5.34.0 to 5.35.1 changed in the default
#: configuration since 5.33.1: rule, object class of the entry, attribute.
EXPECTED = {
    ("view-value", "dicomNetworkConnection", "dicomPort"),
    ("view-value", "dicomNetworkConnection", "dcmBindAddress"),
    ("view-value", "dicomDevice", "dcmTaskPollingInterval"),
    ("view-value", "dicomDevice", "dcmPurgeStoragePollingInterval"),
    ("view-value", "dicomDevice", "hl7PSUTemplateParam"),
    ("view-value", "dicomTransferCapability", "dicomTransferSyntax"),
    ("view-value", "dcmAttributeFilter", "dcmTag"),
    ("view-value", "dcmAttributeSet", "dcmTag"),
    ("view-value", "dcmStorage", "dcmURI"),
    ("view-entry-unknown", "dicomDevice", ""),  # exporter and rule of the recordings
    ("view-entry-unknown", "dicomNetworkAE", ""),  # capabilities and coercions since 5.34
    ("view-entry-unknown", "dcmuiConfig", ""),  # a permission since 5.34
}


@dataclass(frozen=True)
class Recorded:
    """The tree, its device, and the JSON of the device; ``known`` are the findings about them."""

    tree: Tree
    device: Entry
    content: Json
    known: frozenset[EntryFinding]

    def find(self, content: Json) -> list[EntryFinding]:
        """Return what is found in *content* and not in the recording."""
        found = find_view_differences(self.tree, self.device, [DeviceView("", content)])
        return [each for each in found if each not in self.known]


@pytest.fixture(scope="module")
def recorded(upstream: Path, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    content = json.loads(gzip.decompress((recordings / "http" / "device-dcm4chee-arc.json.gz").read_bytes()))
    tree = stock(upstream, "5.33.1", tmp_path_factory.mktemp("stock"))
    device = tree.get(DN.parse(ARCHIVE))
    assert device is not None
    return Recorded(tree, device, content, frozenset(find_view_differences(tree, device, [DeviceView("", content)])))


def object_class(tree: Tree, dn: DN) -> str:
    entry = tree.get(dn)
    assert entry is not None
    return entry.texts("objectClass")[0]


def test_the_recorded_device_differs_only_by_its_configuration_and_by_its_release(recorded: Recorded) -> None:
    found = {(each.rule.name, object_class(recorded.tree, each.dn), each.attribute) for each in recorded.known}
    assert found == EXPECTED


@pytest.fixture(scope="module")
def small(recorded: Recorded) -> Recorded:
    """The same without transfer capabilities, which are most of the entries."""
    tree = Tree.from_entries(
        recorded.tree.schema,
        [each for each in recorded.tree.sorted_entries() if not each.is_a("dicomTransferCapability")],
    )
    content = copy.deepcopy(recorded.content)
    for ae in content["dicomNetworkAE"]:
        del ae["dicomTransferCapability"]
    known = find_view_differences(tree, recorded.device, [DeviceView("", content)])
    return Recorded(tree, recorded.device, content, frozenset(known))


def places(content: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of each value in *content* that is no object and no list of objects."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        is_list_of_values = isinstance(value, list) and value and not isinstance(value[0], dict)
        if isinstance(value, dict) or (isinstance(value, list) and not is_list_of_values):
            yield from places(value, (*path, key))
        else:
            yield (*path, key)


#: Names of entries: with another name, it is another entry.
NAMES = ("cn", "dicomDeviceName", "dicomAETitle", "dicomVendorData")


def remove(place: Json, key: str) -> None:
    del place[key]


def misspell(place: Json, key: str) -> None:
    place[key[:-1]] = place.pop(key)


def change_case(place: Json, key: str) -> None:
    place[key.upper()] = place.pop(key)


def alter(place: Json, key: str) -> None:
    place[key] = "ALTERED"


CHANGES: dict[Callable[[Json, str], None], tuple[str, str]] = {
    remove: ("view-attribute-missing", "view-entry-missing"),
    misspell: ("view-attribute-name", "view-entry-missing"),
    change_case: ("view-attribute-name", "view-entry-missing"),
    alter: ("view-value", "view-entry-missing"),
}


def _pointer(path: tuple[str | int, ...]) -> str:
    return "".join(f"/{step}" for step in path)


@pytest.mark.parametrize("change", CHANGES)
def test_an_attribute_that_the_json_loses_misspells_or_changes_is_found(
    small: Recorded, change: Callable[[Json, str], None]
) -> None:
    in_tree = {each.name for entry in small.tree.subtree(small.device.dn) for each in entry.attributes}
    missed = []
    unknown = tuple(
        each.shown.pointer for each in pair_entries(small.tree, small.device, parse_object(small.content)).unknown
    )
    chosen = [
        path
        for path in places(small.content)
        if path[-1] in in_tree and path[-1] not in NAMES and not _pointer(path).startswith(unknown)
    ]
    for path in sample(chosen, 0.02):
        content = copy.deepcopy(small.content)
        place: Any = content
        for step in path[:-1]:
            place = place[step]
        if change is remove and place[path[-1]] is True:
            continue  # the default of each of them: the same without the attribute
        change(place, str(path[-1]))
        found = small.find(content)
        if not any(each.rule.name in CHANGES[change] and each.attribute in (path[-1], "") for each in found):
            missed.append(path)
    assert len(chosen) > 600
    assert not missed
