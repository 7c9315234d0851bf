"""LDIF files from disk, or from standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from dcmcfg.errors import LdifError
from dcmcfg.file_kinds import HEAD, LDIF, SNAPSHOT, file_kind
from dcmcfg.ldif.reader import LdifErrors, read_all
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from dcmcfg.ldif_references import References, refuse_references
from dcmcfg.plan.text import directory_of

#: The path that stands for standard input.
STDIN = "-"
_SHOWN_PROBLEMS = 20
_HEAD = 4096
_CHUNK = 64 * 1024


def read_files(
    paths: Sequence[Path], *, file_urls: Path | bool = False, strict: bool = False, mixed: bool = True
) -> tuple[tuple[str, tuple[Record, ...]], ...]:
    """Return (name, records) of each file, in order; ``-`` is standard input.

    A value that stands in another file (``attr:< file:name``) is read with *file_urls* (:func:`resolver`). *strict*
    holds them to RFC 2849, otherwise what OpenLDAP's tools take is taken. Without *mixed*, a file holds entries or
    changes, not both: an entry among changes may be a change that lost its ``changetype:`` line.
    Raises :class:`LdifError` for a file that cannot be read, and one that lists what is wrong in all of them.
    """
    read: list[tuple[str, tuple[Record, ...]]] = []
    problems: list[LdifError] = []
    for path in paths:
        try:
            read.append((str(path), _read(path, resolver(path, file_urls=file_urls), strict=strict)))
        except LdifErrors as errors:
            problems += errors.problems
    if strict:
        problems += [LdifError("the file holds no records", on=called(name)) for name, records in read if not records]
    if not mixed:
        problems += [problem for name, records in read if (problem := _mixture(name, records))]
    if problems:
        raise told_together(problems)
    return tuple(read)


def _mixture(name: str, records: Sequence[Record]) -> LdifError | None:
    """Return the problem of a file *name* that holds entries and changes; it names the first record of the fewer."""
    entries = [record.line for record in records if isinstance(record, ContentRecord)]
    changes = [record.line for record in records if isinstance(record, ChangeRecord)]
    if not entries or not changes:
        return None
    name = called(name)
    if len(entries) <= len(changes):
        what = f"an entry (no 'changetype:') among change records, the first of {len(entries)}"
        step = "if the 'changetype:' line was lost, add it; --mixed accepts entries and changes in one file"
        return LdifError(what, on=f"{name}:{entries[0]}", next_step=step)
    what = f"a change record among entries, the first of {len(changes)}"
    step = "put it into a file of its own; --mixed accepts entries and changes in one file"
    return LdifError(what, on=f"{name}:{changes[0]}", next_step=step)


def called(name: str) -> str:
    """Return how messages name the file at path *name*."""
    return "standard input" if name == STDIN else name


def file_doubts(files: Sequence[tuple[str, Sequence[Record]]], ldap_url: str) -> Iterator[str]:
    """Yield a sentence for each of *files* (name, records) that is empty, or was written for another *ldap_url*."""
    for name, records in files:
        if not records:
            yield f"{name} holds no records."
        written_for = _written_for(Path(name))
        if written_for not in (None, ldap_url):
            yield f"{name} was written for {written_for}, and this is {ldap_url}."


def _written_for(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return directory_of(file.read(_HEAD))
    except OSError:  # standard input, or a pipe that was read already
        return None


def resolver(path: Path, *, file_urls: Path | bool) -> Callable[[str], bytes]:
    """Return what the reader of the LDIF at *path* does with a value that stands in another file.

    It reads it from the folder *file_urls*; True stands for the LDIF's own folder, and with False it is refused.
    """
    if file_urls is False:
        return refuse_references
    return References(
        None if str(path) == STDIN else path.parent, file_urls if isinstance(file_urls, Path) else None
    ).value


def _read(path: Path, resolve_url: Callable[[str], bytes], *, strict: bool) -> tuple[Record, ...]:
    head = bytearray()

    def records(file: BinaryIO) -> tuple[Record, ...]:
        source = remembering(file, head)
        return read_all(source, called(str(path)), strict=strict, resolve_url=resolve_url)

    try:
        if str(path) == STDIN:
            return records(sys.stdin.buffer)
        with path.open("rb") as file:
            return records(file)
    except OSError as error:
        raise LdifError(f"the file cannot be read ({error.strerror})", on=str(path)) from error
    except LdifErrors:
        if problem := other_kind(bytes(head), str(path)):
            raise LdifErrors((problem,)) from None
        raise


def remembering(file: BinaryIO, head: bytearray) -> Iterator[bytes]:
    """Yield the octets of *file* in chunks; the first ones are appended to *head*, for :func:`other_kind`."""
    for chunk in iter(partial(file.read, _CHUNK), b""):
        if len(head) < HEAD:
            head += chunk[: HEAD - len(head)]
        yield chunk


def other_kind(head: bytes, name: str) -> LdifError | None:
    """Return the error for the file at path *name* that begins with *head* and is no LDIF, if its kind is known."""
    kind = file_kind(head)
    if kind is None or kind in (LDIF, SNAPSHOT):
        return None
    return LdifError(f"this is {kind.name}, not LDIF", on=called(name), next_step=kind.next_step(name))


def told_together(problems: Sequence[LdifError]) -> LdifError:
    """Return one error that lists *problems*, or the only one of them."""
    if len(problems) == 1:
        return problems[0]
    more = [f"… and {len(problems) - _SHOWN_PROBLEMS} more"] if len(problems) > _SHOWN_PROBLEMS else []
    return LdifError(
        f"{len(problems)} records are not LDIF:",
        next_step="nothing was changed; mend them",
        details=[*map(str, problems[:_SHOWN_PROBLEMS]), *more],
    )
