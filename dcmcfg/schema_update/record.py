"""The record of a schema update: the schema entries of each server before and after it, to revert or continue it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from dcmcfg.errors import DcmcfgError
from dcmcfg.files.private import sync_folder, write_private
from dcmcfg.format_number import FileFormat
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.ldif.writer import format_entry
from dcmcfg.private_folders import create_private_folder, require_ownership
from dcmcfg.timestamps import format_iso
from dcmcfg.upgrade.schema.configured import ServerSchemaEntries, parse_schema_entries

RECORD_FORMAT = FileFormat("the record of a schema update", 1)
_FOLDER, _HEAD = "schema-updates", "head.json"


class UpdateState(Enum):
    """The state of a schema update; ``STARTED`` and ``REVERTING`` are unfinished."""

    STARTED = "started"
    FINISHED = "finished"
    REVERTING = "reverting"
    REVERTED = "reverted"
    #: A later update has continued this one, and its record has the state before both.
    CONTINUED = "continued"

    @property
    def is_unfinished(self) -> bool:
        return self in (UpdateState.STARTED, UpdateState.REVERTING)


@dataclass(frozen=True)
class RecordedServer:
    """The schema entries of the server at ``ldap_url`` before and after an update."""

    ldap_url: str
    before: ServerSchemaEntries
    after: ServerSchemaEntries


@dataclass(frozen=True, kw_only=True)
class UpdateHeader:
    """The data of a schema update.

    ``ldap_urls`` are the servers in the order in which they are changed. ``data_change`` is the number of the change
    that has deleted obsolete values from the data, or None. ``macros`` are the OID macros of each server.
    """

    started_at: str
    release: str
    ldap_urls: tuple[str, ...]
    state: str
    data_change: int | None
    macros: tuple[Mapping[str, str], ...]


class SchemaUpdateRecord:
    """The folder of a schema update: ``head.json``, and for each server ``before-N.ldif`` and ``after-N.ldif``.

    The files are written before the first request; only ``head.json`` changes, when the state changes. All methods
    raise :class:`DcmcfgError` if a file cannot be read or written, and :class:`~dcmcfg.errors.Refused` if others can
    write to the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def number(self) -> int:
        return int(self.folder.name)

    @property
    def header(self) -> UpdateHeader:
        path = self.folder / _HEAD
        require_ownership(path, parent_folder=self.folder)
        try:
            content = RECORD_FORMAT.read_object(json.loads(path.read_text("utf-8")), str(path))
            return UpdateHeader(
                **content | {"ldap_urls": tuple(content["ldap_urls"]), "macros": tuple(content["macros"])}
            )
        # In a damaged file, any key may be missing or have a value of another type.
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise _make_read_error(path) from error

    @property
    def state(self) -> UpdateState:
        """The state of the update."""
        try:
            return UpdateState(self.header.state)
        except ValueError as error:
            raise _make_read_error(self.folder / _HEAD) from error

    def read_servers(self) -> tuple[RecordedServer, ...]:
        """Return the schema entries of each server before and after the update."""
        header = self.header
        return tuple(
            RecordedServer(url, *(self._read_entries(f"{when}-{number}.ldif", macros) for when in ("before", "after")))
            for number, (url, macros) in enumerate(zip(header.ldap_urls, header.macros, strict=True), 1)
        )

    def _read_entries(self, name: str, macros: Mapping[str, str]) -> ServerSchemaEntries:
        path = self.folder / name
        require_ownership(path, parent_folder=self.folder)
        try:
            records = read_all([path.read_bytes()], name)
        except OSError as error:
            raise _make_read_error(path) from error
        return parse_schema_entries((each.entry for each in records if isinstance(each, ContentRecord)), macros)

    def set_state(self, state: UpdateState) -> None:
        """Write *state*; the file is replaced as a whole."""
        header = replace(self.header, state=state.value)
        new = self.folder / f".{_HEAD}"
        try:
            new.unlink(missing_ok=True)
            write_private(new, _format_header(header))
            new.replace(self.folder / _HEAD)
            sync_folder(self.folder)
        except OSError as error:
            raise DcmcfgError(f"the record cannot be written ({error.strerror})", subject=str(self.folder)) from error


def _make_read_error(path: Path) -> DcmcfgError:
    return DcmcfgError(
        "the record of a schema update cannot be read; nothing was changed",
        subject=str(path),
        next_step=f"to ignore this update, move the folder {path.parent} to another place",
    )


def _format_header(header: UpdateHeader) -> str:
    return json.dumps(RECORD_FORMAT.add_number(asdict(header))) + "\n"


def list_records(state: Path, ldap_url: str) -> Iterator[SchemaUpdateRecord]:
    """Yield the records of updates of the server at *ldap_url*, the newest first."""
    folder = state / _FOLDER
    require_ownership(folder, parent_folder=state)
    numbers = sorted((int(each.name) for each in folder.glob("[0-9]*") if each.name.isdecimal()), reverse=True)
    for number in numbers:
        record = SchemaUpdateRecord(folder / str(number))
        if ldap_url in record.header.ldap_urls:
            yield record


def find_unfinished(state: Path, ldap_url: str) -> SchemaUpdateRecord | None:
    """Return the newest update of the server at *ldap_url* if it was interrupted, else None."""
    newest = next((each for each in list_records(state, ldap_url) if each.state is not UpdateState.CONTINUED), None)
    return newest if newest is not None and newest.state.is_unfinished else None


def find_revertible(state: Path, ldap_url: str) -> SchemaUpdateRecord | None:
    """Return the newest update of the server at *ldap_url* that is not reverted, or None."""
    done = (UpdateState.REVERTED, UpdateState.CONTINUED)
    return next((each for each in list_records(state, ldap_url) if each.state not in done), None)


def write_record(
    state: Path, release: str, servers: Sequence[RecordedServer], *, data_change: int | None
) -> SchemaUpdateRecord:
    """Write the record of a new update of *servers*; it is on the disk when the function returns, with mode 0600.

    The caller must hold the locks of all servers. Raises :class:`DcmcfgError`; then no server must be changed.
    """
    records = state / _FOLDER
    require_ownership(records, parent_folder=state)
    header = UpdateHeader(
        started_at=format_iso(datetime.now(UTC)),
        release=release,
        ldap_urls=tuple(each.ldap_url for each in servers),
        state=UpdateState.STARTED.value,
        data_change=data_change,
        macros=tuple(dict(each.before.macros) for each in servers),
    )
    new = records / ".new"
    try:
        create_private_folder(records)
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        for number, server in enumerate(servers, 1):
            for when, entries in (("before", server.before), ("after", server.after)):
                text = "".join(format_entry(each.to_entry()) for each in entries)
                write_private(new / f"{when}-{number}.ldif", text)
        write_private(new / _HEAD, _format_header(header))
        sync_folder(new)
        folder = _assign_number(new)
        sync_folder(records)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise DcmcfgError(
            f"the record of the update cannot be written ({error.strerror})",
            subject=str(records),
            next_step="nothing was changed",
        ) from error
    return SchemaUpdateRecord(folder)


def _assign_number(new: Path) -> Path:
    numbers = (int(each.name) for each in new.parent.glob("[0-9]*") if each.name.isdecimal())
    number = max(numbers, default=0) + 1
    while True:
        folder = new.parent / str(number)
        try:
            # A rename onto an existing folder with files fails, so no record is overwritten.
            return new.rename(folder)
        except OSError:
            if not folder.exists():
                raise
            number += 1
