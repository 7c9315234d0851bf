"""The values that ``monitor`` expects of a node are those that a real archive shows of its stock configuration."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.nodes.expectations import EndpointExpectation, Match, derive_shown_values
from dcmcfg.schema.definitions import load_bundled_schema

#: The archive 5.35.1 of the recordings differs from the configuration of 5.33.1 in these values.
OTHERWISE = {("Study", "dcmTag"), ("fs1", "dcmURI")}
#: The endpoints of the recordings, which do not have all of them.
PATHS = {
    "/aets",
    "/attribute-filter/Study",
    "/attribute-set/DIFF_RS",
    "/attribute-set/QIDO_RS",
    "/metrics",
    "/queue",
    "/reject",
    "/storage",
}


def read_endpoints(recordings: Path) -> dict[str, Any]:
    """The first JSON of each endpoint."""
    found: dict[str, Any] = {}
    for each in json.loads((recordings / "http" / "rest.json").read_text())["recordings"]:
        method, url, _ = each["request"]["line"].split()
        path = url.removeprefix("/dcm4chee-arc")
        if method == "GET" and path in PATHS and each["response"]["status"] == 200 and path not in found:
            found[path] = json.loads(each["response"]["body"])
    return found


def list_expectations(upstream: Path, folder: Path) -> tuple[EndpointExpectation, ...]:
    for name in ("init-baseDN.ldif", "init-config.ldif", "default-config.ldif"):
        (folder / name).write_text((upstream / "5.33.1" / name).read_text())
    tree = read_ldif_tree(folder, load_bundled_schema())
    return derive_shown_values(tree, "dcm4chee-arc")


def test_a_real_archive_shows_the_values_of_its_configuration(recordings: Path, upstream: Path, tmp_path: Path) -> None:
    endpoints = read_endpoints(recordings)
    assert endpoints.keys() == PATHS
    matches = {
        each: each.match(endpoints[each.path]) for each in list_expectations(upstream, tmp_path) if each.path in PATHS
    }
    others = {(each.name, each.shown_key) for each, match in matches.items() if match is not Match.SHOWN}
    assert others == OTHERWISE
    assert Counter(matches.values()) == {Match.SHOWN: 93, Match.NOT_SHOWN: 2}
