from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pynetdicom  # noqa: F401 — adds Deflated Image Frame Compression to the list of pydicom
import pytest
from pydicom import Dataset
from pydicom._uid_dict import UID_dictionary
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, JPEG2000Lossless

from dcmcfg.dicom.storage.files import Fingerprint, check_saved_file
from dcmcfg.dicom.storage.incoming_data_set import read_data_set_uids
from dcmcfg.dicom.storage.received_instances import ReceivedInstance
from dcmcfg.limits import override_limits

STUDY, INSTANCE, CT = "1.2.3", "1.2.3.4", "1.2.840.10008.5.1.4.1.1.2"
PAPYRUS = "1.2.840.10008.1.20"
JPIP = [f"1.2.840.10008.1.2.4.{number}" for number in (94, 95, 204, 205)]
OF_THE_STANDARD = [uid for uid, (_, kind, *_) in UID_dictionary.items() if kind == "Transfer Syntax"]
SYNTAXES = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"]


def _image() -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.StudyInstanceUID = CT, INSTANCE, STUDY
    dataset.PatientName = "Müller"
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.Rows = dataset.Columns = 4
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.NumberOfFrames = 8, 2
    dataset.PixelData = b"\7" * 32
    return dataset


def _kept(path: Path, dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> ReceivedInstance:
    """Write *dataset* as it would be kept."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID, dataset.file_meta.MediaStorageSOPInstanceUID = UID(CT), UID(INSTANCE)
    dataset.save_as(path, enforce_file_format=True)
    return _received(path, syntax)


def _saved_octets(path: Path, octets: bytes, syntax: str) -> ReceivedInstance:
    """Write *octets* as the data set of a file that is kept, after its File Meta Information."""
    _kept(path, Dataset(), syntax)
    whole = path.read_bytes()
    path.write_bytes(whole[: 144 + int.from_bytes(whole[140:144], "little")] + octets)
    return _received(path, syntax)


def _received(path: Path, syntax: str = ExplicitVRLittleEndian) -> ReceivedInstance:
    octets = path.read_bytes()
    data_set = octets[144 + int.from_bytes(octets[140:144], "little") :]
    fingerprint = Fingerprint(data_set).digest()
    return ReceivedInstance(
        sop_instance_uid=INSTANCE,
        sop_class_uid=CT,
        study_uid=STUDY,
        calling_ae_title="A",
        move_originator_ae_title=None,
        data_set_length=len(data_set),
        transfer_syntax=syntax,
        fingerprint=fingerprint,
        saved_path=path,
    )


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_sound_file_has_no_problem(tmp_path: Path, syntax: str) -> None:
    instance = _kept(tmp_path / "file", _image(), syntax)
    assert check_saved_file(instance) == instance


@pytest.mark.parametrize("syntax", OF_THE_STANDARD)
def test_a_sound_file_in_any_transfer_syntax_of_the_standard_has_no_problem(tmp_path: Path, syntax: str) -> None:
    dataset = _image()
    if syntax in JPIP:
        del dataset.PixelData
        dataset.PixelDataProviderURL = "http://pixels.example/1"
    elif syntax not in (*SYNTAXES, PAPYRUS):
        dataset.PixelData = encapsulate([b"one frame", b"another"])
        dataset["PixelData"].is_undefined_length = True
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = syntax in (SYNTAXES[0], PAPYRUS), syntax != SYNTAXES[2]
    write_dataset(buffer, dataset)
    octets = buffer.getvalue()
    if syntax in (SYNTAXES[3], JPIP[1], JPIP[3]):
        deflating = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        octets = deflating.compress(octets) + deflating.flush()
    instance = _saved_octets(tmp_path / "file", octets, syntax)
    assert check_saved_file(instance) == instance
    head = read_data_set_uids(octets, syntax, len(octets) * 100)
    assert (head.sop_instance_uid, head.study_uid) == (INSTANCE, STUDY)


def _nested(depth: int, *, of_undefined_length: bool) -> bytes:
    """Return *depth* sequences of one item each, one in the other, in Explicit VR Little Endian."""
    octets = b"\x08\0\x04\x01LO\2\0x "
    for _ in range(depth):
        if of_undefined_length:
            item = b"\xfe\xff\0\xe0\xff\xff\xff\xff" + octets + b"\xfe\xff\x0d\xe0\0\0\0\0"
            octets = b"\x40\0\x30\xa7SQ\0\0\xff\xff\xff\xff" + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
        else:
            item = b"\xfe\xff\0\xe0" + struct.pack("<L", len(octets)) + octets
            octets = b"\x40\0\x30\xa7SQ\0\0" + struct.pack("<L", len(item)) + item
    return octets


@pytest.mark.parametrize("of_undefined_length", [True, False])
@pytest.mark.parametrize("depth", [1, 32, 33, 34, 100, 2000])
def test_sequences_may_be_nested_to_any_depth(tmp_path: Path, depth: int, of_undefined_length: bool) -> None:
    """Pixel Data follows, whose length is looked at all the same."""
    path, nested = tmp_path / "file", _nested(depth, of_undefined_length=of_undefined_length)
    _kept(path, _image())
    octets = path.read_bytes()
    pixels = octets.index(b"\xe0\x7f\x10\0OB")
    path.write_bytes(octets[:pixels] + nested + octets[pixels:])
    assert check_saved_file(_received(path)).problem == ""
    path.write_bytes(octets[:pixels] + nested[:-4] + octets[pixels:])
    assert check_saved_file(_received(path)).problem != ""
    short = octets[:pixels] + nested + octets[pixels:-30].replace(b"OB\0\0\x20", b"OB\0\0\x02")
    path.write_bytes(short)
    assert "the Pixel Data has 2 octets, but the image requires 32" in check_saved_file(_received(path)).problem


@pytest.mark.parametrize(
    ("interpretation", "octets"), [("YBR_FULL_422", 64), ("YBR_PARTIAL_422", 64), ("YBR_PARTIAL_420", 48), ("RGB", 96)]
)
def test_pixels_of_which_not_all_samples_are_there_suffice(tmp_path: Path, interpretation: str, octets: int) -> None:
    dataset = _image()
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = interpretation, 3
    dataset.PixelData = b"\7" * octets
    assert check_saved_file(_kept(tmp_path / "enough", dataset)).problem == ""
    dataset.PixelData = b"\7" * (octets - 2)
    assert f"but the image requires {octets}" in check_saved_file(_kept(tmp_path / "short", dataset)).problem


def test_a_compressed_image_has_no_problem(tmp_path: Path) -> None:
    dataset = _image()
    dataset.PixelData = encapsulate([b"one frame", b"another"])
    dataset["PixelData"].is_undefined_length = True
    instance = _kept(tmp_path / "file", dataset, JPEG2000Lossless)
    assert check_saved_file(instance).problem == ""


def test_what_is_not_kept_or_has_a_problem_already_is_as_it_was(tmp_path: Path) -> None:
    instance = ReceivedInstance(
        sop_instance_uid=INSTANCE,
        sop_class_uid=CT,
        study_uid=STUDY,
        calling_ae_title="A",
        move_originator_ae_title=None,
        data_set_length=1,
        transfer_syntax=SYNTAXES[0],
    )
    assert check_saved_file(instance) is instance
    known = ReceivedInstance(
        sop_instance_uid=INSTANCE,
        sop_class_uid=CT,
        study_uid=STUDY,
        calling_ae_title="A",
        move_originator_ae_title=None,
        data_set_length=1,
        transfer_syntax=SYNTAXES[0],
        saved_path=tmp_path / "no",
        problem="known",
    )
    assert check_saved_file(known) is known


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_wherever_a_data_set_is_cut_off_it_is_told(tmp_path: Path, syntax: str) -> None:
    """The sender did that: the fingerprint is that of what came."""
    path = tmp_path / "file"
    _kept(path, _image(), syntax)
    octets = path.read_bytes()
    for length in range(len(octets) - 60, len(octets)):
        path.write_bytes(octets[:length])
        problem = check_saved_file(_received(path, syntax)).problem
        assert problem or _ends_between_elements(octets, length, syntax), length


def _ends_between_elements(octets: bytes, length: int, syntax: str) -> bool:
    """Without its last element an image is an image no more, yet it reads; what is deflated ends with padding."""
    if syntax == DeflatedExplicitVRLittleEndian:
        return length == len(octets) - 1
    return octets[length:].startswith((b"\xe0\x7f", b"\x7f\xe0", b"\x28", b"\0\x28"))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda octets: octets[:-1] + b"\x08", "the octets of the file differ from the received octets"),
        (lambda octets: octets[:-1], "the octets of the file differ from the received octets"),
        (lambda _: b"", "the file is empty"),
        (lambda octets: octets[:140], "the file has no File Meta Information"),
        (lambda octets: b"x" * len(octets), "the file has no File Meta Information"),
    ],
)
def test_what_became_of_a_file_is_told(tmp_path: Path, spoil: object, problem: str) -> None:
    path = tmp_path / "file"
    instance = _kept(path, _image())
    assert callable(spoil)
    path.write_bytes(spoil(path.read_bytes()))
    assert check_saved_file(instance).problem == f"the kept file is corrupt: {problem}"


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    instance = _kept(tmp_path / "file", _image())
    (tmp_path / "file").unlink()
    assert "the file cannot be read (No such file or directory)" in check_saved_file(instance).problem


def test_too_few_pixels_are_told(tmp_path: Path) -> None:
    dataset = _image()
    dataset.PixelData = b"\7" * 30
    assert check_saved_file(_kept(tmp_path / "file", dataset)).problem == (
        "the kept file is corrupt: the Pixel Data has 30 octets, but the image requires 32"
    )


def test_another_instance_inside_is_told(tmp_path: Path) -> None:
    dataset = _image()
    dataset.SOPInstanceUID = "9.9"
    assert check_saved_file(_kept(tmp_path / "file", dataset)).problem == (
        "the kept file is corrupt: the UIDs in the file differ from the UIDs of the received instance. The file has "
        "SOP Instance UID 9.9, Study Instance UID 1.2.3"
    )


def test_a_data_set_in_another_transfer_syntax_than_it_says_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file"
    _kept(path, _image(), SYNTAXES[1])
    for syntax in (SYNTAXES[0], SYNTAXES[2], SYNTAXES[3]):
        assert check_saved_file(_received(path, syntax)).problem.startswith("the kept file is corrupt: the ")


@pytest.mark.parametrize("octets", [b"\x28\0\x10\0XX\2\0\4\0", b"\x28\0\x08\0IS\2\0xy", b"\x28\0\x10\0US\3\0\4\0\0"])
def test_values_that_cannot_be_read_are_told_or_read(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "file"
    dataset = _image()
    del dataset.Rows, dataset.NumberOfFrames, dataset.PixelData
    _kept(path, dataset)
    path.write_bytes(path.read_bytes() + octets)
    problem = check_saved_file(_received(path)).problem
    assert problem == "" or problem.startswith("the kept file is corrupt: the ")


def _bomb(path: Path, octets: int) -> ReceivedInstance:
    """Keep a deflated data set that inflates to so many *octets* and more, a thousand of each."""
    instance = _kept(path, _image(), DeflatedExplicitVRLittleEndian)
    file = path.read_bytes()
    begin = 144 + int.from_bytes(file[140:144], "little")
    deflating = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = deflating.compress(zlib.decompress(file[begin:], -zlib.MAX_WBITS)) + deflating.flush(zlib.Z_FULL_FLUSH)
    zeros = deflating.compress(bytes(1 << 20)) + deflating.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(file[:begin] + head + zeros * (octets >> 20) + deflating.flush())
    assert path.stat().st_size < octets / 500
    return _received(path, instance.transfer_syntax)


def test_a_data_set_that_inflates_beyond_the_limit_is_not_held(tmp_path: Path) -> None:
    """3 MB inflate to 3 GiB; the process may have the limit, and half as much again."""
    path = tmp_path / "file"
    _bomb(path, 3 << 30)
    script = (
        "import resource; from pathlib import Path;"
        "from tests.dicom.storage.test_files_check import _received, check_saved_file;"
        "import dcmcfg.dicom.pydicom_lazy as late; late.import_pydicom('filereader');"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize();"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (600 << 20),) * 2);"
        f"print(check_saved_file(_received(Path({str(path)!r}), {DeflatedExplicitVRLittleEndian!r})).problem)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert found.stdout == (
        "the kept file is corrupt: the data set has more than 256M octets after inflating (If you expect "
        "this amount of data, repeat the command with --max inflated-data-set=512M)\n"
    ), found.stderr


def test_a_data_set_that_inflates_to_the_limit_is_read(tmp_path: Path) -> None:
    instance = _kept(tmp_path / "file", _image(), DeflatedExplicitVRLittleEndian)
    octets = (tmp_path / "file").read_bytes()
    begin = 144 + int.from_bytes(octets[140:144], "little")
    length = len(zlib.decompress(octets[begin:], -zlib.MAX_WBITS))
    with override_limits({"inflated-data-set": length}):
        assert check_saved_file(instance).problem == ""
    with override_limits({"inflated-data-set": length - 1}):
        assert f"has more than {length - 1} octets after inflating" in check_saved_file(instance).problem


_ITEM = b"\xfe\xff\0\xe0"
_ENDS = {"item": b"\xfe\xff\r\xe0\0\0\0\0", "sequence": b"\xfe\xff\xdd\xe0\0\0\0\0"}
_UNDEFINED = b"\xff" * 4


def _sequence(items: bytes, *, is_explicit: bool, is_defined: bool, vr: bytes = b"SQ") -> bytes:
    """Return a Referenced Image Sequence of *items*."""
    length = len(items).to_bytes(4, "little") if is_defined else _UNDEFINED
    head = b"\x08\0\x40\x11" + (vr + b"\0\0" if is_explicit else b"") + length
    return head + items + (b"" if is_defined else _ENDS["sequence"])


@pytest.mark.parametrize("is_defined", [True, False])
@pytest.mark.parametrize("item", [_ITEM + bytes(4), _ITEM + _UNDEFINED + _ENDS["item"]])
@pytest.mark.parametrize(("syntax", "vr"), [(SYNTAXES[0], b""), (SYNTAXES[1], b"SQ"), (SYNTAXES[1], b"UN")])
def test_elements_in_sequences_count_toward_the_limit(
    tmp_path: Path, item: bytes, syntax: str, vr: bytes, is_defined: bool
) -> None:
    head = Dataset()
    head.SOPInstanceUID, head.StudyInstanceUID = INSTANCE, STUDY
    items = _sequence(item * 1000, is_explicit=bool(vr), is_defined=is_defined, vr=vr)
    encoded = {}
    for keyword in ("SOPInstanceUID", "StudyInstanceUID"):
        one = Dataset()
        one[keyword] = head[keyword]
        out = DicomBytesIO()
        out.is_little_endian, out.is_implicit_VR = True, not vr
        write_dataset(out, one)
        encoded[keyword] = out.getvalue()
    octets = encoded["SOPInstanceUID"] + items + encoded["StudyInstanceUID"]
    instance = _saved_octets(tmp_path / "file", octets, syntax)
    assert check_saved_file(instance).problem == ""
    with override_limits({"elements": 500}):
        assert check_saved_file(instance).problem == (
            "the kept file is corrupt: the data set has more than 500 elements, so dcmcfg did not verify the file (If "
            "you expect this amount of data, repeat the command with --max elements=1000)"
        )


def test_a_million_empty_items_in_a_few_octets_are_not_held(tmp_path: Path) -> None:
    """12 KB that pydicom makes some 700 MB of; the process may have a quarter of that."""
    path = tmp_path / "file"
    deflating = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    items = _sequence((_ITEM + bytes(4)) * 1_000_000, is_explicit=True, is_defined=True)
    deflated = deflating.compress(items) + deflating.flush()
    _saved_octets(path, deflated + b"\0" * (len(deflated) % 2), DeflatedExplicitVRLittleEndian)
    assert path.stat().st_size < 13_000
    script = (
        "import resource; from pathlib import Path;"
        "from tests.dicom.storage.test_files_check import _received, check_saved_file;"
        "import dcmcfg.dicom.pydicom_lazy as late; late.import_pydicom('filereader');"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize();"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (150 << 20),) * 2);"
        f"print(check_saved_file(_received(Path({str(path)!r}), {DeflatedExplicitVRLittleEndian!r})).problem)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert found.stdout == (
        "the kept file is corrupt: the data set has more than 1000000 elements, so dcmcfg did not verify the file (If "
        "you expect this amount of data, repeat the command with --max elements=2000000)\n"
    ), found.stderr


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("ImageType", ["A"] * 10_000), ("ContourData", [1] * 10_000), ("ICCProfile", b"\\" * 10_000)],
)
@pytest.mark.parametrize("syntax", SYNTAXES[:3])
def test_ten_values_count_as_an_element(tmp_path: Path, syntax: str, keyword: str, value: object) -> None:
    dataset = _image()
    setattr(dataset, keyword, value)
    instance = _kept(tmp_path / "file", dataset, syntax)
    assert check_saved_file(instance).problem == ""
    with override_limits({"elements": 900}):
        is_refused = (
            "the data set has more than 900 elements, so dcmcfg did not verify the file"
            in check_saved_file(instance).problem
        )
    assert is_refused == isinstance(value, list)


def test_numbers_are_counted_by_their_octets(tmp_path: Path) -> None:
    dataset = _image()
    dataset.ReferencedFrameNumbers = [1] * 10_000
    instance = _kept(tmp_path / "file", dataset, SYNTAXES[0])
    with override_limits({"elements": 900}):
        assert "the data set has more than 900 elements" in check_saved_file(instance).problem
    with override_limits({"elements": 1100}):
        assert check_saved_file(instance).problem == ""


def test_fragments_of_pixel_data_are_one_value(tmp_path: Path) -> None:
    dataset = _image()
    dataset.PixelData = encapsulate([b"\1\2"] * 1000)
    dataset["PixelData"].is_undefined_length = True
    instance = _kept(tmp_path / "file", dataset, JPEG2000Lossless)
    with override_limits({"elements": 50}):
        assert check_saved_file(instance).problem == ""


def test_a_file_beyond_the_limit_is_not_read_back(tmp_path: Path) -> None:
    instance = _kept(tmp_path / "file", _image())
    with override_limits({"stored-file": 100}):
        assert check_saved_file(instance).problem.endswith("--max stored-file=200)")
