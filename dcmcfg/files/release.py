"""Read the folder or zip file of an archive release: default configuration, update files, vendor data."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.changes import Add, Change, Modify
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError, LdifError, MalformedInput, NotFound
from dcmcfg.ldif.reader import iter_records
from dcmcfg.ldif.records import ChangeRecord, ContentRecord
from dcmcfg.schema_names import DICOM_VENDOR_DATA, OBJECT_CLASS
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
#: A DN that lost its ``dn:`` (update-IOCM_REGULAR_USE-5.26.0.ldif); ldapmodify skips such a record without a message.
_LOST_DN = re.compile(
    rb"(?P<before>\A|\n[ \t\r]*\n)(?:cn|dicom\w+|dcm\w+): *(?P<dn>(?:cn|dicom\w+|dcm\w+)=[^\n]*,[^\n]*)(?=\n)"
)
#: Records that are not LDIF in the releases themselves: no copy of the release has them in another form.
_UPSTREAM_DEFECTS = frozenset({"update-config-5.14.0.ldif:19", "update-dev-5.23.0.ldif:22"})
_MAX_FILE_OCTETS = 64 * 1024 * 1024
_LDIF, _PACKED = ".ldif", ".ldif.gz"


@dataclass(frozen=True)
class ReleaseFiles:
    """The unpacked files of a release by their path below its LDAP folder, and the folder's name for messages.

    ``prefix`` is the path of the LDAP folder.
    """

    name: str
    files: dict[str, bytes]
    prefix: str = ""

    def get(self, path: str) -> bytes | None:
        """Return the octets of the file *path*, or None."""
        return self.files.get(path)


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
    # Of several copies, the release's own is used, unless it is damaged.
    unique: dict[tuple[Version, str], UpdateFile] = {}
    for each in sorted(all_updates, key=lambda each: bool(each.damages)):
        unique.setdefault((each.version, each.name), each)
    return Release(
        source.name,
        _find_version(folder, source),
        tuple(entries),
        updates=tuple(sorted(unique.values(), key=lambda each: each.sort_key)),
        vendor_data=source.get(VENDOR_FILE),
        defects=tuple(defects),
    )


def _find_version(folder: Path, source: ReleaseFiles) -> Version | None:
    """Return the version in the name of the folder, else that of its newest update files."""
    above = folder.absolute()
    names = (*source.prefix.split("/")[::-1], above.name, above.parent.name)
    updates = (_parse_folder_version(path.rpartition("/")[0]) for path in source.files)
    found = (*map(parse_version, names), max(filter(None, updates), default=None), parse_version(str(above)))
    return next(filter(None, found), None)


def _read_files(path: Path, name: str | None = None) -> ReleaseFiles:
    title = str(path) if name is None else name
    if path.is_file():
        files = read_zip(path, _is_needed)
    elif path.is_dir():
        files = {
            each.relative_to(path).as_posix(): read_file(each)
            for each in sorted(path.rglob("*"))
            if _is_needed(each.name) and each.is_file()
        }
    else:
        raise NotFound("the folder does not exist", subject=str(path))
    prefix = _find_prefix(files)
    unpacked = {
        name.removeprefix(prefix).removesuffix(".gz"): unpack_file(octets, name, path)
        if name.endswith(".gz")
        else octets
        # A file that is there in both forms is read unpacked.
        for name, octets in sorted(files.items(), key=lambda item: not item[0].endswith(".gz"))
        if name.startswith(prefix)
    }
    return ReleaseFiles(title, dict(sorted(unpacked.items())), prefix.rstrip("/"))


def _is_needed(name: str) -> bool:
    return name.endswith((_LDIF, _PACKED)) or name.rpartition("/")[2] == VENDOR_FILE


def read_file(path: Path) -> bytes:
    """Return the octets of the file *path*; raises :class:`DcmcfgError`, also if it is too large."""
    try:
        if path.stat().st_size > _MAX_FILE_OCTETS:
            raise MalformedInput("the file is too large", subject=str(path))
        return path.read_bytes()
    except OSError as error:
        raise DcmcfgError(f"cannot read the file: {error.strerror}", subject=str(path)) from error


def unpack_file(octets: bytes, name: str, source: Path) -> bytes:
    """Return the content of the gzip file *name* in *source*; raises :class:`MalformedInput`."""
    try:
        with gzip.open(io.BytesIO(octets)) as file:
            unpacked = file.read(_MAX_FILE_OCTETS + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise MalformedInput(f"{name} is not a valid gzip file: {error}", subject=str(source)) from error
    if len(unpacked) > _MAX_FILE_OCTETS:
        raise MalformedInput(f"{name} is too large", subject=str(source))
    return unpacked


def read_zip(path: Path, is_needed: Callable[[str], bool]) -> dict[str, bytes]:
    """Return the files of the zip file *path* that *is_needed* selects by name; raises :class:`MalformedInput`."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [each for each in archive.infolist() if is_needed(each.filename)]
            for each in names:
                if each.file_size > _MAX_FILE_OCTETS:
                    raise MalformedInput(f"{each.filename} is too large", subject=str(path))
            return {each.filename: archive.read(each) for each in names}
    # zipfile raises all of these for damaged, encrypted and strangely packed files.
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, EOFError) as error:
        raise MalformedInput(f"neither a folder nor a zip file: {error}", subject=str(path)) from error


def _find_prefix(names: Iterable[str]) -> str:
    """Return the path of the folder with the default configuration: empty, or with a slash at the end."""
    default = REQUIRED_FILES[-1]
    found = (name.removesuffix(".gz") for name in names if name.rpartition("/")[2].removesuffix(".gz") == default)
    # A checkout may hold copies in deeper folders, such as those of a build.
    return min(found, key=lambda each: (each.count("/"), each), default=default)[: -len(default)]


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
    return entry.with_values(DICOM_VENDOR_DATA, ())


def _read_updates(source: ReleaseFiles, defects: list[str]) -> Iterator[UpdateFile]:
    for path, octets in source.files.items():
        folder, _, name = path.rpartition("/")
        version = _parse_folder_version(folder) or (parse_version(name) if not folder else None)
        if version is not None and is_update_name(name):
            label = f"{folder}/{name}" if folder else name
            damages: list[str] = []
            records = tuple(_read_records(octets, label, defects, damages))
            lost = frozenset(f"{label}:{line}" for line in _list_lost_lines(octets))
            yield UpdateFile(
                version,
                parse_update_name(name),
                label,
                tuple(each for each in records if each.place not in lost),
                skipped=tuple(each for each in records if each.place in lost),
                damages=tuple(damages),
            )


def _parse_folder_version(folder: str) -> Version | None:
    last = folder.rpartition("/")[2]
    return parse_version(last) if re.fullmatch(r"\d+(\.\d+)+", last) else None


def _read_records(octets: bytes, label: str, defects: list[str], damages: list[str]) -> Iterator[OfficialRecord]:
    """Yield the records of an update file; add what cannot be read to *defects* (upstream's own) or to *damages*."""
    repaired = _LOST_DN.sub(_restore_dn, octets)
    if repaired != octets:
        defects.append(f"{label}: a record does not begin with 'dn:', so LDAP tools skip it")
    is_empty = True
    for record in iter_records([repaired], label, resolve_url=lambda _: b""):
        is_empty = False
        if isinstance(record, LdifError):
            is_own = record.subject.rpartition("/")[2] in _UPSTREAM_DEFECTS
            (defects if is_own else damages).append(f"{record.subject or label}: {record.message}")
            continue
        place = f"{label}:{record.line}"
        change: Change = Add(record.entry) if isinstance(record, ContentRecord) else record.change
        if isinstance(change, Add) and not change.entry.values(OBJECT_CLASS):
            damages.append(f"{place}: the new entry has no objectClass")
            continue
        change = _drop_vendor_data(change)
        if not (isinstance(change, Modify) and not change.modifications):
            yield OfficialRecord(change, place)
    if is_empty:
        damages.append(f"{label}: the file has no record")


def _list_lost_lines(octets: bytes) -> Iterator[int]:
    """Yield the lines (1-based) of the records that do not begin with ``dn:``."""
    for match in _LOST_DN.finditer(octets):
        if _restore_dn(match) != match[0]:
            yield octets.count(b"\n", 0, match.end("before")) + 1


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
            kept = tuple(each for each in modifications if each.name.lower() != DICOM_VENDOR_DATA.lower())
            return Modify(dn, kept, controls)
        case Add(entry):
            return Add(_without_vendor_data(entry))
    return change
