"""Store received data sets as files (PS3.10 Section 7.1), each complete and in the folder of its study.

Fingerprints identify octets that arrive again. XXH3 takes a thirtieth of the time of SHA-256 (https://xxhash.com), and
its 128 bits practically never agree by chance. An attacker can construct collisions, so evidence against tampering uses
SHA-256.

The module also checks that a kept file contains the received octets, and can be read.
"""

from __future__ import annotations

import contextlib
import filecmp
import hashlib
import io
import itertools
import mmap
import os
import re
import struct
import tempfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import xxhash

from dcmcfg.dicom.data_set_parser import (
    InvalidDataSet,
    Octets,
    TruncatedDataSet,
    detect_encoding,
    has_more_elements,
    is_deflated,
    iterate_elements,
    remove_sequences,
)
from dcmcfg.dicom.pydicom_lazy import import_pydicom, silence_pydicom
from dcmcfg.dicom.storage.received_instances import ReceivedInstance
from dcmcfg.dicom.ul.pdu import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dcmcfg.errors import DicomError
from dcmcfg.limits import ELEMENTS, INFLATED_DATA_SET, STORED_FILE
from dcmcfg.private_folders import create_private_folder

if TYPE_CHECKING:
    from pydicom import Dataset

Fingerprint = xxhash.xxh3_128


_UNFINISHED_SUFFIX = ".part"
_BUFFER_OCTETS = 1 << 16
_SHORT, _LONG = struct.Struct("<HH2sH"), struct.Struct("<HH2sxxL")
#: UIDs that are used as file names; anything else is named by its digest.
_SAFE_NAME = re.compile(r"[0-9][0-9.]{0,63}", re.ASCII)


@dataclass
class _NumberedFiles:
    """The numbered files of one instance: the number of known octets, and the first number with unknown ones."""

    next: int = 2
    by_fingerprint: dict[bytes, int] = field(default_factory=dict)


class InstanceFolder:
    """A folder for received instances, as ``STUDY/INSTANCE.dcm``, readable for its owner only (patient data).

    No UID leads out of the folder: a UID that is not a safe file name is written as a digest. An existing file stays:
    one with the same octets is used again, and one with other octets makes the new file get a number. Raises
    :class:`DicomError` if the folder cannot be created or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbered: dict[Path, _NumberedFiles] = {}
        try:
            create_private_folder(path)
            # The folder is tested here, so that a protected one is reported before anything is received.
            self.create_file(b"").discard()
        except OSError as error:
            raise DicomError(
                f"dcmcfg cannot store files in this folder ({error.strerror})",
                subject=str(path),
                next_step="specify another folder with --keep",
            ) from error

    def create_file(self, file_header: bytes) -> UnfinishedFile:
        """Return a file that begins with *file_header*, under a temporary name unlike that of an instance.

        Raises OSError.
        """
        descriptor, path = tempfile.mkstemp(_UNFINISHED_SUFFIX, ".", self.path)  # readable for its owner only
        file = UnfinishedFile(self, Path(path), os.fdopen(descriptor, "wb", _BUFFER_OCTETS))
        file.write(file_header)
        return file

    def assign_name(self, temporary_path: Path, path: Path) -> Path:
        """Rename the file *temporary_path* to *path*, or to a numbered name; return the name. Raises OSError.

        The time does not grow with the number of numbered files: their octets are read once and remembered.
        """
        if _link_if_same(temporary_path, path):
            return path
        numbered_files = self._numbered.setdefault(path, _NumberedFiles())
        fingerprint = _fingerprint_file(temporary_path)
        known_number = numbered_files.by_fingerprint.get(fingerprint)
        # Equal fingerprints are compared octet by octet too.
        if known_number is not None and _link_if_same(temporary_path, _with_number(path, known_number)):
            return _with_number(path, known_number)
        for number in itertools.count(numbered_files.next):
            numbered_path = _with_number(path, number)
            is_named = _link_if_same(temporary_path, numbered_path)
            numbered_files.by_fingerprint[fingerprint if is_named else _fingerprint_file(numbered_path)] = number
            numbered_files.next = max(numbered_files.next, number + 1)
            if is_named:
                break
        return numbered_path


class UnfinishedFile:
    """A file that is being written; after an OSError from a method, only :meth:`discard` can be used."""

    def __init__(self, folder: InstanceFolder, path: Path, file: BinaryIO) -> None:
        self._folder = folder
        self._path = path
        self._file = file

    def write(self, octets: bytes | memoryview) -> None:
        """Add *octets*."""
        self._file.write(octets)

    def finish(self, study_uid: str | None, sop_instance_uid: str) -> Path:
        """Give the file its name, and return it."""
        self._file.close()
        folder = self._folder.path / (_build_file_name(study_uid) if study_uid else "no-study")
        create_private_folder(folder)
        path = self._folder.assign_name(self._path, folder / f"{_build_file_name(sop_instance_uid)}.dcm")
        self._path.unlink(missing_ok=True)
        return path

    def discard(self) -> None:
        """Remove the file; never raises."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _with_number(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}~{number}{path.suffix}")


def _fingerprint_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, Fingerprint).digest()


def _link_if_same(temporary_path: Path, path: Path) -> bool:
    """Link the file *temporary_path* to *path*; return whether *path* is a file with the same octets afterwards."""
    try:
        # A link fails if the name exists, whereas a rename would replace the file of another association.
        os.link(temporary_path, path)
    except FileExistsError:
        return filecmp.cmp(temporary_path, path, shallow=False)
    except OSError:
        return _rename_if_absent(temporary_path, path)
    return True


def _rename_if_absent(temporary_path: Path, path: Path) -> bool:
    """Rename the file instead, on file systems without hard links, such as FAT."""
    if path.exists():
        return filecmp.cmp(temporary_path, path, shallow=False)
    temporary_path.rename(path)
    return True


def _build_file_name(uid: str) -> str:
    if _SAFE_NAME.fullmatch(uid):
        return uid
    return f"other-{hashlib.sha256(uid.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def build_file_header(
    *,
    sop_class_uid: bytes,
    sop_instance_uid: bytes,
    transfer_syntax: str,
    source_ae_title: str,
    receiving_ae_title: str,
) -> bytes:
    """Return the octets before the data set: preamble, prefix, File Meta Information (PS3.10 Table 7.1-1)."""
    elements = b"".join(
        (
            _LONG.pack(2, 0x0001, b"OB", 2) + b"\0\1",
            _encode_element(0x0002, b"UI", sop_class_uid, b"\0"),
            _encode_element(0x0003, b"UI", sop_instance_uid, b"\0"),
            _encode_element(0x0010, b"UI", transfer_syntax.encode("latin-1"), b"\0"),
            _encode_element(0x0012, b"UI", IMPLEMENTATION_CLASS_UID.encode(), b"\0"),
            _encode_element(0x0013, b"SH", IMPLEMENTATION_VERSION_NAME.encode(), b" "),
            _encode_element(0x0016, b"AE", source_ae_title.encode("latin-1"), b" "),
            _encode_element(0x0018, b"AE", receiving_ae_title.encode("latin-1"), b" "),
        )
    )
    return b"\0" * 128 + b"DICM" + _encode_element(0x0000, b"UL", struct.pack("<L", len(elements)), b"") + elements


def _encode_element(number: int, vr: bytes, value: bytes, padding: bytes) -> bytes:
    padded = value + padding * (len(value) % 2)
    return _SHORT.pack(2, number, vr, len(padded)) + padded


_PREFIX = b"\0" * 128 + b"DICM\2\0\0\0UL\4\0"
_PIECE_OCTETS = 1 << 20
#: Elements that can replace Pixel Data.
_PIXEL_DATA_ALTERNATIVES = ("FloatPixelData", "DoubleFloatPixelData", "PixelDataProviderURL")
#: Number of samples in Pixel Data out of six, for photometric interpretations with fewer samples (PS3.3 Section
#: C.7.6.3.1.2), except YBR_FULL_422, which pydicom supports.
_SAMPLES_OF_SIX = {"YBR_PARTIAL_422": 4, "YBR_PARTIAL_420": 3}
_IMAGE_KEYWORDS = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "PhotometricInterpretation")


def check_saved_file(instance: ReceivedInstance) -> ReceivedInstance:
    """Return *instance* with the ``problem`` of its kept file, if there is one.

    Checks that the octets of the data set match the received fingerprint, that they are complete elements, that pydicom
    reads each value, that instance and study are those received, and that the number of pixels matches the image. If
    sequences are nested more deeply than pydicom supports, only their elements are checked, not their values.
    """
    if instance.saved_path is None or instance.problem:
        return instance
    silence_pydicom()
    problem = _find_problem(instance, instance.saved_path)
    return replace(instance, problem=problem and f"the kept file is corrupt: {problem}")


def _find_problem(instance: ReceivedInstance, path: Path) -> str:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as octets:
            begin = len(_PREFIX) + 4
            begin += int.from_bytes(octets[len(_PREFIX) : begin], "little")
            if octets[: len(_PREFIX)] != _PREFIX or begin > len(octets):
                return "the file has no File Meta Information"
            if len(octets) > STORED_FILE.maximum:
                return (
                    f"the file has more than {STORED_FILE.format_maximum()} octets, so dcmcfg did not verify the file "
                    f"({STORED_FILE.next_step})"
                )
            if instance.fingerprint != _compute_fingerprint(octets, begin):
                return "the octets of the file differ from the received octets"
            if is_deflated(instance.transfer_syntax):
                return _find_problem_in_deflated(instance, octets, begin)
            return _find_problem_in_data_set(instance, octets, begin, path)
    except OSError as error:
        return f"the file cannot be read ({error.strerror})"
    except ValueError:
        return "the file is empty"


def _compute_fingerprint(octets: mmap.mmap, begin: int) -> bytes:
    # An mmap cannot be closed while a view of it exists.
    with memoryview(octets) as view, view[begin:] as data_set:
        return Fingerprint(data_set).digest()


def _find_problem_in_deflated(instance: ReceivedInstance, octets: mmap.mmap, begin: int) -> str:
    """Return the problem of a data set that is compressed as a whole; pydicom supports one of three such syntaxes."""
    try:
        inflated, is_whole = _inflate(octets, begin)
    except zlib.error:
        return _describe_wrong_encoding(instance.transfer_syntax)
    if len(inflated) > INFLATED_DATA_SET.maximum:
        return (
            f"the data set has more than {INFLATED_DATA_SET.format_maximum()} octets after inflating "
            f"({INFLATED_DATA_SET.next_step})"
        )
    if not is_whole:
        return "the deflated data set is incomplete"
    return _find_problem_in_data_set(instance, inflated, 0, None)


def _find_problem_in_data_set(instance: ReceivedInstance, octets: Octets, begin: int, path: Path | None) -> str:
    """Return the problem of the data set in *octets* from *begin* on; *path* is a file that pydicom reads."""
    try:
        for _ in iterate_elements(octets, instance.transfer_syntax, begin):
            pass
    except TruncatedDataSet:
        return "the data set ends in the middle of an element"
    except InvalidDataSet:
        return _describe_wrong_encoding(instance.transfer_syntax)
    # The elements are counted before pydicom reads them, because it creates an object for each.
    if has_more_elements(
        octets, instance.transfer_syntax, begin, max_elements=ELEMENTS.maximum, get_vr=_get_vr_or_empty
    ):
        return (
            f"the data set has more than {ELEMENTS.format_maximum()} elements, so dcmcfg did not verify the file "
            f"({ELEMENTS.next_step})"
        )
    return _find_problem_in_content(instance, octets, begin, path)


def _get_vr_or_empty(tag: int) -> str:
    try:
        return str(import_pydicom("datadict").dictionary_VR(tag))
    except KeyError:
        return ""


def _inflate(octets: mmap.mmap, begin: int) -> tuple[bytearray, bool]:
    """Return the inflated octets from *begin* on, and whether they are complete.

    Returns at most one octet more than the limit, because one octet can inflate to a thousand.
    """
    # A deflated data set is a raw deflate stream, without the header of zlib (PS3.5 Section A.5).
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
    max_octets, inflated = INFLATED_DATA_SET.maximum, bytearray()
    for start in range(begin, len(octets), _PIECE_OCTETS):
        piece = octets[start : start + _PIECE_OCTETS]
        while piece and len(inflated) <= max_octets and not decompressor.eof:
            inflated += decompressor.decompress(piece, max_octets + 1 - len(inflated))
            piece = decompressor.unconsumed_tail
        if len(inflated) > max_octets or decompressor.eof:
            break
    return inflated, decompressor.eof


def _describe_wrong_encoding(transfer_syntax: str) -> str:
    return f"the data set is not encoded in the transfer syntax {transfer_syntax}"


def _find_problem_in_content(instance: ReceivedInstance, octets: Octets, begin: int, path: Path | None) -> str:
    try:
        dataset = _read_all_values(octets, begin, instance.transfer_syntax, path)
        problem = _find_problem_in_pixels(dataset)
    except Exception as error:  # noqa: BLE001 — pydicom's exceptions for invalid values are not documented
        return f"the file cannot be read ({type(error).__name__}: {error})"
    sop_instance_uid, study_uid = _get_uid(dataset, "SOPInstanceUID"), _get_uid(dataset, "StudyInstanceUID")
    if sop_instance_uid != instance.sop_instance_uid or instance.study_uid not in (None, study_uid):
        return (
            "the UIDs in the file differ from the UIDs of the received instance. The file has SOP Instance UID "
            f"{sop_instance_uid or 'missing'}, Study Instance UID {study_uid or 'missing'}"
        )
    return problem


def _read_all_values(octets: Octets, begin: int, transfer_syntax: str, path: Path | None) -> Dataset:
    """Return the data set after pydicom has read each value, without sequences if they are nested too deeply."""
    try:
        dataset = import_pydicom("filereader").dcmread(path) if path else _decode_data_set(octets, transfer_syntax)
        for _ in dataset.iterall():
            pass
    except RecursionError:
        dataset = _decode_data_set(remove_sequences(octets, transfer_syntax, begin), transfer_syntax)
        for _ in dataset.iterall():
            pass
    return dataset


def _decode_data_set(octets: Octets, transfer_syntax: str) -> Dataset:
    is_explicit, is_little = detect_encoding(octets, transfer_syntax)
    dataset: Dataset = import_pydicom("filereader").read_dataset(io.BytesIO(octets), not is_explicit, is_little)
    return dataset


def _get_uid(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "").strip(" \0")


def _find_problem_in_pixels(dataset: Dataset) -> str:
    """Return the problem of the Pixel Data; extra octets may be padding."""
    if "PixelData" not in dataset:
        lacks_pixel_data = all(keyword in dataset for keyword in _IMAGE_KEYWORDS) and not any(
            keyword in dataset for keyword in _PIXEL_DATA_ALTERNATIVES
        )
        return "the data set describes an image, but has no Pixel Data" if lacks_pixel_data else ""
    length = len(dataset.PixelData or b"")
    if dataset["PixelData"].is_undefined_length:  # encapsulated
        return "" if length else "the Pixel Data is empty"
    if any(dataset.get(keyword) is None for keyword in _IMAGE_KEYWORDS):
        return ""
    required = import_pydicom("pixels.utils").get_expected_length(dataset)
    samples = _SAMPLES_OF_SIX.get(dataset.PhotometricInterpretation)
    required = required if samples is None else required * samples // 6
    return f"the Pixel Data has {length} octets, but the image requires {required}" if length < required else ""
