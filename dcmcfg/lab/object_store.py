"""An object store on disk: one DICOM file per instance (PS3.10)."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset

from dcmcfg.private_folders import create_private_folder

_SUFFIX = ".dcm"
#: A UID consists of digits and dots (PS3.5 §9.1).
_NAME_CHARACTERS = frozenset("0123456789.")


class ObjectStore:
    """The DICOM files below *folder*, by SOP Instance UID."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._header_cache: dict[Path, tuple[int, Dataset]] = {}

    def save(self, instance: Dataset) -> Path:
        """Write a complete data set and return its file; an existing instance is replaced."""
        octets = BytesIO()
        dcmwrite(octets, instance, enforce_file_format=True)
        return self.save_file(str(instance.SOPInstanceUID), octets.getvalue())

    def save_file(self, sop_instance_uid: str, content: bytes) -> Path:
        """Write a DICOM file atomically and return its path, also if two threads write the same instance.

        Raises :class:`ValueError` if *sop_instance_uid* is not a UID, so that no path can lead out of the folder.
        """
        path = self.get_path(sop_instance_uid)
        create_private_folder(self.folder)
        with NamedTemporaryFile(dir=self.folder, suffix=".part", delete=False) as temporary:
            temporary.write(content)
        return Path(temporary.name).replace(path)

    def get_path(self, sop_instance_uid: str) -> Path:
        """Return the path of an instance; raises :class:`ValueError` if the UID is invalid."""
        if not sop_instance_uid.strip(".") or not _NAME_CHARACTERS.issuperset(sop_instance_uid):
            raise ValueError(f"not a UID: {sop_instance_uid!r}")
        return self.folder / f"{sop_instance_uid}{_SUFFIX}"

    def read_headers(self) -> Iterator[Dataset]:
        """Yield the header (without pixel data) of each instance, ordered by UID."""
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            written = path.stat().st_mtime_ns
            # Every query reads all headers. Parsing unchanged files again would be slow.
            known = self._header_cache.get(path)
            if known is None or known[0] != written:
                known = self._header_cache[path] = (written, dcmread(path, stop_before_pixels=True))
            yield known[1]

    def is_empty(self) -> bool:
        """Return whether nothing is stored; True also if the folder does not exist."""
        return not any(self.folder.glob(f"*{_SUFFIX}"))
