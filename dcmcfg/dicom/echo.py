"""C-ECHO, which tells whether the peer answers at all (PS3.4 Annex A)."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass

from dcmcfg.dicom.open_association import associated
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.peer_identity import Secured, acquainted
from dcmcfg.dicom.status import explain
from dcmcfg.dicom.ul.association import Ended
from dcmcfg.dicom.ul.command_set import Kind
from dcmcfg.errors import NotEchoed

VERIFICATION = "1.2.840.10008.1.1"


@dataclass(frozen=True)
class Answered:
    """A C-ECHO that was answered: in how many ``seconds``, association included, and how the line was secured."""

    seconds: float
    secured: Secured | None = None


def echo(peer: Peer, calling: str, timeouts: Timeouts, tls: ssl.SSLContext | None = None) -> Answered:
    """Send a C-ECHO as *calling*, over TLS with *tls*; return that it was answered.

    Raises what :func:`~dcmcfg.dicom.open_association.associated` does when there is no association, and :class:`NotEchoed`
    when there is no answer, or one that is not 0000.
    """
    started = time.monotonic()
    with associated(peer, calling, [VERIFICATION], timeouts, tls) as opened:
        request = opened.send(Kind.C_ECHO, VERIFICATION)
        try:
            response = request.response(timeouts.dimse)
        except Ended as end:
            raise opened.failure("C-ECHO", NotEchoed) from end
        if (
            response is not None
            and (meaning := explain("C-ECHO", response.status, response.comment)).category != "success"
        ):
            raise NotEchoed(f"C-ECHO failed: {meaning}", on=str(peer), next_step=f"look at: {meaning.look_at}")
        return Answered(time.monotonic() - started, acquainted(opened).secured)
