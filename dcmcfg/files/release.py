"""Read the folder or zip file of an archive release: default configuration, update files, vendor data."""

from __future__ import annotations

import gzip
import io
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.changes import Add, Change, Modify
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import AmbiguousName, DcmcfgError, LdifError, MalformedInput, NotFound
from dcmcfg.files.read_failures import build_read_failure
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
#: How deep a release is searched for: its folder of a version may be below that of a checkout, six folders deep. Update
#: files are in a folder of a version, which may be in a folder ``ldap``.
_MAX_DEPTH, _UPDATE_DEPTH = 7, 2
#: The folder of a release has this name in a distribution, and its own name is that of the folder above.
_COMMON_FOLDERS = frozenset({"ldap"})
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
    :class:`NotFound` if *folder* does not hold a default configuration, or a folder of *updates* no update files,
    :class:`AmbiguousName` if *folder* holds several releases, and :class:`~dcmcfg.errors.LdifError`.
    """
    source = _read_files(folder)
    missing = [name for name in REQUIRED_FILES if source.get(name) is None]
    if missing:
        raise NotFound(
            f"this is not the folder of a release. Missing files: {', '.join(missing)}",
            subject=str(folder),
            next_step=(
                f"specify the folder with {', '.join(REQUIRED_FILES)} (and {UI_FILE}, if the release has this file)"
            ),
        )
    defects: list[str] = []
    entries: list[Entry] = []
    for name in (*REQUIRED_FILES, UI_FILE):
        octets = source.get(name)
        if octets is not None:
            entries += _read_entries(octets, name)
    sources = [source, *map(_read_update_folder, updates)]
    texts = [octets for each in sources for octets in each.files.values()]
    all_updates = [update for each in sources for update in _read_updates(each, defects, texts)]
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
    """Return the version in the name of the release's own folders, else that of its newest update files.

    The folders above count last: a number in the name of one of them may be that of something else.
    """
    above = folder.absolute()
    own = (*source.prefix.split("/")[::-1], above.name)
    if above.name in _COMMON_FOLDERS:
        own = (*own, above.parent.name)
    updates = (_parse_folder_version(path.rpartition("/")[0]) or _parse_flat_version(path) for path in source.files)
    newest = max(filter(None, updates), default=None)
    # A release without update files of its own is newer than these. Another first number is none of a release: a date.
    named = (each for each in map(parse_version, own) if newest is None or (each is not None and each[0] == newest[0]))
    return next(filter(None, (*named, newest, *map(parse_version, above.parts[::-1]))), None)


def _parse_flat_version(path: str) -> Version | None:
    """Return the version of an update file that is not in the folder of a version, as in releases before 5.26."""
    return parse_version(path) if "/" not in path and is_update_name(path) else None


def _read_files(path: Path) -> ReleaseFiles:
    if path.is_file():
        files = read_zip(path, _is_needed)
        prefix = _find_prefix(files, str(path))
    else:
        paths = find_files(path, _is_needed)
        prefix = _find_prefix(paths, str(path))
        files = {name: read_file(each) for name, each in paths.items() if name.startswith(prefix)}
    return ReleaseFiles(str(path), _unpack_files(files, prefix, path), prefix.rstrip("/"))


def _read_update_folder(path: Path) -> ReleaseFiles:
    """Return the update files in the folders of *path*, or of its folder ``ldap``, that are named by a version."""

    def is_update_path(name: str) -> bool:
        folder = name.removeprefix("ldap/").rpartition("/")[0]
        is_named = "/" not in folder and (not folder or _parse_folder_version(folder) is not None)
        return is_named and is_update_name(name.rpartition("/")[2].removesuffix(".gz"))

    if path.is_file():
        files = read_zip(path, _is_needed)
        prefix = _find_prefix(files, str(path))
        files = {name: octets for name, octets in files.items() if is_update_path(name.removeprefix(prefix))}
    else:
        paths = find_files(path, _is_needed, max_depth=_UPDATE_DEPTH)
        prefix = ""
        files = {name: read_file(each) for name, each in paths.items() if is_update_path(name)}
    if not files:
        raise NotFound(
            "no update files found",
            subject=str(path),
            next_step="specify a folder that has a subfolder with the update files of each version, such as 5.33.0",
        )
    unpacked = _unpack_files(files, prefix, path)
    return ReleaseFiles("", {name.removeprefix("ldap/"): octets for name, octets in unpacked.items()}, prefix)


def _unpack_files(files: Mapping[str, bytes], prefix: str, source: Path) -> dict[str, bytes]:
    """Return those of *files* below *prefix*, by their path below it."""
    unpacked = {
        name.removeprefix(prefix).removesuffix(".gz"): unpack_file(octets, name, source)
        if name.endswith(".gz")
        else octets
        # A file that is there in both forms is read unpacked.
        for name, octets in sorted(files.items(), key=lambda item: not item[0].endswith(".gz"))
        if name.startswith(prefix)
    }
    return dict(sorted(unpacked.items()))


def find_files(folder: Path, is_needed: Callable[[str], bool], *, max_depth: int = _MAX_DEPTH) -> dict[str, Path]:
    """Return the files below *folder* whose names *is_needed* selects, by their path below it, in its order.

    Folders deeper than *max_depth*, and hidden ones, are not searched. Raises :class:`NotFound` if *folder* does not
    exist, and :class:`DcmcfgError` if a folder cannot be read.
    """
    if not folder.is_dir():
        raise NotFound("the folder does not exist", subject=str(folder))
    found: dict[str, Path] = {}

    def refuse(error: OSError) -> None:
        raise DcmcfgError(f"cannot read the folder: {error.strerror}", subject=str(error.filename or folder)) from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        below = Path(parent).relative_to(folder)
        is_deepest = len(below.parts) >= max_depth
        folders[:] = [] if is_deepest else [each for each in folders if not each.startswith(".")]
        found.update({(below / each).as_posix(): Path(parent) / each for each in names if is_needed(each)})
    return {name: each for name, each in sorted(found.items()) if each.is_file()}


def _is_needed(name: str) -> bool:
    return name.endswith((_LDIF, _PACKED)) or name.rpartition("/")[2] == VENDOR_FILE


def read_file(path: Path) -> bytes:
    """Return the octets of the file *path*; raises :class:`DcmcfgError`, also if it is too large."""
    try:
        if path.stat().st_size > _MAX_FILE_OCTETS:
            raise MalformedInput("the file is too large", subject=str(path))
        return path.read_bytes()
    except OSError as error:
        raise build_read_failure(error, path, DcmcfgError) from error


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
        raise MalformedInput(f"not a folder, and not a valid ZIP file: {error}", subject=str(path)) from error


def _find_prefix(names: Iterable[str], source: str) -> str:
    """Return the path of the folder with the default configuration: empty, or with a slash at the end.

    Raises :class:`AmbiguousName` if there are those of several releases.
    """
    default = REQUIRED_FILES[-1]
    found = {name.rpartition("/")[0] for name in names if name.rpartition("/")[2].removesuffix(".gz") == default}
    # A checkout may hold copies in deeper folders, such as those of a build.
    ranked = sorted(found, key=lambda each: (each.count("/") + bool(each), each))
    if not ranked or not ranked[0]:
        return ""
    first = ranked[0]
    others = [
        each
        for each in ranked[1:]
        if each.count("/") == first.count("/")
        or (not each.startswith(f"{first}/") and parse_version(each) != parse_version(first))
    ]
    if others:
        newest = max(ranked, key=lambda each: parse_version(each) or ())
        raise AmbiguousName(
            "the folder contains several releases",
            subject=source,
            next_step=f"specify one release, for example {source}/{newest}",
        )
    return f"{first}/"


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


def _read_updates(source: ReleaseFiles, defects: list[str], texts: Sequence[bytes]) -> Iterator[UpdateFile]:
    """Yield the update files of *source*; *texts* are all LDIF files at hand."""
    for path, octets in source.files.items():
        folder, _, name = path.rpartition("/")
        version = _parse_folder_version(folder) if folder else parse_version(name)
        if version is not None and is_update_name(name):
            label = f"{folder}/{name}" if folder else name
            damages: list[str] = []
            records = tuple(_read_records(octets, label, defects, damages))
            if not damages and _is_cut(octets, texts):
                damages.append(f"{label}: the last line seems to be incomplete")
            lost = frozenset(f"{label}:{line}" for line in _list_lost_lines(octets))
            yield UpdateFile(
                version,
                parse_update_name(name),
                label,
                tuple(each for each in records if each.place not in lost),
                skipped=tuple(each for each in records if each.place in lost),
                damages=tuple(damages),
            )


def _is_cut(octets: bytes, texts: Sequence[bytes]) -> bool:
    """Return whether *octets* seem to end in the middle of a line.

    Many of upstream's files have no line feed at their end, but the last line of each is also in another file, such as
    the default configuration: a value that nothing else has is probably a part of one.
    """
    last = octets.rpartition(b"\n")[2].rstrip(b"\r")
    return last != b"" and not any(b"\n" + last + end in text for text in texts for end in (b"\n", b"\r\n"))


def _parse_folder_version(folder: str) -> Version | None:
    """Return the version that is the name of *folder*; None for another name, and for a folder further below."""
    return parse_version(folder) if re.fullmatch(r"\d+(\.\d+)+", folder) else None


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
        damages.append(f"{label}: the file contains no records")


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
