"""Request associations for lab processes, with the reason of a failure."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.pdu import A_RELEASE_RQ
from pynetdicom.pdu_primitives import A_ASSOCIATE, SOPClassExtendedNegotiation
from pynetdicom.presentation import PresentationContext

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.pynetdicom_fixes import ConnectionTrace, abort_association

CONNECT_TIMEOUT_S = 5.0
_PDU_TIMEOUT_S = 60.0


@dataclass
class AssociationFailed(Exception):
    """The association could not be established."""

    peer: Peer


class HostUnknown(AssociationFailed):
    """The host name does not resolve."""


class ConnectionRefused(AssociationFailed):
    """The connection was refused, or the network is unreachable."""


class ConnectTimedOut(AssociationFailed):
    """The peer did not respond in time."""


@dataclass
class TlsHandshakeFailed(AssociationFailed):
    """The TLS handshake failed with OpenSSL's ``ssl_error``."""

    ssl_error: ssl.SSLError


@dataclass
class AssociationRejected(AssociationFailed):
    """A-ASSOCIATE-RJ with its result, source and reason/diagnostic (PS3.8 9.3.4)."""

    result: int
    source: int
    reason: int


class NoContextAccepted(AssociationFailed):
    """No presentation context was accepted."""


class AssociationAborted(AssociationFailed):
    """The peer ended the association before it was established."""


def _end_wait_on_release(event: evt.Event) -> None:
    """End the wait for a DIMSE response if the peer requests a release instead; pynetdicom would keep waiting."""
    if isinstance(event.pdu, A_RELEASE_RQ):
        event.assoc.dimse.msg_queue.put((None, None))


@contextmanager
def open_association(
    calling_ae_title: str,
    peer: Peer,
    contexts: Sequence[PresentationContext],
    *,
    relational_sop_class: str = "",
    response_timeout_s: float | None = None,
    accept_timeout_s: float | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Association]:
    """Open an association with *peer* and release it at the end; after an error in the block, abort it.

    *relational_sop_class* is a SOP class UID for which relational queries are negotiated. *accept_timeout_s* is the
    time-out for the response to A-ASSOCIATE-RQ (None: :data:`CONNECT_TIMEOUT_S`), *response_timeout_s* for a DIMSE
    response (None: no limit). *tls* is the TLS context, if any. Raises :class:`AssociationFailed`.
    """
    entity = AE(ae_title=calling_ae_title)
    entity.connection_timeout = CONNECT_TIMEOUT_S
    entity.acse_timeout = accept_timeout_s or CONNECT_TIMEOUT_S
    entity.dimse_timeout = response_timeout_s
    # An association may be idle for as long as the external archive needs.
    entity.network_timeout = None
    trace = ConnectionTrace(_PDU_TIMEOUT_S)
    extension = [_make_relational_negotiation(relational_sop_class)] if relational_sop_class else []
    try:
        association = entity.associate(
            peer.host,
            peer.port,
            list(contexts),
            ae_title=peer.ae_title,
            ext_neg=list(extension),
            evt_handlers=[*trace.handlers, (evt.EVT_PDU_RECV, _end_wait_on_release)],
            tls_args=(trace.record_tls_errors(tls), peer.host) if tls is not None else None,
        )
    except (socket.gaierror, UnicodeError) as error:
        raise HostUnknown(peer) from error
    if not association.is_established:
        raise _make_failure(association, peer, trace)
    try:
        yield association
    except BaseException:
        abort_association(association)
        raise
    association.release()


class StoreNotSent(Exception):
    """An object could not be sent: no context was accepted for it, or the association has ended."""


def send_file(association: Association, path: Path, *, originator_ae_title: str, message_id: int) -> int | None:
    """Send an object by C-STORE for a C-MOVE; return the status, or None without response.

    Without response, the association has ended. Raises :class:`StoreNotSent`.
    """
    try:
        response = association.send_c_store(
            dcmread(path), originator_aet=originator_ae_title, originator_id=message_id, msg_id=message_id % 0xFFFF + 1
        )
    except (
        ValueError,
        RuntimeError,
        AttributeError,
    ) as error:  # no context accepted for it, association gone, not a composite object
        raise StoreNotSent from error
    status: int | None = response.get("Status")
    if status is None:
        abort_association(
            association
        )  # pynetdicom may not have noticed its end yet, and the next C-STORE would wait forever
    return status


class TransferSyntaxRecorder:
    """Records the transfer syntax (of the accepted context) in which an association last sent a C-STORE."""

    def __init__(self, association: Association) -> None:
        self.transfer_syntax_uid: str | None = None
        association.bind(evt.EVT_DIMSE_SENT, self._record)

    def _record(self, event: evt.Event) -> None:
        message = event.message
        if isinstance(message, C_STORE_RQ):
            accepted = (each for each in event.assoc.accepted_contexts if each.context_id == message.context_id)
            syntaxes = [str(uid) for each in accepted for uid in each.transfer_syntax]
            self.transfer_syntax_uid = syntaxes[0] if syntaxes else None


def _make_relational_negotiation(sop_class_uid: str) -> SOPClassExtendedNegotiation:
    item = SOPClassExtendedNegotiation()
    item.sop_class_uid = sop_class_uid
    item.service_class_application_information = b"\x01"
    return item


def _make_failure(association: Association, peer: Peer, trace: ConnectionTrace) -> AssociationFailed:
    response = association.acceptor.primitive
    # The response comes first: with a rejection, the connection was opened too.
    if isinstance(response, A_ASSOCIATE):
        if response.result:
            return AssociationRejected(peer, response.result, response.result_source or 0, response.diagnostic or 0)
        return NoContextAccepted(peer)
    if trace.was_opened:
        return AssociationAborted(peer)
    if isinstance(trace.connect_error, ssl.SSLError):
        return TlsHandshakeFailed(peer, trace.connect_error)
    return ConnectTimedOut(peer) if isinstance(trace.connect_error, TimeoutError) else ConnectionRefused(peer)
