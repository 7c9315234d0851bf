"""Read the rows of a file in any of the supported formats."""

from __future__ import annotations

import codecs
import shlex
from collections import Counter
from dataclasses import replace
from enum import Enum
from pathlib import PurePath

from dcmcfg.errors import OnboardingError
from dcmcfg.onboarding.delimited import read_delimited
from dcmcfg.onboarding.row import Sheet
from dcmcfg.onboarding.yaml_json import read_json, read_yaml

#: The name of standard input in messages, instead of the name of a file.
STANDARD_INPUT = "standard input"


class SheetFileType(Enum):
    """The format of a file: delimited text, YAML or JSON."""

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
    """Return the format of the file *name* by its suffix, or None."""
    return _BY_SUFFIX.get(PurePath(name).suffix.lower())


def read_sheet(name: str, octets: bytes, file_format: SheetFileType) -> Sheet:
    """Return the rows of *octets*, the content of the file *name*; several rows on one line have AE numbers.

    Raises :class:`OnboardingError` with the line if the file does not have the format or is not Unicode text.
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
    warnings = () if sheet.rows else (f"{name} contains no AEs.",)
    return replace(sheet, rows=tuple(rows), warnings=(*sheet.warnings, *warnings))


def _decode(name: str, octets: bytes) -> str:
    # Excel writes "Unicode Text" as UTF-16, and "CSV UTF-8" with a byte order mark.
    encoding = "utf-16" if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        file = "FILE" if name == STANDARD_INPUT else shlex.quote(name)
        raise OnboardingError(
            f"not UTF-8 (octet {octets[error.start]:#04x})",
            subject=f"{name}:{line}",
            next_step=f"save the file as 'CSV UTF-8', or convert it: iconv -f WINDOWS-1252 -t UTF-8 {file} > NEW_FILE",
        ) from error
