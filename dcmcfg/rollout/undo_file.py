"""Undo files: what takes a roll-out back, kept in the user's state folder."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from dcmcfg.errors import DcmcfgError
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.text import plan_ldif


def save_undo(folder: Path, undo: Plan, site: str) -> Path:
    """Write *undo* as an LDIF file that ``dcmcfg apply`` takes; return its path.

    The file is new, readable by its owner only (it may hold secrets), and on the disk when this returns. *site* is
    told in a comment. Raises :class:`DcmcfgError` when it cannot be written: then nothing may be changed.
    """
    now = datetime.now(UTC)
    path = folder / f"{now:%Y%m%dT%H%M%S.%f}Z-{os.getpid()}.ldif"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, _text(undo, site, now))
    except OSError as error:
        raise DcmcfgError(
            f"the undo cannot be written ({error.strerror})", on=str(path), next_step="nothing was changed"
        ) from error
    return path


def replace_undo(path: Path, undo: Plan, site: str) -> None:
    """Replace the undo file at *path*, whole or not at all, after a roll-out that stopped part-way."""
    temporary = path.with_suffix(".new")
    try:
        write_private(temporary, _text(undo, site, datetime.now(UTC)))
        temporary.replace(path)
    except OSError as error:
        raise DcmcfgError(f"the undo cannot be written ({error.strerror})", on=str(path)) from error


def write_private(path: Path, text: str) -> None:
    """Create the file *path* with mode 0600 and *text*, and have it on the disk; an existing one is an error."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _text(undo: Plan, site: str, now: datetime) -> str:
    return plan_ldif(undo, comments=(f"dcmcfg undo of {now:%Y-%m-%d %H:%M:%S} UTC on {site}", "May hold secrets."))
