"""The lab's storage SCP: takes whatever it is sent, like dcm4che's ``StoreSCP``.

``python -m dcmcfg.lab.storage LABFOLDER`` serves C-ECHO and C-STORE as STORESCP, whatever the called AE title.

An object as a C-STORE request brought it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom import (
    _config,  # the documented place of pynetdicom's options, despite its name
    evt,
)
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.presentation import build_context

from dcmcfg.lab.listener import VERIFICATION, Handler, called_title, calling_title, listening
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.process import run
from dcmcfg.lab.site import Site


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


TITLE = "STORESCP"
_log = logging.getLogger("storage")


@contextmanager
def serving(site: Site) -> Iterator[None]:
    """Serve while the context is open; raises :class:`LabError` when the port is taken."""
    store = ObjectStore(site.storage_folder)

    def receive(event: evt.Event) -> int:
        brought = received(event)
        store.save_octets(brought.sop_instance_uid, brought.file)
        originator = brought.originator or "none"
        _log.info("stored %s from %s, move originator %s", brought.sop_instance_uid, brought.calling, originator)
        return 0x0000

    _config.UNRESTRICTED_STORAGE_SERVICE = True
    handlers: list[Handler] = [(evt.EVT_C_STORE, receive), (evt.EVT_C_ECHO, lambda _: 0x0000)]
    with listening(TITLE, site.ports.storage, handlers, [build_context(VERIFICATION)], any_title=True):
        yield


if __name__ == "__main__":
    sys.exit(run(serving, sys.argv[1:]))
