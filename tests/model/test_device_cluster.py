"""Clusters of the archive's web interface show the URLs of nodes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.device_cluster import ClusterMember, list_cluster_members, make_node_name
from dcmcfg.settings.node_tables import check_node_name
from tests.trees import ARCHIVE, site_entries, tree

UI = f"dcmuiConfigName=default,{ARCHIVE}"
DEVICE = "dcm4chee-arc"


def url(name: str, text: str, **more: str) -> Entry:
    return Entry.from_values(
        f"dcmuiDeviceURLName={name},{UI}",
        {"objectClass": "dcmuiDeviceURLObject", "dcmuiDeviceURLName": name, "dcmuiDeviceURL": text, **more},
    )


def cluster(name: str, *devices: str, **more: str) -> Entry:
    return Entry.from_values(
        f"dcmuiDeviceClusterName={name},{UI}",
        {
            "objectClass": "dcmuiDeviceClusterObject",
            "dcmuiDeviceClusterName": name,
            "dcmuiDeviceClusterDevices": devices,
            **more,
        },
    )


def members(*entries: Entry) -> list[tuple[str, str, str]]:
    ui = Entry.from_values(UI, {"objectClass": "dcmuiConfig", "dcmuiConfigName": "default"})
    found = list_cluster_members(tree(*site_entries(), ui, *entries), DEVICE)
    return [(each.cluster, each.name, each.archive_url) for each in found]


def test_the_members_of_a_cluster_have_the_urls_of_the_tree() -> None:
    assert members(
        url("east", "http://east:8080/dcm4chee-arc"),
        url("west", "http://west:8080/"),
        url("alone", "http://alone:8080"),
        cluster("main", "east", "west"),
    ) == [
        ("main", "east", "http://east:8080/dcm4chee-arc"),
        ("main", "west", "http://west:8080/dcm4chee-arc"),
    ]


@pytest.mark.parametrize(
    "text", ["http://east:8080", "http://east:8080/", "http://east:8080/dcm4chee-arc", "http://east:8080/dcm4chee-arc/"]
)
def test_the_path_of_the_archive_is_completed(text: str) -> None:
    assert members(url("east", text), cluster("main", "east")) == [("main", "east", "http://east:8080/dcm4chee-arc")]


def test_a_url_is_listed_once() -> None:
    entries = [
        url("east", "http://east:8080"),
        url("same", "http://east:8080/dcm4chee-arc"),
        cluster("a", "east", "same"),
        cluster("b", "east"),
    ]
    assert members(*entries) == [("a", "east", "http://east:8080/dcm4chee-arc")]


@pytest.mark.parametrize(
    "entries",
    [
        [url("east", "http://east:8080")],
        [cluster("main", "east")],
        [url("east", "http://east:8080"), cluster("main", "west")],
        [url("east", "http://east:8080", dcmuiDeviceURLInstalled="FALSE"), cluster("main", "east")],
        [url("east", "http://east:8080"), cluster("main", "east", dcmuiDeviceClusterInstalled="FALSE")],
        [],
    ],
)
def test_what_is_unknown_or_not_installed_is_no_member(entries: list[Entry]) -> None:
    assert members(*entries) == []


@pytest.mark.parametrize(
    ("name", "has_own_device"),
    [("east", False), (DEVICE, False), (DEVICE.upper(), False), ("storescp", True)],
)
def test_a_member_with_a_device_of_its_own_is_not_a_node_of_this_archive(name: str, has_own_device: bool) -> None:
    source = tree(*site_entries(), url(name, "http://x:8080"), cluster("main", name))
    (member,) = list_cluster_members(source, DEVICE)
    assert member.has_own_device is has_own_device


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("east", "east"),
        ("arc 1 (east)", "arc-1-east"),
        ("node.east", "node-east"),
        ("ä", "node"),
        ("", "node"),
        ("x" * 60, "x" * 40),
    ],
)
def test_the_name_of_a_node_is_made_from_that_of_the_member(name: str, expected: str) -> None:
    assert make_node_name(ClusterMember("main", name, "http://x/dcm4chee-arc")) == expected


@given(st.text())
def test_every_name_that_is_made_is_one_of_a_node(name: str) -> None:
    made = make_node_name(ClusterMember("main", name, "http://x/dcm4chee-arc"))
    check_node_name(made, "test")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", made)


def test_other_names_are_none_of_a_node() -> None:
    with pytest.raises(MalformedInput):
        check_node_name("a.b", "test")
