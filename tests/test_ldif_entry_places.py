"""Where entries stand in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.dn import DN
from dcmcfg.files.locations import entry_places
from dcmcfg.schema.definitions import bundled
from dcmcfg.schema.findings import Place

FIRST = "version: 1\n\n# the suffix\ndn: dc=x\nobjectClass: dcObject\ndc: x\n"
SECOND = "dn: cn=a,dc=x\nobjectClass: device\ncn: a\n\ndn: cn=b,dc=x\nobjectClass: device\ncn: b\n"


def test_entries_of_a_folder_have_the_lines_of_their_dns(tmp_path: Path) -> None:
    (tmp_path / "1.ldif").write_text(FIRST)
    (tmp_path / "2.ldif").write_text(SECOND)
    wanted = [DN.parse(name) for name in ("dc=x", "CN=B, dc=x", "cn=gone,dc=x")]
    found = entry_places(tmp_path, bundled(), wanted)
    places = [found.get(bundled().normal_dn(dn)) for dn in wanted]
    assert places == [Place(str(tmp_path / "1.ldif"), 4), Place(str(tmp_path / "2.ldif"), 5), None]


def test_what_is_no_entry_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "x.ldif"
    file.write_text("dn: cn=a,dc=x\nchangetype: delete\n\nnonsense\n\n" + SECOND)
    found = entry_places(file, bundled(), [DN.parse("cn=a,dc=x")])
    assert list(found.values()) == [Place(str(file), 6)]


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gone"):
        entry_places(tmp_path / "gone.ldif", bundled(), [DN.parse("dc=x")])
