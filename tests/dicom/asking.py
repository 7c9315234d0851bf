"""One question on an association of its own."""

from __future__ import annotations

from collections.abc import Callable

from dcmcfg.dicom.move import MoveOutcome, Progress, move
from dcmcfg.dicom.open_association import associated
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.query import Instance, find_instances
from dcmcfg.dicom.retrieval import Model, Retrieval


def _ignore(*_: object) -> None:
    """Take no notice."""


def instances_of(peer: Peer, calling: str, study_uid: str, timeouts: Timeouts) -> tuple[Instance, ...]:
    """Ask *peer* what the study holds."""
    with associated(peer, calling, [Model.STUDY.find], timeouts) as opened:
        return find_instances(opened, study_uid)


def move_study(
    peer: Peer,
    calling: str,
    study_uid: str,
    destination: str,
    *,
    timeouts: Timeouts,
    on_pending: Callable[[Progress], None] = _ignore,
) -> MoveOutcome:
    """Have *peer* send the study."""
    with associated(peer, calling, [Model.STUDY.move], timeouts) as opened:
        return move(opened, Retrieval(study_uid), destination, on_pending=on_pending)
