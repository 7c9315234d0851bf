"""Received data sets as files (PS3.10 Section 7.1): whole or not there, each in the folder of its study."""

from __future__ import annotations

import contextlib
import filecmp
import hashlib
import itertools
import os
import re
import struct
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from dcmcfg.dicom.fingerprint import Fingerprint
from dcmcfg.dicom.implementation import CLASS_UID, VERSION_NAME
from dcmcfg.errors import DicomError
from dcmcfg.private_folders import make_private

_UNFINISHED = ".part"
_BUFFER_OCTETS = 1 << 16
_SHORT, _LONG = struct.Struct("<HH2sH"), struct.Struct("<HH2sxxL")
#: What a UID may be to name a file as it is; anything else is named by its digest.
_NAME = re.compile(r"[0-9][0-9.]{0,63}", re.ASCII)


@dataclass
class _Numbered:
    """The files of one instance with a number: which number has which octets, and where the unknown ones begin."""

    next: int = 2
    by_octets: dict[bytes, int] = field(default_factory=dict)


class Folder:
    """A folder that instances are kept in, by ``STUDY/INSTANCE.dcm``; they are data of patients, so for its owner only.

    No UID leads out of it: one that is no name of a file is written as a digest. A file that is there already stays:
    with the same octets it is the one kept, with others the new one gets a number. Raises :class:`DicomError` when
    it cannot be made or written in.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbered: dict[Path, _Numbered] = {}
        try:
            make_private(path)
            self.new_file(b"").discard()
        except OSError as error:
            raise DicomError(
                f"nothing can be kept there ({error.strerror})", on=str(path), next_step="--keep names another folder"
            ) from error

    def new_file(self, head: bytes) -> UnfinishedFile:
        """Return a file that begins with *head*, under a name that nobody takes for an instance; raises OSError."""
        descriptor, path = tempfile.mkstemp(_UNFINISHED, ".", self.path)  # its owner's only
        file = UnfinishedFile(self, Path(path), os.fdopen(descriptor, "wb", _BUFFER_OCTETS))
        file.write(head)
        return file

    def name(self, written: Path, path: Path) -> Path:
        """Give the file *written* the name *path*, or one with a number; return the name. Raises OSError.

        The time does not grow with the files that have a number: their octets are remembered, and read once.
        """
        if _named(written, path):
            return path
        numbered = self._numbered.setdefault(path, _Numbered())
        octets = _fingerprint(written)
        known = numbered.by_octets.get(octets)
        if known is not None and _named(written, _with_number(path, known)):
            return _with_number(path, known)
        for number in itertools.count(numbered.next):
            other = _with_number(path, number)
            is_named = _named(written, other)
            numbered.by_octets[octets if is_named else _fingerprint(other)] = number
            numbered.next = max(numbered.next, number + 1)
            if is_named:
                break
        return other


class UnfinishedFile:
    """A file being written; its methods raise OSError, after which only :meth:`discard` is of use."""

    def __init__(self, folder: Folder, path: Path, file: BinaryIO) -> None:
        self._folder = folder
        self._path = path
        self._file = file

    def write(self, octets: bytes | memoryview) -> None:
        """Add *octets*."""
        self._file.write(octets)

    def finish(self, study_uid: str | None, sop_instance_uid: str) -> Path:
        """Give the file its name, and return it."""
        self._file.close()
        folder = self._folder.path / (_name(study_uid) if study_uid else "no-study")
        make_private(folder)
        path = self._folder.name(self._path, folder / f"{_name(sop_instance_uid)}.dcm")
        self._path.unlink(missing_ok=True)
        return path

    def discard(self) -> None:
        """Remove what was written; never raises."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _with_number(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}~{number}{path.suffix}")


def _fingerprint(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, Fingerprint).digest()


def _named(written: Path, path: Path) -> bool:
    """Give the file *written* the name *path* too; tell whether *path* now is a file with the same octets."""
    try:
        os.link(written, path)
    except FileExistsError:
        return filecmp.cmp(written, path, shallow=False)
    except OSError:
        return _renamed(written, path)
    return True


def _renamed(written: Path, path: Path) -> bool:
    """Do the same where a file has one name only, as on FAT."""
    if path.exists():
        return filecmp.cmp(written, path, shallow=False)
    written.rename(path)
    return True


def _name(uid: str) -> str:
    if _NAME.fullmatch(uid):
        return uid
    return f"other-{hashlib.sha256(uid.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def file_head(
    *, sop_class_uid: bytes, sop_instance_uid: bytes, transfer_syntax: str, calling: str, called: str
) -> bytes:
    """Return what stands before the data set: preamble, prefix, File Meta Information (PS3.10 Table 7.1-1)."""
    elements = b"".join(
        (
            _LONG.pack(2, 0x0001, b"OB", 2) + b"\0\1",
            _element(0x0002, b"UI", sop_class_uid, b"\0"),
            _element(0x0003, b"UI", sop_instance_uid, b"\0"),
            _element(0x0010, b"UI", transfer_syntax.encode("latin-1"), b"\0"),
            _element(0x0012, b"UI", CLASS_UID.encode(), b"\0"),
            _element(0x0013, b"SH", VERSION_NAME.encode(), b" "),
            _element(0x0016, b"AE", calling.encode("latin-1"), b" "),
            _element(0x0018, b"AE", called.encode("latin-1"), b" "),
        )
    )
    return b"\0" * 128 + b"DICM" + _element(0x0000, b"UL", struct.pack("<L", len(elements)), b"") + elements


def _element(number: int, vr: bytes, value: bytes, padding: bytes) -> bytes:
    padded = value + padding * (len(value) % 2)
    return _SHORT.pack(2, number, vr, len(padded)) + padded
