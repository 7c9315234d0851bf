from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.dicom.echo import send_echo
from dcmcfg.dicom.peer import DicomTimeouts
from tests.dicom import dcmtk

pytestmark = pytest.mark.real


def test_dcmtk_answers(tmp_path: Path, timeouts: DicomTimeouts) -> None:
    with dcmtk.storescp(tmp_path / "in") as peer:
        assert 0 < send_echo(peer, "ME", timeouts).seconds < 5


def test_nothing_is_written_to_the_terminal(
    tmp_path: Path, timeouts: DicomTimeouts, capfd: pytest.CaptureFixture[str]
) -> None:
    with dcmtk.storescp(tmp_path / "in") as peer:
        send_echo(peer, "ME", timeouts)
    assert capfd.readouterr() == ("", "")
