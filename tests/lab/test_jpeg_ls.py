"""The lab's JPEG-LS images are what dcmtk's decoder takes for such, and black."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless

from dcmcfg.lab.jpeg_ls import encode_black_image
from dcmcfg.lab.studies import get_standard_study
from tests.dicom.dcmtk import BIN
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.real


def decoded(image: Dataset, folder: Path) -> Dataset:
    image.save_as(folder / "compressed.dcm", enforce_file_format=True)
    command = [BIN / "dcmdjpls", folder / "compressed.dcm", folder / "plain.dcm"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return dcmread(folder / "plain.dcm")


@pytest.mark.parametrize("number", [0, 1])
def test_dcmtk_decodes_the_study_of_the_lab(number: int, tmp_path: Path) -> None:
    image = get_standard_study("jpeg-ls").instances[number]
    assert image.file_meta.TransferSyntaxUID == JPEGLSLossless
    plain = decoded(image, tmp_path)
    assert plain.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert plain.PixelData == bytes(16 * 16 * 2)


@pytest.mark.parametrize(("rows", "columns", "bits"), [(1, 1, 8), (3, 2000, 10), (700, 65, 12), (512, 512, 16)])
def test_dcmtk_decodes_images_of_other_sizes(rows: int, columns: int, bits: int, tmp_path: Path) -> None:
    image = get_standard_study("jpeg-ls").instances[0]
    image.Rows, image.Columns = rows, columns
    image.BitsStored, image.HighBit, image.BitsAllocated = bits, bits - 1, 16 if bits > 8 else 8
    image.PixelData = encapsulate([encode_black_image(rows, columns, bits)])
    assert set(decoded(image, tmp_path).PixelData[: rows * columns * image.BitsAllocated // 8]) == {0}
