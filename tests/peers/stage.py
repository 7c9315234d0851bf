"""Who is on the stage when a peer misbehaves: two studies, and the destination that instances go to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.pynetdicom_fixes import ConnectionTrace
from tests.dicom.dcmtk import Made, make_instances

STUDY = "1.2.826.0.1.3680043.10.1.1"
OTHER = "1.2.826.0.1.3680043.10.1.2"
_STALL_S = 60.0


@dataclass(frozen=True)
class Stage:
    """``made`` is the study that is asked for, ``other`` one that nobody asked for; both have three instances.

    Who is asked for them sends as ``title``.
    """

    made: Made
    other: Made
    destination: Peer
    title: str = "DCM4CHEE"

    @property
    def study(self) -> list[Dataset]:
        return [dcmread(file) for file in self.made.files]

    @property
    def others(self) -> list[Dataset]:
        return [dcmread(file) for file in self.other.files]

    def send(
        self,
        instances: Sequence[Dataset],
        *,
        calling: str = "",
        originator: str | None = "DCMCFG",
        claiming: Sequence[str] = (),
    ) -> list[int]:
        """Send *instances* to the destination as *calling*, else as ``title``; return the statuses.

        Each request names the SOP Instance UID in *claiming* where there is one, whatever is in its data set.
        """
        entity = AE(calling or self.title)
        for sop_class in sorted({str(each.SOPClassUID) for each in instances}):
            entity.add_requested_context(sop_class, ExplicitVRLittleEndian)
        association = entity.associate(
            self.destination.host,
            self.destination.port,
            ae_title=self.destination.ae_title,
            evt_handlers=ConnectionTrace(_STALL_S).handlers,  # else pynetdicom's own thread may take the answer
        )
        assert association.is_established
        names = claiming or [str(each.SOPInstanceUID) for each in instances]
        statuses = [_store(association, each, name, originator) for each, name in zip(instances, names, strict=True)]
        association.release()
        return statuses


def make_stage(folder: Path, destination: Peer) -> Stage:
    return Stage(
        make_instances(folder / "study", STUDY), make_instances(folder / "other", OTHER), destination, "LONGTERM"
    )


def _store(association: Association, instance: Dataset, name: str, originator: str | None) -> int:
    dimse = association.dimse
    send = dimse.send_msg

    def send_claiming(request: object, context_id: int) -> None:
        request.AffectedSOPInstanceUID = name  # type: ignore[attr-defined]  # a C-STORE request
        send(request, context_id)  # type: ignore[arg-type]

    dimse.send_msg = send_claiming  # type: ignore[method-assign, assignment]
    try:
        answer = association.send_c_store(instance, originator_aet=originator, originator_id=1 if originator else None)
    finally:
        dimse.send_msg = send  # type: ignore[method-assign]
    return int(answer.get("Status", -1))
