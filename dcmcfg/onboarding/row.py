"""What one row of a file says of an AE, as it is written there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

TITLE, HOST, PORT, TLS, DESCRIPTION, ROLE, DEVICE = "title", "host", "port", "tls", "description", "role", "device"
#: The columns of a file, in the order in which they are written.
COLUMNS = (TITLE, HOST, PORT, TLS, DESCRIPTION, ROLE, DEVICE)
#: The column in which a row that was left out carries why; when read it counts for nothing.
REASON = "reason"
_OTHER_SPELLINGS = {
    "aet": TITLE,
    "ae": TITLE,
    "aetitle": TITLE,
    "dicomaetitle": TITLE,
    "hostname": HOST,
    "dicomhostname": HOST,
    "ip": HOST,
    "ipaddress": HOST,
    "address": HOST,
    "dicomport": PORT,
    "dicomdescription": DESCRIPTION,
    "devicename": DEVICE,
    "dicomdevicename": DEVICE,
}
_BY_SPELLING = {name: name for name in (*COLUMNS, REASON)} | _OTHER_SPELLINGS
_BETWEEN_WORDS = re.compile(r"[\s_-]+")


def plain(heading: str) -> str:
    """Return *heading* as headings are compared: without case, blanks, ``_`` and ``-``."""
    return _BETWEEN_WORDS.sub("", heading).casefold()


def column(heading: str) -> str | None:
    """Return which of :data:`COLUMNS` (or :data:`REASON`) *heading* stands for, None when it is unknown."""
    return _BY_SPELLING.get(plain(heading))


@dataclass(frozen=True)
class Row:
    """A row at ``place`` (``file:line``); ``values`` by column, none of them empty.

    ``problems`` are phrases on what is wrong with its form, so that its values may not be what was meant. ``number`` is
    where it stands among the rows of its file, from 0.
    """

    place: str
    values: Mapping[str, str]
    problems: tuple[str, ...] = ()
    number: int = 0

    def text(self, name: str) -> str:
        """Return the value of the column *name*, or an empty text."""
        return self.values.get(name, "")
