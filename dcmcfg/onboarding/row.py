"""What one row of a file says of an AE, as it is written there; and an AE of the tree as such a row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from dcmcfg.model.devices import NetworkAE
from dcmcfg.onboarding.role import determine_role
from dcmcfg.schema.findings import SourceLocation
from dcmcfg.schema_names import (
    DICOM_AE_TITLE,
    DICOM_DESCRIPTION,
    DICOM_DEVICE_NAME,
    DICOM_HOSTNAME,
    DICOM_PORT,
)
from dcmcfg.secret_values import is_secret

TITLE, HOST, PORT, TLS, DESCRIPTION, ROLE, DEVICE = "title", "host", "port", "tls", "description", "role", "device"
#: The columns of a file, in the order in which they are written.
COLUMNS = (TITLE, HOST, PORT, TLS, DESCRIPTION, ROLE, DEVICE)
#: The column with the reason of a rejected row; ignored when read.
REASON = "reason"
_COLUMN_ALIASES = {
    "aet": TITLE,
    "ae": TITLE,
    "aetitle": TITLE,
    DICOM_AE_TITLE.lower(): TITLE,
    "hostname": HOST,
    DICOM_HOSTNAME.lower(): HOST,
    "ip": HOST,
    "ipaddress": HOST,
    "address": HOST,
    DICOM_PORT.lower(): PORT,
    DICOM_DESCRIPTION.lower(): DESCRIPTION,
    "devicename": DEVICE,
    DICOM_DEVICE_NAME.lower(): DEVICE,
}
_COLUMN_BY_HEADING = {name: name for name in (*COLUMNS, REASON)} | _COLUMN_ALIASES
_SEPARATORS = re.compile(r"[\s_-]+")


def simplify_heading(heading: str) -> str:
    """Return *heading* as headings are compared: without case, blanks, ``_`` and ``-``."""
    return _SEPARATORS.sub("", heading).casefold()


def resolve_column(heading: str) -> str | None:
    """Return which of :data:`COLUMNS` (or :data:`REASON`) *heading* stands for, None when it is unknown."""
    return _COLUMN_BY_HEADING.get(simplify_heading(heading))


@dataclass(frozen=True)
class SheetRow:
    """A row at ``location``; ``values`` by column, none of them empty.

    ``problems`` are phrases on what is wrong with its form, so that its values may not be what was meant. ``index`` is
    where it stands among the rows of its file, from 0.
    """

    location: SourceLocation
    values: Mapping[str, str]
    problems: tuple[str, ...] = ()
    index: int = 0

    def text(self, name: str) -> str:
        """Return the value of the column *name*, or an empty text."""
        return self.values.get(name, "")


def make_row_values(ae: NetworkAE) -> dict[str, str]:
    """Return the values of *ae* by column, empty ones left out; such a row is unchanged, whatever the tree holds.

    Of its connections the first that listens counts, one without TLS before one with; else the first.
    """
    connection = (
        ae.find_listening_connection() or ae.find_listening_connection(tls=True) or next(iter(ae.connections), None)
    )
    values = {
        TITLE: ae.title.strip(),
        DESCRIPTION: (ae.entry.text(DICOM_DESCRIPTION) or "").strip(),
        ROLE: determine_role(ae).value,
        DEVICE: ae.device.name.strip(),
    }
    if connection is not None:
        values[HOST] = connection.host.strip()
        values[PORT] = "" if connection.port is None else str(connection.port)
        values[TLS] = "yes" if connection.tls else "no"
    return {column: values[column] for column in values if values[column]}


def make_row_values_without_secrets(ae: NetworkAE) -> dict[str, str]:
    """Return :func:`make_row_values` without values that are secrets: a row that says less of an AE is unchanged."""
    return {column: value for column, value in make_row_values(ae).items() if not is_secret(column, value.encode())}


class SheetFormat(Protocol):
    """The form that the rows were read in."""

    def write_rejected_rows(self, reasons: Mapping[int, str], heading: str) -> str:
        """Return a file of the same form that holds the rows of those numbers as they were, each with its reason.

        *heading* stands above them, where the format has a place for it.
        """
        ...


@dataclass(frozen=True)
class Sheet:
    """The ``rows`` of a file; ``warnings`` are sentences on what of it is ignored."""

    rows: tuple[SheetRow, ...]
    source_format: SheetFormat
    warnings: tuple[str, ...] = ()


def warn_unknown_columns(name: str, headings: Iterable[str], term: str) -> Iterator[str]:
    """Yield a sentence for each of the *headings* of the file *name* that stand for nothing here.

    *term* is what they are there: column or key.
    """
    for heading, count in Counter(headings).items():
        times = f" ({count} times)" if count > 1 else ""
        yield f"{name}: the {term} {heading!r} is unknown and counts for nothing{times}."


def convert_to_single_line(text: str) -> str:
    """Return *text* without line ends and control characters, as a comment or a cell holds it."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
