"""Fixtures of the DICOM tests; the servers themselves are in ``tests/dicom/dcmtk.py``, for other folders too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dcmcfg.dicom.peer import DicomTimeouts, Peer
from tests.dicom import dcmtk
from tests.patience import PATIENT
from tests.ports import free_port


@pytest.fixture
def timeouts() -> DicomTimeouts:
    """For peers that answer."""
    return PATIENT


@pytest.fixture
def impatient() -> DicomTimeouts:
    """For peers that accept the connection and never answer the association request."""
    return replace(PATIENT, acse=1)


@dataclass(frozen=True)
class Source:
    """A dcmqrscp that holds one study, and knows the AE RECEIVER at a port where nothing listens yet."""

    peer: Peer
    made: dcmtk.Made
    receiver: Peer


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    made = dcmtk.make_instances(tmp_path / "made", series=2, per_series=2)
    receiver = Peer("RECEIVER", dcmtk.LOOPBACK, free_port())
    with dcmtk.dcmqrscp(tmp_path, knows={"RECEIVER": receiver}) as peer:
        sent = dcmtk.storescu(peer, made.files)
        assert sent.returncode == 0, sent.stderr
        yield Source(peer, made, receiver)
