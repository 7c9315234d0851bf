"""Received data sets as files (PS3.10 Section 7.1): whole or not there, each in the folder of its study.

What octets that come again are known by.

XXH3 takes a thirtieth of the time of SHA-256 (https://xxhash.com), and two data sets agree in its 128 bits by chance as
good as never. They can be made to agree by whoever means to: what is to hold against that is kept as SHA-256.

Whether a kept file holds what was received, and can be read.
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
#: What a UID may be to name a file as it is; anything else is named by its digest.
_SAFE_NAME = re.compile(r"[0-9][0-9.]{0,63}", re.ASCII)


@dataclass
class _NumberedFiles:
    """The files of one instance with a number: which number has which octets, and where the unknown ones begin."""

    next: int = 2
    by_fingerprint: dict[bytes, int] = field(default_factory=dict)


class InstanceFolder:
    """A folder that instances are kept in, by ``STUDY/INSTANCE.dcm``; they are data of patients, so for its owner only.

    No UID leads out of it: one that is no name of a file is written as a digest. A file that is there already stays:
    with the same octets it is the one kept, with others the new one gets a number. Raises :class:`DicomError` when
    it cannot be made or written in.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbered: dict[Path, _NumberedFiles] = {}
        try:
            create_private_folder(path)
            self.create_file(b"").discard()
        except OSError as error:
            raise DicomError(
                f"nothing can be kept there ({error.strerror})",
                subject=str(path),
                next_step="--keep names another folder",
            ) from error

    def create_file(self, file_header: bytes) -> UnfinishedFile:
        """Return a file that begins with *file_header*, under a name that nobody takes for an instance.

        Raises OSError.
        """
        descriptor, path = tempfile.mkstemp(_UNFINISHED_SUFFIX, ".", self.path)  # its owner's only
        file = UnfinishedFile(self, Path(path), os.fdopen(descriptor, "wb", _BUFFER_OCTETS))
        file.write(file_header)
        return file

    def assign_name(self, temporary_path: Path, path: Path) -> Path:
        """Give the file *temporary_path* the name *path*, or one with a number; return the name. Raises OSError.

        The time does not grow with the files that have a number: their octets are remembered, and read once.
        """
        if _link_if_same(temporary_path, path):
            return path
        numbered_files = self._numbered.setdefault(path, _NumberedFiles())
        fingerprint = _fingerprint_file(temporary_path)
        known_number = numbered_files.by_fingerprint.get(fingerprint)
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
    """A file being written; its methods raise OSError, after which only :meth:`discard` is of use."""

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
        """Remove what was written; never raises."""
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
    """Give the file *temporary_path* the name *path* too; tell whether *path* now is a file with the same octets."""
    try:
        os.link(temporary_path, path)
    except FileExistsError:
        return filecmp.cmp(temporary_path, path, shallow=False)
    except OSError:
        return _rename_if_absent(temporary_path, path)
    return True


def _rename_if_absent(temporary_path: Path, path: Path) -> bool:
    """Do the same where a file has one name only, as on FAT."""
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
    """Return what stands before the data set: preamble, prefix, File Meta Information (PS3.10 Table 7.1-1)."""
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
#: What may stand in the place of Pixel Data.
_PIXEL_DATA_ALTERNATIVES = ("FloatPixelData", "DoubleFloatPixelData", "PixelDataProviderURL")
#: Of six samples of pixels, how many are in Pixel Data, where not all are (PS3.3 Section C.7.6.3.1.2), YBR_FULL_422
#: apart, of which pydicom knows.
_SAMPLES_OF_SIX = {"YBR_PARTIAL_422": 4, "YBR_PARTIAL_420": 3}
_IMAGE_KEYWORDS = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "PhotometricInterpretation")


def check_saved_file(instance: ReceivedInstance) -> ReceivedInstance:
    """Return *instance* with what is wrong with its kept file as its ``problem``, where something is.

    The octets of the data set are those received by their fingerprint, they are elements to the last one, pydicom reads
    each value, the instance and its study are those received, and there are as many pixels as the image says. Where
    sequences are nested more deeply than pydicom reads, their values are not read, only their elements.
    """
    if instance.saved_path is None or instance.problem:
        return instance
    silence_pydicom()
    problem = _find_problem(instance, instance.saved_path)
    return replace(instance, problem=problem and f"its kept file is not sound: {problem}")


def _find_problem(instance: ReceivedInstance, path: Path) -> str:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as octets:
            begin = len(_PREFIX) + 4
            begin += int.from_bytes(octets[len(_PREFIX) : begin], "little")
            if octets[: len(_PREFIX)] != _PREFIX or begin > len(octets):
                return "it has no File Meta Information"
            if len(octets) > STORED_FILE.maximum:
                return (
                    f"it has more than {STORED_FILE.format_maximum()} octets, and is not read back "
                    f"({STORED_FILE.next_step})"
                )
            if instance.fingerprint != _compute_fingerprint(octets, begin):
                return "its octets are not those that were received"
            if is_deflated(instance.transfer_syntax):
                return _find_problem_in_deflated(instance, octets, begin)
            return _find_problem_in_data_set(instance, octets, begin, path)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    except ValueError:
        return "it is empty"


def _compute_fingerprint(octets: mmap.mmap, begin: int) -> bytes:
    with memoryview(octets) as view, view[begin:] as data_set:
        return Fingerprint(data_set).digest()


def _find_problem_in_deflated(instance: ReceivedInstance, octets: mmap.mmap, begin: int) -> str:
    """Return the same of a data set that is compressed as a whole; pydicom inflates one such syntax of three."""
    try:
        inflated, is_whole = _inflate(octets, begin)
    except zlib.error:
        return _describe_wrong_encoding(instance.transfer_syntax)
    if len(inflated) > INFLATED_DATA_SET.maximum:
        return (
            f"its data set inflates to more than {INFLATED_DATA_SET.format_maximum()} octets "
            f"({INFLATED_DATA_SET.next_step})"
        )
    if not is_whole:
        return "its data set is not deflated to the end"
    return _find_problem_in_data_set(instance, inflated, 0, None)


def _find_problem_in_data_set(instance: ReceivedInstance, octets: Octets, begin: int, path: Path | None) -> str:
    """Return what is wrong with the data set in *octets* from *begin* on; *path* is a file that pydicom reads."""
    try:
        for _ in iterate_elements(octets, instance.transfer_syntax, begin):
            pass
    except TruncatedDataSet:
        return "it ends in the middle of an element"
    except InvalidDataSet:
        return _describe_wrong_encoding(instance.transfer_syntax)
    if has_more_elements(
        octets, instance.transfer_syntax, begin, max_elements=ELEMENTS.maximum, get_vr=_get_vr_or_empty
    ):
        return f"it has more than {ELEMENTS.format_maximum()} elements, and is not read back ({ELEMENTS.next_step})"
    return _find_problem_in_content(instance, octets, begin, path)


def _get_vr_or_empty(tag: int) -> str:
    try:
        return str(import_pydicom("datadict").dictionary_VR(tag))
    except KeyError:
        return ""


def _inflate(octets: mmap.mmap, begin: int) -> tuple[bytearray, bool]:
    """Return what the octets from *begin* on inflate to, and whether it is whole.

    At most one octet more than the limit is returned: a thousand octets may come of one.
    """
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
    return f"its data set is not encoded in its transfer syntax, {transfer_syntax}"


def _find_problem_in_content(instance: ReceivedInstance, octets: Octets, begin: int, path: Path | None) -> str:
    try:
        dataset = _read_all_values(octets, begin, instance.transfer_syntax, path)
        problem = _find_problem_in_pixels(dataset)
    except Exception as error:  # noqa: BLE001 — what pydicom raises on broken values is not documented
        return f"it cannot be read ({type(error).__name__}: {error})"
    sop_instance_uid, study_uid = _get_uid(dataset, "SOPInstanceUID"), _get_uid(dataset, "StudyInstanceUID")
    if sop_instance_uid != instance.sop_instance_uid or instance.study_uid not in (None, study_uid):
        return f"it is instance {sop_instance_uid or 'without a UID'} of study {study_uid or 'without a UID'}"
    return problem


def _read_all_values(octets: Octets, begin: int, transfer_syntax: str, path: Path | None) -> Dataset:
    """Return the data set once pydicom has read each value, without its sequences where they are nested too deeply."""
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
    """Return what is wrong with the Pixel Data; more than the image needs may be padding."""
    if "PixelData" not in dataset:
        lacks_pixel_data = all(keyword in dataset for keyword in _IMAGE_KEYWORDS) and not any(
            keyword in dataset for keyword in _PIXEL_DATA_ALTERNATIVES
        )
        return "it describes an image, and has no Pixel Data" if lacks_pixel_data else ""
    length = len(dataset.PixelData or b"")
    if dataset["PixelData"].is_undefined_length:  # encapsulated
        return "" if length else "its Pixel Data is empty"
    if any(dataset.get(keyword) is None for keyword in _IMAGE_KEYWORDS):
        return ""
    required = import_pydicom("pixels.utils").get_expected_length(dataset)
    samples = _SAMPLES_OF_SIX.get(dataset.PhotometricInterpretation)
    required = required if samples is None else required * samples // 6
    return f"its Pixel Data has {length} octets, the image needs {required}" if length < required else ""
