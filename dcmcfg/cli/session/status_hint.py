"""The next step if no connection to the archive's DICOM port can be made.

Kept apart: ``echo``, ``route`` and ``verify`` use it and do not load one another.

A stopped archive closes its DICOM ports, but its control service still responds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dcmcfg.dicom.peer import Peer
from dcmcfg.errors import DcmcfgError, Unreachable

_STATUS = "to see whether the archive is started: dcmcfg status"


def append_status_hint(next_step: str) -> str:
    """Return *next_step* with the command that shows whether the archive is started."""
    return f"{next_step}; {_STATUS}" if next_step else _STATUS


def make_next_step(error: DcmcfgError, archive: Peer) -> str:
    """Return the next step of *error*, with the status command if *archive* cannot be reached."""
    is_archive = isinstance(error, Unreachable) and error.subject == str(archive)
    return append_status_hint(error.next_step) if is_archive else error.next_step


@contextmanager
def advise_status(archive: Peer) -> Iterator[None]:
    """Add the status command to the next step of an :class:`Unreachable` that is about *archive*."""
    try:
        yield
    except Unreachable as error:
        error.next_step = make_next_step(error, archive)
        raise
