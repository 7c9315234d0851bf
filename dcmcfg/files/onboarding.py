"""Read files of AEs from disk or standard input. Kept apart: dcmcfg.onboarding is pure and reads no files."""

from __future__ import annotations

import sys
from pathlib import Path

from dcmcfg.errors import OnboardingError
from dcmcfg.file_kinds import CSV, HEADER_LENGTH, JSON, YAML, detect_file_kind
from dcmcfg.files.ldif import STDIN
from dcmcfg.files.read_failures import build_read_failure
from dcmcfg.onboarding.reader import STANDARD_INPUT, SheetFileType, detect_sheet_file_type, read_sheet
from dcmcfg.onboarding.row import Sheet


def read_sheet_file(path: Path, file_format: SheetFileType | None) -> Sheet:
    """Return the rows of the file *path* (``-``: standard input) in *file_format*, or in the format of its suffix.

    Raises :class:`OnboardingError` if the file cannot be read or its format is unknown.
    """
    name = STANDARD_INPUT if str(path) == STDIN else str(path)
    try:
        octets = sys.stdin.buffer.read() if str(path) == STDIN else path.read_bytes()
    except OSError as error:
        raise build_read_failure(error, path, OnboardingError, name=name) from error
    # For a file of another kind, its kind is a better message than a syntax error.
    kind = detect_file_kind(octets[:HEADER_LENGTH])
    if kind is not None and kind not in (CSV, YAML, JSON):
        raise OnboardingError(
            f"the file is {kind.name}, not a list of AEs", subject=name, next_step=kind.next_step(str(path))
        )
    chosen_format = file_format or detect_sheet_file_type(str(path))
    if chosen_format is None:
        raise OnboardingError(
            "unknown file format",
            subject=name,
            next_step="if the file is a list of AEs, specify --input-format csv, yaml or json",
        )
    return read_sheet(name, octets, chosen_format)
