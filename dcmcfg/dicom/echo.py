"""C-ECHO, which tells whether the peer answers at all (PS3.4 Annex A)."""

from __future__ import annotations

import time

from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from dcmcfg.dicom.associate import associated
from dcmcfg.dicom.elements import comment
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.status import explain
from dcmcfg.errors import DicomError


def echo(peer: Peer, calling: str, timeouts: Timeouts) -> float:
    """Send a C-ECHO as *calling*; return the seconds until its answer, association included.

    Raises :class:`DicomError` when there is no association, no answer, or one that is not 0000.
    """
    started = time.monotonic()
    with associated(peer, calling, [Verification], timeouts) as opened:
        sent = time.monotonic()
        try:
            status = opened.assoc.send_c_echo()
        except RuntimeError as error:  # the association ended just now
            raise opened.failure(0) from error
        if "Status" not in status:
            raise opened.failure(time.monotonic() - sent)
        meaning = explain("C-ECHO", status.Status, comment(status))
        if meaning.category != "success":
            raise DicomError(f"C-ECHO failed: {meaning}", on=str(peer), next_step=f"look at: {meaning.look_at}")
        return time.monotonic() - started
