"""C-FIND and C-MOVE requests whose responses the tests can look into (dcmtk's clients only print them)."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.association import Association

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.pynetdicom_fixes import ConnectionTrace

STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
PENDING = 0xFF00


@dataclass(frozen=True)
class MoveOutcome:
    pending: tuple[Dataset, ...]
    final: Dataset
    failed_uids: tuple[str, ...]

    @property
    def status(self) -> int:
        return int(self.final.Status)

    @property
    def comment(self) -> str:
        return str(self.final.get("ErrorComment", ""))

    @property
    def counters(self) -> dict[str, int]:
        """The counters that the final response carries, by their first word."""
        named = {
            "completed": "NumberOfCompletedSuboperations",
            "failed": "NumberOfFailedSuboperations",
            "warning": "NumberOfWarningSuboperations",
            "remaining": "NumberOfRemainingSuboperations",
        }
        return {name: int(self.final[keyword].value) for name, keyword in named.items() if keyword in self.final}


def identifier(level: str = "STUDY", **keys: str) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(dataset, keyword, value)
    return dataset


def associate(peer: Peer, calling: str, *sop_classes: str) -> Association:
    entity = AE(ae_title=calling)
    entity.dimse_timeout = entity.network_timeout = 60
    for sop_class in sop_classes:
        entity.add_requested_context(sop_class)
    trace = ConnectionTrace(60)  # without it pynetdicom's own thread may take an answer
    return entity.associate(peer.host, peer.port, ae_title=peer.ae_title, evt_handlers=trace.handlers)


def move(peer: Peer, destination: str, keys: Dataset, *, calling: str = "VIEWER") -> MoveOutcome | None:
    """The responses; None when the association ended without a final one."""
    association = associate(peer, calling, STUDY_ROOT_MOVE)
    assert association.is_established
    answers = list(association.send_c_move(keys, destination, STUDY_ROOT_MOVE))
    final, failed = answers[-1]
    if "Status" not in final:
        return None
    association.release()
    uids = failed.get("FailedSOPInstanceUIDList", ()) if failed else ()
    several = [uids] if isinstance(uids, str) else uids
    return MoveOutcome(tuple(status for status, _ in answers[:-1]), final, tuple(map(str, several)))


def move_study(peer: Peer, destination: str, study_uid: str, *, calling: str = "VIEWER") -> MoveOutcome:
    outcome = move(peer, destination, identifier(StudyInstanceUID=study_uid), calling=calling)
    assert outcome is not None
    return outcome


def find(peer: Peer, keys: Dataset, *, sop_class: str = STUDY_ROOT_FIND) -> tuple[list[Dataset], Dataset]:
    """The matches, and the final status."""
    association = associate(peer, "VIEWER", sop_class)
    assert association.is_established
    answers = list(association.send_c_find(keys, sop_class))
    association.release()
    return [match for status, match in answers if status.Status == PENDING and match is not None], answers[-1][0]
