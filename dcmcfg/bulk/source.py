"""Where the studies of a run come from."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dcmcfg.bulk.listed import Listed, named, parse_list
from dcmcfg.dicom.studies import Study
from dcmcfg.errors import DcmcfgError, NotFound

STDIN = "-"


@dataclass(frozen=True)
class FromFile:
    """The studies that a file lists, ``-`` being standard input."""

    path: str

    @property
    def name(self) -> str:
        """What tells this source from others: of a file its place, not what is in it."""
        return self.path if self.path == STDIN else str(Path(self.path).resolve())

    def read(self) -> Listed:
        """Return the studies as the file lists them the first time that it is asked.

        Raises what :func:`parse_list` does, and :class:`DcmcfgError` for no such file.
        """
        return self._listed

    @cached_property
    def _listed(self) -> Listed:
        if self.path == STDIN:
            return parse_list("standard input", sys.stdin.buffer.read())
        try:
            return parse_list(self.path, Path(self.path).read_bytes())
        except OSError as error:
            raise DcmcfgError(
                f"the list cannot be read ({error.strerror})",
                on=self.path,
                next_step="nothing was asked",
            ) from error


@dataclass(frozen=True)
class Named:
    """The studies that are named one by one."""

    uids: tuple[str, ...]

    @property
    def name(self) -> str:
        return " ".join(sorted(set(self.uids)))

    def read(self) -> Listed:
        """Return the studies, each once."""
        return named(self.uids)


@dataclass(frozen=True)
class Matching:
    """The studies that match keys, at most ``limit`` of them; ``found`` is what the archive listed, once asked."""

    keys: Mapping[str, str]
    limit: int | None = None
    found: tuple[Study, ...] | None = None

    @property
    def name(self) -> str:
        keys = ",".join(f"{keyword}={value}" for keyword, value in self.keys.items())
        return keys if self.limit is None else f"{keys} at most {self.limit}"

    @property
    def most(self) -> int | None:
        """How many matches to ask for, one more than are wanted; None for all."""
        return None if self.limit is None else self.limit + 1

    @property
    def leaves_out(self) -> bool:
        """Whether more were found than are wanted."""
        return self.limit is not None and len(self.found or ()) > self.limit

    def read(self) -> Listed:
        """Return the studies of what was found; raises :class:`NotFound` when that is nothing."""
        if not self.found:
            raise NotFound("no study matches", on=self.name, next_step="wildcards are * and ?; case may count")
        return named(study.study_uid for study in self.found[: self.limit])


Source = FromFile | Named | Matching
