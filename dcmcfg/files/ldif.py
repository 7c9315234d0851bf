"""LDIF files from disk, or from standard input.

Values in other files (``attr:< file:…``) are read only where the user allows it.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from dcmcfg.errors import LdifError, UnknownFormat
from dcmcfg.file_kinds import HEADER_LENGTH, LDIF, SNAPSHOT, detect_file_kind
from dcmcfg.ldif.reader import LdifErrors, read_all
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from dcmcfg.plan.assertions import has_assertion
from dcmcfg.plan.ldif_output import LDIF_FORMAT, parse_directory_url, parse_format_number

#: The most octets that one value may have. A stock slapd takes no request of 4 MiB or more (sockbuf_max_incoming_auth).
MAXIMUM_VALUE_LENGTH = 64 * 1024 * 1024
_SCHEME = "file:"
_ALLOW_HINT = "--allow-file-urls reads such a file beside the LDIF file, --file-urls-from DIR one in DIR"
_FOLDER_HINT = "--file-urls-from DIR names the folder that such files are in"
#: Folders of what the kernel makes up: it says what this process has open, and may hold its environment.
_VIRTUAL_FOLDERS = (Path("/proc"), Path("/sys"), Path("/dev"))
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC  # a pipe must not make us wait


def refuse_file_url(url: str) -> bytes:
    """Refuse to read *url*, and say how it would be read."""
    absolute = url.lower().startswith((f"{_SCHEME}/", f"{_SCHEME}%2f"))
    raise LdifError(
        f"the value stands in another file, which is not read: {url}",
        next_step=_FOLDER_HINT if absolute else _ALLOW_HINT,
    )


@dataclass(frozen=True)
class FileUrlReader:
    """Reads what an LDIF file refers to.

    From its own ``folder`` (None: it has none), or from the ``base_folder`` instead. Paths are relative to it; with
    ``base_folder`` they may be absolute too. None leads out of it, nor does a symbolic link.
    """

    folder: Path | None
    base_folder: Path | None = None

    def read(self, url: str) -> bytes:
        """Return the octets of the file that *url* names, as OpenLDAP's tools read it (``file:name``, ``file:///name``).

        Raises :class:`LdifError` for another scheme or host, for a file elsewhere, for what is not a regular file on
        a disk, for one that cannot be read, and for one of more than ``MAXIMUM_VALUE_LENGTH`` octets.
        """
        name = _parse_file_url(url)
        root = self._find_base_folder(name, url)
        path = root / name
        real_root, real_path = Path(os.path.realpath(root)), Path(os.path.realpath(path))
        if not real_path.is_relative_to(real_root):
            raise LdifError(f"the file is not in the folder {root}, so it is not read: {url}", next_step=_FOLDER_HINT)
        if any(real_root.is_relative_to(each) or real_path.is_relative_to(each) for each in _VIRTUAL_FOLDERS):
            raise LdifError(
                f"there are no files on a disk, so nothing is read: {url}", subject=str(path), next_step=_FOLDER_HINT
            )
        try:
            octets = _read_file(real_root, real_path, path)
        except OSError as error:
            next_step = self._suggest_folder(name) if isinstance(error, FileNotFoundError) else ""
            raise LdifError(
                f"the file cannot be read ({error.strerror})", subject=str(path), next_step=next_step
            ) from error
        if len(octets) > MAXIMUM_VALUE_LENGTH:
            raise LdifError(
                f"the file is larger than {MAXIMUM_VALUE_LENGTH >> 20} MiB, which no value may be", subject=str(path)
            )
        return octets

    def _find_base_folder(self, name: str, url: str) -> Path:
        if self.base_folder is not None:
            return self.base_folder
        if self.folder is None:
            raise LdifError(f"standard input has no folder to start from: {url}", next_step=_FOLDER_HINT)
        if name.startswith("/"):
            raise LdifError(
                f"only a path relative to the LDIF file's own folder is read, not {url}", next_step=_FOLDER_HINT
            )
        return self.folder

    def _suggest_folder(self, name: str) -> str:
        """Return how a file is read that is not there: the archive's update files name one that is a folder above."""
        parent_folder = (self.folder or Path()).absolute().parent
        if self.base_folder is None and "/" not in name and (parent_folder / name).is_file():
            return f"{parent_folder / name} is read with: --file-urls-from {parent_folder}"
        return "" if self.base_folder is not None else _FOLDER_HINT


def _parse_file_url(url: str) -> str:
    """Return the path that *url* names."""
    if not url.lower().startswith(_SCHEME):
        raise LdifError(f"only 'file:' URLs are read, not {url}")
    path = url[len(_SCHEME) :]
    if path.startswith("//"):
        path = path[2:]
        if not path.startswith("/"):
            raise LdifError(f"a file on another host is not read: {url}", next_step="file:///path is on this one")
    name = os.fsdecode(unquote_to_bytes(path))
    if not name or "\0" in name:
        raise LdifError(f"the URL names no file: {url}")
    return name


def _read_file(real_root: Path, real_path: Path, path: Path) -> bytes:
    """Return the octets of the regular file *real_path*, one more than a value may have at most.

    *path* is how it was named. What the kernel makes up has another size than it says, wherever it is mounted.
    """
    handle = _open_below(real_root, real_path)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise LdifError("not a regular file", subject=str(path))
        with os.fdopen(handle, "rb", closefd=False) as file:
            octets = file.read(MAXIMUM_VALUE_LENGTH + 1)
    finally:
        os.close(handle)
    if len(octets) != min(status.st_size, MAXIMUM_VALUE_LENGTH + 1):
        raise LdifError("not a file on a disk, or it is being written", subject=str(path))
    return octets


def _open_below(real_root: Path, real_path: Path) -> int:
    """Open *real_path*, which is below *real_root*, following no link, not even what became one meanwhile."""
    *folders, name = real_path.relative_to(real_root).parts or (".",)
    folder_handle = os.open(real_root, _FOLDER)
    try:
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

    A value that stands in another file (``attr:< file:name``) is read with *file_urls* (:func:`build_url_resolver`).
    *strict* holds them to RFC 2849, otherwise what OpenLDAP's tools take is taken. Without *allow_mixed*, a file holds
    entries or changes, not both: an entry among changes may be a change that lost its ``changetype:`` line. Raises
    :class:`LdifError` for a file that cannot be read, and one that lists what is wrong in all of them, and
    :class:`UnknownFormat` for a plan or undo with preconditions in a format that is not known.
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
            LdifError("the file holds no records", subject=format_file_name(name))
            for name, records in files_read
            if not records
        ]
    if not allow_mixed:
        problems += [problem for name, records in files_read if (problem := _find_mixed_records(name, records))]
    if problems:
        raise combine_ldif_problems(problems)
    return tuple(files_read)


def _find_mixed_records(name: str, records: Sequence[Record]) -> LdifError | None:
    """Return the problem of a file *name* that holds entries and changes; it names the first record of the fewer."""
    entries = [record.line for record in records if isinstance(record, ContentRecord)]
    changes = [record.line for record in records if isinstance(record, ChangeRecord)]
    if not entries or not changes:
        return None
    name = format_file_name(name)
    if len(entries) <= len(changes):
        message = f"an entry (no 'changetype:') among change records, the first of {len(entries)}"
        next_step = "if the 'changetype:' line was lost, add it; --mixed accepts entries and changes in one file"
        return LdifError(message, subject=f"{name}:{entries[0]}", next_step=next_step)
    message = f"a change record among entries, the first of {len(changes)}"
    next_step = "put it into a file of its own; --mixed accepts entries and changes in one file"
    return LdifError(message, subject=f"{name}:{changes[0]}", next_step=next_step)


def format_file_name(name: str) -> str:
    """Return how messages name the file at path *name*."""
    return "standard input" if name == STDIN else name


def find_file_warnings(files: Sequence[tuple[str, Sequence[Record]]], ldap_url: str) -> Iterator[str]:
    """Yield a sentence for each of *files* (name, records) that is empty, or was written for another *ldap_url*.

    Also for each that a later dcmcfg has written, and that is read as plain LDIF all the same.
    """
    for name, records in files:
        if not records:
            yield f"{name} holds no records."
        head = _read_head(Path(name))
        if problem := _find_format_problem(head, name):
            yield f"{name}: {problem.message}. It has no preconditions and is read as plain LDIF."
        written_for = parse_directory_url(head)
        if written_for not in (None, ldap_url):
            yield f"{name} was written for {written_for}, and this is {ldap_url}."


def _read_head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEADER_LENGTH)
    except OSError:  # standard input, or a pipe that was read already
        return b""


def _find_format_problem(head: bytes, name: str) -> UnknownFormat | None:
    """Return why the format of the file at path *name*, which begins with *head*, is not read; None if it is."""
    number = parse_format_number(head)
    if number is None:
        return None
    try:
        LDIF_FORMAT.parse_number(number, format_file_name(name))
    except UnknownFormat as problem:
        return problem
    return None


def _require_known_format(head: bytes, name: str, records: Sequence[Record]) -> None:
    """Raise :class:`UnknownFormat` where *records* have preconditions, and the format of the file is not known."""
    if not any(isinstance(record, ChangeRecord) and has_assertion(record.change) for record in records):
        return
    if problem := _find_format_problem(head, name):
        raise UnknownFormat(
            f"{problem.message}, and its preconditions may not be those that this dcmcfg checks",
            subject=problem.subject,
            next_step=problem.next_step,
        )


def build_url_resolver(path: Path, *, file_urls: Path | bool) -> Callable[[str], bytes]:
    """Return what the reader of the LDIF at *path* does with a value that stands in another file.

    It reads it from the folder *file_urls*; True stands for the LDIF's own folder, and with False it is refused.
    """
    if file_urls is False:
        return refuse_file_url
    return FileUrlReader(
        None if str(path) == STDIN else path.parent, file_urls if isinstance(file_urls, Path) else None
    ).read


def _read_records(path: Path, resolve_url: Callable[[str], bytes], *, strict: bool) -> tuple[Record, ...]:
    header = bytearray()

    def parse(file: BinaryIO) -> tuple[Record, ...]:
        source = read_chunks(file, header)
        return read_all(source, format_file_name(str(path)), strict=strict, resolve_url=resolve_url)

    try:
        if str(path) == STDIN:
            found = parse(sys.stdin.buffer)
        else:
            with path.open("rb") as file:
                found = parse(file)
    except OSError as error:
        raise LdifError(f"the file cannot be read ({error.strerror})", subject=str(path)) from error
    except LdifErrors:
        if newer := _find_format_problem(bytes(header), str(path)):
            raise newer from None
        if problem := detect_wrong_kind(bytes(header), str(path)):
            raise LdifErrors((problem,)) from None
        raise
    _require_known_format(bytes(header), str(path), found)
    return found


def read_chunks(file: BinaryIO, header: bytearray) -> Iterator[bytes]:
    """Yield the octets of *file* in chunks; the first ones are appended to *header*, for :func:`detect_wrong_kind`."""
    for chunk in iter(partial(file.read, _CHUNK), b""):
        if len(header) < HEADER_LENGTH:
            header += chunk[: HEADER_LENGTH - len(header)]
        yield chunk


def detect_wrong_kind(header: bytes, name: str) -> LdifError | None:
    """Return the error for the file at path *name* that begins with *header* and is no LDIF, if its kind is known."""
    kind = detect_file_kind(header)
    if kind is None or kind in (LDIF, SNAPSHOT):
        return None
    return LdifError(f"this is {kind.name}, not LDIF", subject=format_file_name(name), next_step=kind.next_step(name))


def combine_ldif_problems(problems: Sequence[LdifError]) -> LdifError:
    """Return one error that lists *problems*, or the only one of them."""
    if len(problems) == 1:
        return problems[0]
    more = [f"… and {len(problems) - _MAXIMUM_SHOWN_PROBLEMS} more"] if len(problems) > _MAXIMUM_SHOWN_PROBLEMS else []
    return LdifError(
        f"{len(problems)} records are not LDIF:",
        next_step="nothing was changed; mend them",
        details=[*map(str, problems[:_MAXIMUM_SHOWN_PROBLEMS]), *more],
    )
