"""Files of AEs from disk, or from standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from dcmcfg.errors import OnboardingError
from dcmcfg.file_kinds import CSV, HEAD, JSON, YAML, file_kind
from dcmcfg.files.ldif import STDIN
from dcmcfg.onboarding.reader import Form, form_of, read_sheet
from dcmcfg.onboarding.row import Sheet


def read_file(path: Path, form: Form | None) -> Sheet:
    """Return the rows of the file *path*, ``-`` being standard input, in *form* or else in that of its suffix.

    Raises :class:`OnboardingError` for a file that cannot be read or is of no form that is known.
    """
    known = "standard input" if str(path) == STDIN else str(path)
    try:
        octets = sys.stdin.buffer.read() if str(path) == STDIN else path.read_bytes()
    except OSError as error:
        raise OnboardingError(f"the file cannot be read ({error.strerror})", on=known) from error
    kind = file_kind(octets[:HEAD])
    if kind is not None and kind not in (CSV, YAML, JSON):
        raise OnboardingError(f"this is {kind.name}, not a list of AEs", on=known, next_step=kind.next_step(str(path)))
    taken = form or form_of(str(path))
    if taken is None:
        raise OnboardingError("what form it has is not known", on=known, next_step="--format csv, yaml or json says it")
    return read_sheet(known, octets, taken)
