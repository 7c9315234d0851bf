"""Every LDIF file that the archive ships, read whole (where DCMCFG_UPSTREAM names a folder with them)."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from dcmcfg.changes import Modify
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from dcmcfg.ldif.writer import format_change, format_entry

UPSTREAM = os.environ.get("DCMCFG_UPSTREAM", "")
FILES = sorted(Path(UPSTREAM).rglob("*.ldif")) if UPSTREAM else []

pytestmark = pytest.mark.skipif(not FILES, reason="DCMCFG_UPSTREAM names no folder with the archive's own *.ldif files")


def read_file(path: Path) -> tuple[Record, ...]:
    with path.open("rb") as source:
        return read_all(source, path.name, resolve_url=lambda url: f"octets of {url}".encode())


def paragraphs(path: Path) -> int:
    """Count the records the simple way: blocks of text that hold a DN."""
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    return sum(any(line.startswith("dn:") for line in block.splitlines()) for block in blocks)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(UPSTREAM)))
def test_every_record_of_the_file_is_read(path: Path) -> None:
    assert len(read_file(path)) == paragraphs(path) > 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(UPSTREAM)))
def test_what_was_read_reads_and_writes_the_same_after_writing(path: Path) -> None:
    def content(records: tuple[Record, ...]) -> list[object]:
        return [record.entry if isinstance(record, ContentRecord) else record.change for record in records]

    def written(records: tuple[Record, ...]) -> str:
        return "".join(
            format_entry(record.entry) if isinstance(record, ContentRecord) else format_change(record.change)
            for record in records
        )

    records = read_file(path)
    text = written(records)
    again = read_all([text.encode()], path.name)
    assert content(again) == content(records)
    assert written(again) == text


def test_update_files_hold_changes_only_and_configurations_entries_only() -> None:
    kinds: Counter[tuple[str, type]] = Counter()
    for path in FILES:
        name = "update" if path.name.startswith("update") else "configuration"
        kinds.update((name, type(record)) for record in read_file(path))
    print(f"{len(FILES)} files:", dict(kinds))
    assert set(kinds) == {("update", ChangeRecord), ("configuration", ContentRecord)}


def test_vendor_data_comes_from_the_resolver() -> None:
    values = [
        value
        for path in FILES
        for record in read_file(path)
        if isinstance(record, ChangeRecord) and isinstance(record.change, Modify)
        for modification in record.change.modifications
        if modification.name == "dicomVendorData"
        for value in modification.values
    ]
    assert values
    assert set(values) == {b"octets of file:vendor-data.zip"}


def test_the_default_configuration_reads_within_a_second() -> None:
    largest = max(FILES, key=lambda path: path.stat().st_size)
    begin = time.process_time()
    records = read_file(largest)
    seconds = time.process_time() - begin
    print(f"{largest.name}: {largest.stat().st_size} octets, {len(records)} records, {seconds * 1000:.0f} ms")
    assert seconds < 1
