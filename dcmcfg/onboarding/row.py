"""Rows of a file that describe AEs, and the conversion of existing AEs into such rows."""

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
#: The columns of a file, in writing order.
COLUMNS = (TITLE, HOST, PORT, TLS, DESCRIPTION, ROLE, DEVICE)
#: The column with the reason of a rejected row; ignored on reading.
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
    """Return *heading* in the form for comparison: lower case, without blanks, ``_`` and ``-``."""
    return _SEPARATORS.sub("", heading).casefold()


def resolve_column(heading: str) -> str | None:
    """Return the column of :data:`COLUMNS` (or :data:`REASON`) that *heading* means, or None if it is unknown."""
    return _COLUMN_BY_HEADING.get(simplify_heading(heading))


@dataclass(frozen=True)
class SheetRow:
    """A row at ``location``; ``values`` by column, without empty values.

    ``problems`` are phrases about the form of the row, which make its values unreliable. ``index`` is the position
    among the rows of the file, from 0.
    """

    location: SourceLocation
    values: Mapping[str, str]
    problems: tuple[str, ...] = ()
    index: int = 0

    def text(self, name: str) -> str:
        """Return the value of the column *name*, or an empty string."""
        return self.values.get(name, "")


def make_row_values(ae: NetworkAE) -> dict[str, str]:
    """Return the values of *ae* by column, without empty values; a row with these values counts as unchanged.

    The connection is the first that listens, without TLS before with TLS, or else the first.
    """
    connection = (
        ae.find_listening_connection() or ae.find_listening_connection(tls=True) or next(iter(ae.connections), None)
    )
    values = {
        # Cells are stripped on reading, so a value with outer blanks would never count as unchanged.
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
    """Return :func:`make_row_values` without secret values; a row with fewer values still counts as unchanged."""
    return {column: value for column, value in make_row_values(ae).items() if not is_secret(column, value.encode())}


class SheetFormat(Protocol):
    """The format that the rows were read from."""

    def write_rejected_rows(self, reasons: Mapping[int, str], heading: str) -> str:
        """Return a file in the same format with the rejected rows, unchanged, each with its reason.

        *reasons* maps the index of a row to its reason. *heading* is written above the rows if the format has comments.
        """
        ...


@dataclass(frozen=True)
class Sheet:
    """The ``rows`` of a file; ``warnings`` are sentences about ignored content."""

    rows: tuple[SheetRow, ...]
    source_format: SheetFormat
    warnings: tuple[str, ...] = ()


def warn_unknown_columns(name: str, headings: Iterable[str], term: str) -> Iterator[str]:
    """Yield a sentence for each of the unknown *headings* of the file *name*.

    *term* is the word for a heading in this format: column or key.
    """
    for heading, count in Counter(headings).items():
        times = f" ({count} times)" if count > 1 else ""
        yield f"{name}: unknown {term} {heading!r}, ignored{times}."


def convert_to_single_line(text: str) -> str:
    """Return *text* without line ends and control characters, for use in a comment or cell."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
