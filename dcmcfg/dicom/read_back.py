"""Whether a kept file holds what was received, and can be read."""

from __future__ import annotations

import mmap
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dcmcfg.dicom.arrivals import ReceivedInstance
from dcmcfg.dicom.data_set_walk import CutOff, NoDataSet, is_deflated, walk
from dcmcfg.dicom.fingerprint import Fingerprint
from dcmcfg.dicom.late import pydicom
from dcmcfg.dicom.quiet import keep_quiet
from dcmcfg.limits import INFLATED, KEPT

if TYPE_CHECKING:
    from pydicom import Dataset

_PREFIX = b"\0" * 128 + b"DICM\2\0\0\0UL\4\0"
_PIECE_OCTETS = 1 << 20
#: What may stand in the place of Pixel Data.
_INSTEAD = ("FloatPixelData", "DoubleFloatPixelData", "PixelDataProviderURL")
_IMAGE = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "PhotometricInterpretation")


def read_back(instance: ReceivedInstance) -> ReceivedInstance:
    """Return *instance* with what is wrong with its kept file as its ``problem``, where something is.

    The octets of the data set are those received by their fingerprint, they are elements to the last one, pydicom reads
    each value, the instance and its study are those received, and there are as many pixels as the image says.
    """
    if instance.kept is None or instance.problem:
        return instance
    keep_quiet()
    problem = _problem_of_octets(instance, instance.kept) or _problem_of_content(instance, instance.kept)
    return replace(instance, problem=problem and f"its kept file is not sound: {problem}")


def _problem_of_octets(instance: ReceivedInstance, path: Path) -> str:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as octets:
            begin = len(_PREFIX) + 4
            begin += int.from_bytes(octets[len(_PREFIX) : begin], "little")
            if octets[: len(_PREFIX)] != _PREFIX or begin > len(octets):
                return "it has no File Meta Information"
            if len(octets) > KEPT.most:
                return f"it has more than {KEPT.spelt()} octets, and is not read back ({KEPT.next_step})"
            if instance.fingerprint != _fingerprint(octets, begin):
                return "its octets are not those that were received"
            return _problem_of_elements(octets, begin, instance.transfer_syntax)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    except ValueError:
        return "it is empty"


def _fingerprint(octets: mmap.mmap, begin: int) -> bytes:
    with memoryview(octets) as view, view[begin:] as data_set:
        return Fingerprint(data_set).digest()


def _problem_of_elements(octets: mmap.mmap | bytes | bytearray, begin: int, transfer_syntax: str) -> str:
    try:
        if is_deflated(transfer_syntax):
            octets, begin, is_whole = _inflated(octets, begin)
            if len(octets) > INFLATED.most:
                return f"its data set inflates to more than {INFLATED.spelt()} octets ({INFLATED.next_step})"
            if not is_whole:
                return "its data set is not deflated to the end"
        for _ in walk(octets, transfer_syntax, begin):
            pass
    except CutOff:
        return "it ends in the middle of an element"
    except (NoDataSet, zlib.error):
        return f"its data set is not encoded in its transfer syntax, {transfer_syntax}"
    return ""


def _inflated(octets: mmap.mmap | bytes | bytearray, begin: int) -> tuple[bytearray, int, bool]:
    """Return what the octets from *begin* on inflate to, where that begins, and whether it is whole.

    At most one octet more than the limit is returned: a thousand octets may come of one.
    """
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    most, found = INFLATED.most, bytearray()
    for start in range(begin, len(octets), _PIECE_OCTETS):
        piece = octets[start : start + _PIECE_OCTETS]
        while piece and len(found) <= most and not inflating.eof:
            found += inflating.decompress(piece, most + 1 - len(found))
            piece = inflating.unconsumed_tail
        if len(found) > most or inflating.eof:
            break
    return found, 0, inflating.eof


def _problem_of_content(instance: ReceivedInstance, path: Path) -> str:
    try:
        dataset = pydicom("filereader").dcmread(path)
        for _ in dataset.iterall():
            pass
        problem = _problem_of_pixels(dataset)
    except Exception as error:  # noqa: BLE001 — what pydicom raises on broken values is not documented
        return f"it cannot be read ({type(error).__name__}: {error})"
    sop_instance_uid, study_uid = _uid(dataset, "SOPInstanceUID"), _uid(dataset, "StudyInstanceUID")
    if sop_instance_uid != instance.sop_instance_uid or instance.study_uid not in (None, study_uid):
        return f"it is instance {sop_instance_uid or 'without a UID'} of study {study_uid or 'without a UID'}"
    return problem


def _uid(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "").strip(" \0")


def _problem_of_pixels(dataset: Dataset) -> str:
    """Return what is wrong with the Pixel Data; more than the image needs may be padding."""
    if "PixelData" not in dataset:
        lacks = all(keyword in dataset for keyword in _IMAGE) and not any(keyword in dataset for keyword in _INSTEAD)
        return "it describes an image, and has no Pixel Data" if lacks else ""
    length = len(dataset.PixelData or b"")
    if dataset["PixelData"].is_undefined_length:  # encapsulated
        return "" if length else "its Pixel Data is empty"
    if any(dataset.get(keyword) is None for keyword in _IMAGE):
        return ""
    needed = pydicom("pixels.utils").get_expected_length(dataset)
    return f"its Pixel Data has {length} octets, the image needs {needed}" if length < needed else ""
