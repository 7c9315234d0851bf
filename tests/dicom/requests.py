"""One question on an association of its own."""

from __future__ import annotations

from collections.abc import Callable

from dcmcfg.dicom.move import MoveOutcome, MoveProgress, send_move
from dcmcfg.dicom.open_association import open_association
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.query import Instance, find_instances
from dcmcfg.dicom.retrieval import InformationModel, Retrieval


def _ignore(*_: object) -> None:
    """Take no notice."""


def instances_of(peer: Peer, calling: str, study_uid: str, timeouts: DicomTimeouts) -> tuple[Instance, ...]:
    """Ask *peer* what the study holds."""
    with open_association(peer, calling, [InformationModel.STUDY.find_sop_class], timeouts) as opened:
        return find_instances(opened, study_uid)


def move_study(
    peer: Peer,
    calling: str,
    study_uid: str,
    destination: str,
    *,
    timeouts: DicomTimeouts,
    on_pending: Callable[[MoveProgress], None] = _ignore,
) -> MoveOutcome:
    """Have *peer* send the study."""
    with open_association(peer, calling, [InformationModel.STUDY.move_sop_class], timeouts) as opened:
        return send_move(opened, Retrieval(study_uid), destination, on_pending=on_pending)
