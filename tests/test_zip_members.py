"""What is in a ZIP file, and what differs between two."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.zip_members import ZipMember, find_changed_members, list_zip_members


def zipped(**files: str) -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        archive.mkdir("folder")
        for name, text in files.items():
            archive.writestr(f"folder/{name}", text)
    return octets.getvalue()


def test_the_files_are_listed_with_length_and_checksum_and_folders_are_not() -> None:
    assert list_zip_members(zipped(a="123456789", b="")) == {
        "folder/a": ZipMember(9, 0xCBF43926),
        "folder/b": ZipMember(0, 0),
    }
    assert list_zip_members(zipped()) == {}


def test_of_two_what_differs_is_told() -> None:
    before, after = zipped(a="1", b="2", c="3"), zipped(b="2", c="4", d="55")
    changed = find_changed_members(before, after)
    assert [(name, old and old.length, new and new.length) for name, old, new in changed] == [
        ("folder/a", 1, None),
        ("folder/c", 1, 1),
        ("folder/d", None, 2),
    ]
    assert find_changed_members(before, before) == ()
    assert [name for name, *_ in find_changed_members(b"", after)] == ["folder/b", "folder/c", "folder/d"]


@pytest.mark.parametrize("octets", [b"", b"PK", b"PK\x03\x04", b"PK\x05\x06", zipped(a="1")[:-4], b"text"])
def test_what_is_no_whole_zip_file_is_none(octets: bytes) -> None:
    assert list_zip_members(octets) is None


@given(st.integers(0, 300), st.binary(min_size=1, max_size=8))
def test_a_damaged_one_is_read_or_is_none(position: int, change: bytes) -> None:
    whole = zipped(a="1" * 50, b="2")
    damaged = whole[:position] + change + whole[position + len(change) :]
    found = list_zip_members(damaged)
    assert found is None or all(isinstance(member, ZipMember) for member in found.values())
