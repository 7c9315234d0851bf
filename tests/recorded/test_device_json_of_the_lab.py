"""The lab's archive shows a device in the form in which the real archive showed its own."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dcmcfg.dn import DN
from dcmcfg.lab.archive.device_json import build_device_json
from tests.lint.test_stock import stock
from tests.trees import ARCHIVE

Place = tuple[tuple[str, ...], str]


def places(content: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[Place]:
    """Yield the keys that lead to each value, with the kind of the value; positions in lists do not count."""
    for key, value in content.items():
        match value:
            case dict():
                yield from places(value, (*path, key))
            case [dict(), *_]:
                for each in value:
                    yield from places(each, (*path, key))
            case []:
                pass
            case [first, *_]:
                yield (*path, key), f"list of {type(first).__name__}"
            case _:
                yield (*path, key), type(value).__name__


def test_each_value_has_the_place_and_the_kind_that_the_real_archive_gives_it(
    upstream: Path, recordings: Path, tmp_path: Path
) -> None:
    real = json.loads(gzip.decompress((recordings / "http" / "device-dcm4chee-arc.json.gz").read_bytes()))
    tree = stock(upstream, "5.33.1", tmp_path)
    entries = sorted(tree.subtree(DN.parse(ARCHIVE)), key=lambda entry: len(entry.dn.rdns))
    shown = set(places(json.loads(build_device_json(entries))))
    assert len(shown) > 180
    assert shown - set(places(real)) == set()
