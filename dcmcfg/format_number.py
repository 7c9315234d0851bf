"""The format number of the files that dcmcfg writes and reads again, with one rule for all kinds of file.

A file without a number was written before numbers were introduced (:data:`UNNUMBERED`) and is accepted. A number that
is invalid, or higher than the one of this version of dcmcfg, is refused before other content of the file is used. The
kinds of file and their numbers are in ``docs/reference/files-on-disk.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dcmcfg.errors import UnknownFormat

#: The key of the number in JSON and TOML.
FORMAT_KEY = "format"
#: The format of files that were written before numbers were introduced.
UNNUMBERED = 0
_TEXT = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_MAX_SHOWN_LENGTH = 40

#: Format → the names that the next format changed (keys, or words that are values): old name → new name.
RenamedNames = Mapping[int, Mapping[str, str]]


@dataclass(frozen=True)
class FileFormat:
    """One kind of file with the number of its current format, the highest that this version of dcmcfg reads.

    ``kind`` is the name of the kind in errors, with its article: "the record of a change". ``renamed_keys`` are those
    of the JSON object in the file.
    """

    kind: str
    number: int
    renamed_keys: RenamedNames = field(default_factory=dict)

    def require_known(self, number: object, file: str) -> int:
        """Return *number*, the format number of the file at path *file*; raises :class:`UnknownFormat`."""
        # In Python, True is an integer, but it is no number in a file.
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise UnknownFormat(
                f"the format number of {self.kind} is {_shorten(repr(number))}, not a positive integer",
                subject=file,
                next_step="restore the file from a backup; nothing was changed",
            )
        if number > self.number:
            raise UnknownFormat(
                f"{self.kind} has format {number}; this version of dcmcfg can read only formats up to {self.number}",
                subject=file,
                next_step="use the newer version of dcmcfg that wrote the file; nothing was changed",
            )
        return number

    def parse_number(self, text: str, file: str) -> int:
        """Return the format number from *text* in the file at path *file*; raises :class:`UnknownFormat`."""
        return self.require_known(int(text) if _TEXT.fullmatch(text) else text, file)

    def read_number(self, content: Mapping[str, object], file: str) -> int:
        """Return the format number in *content*, the object in the file *file*; raises :class:`UnknownFormat`."""
        return self.require_known(content[FORMAT_KEY], file) if FORMAT_KEY in content else UNNUMBERED

    def read_object(self, content: object, file: str) -> dict[str, Any]:
        """Return *content*, the object in the file at path *file*, with the current keys and without the format number.

        Raises :class:`UnknownFormat`, and :class:`TypeError` if *content* is not an object.
        """
        if not isinstance(content, dict):
            raise TypeError("not a JSON object")
        number = self.read_number(content, file)
        found = rename_keys(content, self.renamed_keys, number)
        found.pop(FORMAT_KEY, None)
        return found

    def add_number(self, content: Mapping[str, object]) -> dict[str, object]:
        """Return *content* with the current format number as its first key."""
        return {FORMAT_KEY: self.number, **content}


def rename_keys(content: Mapping[str, object], renamed_keys: RenamedNames, number: int) -> dict[str, Any]:
    """Return *content*, an object of the format *number*, with the current keys."""
    return {get_current_name(key, renamed_keys, number): value for key, value in content.items()}


def get_current_name(name: str, renamed: RenamedNames, number: int) -> str:
    """Return the current name for *name* of the format *number*."""
    # A name may have changed several times, so the changes apply in their order.
    for older in sorted(each for each in renamed if each >= number):
        name = renamed[older].get(name, name)
    return name


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN_LENGTH else f"{text[:_MAX_SHOWN_LENGTH]}…"
