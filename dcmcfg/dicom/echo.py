"""Send a C-ECHO to test whether the peer answers (PS3.4 Annex A)."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass

from dcmcfg.dicom.open_association import open_association
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.peer_identity import TlsSession, identify_peer
from dcmcfg.dicom.status import explain
from dcmcfg.dicom.ul.association import AssociationEnded
from dcmcfg.dicom.ul.command_set import CommandField
from dcmcfg.errors import EchoFailed
from dcmcfg.well_known_uids import VERIFICATION


@dataclass(frozen=True)
class EchoResponse:
    """A successful C-ECHO: the duration in ``seconds``, association included, and the TLS session if there is one."""

    seconds: float
    tls_session: TlsSession | None = None


def send_echo(
    peer: Peer, calling_ae_title: str, timeouts: DicomTimeouts, tls: ssl.SSLContext | None = None
) -> EchoResponse:
    """Send a C-ECHO as *calling_ae_title*, over TLS with *tls*; return the response.

    Raises the errors of :func:`~dcmcfg.dicom.open_association.open_association` if there is no association, and
    :class:`EchoFailed` if there is no response, or one other than 0000.
    """
    started = time.monotonic()
    with open_association(peer, calling_ae_title, [VERIFICATION], timeouts, tls=tls) as association:
        request = association.send(CommandField.C_ECHO, VERIFICATION)
        try:
            response = request.wait_for_response(timeouts.dimse)
        except AssociationEnded as end:
            raise association.build_error("C-ECHO", EchoFailed) from end
        if (
            # Only a wake-up makes it None, and nothing wakes this association.
            response is not None
            and (meaning := explain("C-ECHO", response.status, response.comment)).category != "success"
        ):
            raise EchoFailed(
                f"C-ECHO failed: {meaning}", subject=str(peer), next_step=f"check: {meaning.suggested_check}"
            )
        return EchoResponse(time.monotonic() - started, identify_peer(association).tls_session)
