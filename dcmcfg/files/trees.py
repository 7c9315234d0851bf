"""Read trees from LDIF files of entries, or from folders with such files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from dcmcfg.changes import Add
from dcmcfg.dn import NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply, LdifError
from dcmcfg.files.ldif import (
    STDIN,
    build_url_resolver,
    combine_ldif_problems,
    detect_wrong_kind,
    format_file_name,
    read_chunks,
    refuse_file_url,
)
from dcmcfg.files.read_failures import build_read_failure
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.ldif.reader import iter_records
from dcmcfg.ldif.records import ContentRecord, Record
from dcmcfg.model.tree import Tree, add_naming_values
from dcmcfg.plan.attribute_names import canonicalise_names
from dcmcfg.schema.definitions import RDNNormaliser, Schema
from dcmcfg.schema.structure import OPERATIONAL_ATTRIBUTES


def read_ldif_tree(path: Path, schema: Schema, *, file_urls: Path | bool = False) -> Tree:
    """Return the tree of the entries in *path*: a file, ``-`` for standard input, or a folder with ``*.ldif`` files.

    Entries are normalised as a server would store them: attribute names of *schema*, values of the RDN included,
    operational attributes removed. Values in other files are read only with *file_urls*. Raises :class:`LdifError` if
    there is nothing to read, or with all problems: text that is not LDIF, change records, duplicate entries, entries
    without parent.
    """
    reader = _TreeReader(schema)
    for file in list_ldif_files(path):
        resolve_url = build_url_resolver(file, file_urls=file_urls)
        if str(file) == STDIN:
            reader.add_file(sys.stdin.buffer, STDIN, resolve_url)
            continue
        try:
            with file.open("rb") as source:
                reader.add_file(source, str(file), resolve_url)
        except OSError as error:
            raise build_read_failure(error, file, LdifError) from error
    return reader.build_tree(str(path))


def parse_ldif_tree(source: Iterable[bytes], name: str, schema: Schema) -> Tree:
    """Return the tree of the entries in *source*, LDIF octets; errors name *name*.

    Raises :class:`LdifError` as :func:`read_ldif_tree` does.
    """
    reader = _TreeReader(schema)
    reader.add_source(source, name)
    return reader.build_tree(name)


def list_ldif_files(path: Path) -> list[Path]:
    """Return the ``*.ldif`` files of the folder *path* by name, or *path* itself if it is none.

    Raises :class:`LdifError` for a folder without such files.
    """
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.ldif"))
    if not files:
        raise LdifError("the folder contains no *.ldif files", subject=str(path))
    return files


class _TreeReader:
    """Collects the entries of files, with their locations and all problems."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._entries: dict[NormalDN, Entry] = {}
        self._locations: dict[NormalDN, str] = {}
        self._known_names: set[str] = set()
        self._normal_rdns = RDNNormaliser(schema)
        self._problems: list[LdifError] = []

    def add_source(
        self,
        source: Iterable[bytes],
        name: str,
        *,
        resolve_url: Callable[[str], bytes] = refuse_file_url,
    ) -> None:
        with pause_garbage_collection():
            for record in iter_records(source, name, resolve_url=resolve_url):
                try:
                    self._add_record(record, name)
                except LdifError as problem:
                    self._problems.append(problem)

    def add_file(self, source: BinaryIO, path: str, resolve_url: Callable[[str], bytes]) -> None:
        """Add the entries of an open file. A file of another kind than LDIF yields one problem, not many."""
        header, count_before = bytearray(), len(self._problems)
        self.add_source(read_chunks(source, header), format_file_name(path), resolve_url=resolve_url)
        if len(self._problems) > count_before and (problem := detect_wrong_kind(bytes(header), path)):
            self._problems[count_before:] = [problem]

    def build_tree(self, name: str) -> Tree:
        self._problems += self._find_orphans()
        if self._problems:
            raise combine_ldif_problems(self._problems)
        if not self._entries:
            raise LdifError("no entries found", subject=name)
        return Tree(self._schema, self._entries)

    def _add_record(self, record: Record | LdifError, name: str) -> None:
        if isinstance(record, LdifError):
            raise record
        location = f"{name}:{record.line}"
        if not isinstance(record, ContentRecord):
            raise LdifError(
                "this is a change record, but only entries can be compared",
                subject=location,
                next_step="to apply change records: dcmcfg apply",
            )
        key = self._normal_rdns.normalise_dn(record.entry.dn)
        if key in self._entries:
            raise LdifError(f"the entry already occurs at {self._locations[key]}: {record.entry.dn}", subject=location)
        self._entries[key] = self._normalise_entry(record.entry, location)
        self._locations[key] = location

    def _normalise_entry(self, entry: Entry, location: str) -> Entry:
        # Entries repeat few names, so most need no check. Operational attributes never become known names.
        if not all(attribute.name in self._known_names for attribute in entry.attributes):
            remaining = tuple(each for each in entry.attributes if each.name.lower() not in OPERATIONAL_ATTRIBUTES)
            try:
                change = canonicalise_names(self._schema, Add(Entry(entry.dn, remaining)))
            except DoesNotApply as problem:
                raise LdifError(problem.message, subject=location) from problem
            if isinstance(change, Add):
                entry = change.entry
            self._known_names.update(attribute.name for attribute in entry.attributes)
        return add_naming_values(self._schema, entry)

    def _find_orphans(self) -> Iterator[LdifError]:
        """Yield a problem for each entry without parent, except the highest entries of the tree."""
        highest = min(map(len, self._entries), default=0)
        for key, entry in self._entries.items():
            # A normal form is leaf first, so key[1:] is the parent.
            if len(key) > highest and key[1:] not in self._entries:
                yield LdifError(f"the parent entry of {entry.dn} is missing", subject=self._locations[key])
