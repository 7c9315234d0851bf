"""The rows of a file of any of the forms that are read."""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import replace
from enum import Enum
from pathlib import PurePath

from dcmcfg.errors import OnboardingError
from dcmcfg.onboarding.delimited import read_delimited
from dcmcfg.onboarding.row import Sheet
from dcmcfg.onboarding.yaml_json import read_json, read_yaml


class SheetFileType(Enum):
    """Delimited text, YAML or JSON."""

    CSV = "csv"
    YAML = "yaml"
    JSON = "json"


_BY_SUFFIX = {
    ".csv": SheetFileType.CSV,
    ".tsv": SheetFileType.CSV,
    ".txt": SheetFileType.CSV,
    ".yaml": SheetFileType.YAML,
    ".yml": SheetFileType.YAML,
    ".json": SheetFileType.JSON,
}
_READERS = {SheetFileType.CSV: read_delimited, SheetFileType.YAML: read_yaml, SheetFileType.JSON: read_json}


def detect_sheet_file_type(name: str) -> SheetFileType | None:
    """Return the form that a file *name* has by its suffix, or None."""
    return _BY_SUFFIX.get(PurePath(name).suffix.lower())


def read_sheet(name: str, octets: bytes, file_format: SheetFileType) -> Sheet:
    """Return the rows of *octets*, the content of the file *name*; those in one line differ by their numbers.

    Raises :class:`OnboardingError` for a file that is not of that form or not in Unicode, with the line.
    """
    sheet = _READERS[file_format](name, _decode(name, octets))
    count_by_location = Counter(row.location for row in sheet.rows)
    rows = (
        replace(
            row,
            index=number,
            location=replace(row.location, ae_number=number + 1 if count_by_location[row.location] > 1 else None),
        )
        for number, row in enumerate(sheet.rows)
    )
    warnings = () if sheet.rows else (f"{name} holds no AEs.",)
    return replace(sheet, rows=tuple(rows), warnings=(*sheet.warnings, *warnings))


def _decode(name: str, octets: bytes) -> str:
    encoding = "utf-16" if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise OnboardingError(
            f"not UTF-8 (octet {octets[error.start]:#04x})",
            subject=f"{name}:{line}",
            next_step="save it as 'CSV UTF-8', or: iconv -f WINDOWS-1252 -t UTF-8",
        ) from error
