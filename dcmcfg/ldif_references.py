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
_ALLOW = "--allow-file-urls reads such a file beside the LDIF file, --file-urls-from DIR one in DIR"
_FROM = "--file-urls-from DIR names the folder that such files are in"
#: Folders of what the kernel makes up: it says what this process has open, and may hold its environment.
_MADE_UP = (Path("/proc"), Path("/sys"), Path("/dev"))
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC  # a pipe must not make us wait


def refuse_references(url: str) -> bytes:
    """Refuse to read *url*, and say how it would be read."""
    absolute = url.lower().startswith((f"{_SCHEME}/", f"{_SCHEME}%2f"))
    raise LdifError(
        f"the value stands in another file, which is not read: {url}", next_step=_FROM if absolute else _ALLOW
    )


@dataclass(frozen=True)
class References:
    """Reads what an LDIF file refers to: from its own ``folder`` (None: it has none), or from the ``root`` instead.

    Paths are relative to it; with a root they may be absolute too. None leads out of it, nor does a symbolic link.
    """

    folder: Path | None
    root: Path | None = None

    def value(self, url: str) -> bytes:
        """Return the octets of the file that *url* names, as OpenLDAP's tools read it (``file:name``, ``file:///name``).

        Raises :class:`LdifError` for another scheme or host, for a file elsewhere, for what is not a regular file on
        a disk, for one that cannot be read, and for one of more than ``LARGEST_VALUE`` octets.
        """
        name = _name(url)
        root = self._root(name, url)
        path = root / name
        top, real = Path(os.path.realpath(root)), Path(os.path.realpath(path))
        if not real.is_relative_to(top):
            raise LdifError(f"the file is not in the folder {root}, so it is not read: {url}", next_step=_FROM)
        if any(top.is_relative_to(each) or real.is_relative_to(each) for each in _MADE_UP):
            raise LdifError(f"there are no files on a disk, so nothing is read: {url}", on=str(path), next_step=_FROM)
        try:
            octets = _start_of(top, real, path)
        except OSError as error:
            step = self._elsewhere(name) if isinstance(error, FileNotFoundError) else ""
            raise LdifError(f"the file cannot be read ({error.strerror})", on=str(path), next_step=step) from error
        if len(octets) > LARGEST_VALUE:
            raise LdifError(f"the file is larger than {LARGEST_VALUE >> 20} MiB, which no value may be", on=str(path))
        return octets

    def _root(self, name: str, url: str) -> Path:
        if self.root is not None:
            return self.root
        if self.folder is None:
            raise LdifError(f"standard input has no folder to start from: {url}", next_step=_FROM)
        if name.startswith("/"):
            raise LdifError(f"only a path relative to the LDIF file's own folder is read, not {url}", next_step=_FROM)
        return self.folder

    def _elsewhere(self, name: str) -> str:
        """Return how a file is read that is not there: the archive's update files name one that is a folder above."""
        above = (self.folder or Path()).absolute().parent
        if self.root is None and "/" not in name and (above / name).is_file():
            return f"{above / name} is read with: --file-urls-from {above}"
        return "" if self.root is not None else _FROM


def _name(url: str) -> str:
    """Return the path that *url* names."""
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
    return name


def _start_of(top: Path, real: Path, path: Path) -> bytes:
    """Return the octets of the regular file *real*, one more than a value may have at most; *path* is how it was named.

    What the kernel makes up has another size than it says, wherever it is mounted.
    """
    handle = _opened(top, real)
    try:
        held = os.fstat(handle)
        if not stat.S_ISREG(held.st_mode):
            raise LdifError("not a regular file", on=str(path))
        with os.fdopen(handle, "rb", closefd=False) as file:
            octets = file.read(LARGEST_VALUE + 1)
    finally:
        os.close(handle)
    if len(octets) != min(held.st_size, LARGEST_VALUE + 1):
        raise LdifError("not a file on a disk, or it is being written", on=str(path))
    return octets


def _opened(top: Path, real: Path) -> int:
    """Open *real*, which is below *top*, following no link: what became one meanwhile is not followed either."""
    *folders, name = real.relative_to(top).parts or (".",)
    within = os.open(top, _FOLDER)
    try:
        for each in folders:
            below = os.open(each, _FOLDER, dir_fd=within)
            os.close(within)
            within = below
        return os.open(name, _FILE, dir_fd=within)
    finally:
        os.close(within)
