"""Read the folder or zip file of an archive release: default configuration, update files, vendor data."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.changes import Add, Change, Modify
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError, LdifError, MalformedInput, NotFound
from dcmcfg.ldif.reader import iter_records
from dcmcfg.ldif.records import ChangeRecord, ContentRecord
from dcmcfg.upgrade.release import (
    OfficialRecord,
    Release,
    UpdateFile,
    Version,
    is_update_name,
    parse_update_name,
    parse_version,
)

REQUIRED_FILES = ("init-baseDN.ldif", "init-config.ldif", "default-config.ldif")
UI_FILE, VENDOR_FILE = "default-ui-config.ldif", "vendor-data.zip"
_VENDOR_DATA = "dicomVendorData"
#: A DN that lost its ``dn:`` (update-IOCM_REGULAR_USE-5.26.0.ldif); ldapmodify skips such a record without a message.
_LOST_DN = re.compile(
    rb"(?P<before>\A|\n[ \t\r]*\n)(?:cn|dicom\w+|dcm\w+): *(?P<dn>(?:cn|dicom\w+|dcm\w+)=[^\n]*,[^\n]*)(?=\n)"
)
_MAX_FILE_OCTETS = 64 * 1024 * 1024


@dataclass(frozen=True)
class ReleaseFiles:
    """The files of a release by their path below its LDAP folder, and the folder's name for messages."""

    name: str
    files: dict[str, bytes]

    def get(self, path: str) -> bytes | None:
        """Return the octets of the file *path*, or of *path* compressed with gzip, or None."""
        if (octets := self.files.get(path)) is not None:
            return octets
        packed = self.files.get(f"{path}.gz")
        return gzip.decompress(packed) if packed is not None else None


def read_release(folder: Path, updates: Sequence[Path] = ()) -> Release:
    """Return the release in *folder*: a release folder, one that contains a folder ``ldap``, or a zip file of one.

    Update files come from *folder* and from *updates*, folders with a folder for each version. Raises
    :class:`NotFound` if *folder* does not hold a default configuration, and :class:`~dcmcfg.errors.LdifError`.
    """
    source = _read_files(folder)
    missing = [name for name in REQUIRED_FILES if source.get(name) is None]
    if missing:
        raise NotFound(
            f"this is not the folder of a release: {', '.join(missing)} missing",
            subject=str(folder),
            next_step=f"specify the folder that holds {', '.join(REQUIRED_FILES)} and, if it exists, {UI_FILE}",
        )
    defects: list[str] = []
    entries: list[Entry] = []
    for name in (*REQUIRED_FILES, UI_FILE):
        octets = source.get(name)
        if octets is not None:
            entries += _read_entries(octets, name)
    all_updates = [
        *_read_updates(source, defects),
        *(each for path in updates for each in _read_updates(_read_files(path, name=""), defects)),
    ]
    unique = {(each.version, each.name): each for each in reversed(all_updates)}
    return Release(
        source.name,
        parse_version(folder.name) or parse_version(str(folder)),
        tuple(entries),
        updates=tuple(sorted(unique.values(), key=lambda each: each.sort_key)),
        vendor_data=source.get(VENDOR_FILE),
        defects=tuple(defects),
    )


def _read_files(path: Path, name: str | None = None) -> ReleaseFiles:
    title = str(path) if name is None else name
    if path.is_file():
        files = _read_zip(path)
    elif path.is_dir():
        files = {
            each.relative_to(path).as_posix(): _read_file(each)
            for each in sorted(path.rglob("*"))
            if each.is_file() and (each.name.endswith((".ldif", ".ldif.gz")) or each.name == VENDOR_FILE)
        }
    else:
        raise NotFound("the folder does not exist", subject=str(path))
    return ReleaseFiles(title, _strip_prefix(files))


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DcmcfgError(f"cannot read the file: {error.strerror}", subject=str(path)) from error


def _read_zip(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [each for each in archive.infolist() if each.filename.endswith((".ldif", VENDOR_FILE))]
            for each in names:
                if each.file_size > _MAX_FILE_OCTETS:
                    raise MalformedInput(f"{each.filename} is too large", subject=str(path))
            return {each.filename: archive.read(each) for each in names}
    except (OSError, zipfile.BadZipFile) as error:
        raise MalformedInput(f"neither a folder nor a zip file: {error}", subject=str(path)) from error


def _strip_prefix(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return *files* relative to the folder that holds the default configuration."""
    found = next((name for name in files if name.rpartition("/")[2] == REQUIRED_FILES[-1]), None)
    prefix = found[: -len(REQUIRED_FILES[-1])] if found is not None else ""
    return {name.removeprefix(prefix): octets for name, octets in files.items() if name.startswith(prefix)}


def _read_entries(octets: bytes, name: str) -> Iterator[Entry]:
    for record in iter_records([octets], name, resolve_url=lambda _: b""):
        if isinstance(record, LdifError):
            raise record
        if isinstance(record, ContentRecord):
            yield _without_vendor_data(record.entry)
        elif isinstance(record, ChangeRecord) and isinstance(record.change, Add):
            yield _without_vendor_data(record.change.entry)


def _without_vendor_data(entry: Entry) -> Entry:
    # The vendor data is a file of its own, and is merged by itself.
    return entry.with_values(_VENDOR_DATA, ())


def _read_updates(source: ReleaseFiles, defects: list[str]) -> Iterator[UpdateFile]:
    for path, octets in source.files.items():
        folder, _, name = path.rpartition("/")
        version = _parse_folder_version(folder) or (parse_version(name) if not folder else None)
        if version is not None and is_update_name(name):
            label = f"{folder}/{name}" if folder else name
            yield UpdateFile(version, parse_update_name(name), label, tuple(_read_records(octets, label, defects)))


def _parse_folder_version(folder: str) -> Version | None:
    last = folder.rpartition("/")[2]
    return parse_version(last) if re.fullmatch(r"\d+(\.\d+)+", last) else None


def _read_records(octets: bytes, label: str, defects: list[str]) -> Iterator[OfficialRecord]:
    repaired = _LOST_DN.sub(_restore_dn, octets)
    if repaired != octets:
        defects.append(f"{label}: a record does not begin with 'dn:'; dcmcfg reads it as if it did")
    for record in iter_records([repaired], label, resolve_url=lambda _: b""):
        if isinstance(record, LdifError):
            defects.append(f"{record.subject or label}: {record.message}")
            continue
        place = f"{label}:{record.line}"
        change: Change = Add(record.entry) if isinstance(record, ContentRecord) else record.change
        change = _drop_vendor_data(change)
        if not (isinstance(change, Modify) and not change.modifications):
            yield OfficialRecord(change, place)


def _restore_dn(match: re.Match[bytes]) -> bytes:
    text = match["dn"].decode("utf-8", "surrogateescape")
    try:
        DN.parse(text)
    except MalformedInput:
        return match[0]
    return match["before"] + b"dn: " + match["dn"]


def _drop_vendor_data(change: Change) -> Change:
    match change:
        case Modify(dn, modifications, controls):
            kept = tuple(each for each in modifications if each.name.lower() != _VENDOR_DATA.lower())
            return Modify(dn, kept, controls)
        case Add(entry):
            return Add(_without_vendor_data(entry))
    return change
