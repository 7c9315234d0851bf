"""Octets and names of files."""

from __future__ import annotations

import pytest

from dcmcfg.errors import OnboardingError
from dcmcfg.onboarding.reader import SheetFileType, detect_sheet_file_type, read_sheet

TEXT = "title,description\nCT1,Röntgen\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_with_and_without_byte_order_mark(encoding: str) -> None:
    (row,) = read_sheet("x.csv", TEXT.encode(encoding), SheetFileType.CSV).rows
    assert dict(row.values) == {"title": "CT1", "description": "Röntgen"}


@pytest.mark.parametrize(("name", "file"), [("x.csv", "x.csv"), ("a b.csv", "'a b.csv'"), ("standard input", "FILE")])
def test_another_encoding_is_refused_with_the_line(name: str, file: str) -> None:
    with pytest.raises(OnboardingError) as refused:
        read_sheet(name, TEXT.encode("cp1252"), SheetFileType.CSV)
    assert str(refused.value) == (
        f"{name}:2: not UTF-8 (octet 0xf6) — save the file as 'CSV UTF-8', or convert it: iconv -f WINDOWS-1252 -t "
        f"UTF-8 {file} > NEW_FILE"
    )


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a/b.CSV", SheetFileType.CSV),
        ("x.yml", SheetFileType.YAML),
        ("orthanc.json", SheetFileType.JSON),
        ("x.xlsx", None),
        ("-", None),
    ],
)
def test_the_suffix_tells_the_form(name: str, form: SheetFileType | None) -> None:
    assert detect_sheet_file_type(name) is form
