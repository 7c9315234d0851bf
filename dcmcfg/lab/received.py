"""An object as a C-STORE request brought it."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.dimse_primitives import C_STORE

from dcmcfg.lab.listener import called_title, calling_title


@dataclass(frozen=True)
class ReceivedObject:
    """One C-STORE request; ``originator`` is the Move Originator AE title, empty when there is none.

    ``file`` is the object in DICOM file format (PS3.10) in the transfer syntax in which it came.
    """

    calling: str
    called: str
    originator: str
    sop_instance_uid: str
    dataset: Dataset
    file: bytes


def received(event: evt.Event) -> ReceivedObject:
    """Return what the event EVT_C_STORE tells."""
    request = event.request
    if not isinstance(request, C_STORE):
        raise TypeError(f"not a C-STORE request: {request!r}")
    return ReceivedObject(
        calling=calling_title(event.assoc),
        called=called_title(event.assoc),
        originator=str(request.MoveOriginatorApplicationEntityTitle or "").strip(),
        sop_instance_uid=str(request.AffectedSOPInstanceUID),
        dataset=event.dataset,
        file=event.encoded_dataset(),
    )
