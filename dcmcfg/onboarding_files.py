"""Files of AEs from disk, or from standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from dcmcfg.errors import OnboardingError
from dcmcfg.ldif_files import STDIN
from dcmcfg.onboarding.reading import Form, form_of, read_sheet
from dcmcfg.onboarding.sheet import Sheet


def read_file(path: Path, form: Form | None) -> Sheet:
    """Return the rows of the file *path*, ``-`` being standard input, in *form* or else in that of its suffix.

    Raises :class:`OnboardingError` for a file that cannot be read or is of no form that is known.
    """
    taken = form or form_of(str(path))
    if taken is None:
        known = "standard input" if str(path) == STDIN else str(path)
        raise OnboardingError("what form it has is not known", on=known, next_step="--format csv, yaml or json says it")
    if str(path) == STDIN:
        return read_sheet("standard input", sys.stdin.buffer.read(), taken)
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise OnboardingError(f"the file cannot be read ({error.strerror})", on=str(path)) from error
    return read_sheet(str(path), octets, taken)
