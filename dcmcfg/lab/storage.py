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

from dcmcfg.lab.listener import VERIFICATION_SOP_CLASS, EventHandler, get_called_ae_title, get_calling_ae_title, listen
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.process import run_process
from dcmcfg.lab.site import Site


@dataclass(frozen=True, kw_only=True)
class ReceivedObject:
    """One C-STORE request; ``move_originator_ae_title`` is the Move Originator AE title, empty when there is none.

    ``file_content`` is the object in DICOM file format (PS3.10) in the transfer syntax in which it came.
    """

    calling_ae_title: str
    called_ae_title: str
    move_originator_ae_title: str
    sop_instance_uid: str
    dataset: Dataset
    file_content: bytes


def read_store_request(event: evt.Event) -> ReceivedObject:
    """Return what the event EVT_C_STORE tells."""
    request = event.request
    if not isinstance(request, C_STORE):
        raise TypeError(f"not a C-STORE request: {request!r}")
    return ReceivedObject(
        calling_ae_title=get_calling_ae_title(event.assoc),
        called_ae_title=get_called_ae_title(event.assoc),
        move_originator_ae_title=str(request.MoveOriginatorApplicationEntityTitle or "").strip(),
        sop_instance_uid=str(request.AffectedSOPInstanceUID),
        dataset=event.dataset,
        file_content=event.encoded_dataset(),
    )


AE_TITLE = "STORESCP"
_log = logging.getLogger("storage")


@contextmanager
def serve(site: Site) -> Iterator[None]:
    """Serve while the context is open; raises :class:`LabError` when the port is taken."""
    store = ObjectStore(site.storage_folder)

    def receive(event: evt.Event) -> int:
        brought = read_store_request(event)
        store.save_file(brought.sop_instance_uid, brought.file_content)
        originator = brought.move_originator_ae_title or "none"
        _log.info(
            "stored %s from %s, move originator %s", brought.sop_instance_uid, brought.calling_ae_title, originator
        )
        return 0x0000

    _config.UNRESTRICTED_STORAGE_SERVICE = True
    handlers: list[EventHandler] = [(evt.EVT_C_STORE, receive), (evt.EVT_C_ECHO, lambda _: 0x0000)]
    with listen(
        AE_TITLE, site.ports.storage, handlers, [build_context(VERIFICATION_SOP_CLASS)], any_called_ae_title=True
    ):
        yield


if __name__ == "__main__":
    sys.exit(run_process(serve, sys.argv[1:]))
