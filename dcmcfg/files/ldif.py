"""Read LDIF files from disk or standard input.

Values in other files (``attr:< file:…``) are read only if the user allows it.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from dcmcfg.errors import LdifError, UnknownFormat
from dcmcfg.file_kinds import HEADER_LENGTH, LDIF, SNAPSHOT, detect_file_kind
from dcmcfg.files.read_failures import build_read_failure
from dcmcfg.ldif.reader import LdifErrors, read_all
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from dcmcfg.plan.assertions import has_assertion
from dcmcfg.plan.ldif_output import END_COMMENT, LDIF_FORMAT, parse_directory_url, parse_format_number, requires_end

#: The maximum size of a value in octets. A stock slapd rejects requests of 4 MiB or more (sockbuf_max_incoming_auth).
MAXIMUM_VALUE_LENGTH = 64 * 1024 * 1024
_SCHEME = "file:"
_ALLOW_HINT = (
    "to read files in the folder of the LDIF file: --allow-file-urls; to read files in "
    "the folder DIR: --file-urls-from DIR"
)
_FOLDER_HINT = "with --file-urls-from DIR, specify the folder that contains the file of the URL"
#: Virtual folders of the kernel. They reveal open files of this process and may contain its environment.
_VIRTUAL_FOLDERS = (Path("/proc"), Path("/sys"), Path("/dev"))
# O_PATH requires no read permission for the folder; macOS does not have it.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC  # opening a pipe must not block


def refuse_file_url(url: str) -> bytes:
    """Raise :class:`LdifError` for *url*, with the option that allows reading it."""
    absolute = url.lower().startswith((f"{_SCHEME}/", f"{_SCHEME}%2f"))
    raise LdifError(
        f"the value is in another file, and dcmcfg does not read that file: {url}",
        next_step=_FOLDER_HINT if absolute else _ALLOW_HINT,
    )


@dataclass(frozen=True)
class FileUrlReader:
    """Reads files that an LDIF file refers to.

    Files are in the LDIF file's own ``folder`` (None for standard input), or in ``base_folder`` if it is given. Paths
    are relative to that folder; with ``base_folder`` they may also be absolute. Neither paths nor symbolic links may
    lead out of the folder.
    """

    folder: Path | None
    base_folder: Path | None = None

    def read(self, url: str) -> bytes:
        """Return the content of the file that *url* names, like OpenLDAP's tools (``file:name``, ``file:///name``).

        Raises :class:`LdifError` for another scheme or host, for a file outside the folder, for anything except a
        regular file on disk, for an unreadable file, and for more than ``MAXIMUM_VALUE_LENGTH`` octets.
        """
        name = _parse_file_url(url)
        root = self._find_base_folder(name, url)
        path = root / name
        real_root, real_path = Path(os.path.realpath(root)), Path(os.path.realpath(path))
        if not real_path.is_relative_to(real_root):
            raise LdifError(
                f"dcmcfg does not read the file, because it is outside the folder {root}: {url}", next_step=_FOLDER_HINT
            )
        if any(real_root.is_relative_to(each) or real_path.is_relative_to(each) for each in _VIRTUAL_FOLDERS):
            raise LdifError(
                f"dcmcfg does not read the file, because it is in a virtual file system: {url}",
                subject=str(path),
                next_step=_FOLDER_HINT,
            )
        try:
            octets = _read_file(real_root, real_path, path)
        except OSError as error:
            next_step = self._suggest_folder(name) if isinstance(error, FileNotFoundError) else ""
            raise LdifError(
                f"cannot read the file ({error.strerror})", subject=str(path), next_step=next_step
            ) from error
        if len(octets) > MAXIMUM_VALUE_LENGTH:
            raise LdifError(
                f"the file is larger than {MAXIMUM_VALUE_LENGTH >> 20} MiB, the maximum for a value", subject=str(path)
            )
        return octets

    def _find_base_folder(self, name: str, url: str) -> Path:
        if self.base_folder is not None:
            return self.base_folder
        if self.folder is None:
            raise LdifError(
                f"standard input has no folder, so the path cannot be relative: {url}", next_step=_FOLDER_HINT
            )
        if name.startswith("/"):
            raise LdifError(f"the path must be relative to the LDIF file's folder, not {url}", next_step=_FOLDER_HINT)
        return self.folder

    def _suggest_folder(self, name: str) -> str:
        """Return the next step for a missing file. The archive's update files refer to a file in the parent folder."""
        parent_folder = (self.folder or Path()).absolute().parent
        if self.base_folder is None and "/" not in name and (parent_folder / name).is_file():
            return f"to read {parent_folder / name}: --file-urls-from {parent_folder}"
        return "" if self.base_folder is not None else _FOLDER_HINT


def _parse_file_url(url: str) -> str:
    """Return the path that *url* names."""
    if not url.lower().startswith(_SCHEME):
        raise LdifError(f"only 'file:' URLs are supported, not {url}")
    path = url[len(_SCHEME) :]
    if path.startswith("//"):
        path = path[2:]
        if not path.startswith("/"):
            raise LdifError(
                f"files on another host are not supported: {url}", next_step="use file:///path for a local file"
            )
    name = os.fsdecode(unquote_to_bytes(path))
    # os.open raises ValueError, not OSError, for a NUL.
    if not name or "\0" in name:
        raise LdifError(f"the URL contains no file name: {url}")
    return name


def _read_file(real_root: Path, real_path: Path, path: Path) -> bytes:
    """Return the content of the regular file *real_path*, up to one octet more than the maximum of a value.

    Errors name *path*. The size is compared with the content, because virtual files report a wrong size wherever they
    are mounted.
    """
    handle = _open_below(real_root, real_path)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise LdifError("not a regular file", subject=str(path))
        # The handle is closed below in every case, so the file object must not close it.
        with os.fdopen(handle, "rb", closefd=False) as file:
            # One more octet shows that the file is too large, without reading all of it.
            octets = file.read(MAXIMUM_VALUE_LENGTH + 1)
    finally:
        os.close(handle)
    if len(octets) != min(status.st_size, MAXIMUM_VALUE_LENGTH + 1):
        raise LdifError("not a file on disk, or another process is writing the file", subject=str(path))
    return octets


def _open_below(real_root: Path, real_path: Path) -> int:
    """Open *real_path* below *real_root* without following links, also if a link was created in the meantime."""
    *folders, name = real_path.relative_to(real_root).parts or (".",)
    folder_handle = os.open(real_root, _FOLDER)
    try:
        # Each folder is opened relative to the previous one, so that no link can be put in between.
        for each in folders:
            next_handle = os.open(each, _FOLDER, dir_fd=folder_handle)
            os.close(folder_handle)
            folder_handle = next_handle
        return os.open(name, _FILE, dir_fd=folder_handle)
    finally:
        os.close(folder_handle)


#: The path that stands for standard input.
STDIN = "-"
_MAXIMUM_SHOWN_PROBLEMS = 20
_HEADER_LENGTH = 4096
_CHUNK = 64 * 1024


def read_files(
    paths: Sequence[Path], *, file_urls: Path | bool = False, strict: bool = False, allow_mixed: bool = True
) -> tuple[tuple[str, tuple[Record, ...]], ...]:
    """Return (name, records) of each file, in order; ``-`` is standard input.

    Values in other files (``attr:< file:name``) are read with *file_urls* (:func:`build_url_resolver`). With *strict*,
    files must conform to RFC 2849, otherwise to the dialect of OpenLDAP's tools. Without *allow_mixed*, a file contains
    either entries or changes: an entry among changes may be a change without its ``changetype:`` line. Raises
    :class:`LdifError` for an unreadable file, and with all problems of all files; :class:`UnknownFormat` for a plan or
    undo with preconditions in an unknown format.
    """
    files_read: list[tuple[str, tuple[Record, ...]]] = []
    problems: list[LdifError] = []
    for path in paths:
        try:
            files_read.append(
                (str(path), _read_records(path, build_url_resolver(path, file_urls=file_urls), strict=strict))
            )
        except LdifErrors as errors:
            problems += errors.problems
    if strict:
        problems += [
            LdifError("the file contains no records", subject=format_file_name(name))
            for name, records in files_read
            if not records
        ]
    if not allow_mixed:
        problems += [problem for name, records in files_read if (problem := _find_mixed_records(name, records))]
    if problems:
        raise combine_ldif_problems(problems)
    return tuple(files_read)


def _find_mixed_records(name: str, records: Sequence[Record]) -> LdifError | None:
    """Return the problem of a file *name* with both entries and changes, at the first record of the rarer kind."""
    entries = [record.line for record in records if isinstance(record, ContentRecord)]
    changes = [record.line for record in records if isinstance(record, ChangeRecord)]
    if not entries or not changes:
        return None
    name = format_file_name(name)
    if len(entries) <= len(changes):
        message = (
            "this record is an entry (no 'changetype:'), but the file also contains change records; "
            f"entries in the file: {len(entries)}"
        )
        next_step = "add a missing 'changetype:' line; or use --mixed to accept entries and changes in one file"
        return LdifError(message, subject=f"{name}:{entries[0]}", next_step=next_step)
    message = f"this record is a change, but the file also contains entries; change records in the file: {len(changes)}"
    next_step = "move the change records to a separate file; or use --mixed to accept entries and changes in one file"
    return LdifError(message, subject=f"{name}:{changes[0]}", next_step=next_step)


def format_file_name(name: str) -> str:
    """Return the name for messages of the file at path *name*."""
    return "standard input" if name == STDIN else name


def find_file_warnings(files: Sequence[tuple[str, Sequence[Record]]], ldap_url: str) -> Iterator[str]:
    """Yield warnings about *files* (name, records): empty files, files for another *ldap_url*, newer formats.

    A file of a later dcmcfg without preconditions is still read, as plain LDIF.
    """
    for name, records in files:
        if not records:
            yield f"{name} contains no records."
        head = _read_head(Path(name))
        if problem := _find_format_problem(head, name):
            yield f"{name}: {problem.message}. The file has no preconditions, so it is read as plain LDIF."
        written_for = parse_directory_url(head)
        if written_for not in (None, ldap_url):
            yield f"{name} was written for {written_for}, but the directory server is {ldap_url}."


def _read_head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEADER_LENGTH)
    except OSError:  # standard input, or a pipe that was read already
        return b""


def _find_format_problem(head: bytes, name: str) -> UnknownFormat | None:
    """Return the error if the format of the file at path *name*, which begins with *head*, is unknown, else None."""
    number = parse_format_number(head)
    if number is None:
        return None
    try:
        LDIF_FORMAT.parse_number(number, format_file_name(name))
    except UnknownFormat as problem:
        return problem
    return None


def _require_known_format(head: bytes, name: str, records: Sequence[Record]) -> None:
    """Raise :class:`UnknownFormat` if *records* have preconditions and the format of the file is unknown."""
    if not any(isinstance(record, ChangeRecord) and has_assertion(record.change) for record in records):
        return
    if problem := _find_format_problem(head, name):
        raise UnknownFormat(
            f"{problem.message}, so dcmcfg cannot check the preconditions of the file reliably",
            subject=problem.subject,
            next_step=problem.next_step,
        )


def build_url_resolver(path: Path, *, file_urls: Path | bool) -> Callable[[str], bytes]:
    """Return the function that reads values in other files for the LDIF file at *path*.

    *file_urls* is the folder of these files; True means the LDIF file's own folder, False rejects such values.
    """
    if file_urls is False:
        return refuse_file_url
    return FileUrlReader(
        None if str(path) == STDIN else path.parent, file_urls if isinstance(file_urls, Path) else None
    ).read


def _read_records(path: Path, resolve_url: Callable[[str], bytes], *, strict: bool) -> tuple[Record, ...]:
    header = bytearray()
    end = _EndOfFile()

    def parse(file: BinaryIO) -> tuple[Record, ...]:
        source = end.watch(read_chunks(file, header))
        return read_all(source, format_file_name(str(path)), strict=strict, resolve_url=resolve_url)

    try:
        if str(path) == STDIN:
            found = parse(sys.stdin.buffer)
        else:
            with path.open("rb") as file:
                found = parse(file)
    except OSError as error:
        raise build_read_failure(error, path, LdifError) from error
    except LdifErrors:
        # A newer format explains the problems better than the problems themselves.
        if newer := _find_format_problem(bytes(header), str(path)):
            raise newer from None
        _require_end(end, bytes(header), str(path))
        if problem := detect_wrong_kind(bytes(header), str(path)):
            raise LdifErrors((problem,)) from None
        raise
    # Preconditions of an unknown format may protect values, so such a file is never read as plain LDIF.
    _require_known_format(bytes(header), str(path), found)
    _require_end(end, bytes(header), str(path))
    return found


class _EndOfFile:
    """Finds the last line of a plan, also if the user has added lines after it."""

    _LINE = f"\n{END_COMMENT}".encode()

    def __init__(self) -> None:
        self.is_found = False

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield *chunks*, and note whether the line is in them."""
        before = b""
        for chunk in chunks:
            self.is_found = self.is_found or self._LINE in before + chunk
            before = chunk[-len(self._LINE) :]
            yield chunk


def _require_end(end: _EndOfFile, head: bytes, name: str) -> None:
    """Raise :class:`LdifErrors` if the file at path *name* lacks the last line that its *head* promises."""
    if end.is_found or not requires_end(head):
        return
    problem = LdifError(
        f"the file is incomplete: it does not have the last line '{END_COMMENT}'",
        subject=format_file_name(name),
        next_step=f"copy the whole file again; if nothing else is missing, add the line '{END_COMMENT}'",
    )
    raise LdifErrors((problem,)) from None


def read_chunks(file: BinaryIO, header: bytearray) -> Iterator[bytes]:
    """Yield the octets of *file* in chunks; the beginning is appended to *header*, for :func:`detect_wrong_kind`."""
    for chunk in iter(partial(file.read, _CHUNK), b""):
        if len(header) < HEADER_LENGTH:
            header += chunk[: HEADER_LENGTH - len(header)]
        yield chunk


def detect_wrong_kind(header: bytes, name: str) -> LdifError | None:
    """Return the error if the file at path *name*, which begins with *header*, is of a known kind other than LDIF."""
    kind = detect_file_kind(header)
    if kind is None or kind in (LDIF, SNAPSHOT):
        return None
    return LdifError(
        f"the file is {kind.name}, not LDIF", subject=format_file_name(name), next_step=kind.next_step(name)
    )


def combine_ldif_problems(problems: Sequence[LdifError]) -> LdifError:
    """Return one error that lists *problems*, or the only problem."""
    if len(problems) == 1:
        return problems[0]
    more = [f"… and {len(problems) - _MAXIMUM_SHOWN_PROBLEMS} more"] if len(problems) > _MAXIMUM_SHOWN_PROBLEMS else []
    return LdifError(
        f"{len(problems)} records are not valid LDIF:",
        next_step="correct these records; nothing was changed",
        details=[*map(str, problems[:_MAXIMUM_SHOWN_PROBLEMS]), *more],
    )
