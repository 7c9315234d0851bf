"""The lab's storage SCP, which accepts all objects like dcm4che's ``StoreSCP``.

``python -m dcmcfg.lab.storage LABFOLDER`` serves C-ECHO and C-STORE as STORESCP, for any called AE title.
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

from dcmcfg.dicom.status import SUCCESS
from dcmcfg.lab.listener import EventHandler, get_called_ae_title, get_calling_ae_title, listen
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.process import run_process
from dcmcfg.lab.site import Site
from dcmcfg.well_known_uids import VERIFICATION


@dataclass(frozen=True, kw_only=True)
class ReceivedObject:
    """One C-STORE request; ``move_originator_ae_title`` is the Move Originator AE title, or empty.

    ``file_content`` is the object in DICOM file format (PS3.10), in the received transfer syntax.
    """

    calling_ae_title: str
    called_ae_title: str
    move_originator_ae_title: str
    sop_instance_uid: str
    dataset: Dataset
    file_content: bytes


def read_store_request(event: evt.Event) -> ReceivedObject:
    """Return the object of the event EVT_C_STORE."""
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
    """Serve while the context is open; raises :class:`~dcmcfg.errors.LabError` if the port is in use."""
    store = ObjectStore(site.storage_folder)

    def receive(event: evt.Event) -> int:
        received = read_store_request(event)
        store.save_file(received.sop_instance_uid, received.file_content)
        originator = received.move_originator_ae_title or "none"
        _log.info(
            "stored %s from %s, move originator %s", received.sop_instance_uid, received.calling_ae_title, originator
        )
        return SUCCESS

    # pynetdicom then also accepts storage SOP classes that it does not know, such as private ones.
    _config.UNRESTRICTED_STORAGE_SERVICE = True
    handlers: list[EventHandler] = [(evt.EVT_C_STORE, receive), (evt.EVT_C_ECHO, lambda _: SUCCESS)]
    with listen(AE_TITLE, site.ports.storage, handlers, [build_context(VERIFICATION)], any_called_ae_title=True):
        yield


if __name__ == "__main__":
    sys.exit(run_process(serve, sys.argv[1:]))
