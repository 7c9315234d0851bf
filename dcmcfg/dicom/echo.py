"""C-ECHO, which tells whether the peer answers at all (PS3.4 Annex A)."""

from __future__ import annotations

import time

from dcmcfg.dicom.associate import associated
from dcmcfg.dicom.association import Ended, NoAnswer
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.request_set import Kind
from dcmcfg.dicom.status import explain
from dcmcfg.errors import DicomError

_VERIFICATION = "1.2.840.10008.1.1"


def echo(peer: Peer, calling: str, timeouts: Timeouts) -> float:
    """Send a C-ECHO as *calling*; return the seconds until its answer, association included.

    Raises :class:`DicomError` when there is no association, no answer, or one that is not 0000.
    """
    started = time.monotonic()
    with associated(peer, calling, [_VERIFICATION], timeouts) as opened:
        request = opened.send(Kind.C_ECHO, _VERIFICATION)
        try:
            response = request.response(timeouts.dimse)
        except NoAnswer as silence:
            raise opened.failure(kind=DicomError) from silence
        except Ended as end:
            raise opened.failure() from end
        if (
            response is not None
            and (meaning := explain("C-ECHO", response.status, response.comment)).category != "success"
        ):
            raise DicomError(f"C-ECHO failed: {meaning}", on=str(peer), next_step=f"look at: {meaning.look_at}")
        return time.monotonic() - started
