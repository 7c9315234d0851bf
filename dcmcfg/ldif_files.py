"""LDIF files from disk, or from standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dcmcfg.errors import LdifError
from dcmcfg.ldif.reader import LdifErrors, read_all
from dcmcfg.ldif.records import Record
from dcmcfg.ldif_references import References, refuse_references
from dcmcfg.plan.text import directory_of

#: The path that stands for standard input.
STDIN = "-"
_SHOWN_PROBLEMS = 20
_HEAD = 4096


def read_files(
    paths: Sequence[Path], *, file_urls: Path | bool = False, strict: bool = False
) -> tuple[tuple[str, tuple[Record, ...]], ...]:
    """Return (name, records) of each file, in order; ``-`` is standard input.

    A value that stands in another file (``attr:< file:name``) is read with *file_urls* (:func:`resolver`). *strict*
    holds them to RFC 2849, otherwise what OpenLDAP's tools take is taken.
    Raises :class:`LdifError` for a file that cannot be read, and one that lists what is wrong in all of them.
    """
    read: list[tuple[str, tuple[Record, ...]]] = []
    problems: list[LdifError] = []
    for path in paths:
        try:
            read.append((str(path), _read(path, resolver(path, file_urls=file_urls), strict=strict)))
        except LdifErrors as errors:
            problems += errors.problems
    if problems:
        raise told_together(problems)
    return tuple(read)


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
    if str(path) == STDIN:
        return read_all(sys.stdin.buffer, "standard input", strict=strict, resolve_url=resolve_url)
    try:
        with path.open("rb") as file:
            return read_all(file, str(path), strict=strict, resolve_url=resolve_url)
    except OSError as error:
        raise LdifError(f"the file cannot be read ({error.strerror})", on=str(path)) from error


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
