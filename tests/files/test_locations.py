"""Values are found again where they stand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dcmcfg.files.locations import ValueLineIndex, ValueLocator
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.findings import SourceLocation
from tests.growth import growth

TEXT = b"""\
version: 1

dn: cn=x
cn: x
# description: first
description: fir
 st
description:: c2Vjb25k
userCertificate;binary:: AAE=
description:first
cn:: !!!

dn: cn=y
description: third
"""


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize(
    ("first", "name", "value", "line"),
    [
        (3, "cn", b"x", 4),
        (3, "description", b"second", 8),
        (3, "description", b"first", 10),
        (3, "description", None, 10),
        (3, "usercertificate", b"\x00\x01", 9),
        (3, "description", b"third", 3),
        (3, "nothing", None, 3),
        (13, "description", b"third", 14),
        (99, "cn", None, 99),
    ],
)
def test_a_value_is_found_on_its_last_line(end: bytes, first: int, name: str, value: bytes | None, line: int) -> None:
    lines = TEXT.replace(b"\n", end).split(b"\n")
    assert ValueLineIndex(lines).find_line(first, {name}, value) == line


def test_the_file_of_a_located_value_is_read_once_and_need_not_be_readable(tmp_path: Path) -> None:
    file = tmp_path / "site.ldif"
    file.write_bytes(TEXT)
    locator = ValueLocator(load_bundled_schema())
    found = [locator.find(SourceLocation(str(file), 3), name, None) for name in ("cn", "commonName")]
    assert found == [SourceLocation(str(file), 11)] * 2
    file.unlink()
    assert locator.find(SourceLocation(str(file), 3), "dicomDescription", None).line == 3
    assert locator.find(SourceLocation(str(file), 13), "description", None).line == 14
    os.mkfifo(file)
    for record in (SourceLocation(str(file), 3), SourceLocation("-", 3)):
        assert ValueLocator(load_bundled_schema()).find(record, "cn", None) == record


def test_each_value_of_a_long_record_is_found_in_linear_time() -> None:
    def finding(count: int) -> Callable[[], object]:
        values = [f"value {number}".encode() for number in range(count)]
        lines = [b"dn: cn=x", *(b"cn: " + value for value in values)]

        def find() -> None:
            index = ValueLineIndex(lines)
            assert [index.find_line(1, {"cn"}, value) for value in values] == list(range(2, count + 2))

        return find

    assert growth(finding, 50) < 4.5
