"""Call a peer, report the stage that fails, and suggest a fix.

If the peer does not use the expected protocol, the module also tests for TLS, or for DICOM without TLS.
"""

from __future__ import annotations

import ssl
from dataclasses import KW_ONLY, dataclass
from enum import Enum

from dcmcfg.dicom.connect import open_socket
from dcmcfg.dicom.echo import send_echo
from dcmcfg.dicom.open_association import open_connection
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.peer_identity import TlsSession
from dcmcfg.dicom.ul.negotiation import build_proposed_contexts, encode_association_request
from dcmcfg.dicom.ul.pdu import ABORT_PDU, PduType
from dcmcfg.dicom.ul.requested_connection import ConnectionClosed, PduTimeout
from dcmcfg.dicom.ul.tls_failure import NOTHING_SENT
from dcmcfg.errors import (
    DcmcfgError,
    EchoFailed,
    NotDicom,
    RejectedPermanent,
    RejectedTransient,
    TlsHandshakeFailed,
    TransientDicomError,
    Unreachable,
)
from dcmcfg.route.command import format_command
from dcmcfg.well_known_uids import IMPLICIT_VR_LITTLE_ENDIAN, VERIFICATION

_MAXIMUM_LENGTH = 1 << 14  # octets of a PDU; a test association transfers no data
_DICOM_PDU_TYPES = frozenset({PduType.ASSOCIATE_AC, PduType.ASSOCIATE_RJ, PduType.ABORT})


def speaks_tls(peer: Peer, timeouts: DicomTimeouts) -> bool:
    """Return whether *peer* uses TLS, by a handshake without certificate checks; nothing is sent after it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        open_socket(peer, timeouts, context).close()
    except TlsHandshakeFailed as error:
        # A TLS alert shows as well that the peer uses TLS.
        return error.speaks_tls
    except Unreachable:
        return False
    return True


def speaks_dicom(peer: Peer, calling_ae_title: str, timeouts: DicomTimeouts) -> bool:
    """Return whether *peer* answers an association request as *calling_ae_title* without TLS, with any answer."""
    try:
        connection = open_connection(peer, timeouts)
    except Unreachable:
        return False
    kind = 0
    try:
        proposed = build_proposed_contexts([VERIFICATION], (IMPLICIT_VR_LITTLE_ENDIAN,))
        connection.send(
            encode_association_request(calling_ae_title, peer.ae_title, proposed, _MAXIMUM_LENGTH), timeouts.acse
        )
        kind, _ = connection.read_pdu(timeouts.acse)
    except (ConnectionClosed, PduTimeout):
        return False
    finally:
        # Abort an accepted association; any other answer has already ended it.
        connection.close(ABORT_PDU if kind == PduType.ASSOCIATE_AC else b"")
    return kind in _DICOM_PDU_TYPES


@dataclass(frozen=True)
class PeerEndpoint:
    """A peer to call, over TLS if ``tls`` is set.

    ``get_connection_name`` is the name for ``connection set``, ``""`` for none.
    """

    peer: Peer
    tls: bool = False
    get_connection_name: str = ""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port; several peers may have the same."""
        return self.peer.host.casefold(), self.peer.port


class CallStage(Enum):
    """The stages of a call, in this order."""

    TCP = "tcp"
    TLS = "tls"
    ASSOCIATION = "association"
    ECHO = "echo"


@dataclass(frozen=True)
class CallResult:
    """The result of a call: ``seconds`` until the response (association included) and the TLS session.

    For a failure, ``problem`` as a phrase, the ``failed_stage`` (None for an internal error), and the next step.
    ``is_rejected`` is true if the peer rejected the association.
    """

    seconds: float = 0
    _: KW_ONLY
    problem: str = ""
    failed_stage: CallStage | None = None
    next_step: str = ""
    tls_session: TlsSession | None = None
    is_rejected: bool = False

    @property
    def is_success(self) -> bool:
        """Whether the C-ECHO succeeded."""
        return not self.problem

    @property
    def is_reached(self) -> bool:
        """Whether there was a TCP connection."""
        return self.failed_stage is not CallStage.TCP


def call_peer(
    endpoint: PeerEndpoint, calling_ae_title: str, timeouts: DicomTimeouts, tls: ssl.SSLContext | None
) -> CallResult:
    """Return the result for *endpoint*, called as *calling_ae_title*, with *tls* if it is called over TLS.

    If the peer does not use the expected protocol, the other one is tested: TLS, or DICOM without TLS.
    """
    try:
        response = send_echo(endpoint.peer, calling_ae_title, timeouts, tls if endpoint.tls else None)
    except DcmcfgError as error:
        return _detect_other_protocol(endpoint, calling_ae_title, timeouts, error) or _create_failed_result(error)
    return CallResult(response.seconds, tls_session=response.tls_session)


def _detect_other_protocol(
    endpoint: PeerEndpoint, calling_ae_title: str, timeouts: DicomTimeouts, error: DcmcfgError
) -> CallResult | None:
    """Return the result for a peer with the other protocol; None if it does not use it, or *error* is specific."""
    match error:
        case TlsHandshakeFailed(speaks_tls=False) if speaks_dicom(endpoint.peer, calling_ae_title, timeouts):
            return CallResult(
                problem="no TLS: the peer uses DICOM without TLS at this port",
                failed_stage=CallStage.TLS,
                next_step=_suggest_protocol_fix(endpoint),
            )
        case RejectedTransient():
            # A rejection is an answer in DICOM. The next case would match it too, and test for TLS.
            return None
        case NotDicom() | TransientDicomError() if not endpoint.tls and speaks_tls(endpoint.peer, timeouts):
            return CallResult(
                problem="no association: the peer uses TLS at this port, but dcmcfg connected without TLS",
                failed_stage=CallStage.ASSOCIATION,
                next_step=_suggest_protocol_fix(endpoint),
            )
    return None


def _suggest_protocol_fix(endpoint: PeerEndpoint) -> str:
    """Return how to make *endpoint* and its configuration match."""
    if not endpoint.get_connection_name:
        return (
            "correct one of these settings: TLS on the peer, tls in the import file, or dicomTLSCipherSuite in the "
            "directory"
        )
    command = format_command("connection", "set", endpoint.get_connection_name, "--no-tls" if endpoint.tls else "--tls")
    return f"if the configuration in the directory is wrong: {command}"


def _create_failed_result(error: DcmcfgError) -> CallResult:
    match error:
        case Unreachable():
            return CallResult(problem=error.message, failed_stage=CallStage.TCP, next_step=error.next_step)
        case TlsHandshakeFailed():
            return CallResult(
                problem=_describe_tls_problem(error), failed_stage=CallStage.TLS, next_step=error.next_step
            )
        case EchoFailed():
            return CallResult(problem=error.message, failed_stage=CallStage.ECHO, next_step=error.next_step)
        case _:
            return CallResult(
                problem=error.message,
                failed_stage=CallStage.ASSOCIATION,
                next_step=error.next_step,
                is_rejected=isinstance(error, RejectedPermanent | RejectedTransient),
            )


def _describe_tls_problem(error: TlsHandshakeFailed) -> str:
    """Return the TLS problem; "no TLS" only for a peer that does not use it."""
    if error.speaks_tls:
        return error.message.removeprefix("no association: ")
    # The test for plain DICOM sent something, so "nothing was sent" is no longer true.
    return f"no TLS: {error.message.removesuffix(NOTHING_SENT)}"
