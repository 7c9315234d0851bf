"""Values that LDIF takes from other files: ``attr:< file:…``, read only where somebody has allowed it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from dcmcfg.errors import LdifError

#: The most octets that one value may have. A stock slapd takes no request of 4 MiB or more (sockbuf_max_incoming_auth).
LARGEST_VALUE = 64 * 1024 * 1024
_SCHEME = "file:"
_ALLOW = "--allow-file-urls reads such files"


def refuse_references(url: str) -> bytes:
    """Refuse to read *url*, and say how it would be read."""
    raise LdifError(f"the value stands in another file, which is not read: {url}", next_step=_ALLOW)


@dataclass(frozen=True)
class References:
    """Reads what an LDIF file refers to; relative paths start from its ``folder`` (None: it has none)."""

    folder: Path | None

    def value(self, url: str) -> bytes:
        """Return the octets of the file that *url* names, as OpenLDAP's tools read it (``file:name``, ``file:///name``).

        Raises :class:`LdifError` for another scheme or host, for what is not a regular file, for one that cannot be
        read, and for one of more than ``LARGEST_VALUE`` octets.
        """
        path = self._path(url)
        try:
            octets = _start_of(path)
        except OSError as error:
            raise LdifError(f"the file cannot be read ({error.strerror})", on=str(path)) from error
        if len(octets) > LARGEST_VALUE:
            raise LdifError(f"the file is larger than {LARGEST_VALUE >> 20} MiB, which no value may be", on=str(path))
        return octets

    def _path(self, url: str) -> Path:
        if not url.lower().startswith(_SCHEME):
            raise LdifError(f"only 'file:' URLs are read, not {url}")
        path = url[len(_SCHEME) :]
        if path.startswith("//"):
            path = path[2:]
            if not path.startswith("/"):
                raise LdifError(f"a file on another host is not read: {url}", next_step="file:///path is on this one")
        name = os.fsdecode(unquote_to_bytes(path))
        if not name or "\0" in name:
            raise LdifError(f"the URL names no file: {url}")
        if self.folder is None and not name.startswith("/"):
            raise LdifError(
                f"standard input has no folder to start from: {url}", next_step="write file:///path, or name the LDIF"
            )
        return Path(name) if self.folder is None else self.folder / name


def _start_of(path: Path) -> bytes:
    """Return the octets of the regular file *path*, one more than a value may have at most."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not make us wait
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise LdifError("not a regular file", on=str(path))
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(LARGEST_VALUE + 1)
    finally:
        os.close(handle)
