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


class Form(Enum):
    """Delimited text, YAML or JSON."""

    CSV = "csv"
    YAML = "yaml"
    JSON = "json"


_BY_SUFFIX = {
    ".csv": Form.CSV,
    ".tsv": Form.CSV,
    ".txt": Form.CSV,
    ".yaml": Form.YAML,
    ".yml": Form.YAML,
    ".json": Form.JSON,
}
_READERS = {Form.CSV: read_delimited, Form.YAML: read_yaml, Form.JSON: read_json}


def form_of(name: str) -> Form | None:
    """Return the form that a file *name* has by its suffix, or None."""
    return _BY_SUFFIX.get(PurePath(name).suffix.lower())


def read_sheet(name: str, octets: bytes, form: Form) -> Sheet:
    """Return the rows of *octets*, the content of the file *name*; those in one line are told apart by their numbers.

    Raises :class:`OnboardingError` for a file that is not of that form or not in Unicode, with the line.
    """
    sheet = _READERS[form](name, _decoded(name, octets))
    in_line = Counter(row.place for row in sheet.rows)
    rows = (
        replace(row, number=number, place=f"{row.place} (AE {number + 1})" if in_line[row.place] > 1 else row.place)
        for number, row in enumerate(sheet.rows)
    )
    empty = () if sheet.rows else (f"{name} holds no AEs.",)
    return replace(sheet, rows=tuple(rows), warnings=(*sheet.warnings, *empty))


def _decoded(name: str, octets: bytes) -> str:
    encoding = "utf-16" if octets.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise OnboardingError(
            f"not UTF-8 (octet {octets[error.start]:#04x})",
            on=f"{name}:{line}",
            next_step="save it as 'CSV UTF-8', or: iconv -f WINDOWS-1252 -t UTF-8",
        ) from error
