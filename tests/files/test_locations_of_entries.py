"""Where entries stand in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.dn import DN
from dcmcfg.files.locations import find_entry_locations
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.findings import SourceLocation

FIRST = "version: 1\n\n# the suffix\ndn: dc=x\nobjectClass: dcObject\ndc: x\n"
SECOND = "dn: cn=a,dc=x\nobjectClass: device\ncn: a\n\ndn: cn=b,dc=x\nobjectClass: device\ncn: b\n"


def test_entries_of_a_folder_have_the_lines_of_their_dns(tmp_path: Path) -> None:
    (tmp_path / "1.ldif").write_text(FIRST)
    (tmp_path / "2.ldif").write_text(SECOND)
    dns = [DN.parse(name) for name in ("dc=x", "CN=B, dc=x", "cn=gone,dc=x")]
    found = find_entry_locations(tmp_path, load_bundled_schema(), dns)
    lines = [found.get(load_bundled_schema().normalise_dn(dn)) for dn in dns]
    assert lines == [SourceLocation(str(tmp_path / "1.ldif"), 4), SourceLocation(str(tmp_path / "2.ldif"), 5), None]


def test_what_is_no_entry_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "x.ldif"
    file.write_text("dn: cn=a,dc=x\nchangetype: delete\n\nnonsense\n\n" + SECOND)
    found = find_entry_locations(file, load_bundled_schema(), [DN.parse("cn=a,dc=x")])
    assert list(found.values()) == [SourceLocation(str(file), 6)]


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gone"):
        find_entry_locations(tmp_path / "gone.ldif", load_bundled_schema(), [DN.parse("dc=x")])
