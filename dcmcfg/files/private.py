"""Write files that only their owner may read.

Kept apart: records and commands write such files; the rest of dcmcfg.files reads LDIF.
"""

from __future__ import annotations

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Create the file *path* with mode 0600 and *text*, synchronised to disk; an existing file is an error."""
    # O_EXCL also refuses a symbolic link, so nobody can redirect the file.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Synchronise the file names in *folder* to disk, so that they survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
