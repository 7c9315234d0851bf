"""Open associations with a peer (PS3.8 §7.1)."""

from __future__ import annotations

import contextlib
import itertools
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field, replace

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.dicom.connect import open_socket, translate_connect_error
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.uid_registry import format_uid_name
from dcmcfg.dicom.ul.association import NOT_DICOM, Association, AssociationEnded, describe_abort
from dcmcfg.dicom.ul.association_log import DICOM, MessageLog, log_contexts
from dcmcfg.dicom.ul.command_set import CommandField, encode_request
from dcmcfg.dicom.ul.negotiation import (
    Acceptance,
    ProposedContext,
    build_proposed_contexts,
    encode_association_request,
    read_acceptance,
)
from dcmcfg.dicom.ul.pdu import ABORT_PDU, PduType, ProtocolViolation
from dcmcfg.dicom.ul.rejection import Rejection
from dcmcfg.dicom.ul.request import DimseRequest
from dcmcfg.dicom.ul.requested_connection import ConnectionClosed, PduTimeout, RequestedConnection
from dcmcfg.dicom.ul.tls_failure import describe_lost_connection, suggest_tls_fix
from dcmcfg.errors import (
    DicomError,
    NotDicom,
    RejectedPermanent,
    RejectedTransient,
    TlsHandshakeFailed,
    TransientDicomError,
)
from dcmcfg.protocol_log import PROTOCOL_LOG
from dcmcfg.well_known_uids import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

_PEER_LOG = "check the peer's log"
_TRANSFER_SYNTAXES = (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN)
_MAXIMUM_LENGTH = 1 << 16


@dataclass(frozen=True)
class OpenAssociation:
    """An association for requests, one after the other.

    After an error, or after a request without a final response, it cannot be used any more.
    """

    ul_association: Association
    peer: Peer
    timeouts: DicomTimeouts
    _: KW_ONLY
    # Message ID has two octets, so the numbers start again (PS3.7 Section 9.3).
    _message_ids: Iterator[int] = field(default_factory=lambda: itertools.cycle(range(1, 0x10000)), repr=False)
    # A caller may set the Message IDs for requests of a kind.
    _message_ids_by_kind: Mapping[CommandField, Iterator[int]] = field(default_factory=dict, repr=False)

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return self.ul_association.is_open

    def with_timeouts(self, timeouts: DicomTimeouts) -> OpenAssociation:
        """Return the same association with *timeouts* for its next requests."""
        return replace(self, timeouts=timeouts)

    def with_message_ids(self, kind: CommandField, message_ids: Iterator[int]) -> OpenAssociation:
        """Return the same association with these Message IDs for its next requests of *kind*."""
        return replace(self, _message_ids_by_kind={**self._message_ids_by_kind, kind: message_ids})

    def has_accepted(self, sop_class: str) -> bool:
        """Return whether the peer accepted *sop_class*."""
        return any(each.abstract_syntax == sop_class for each in self.ul_association.acceptance.contexts.values())

    def get_transfer_syntax(self, sop_class: str) -> str:
        """Return the transfer syntax for *sop_class*; raises :class:`DicomError` if the peer did not accept it."""
        return self.ul_association.acceptance.contexts[self._get_context_id(sop_class)].transfer_syntax

    def send(
        self,
        kind: CommandField,
        sop_class: str,
        elements: Mapping[int, bytes] | None = None,
        data_set: bytes | None = None,
    ) -> DimseRequest:
        """Send a request of *sop_class* with additional *elements* and *data_set*; return it without waiting.

        Raises :class:`DicomError` if the association has ended, or the peer did not accept the SOP class.
        """
        if not self.is_open:
            raise self.build_error()
        context_id = self._get_context_id(sop_class)
        message_id = next(self._message_ids_by_kind.get(kind, self._message_ids))
        command_set = encode_request(kind, sop_class, message_id, elements or {}, has_data_set=data_set is not None)
        try:
            self.ul_association.send(context_id, command_set, data_set)
        except AssociationEnded as end:
            raise self.build_error() from end
        return DimseRequest(self.ul_association, kind, context_id, message_id)

    def build_error(self, operation: str = "", error_type: type[DicomError] = TransientDicomError) -> DicomError:
        """Return the reason for the end of the association, during *operation*, as an error of *error_type*."""
        message = f"{operation}: {self.ul_association.end_reason}" if operation else self.ul_association.end_reason
        return error_type(message, subject=str(self.peer), next_step=_PEER_LOG)

    def _get_context_id(self, sop_class: str) -> int:
        for context_id, context in self.ul_association.acceptance.contexts.items():
            if context.abstract_syntax == sop_class:
                return context_id
        raise build_not_accepted_error([sop_class], self.peer)


@contextmanager
def open_association(
    peer: Peer,
    calling_ae_title: str,
    sop_classes: Sequence[str],
    timeouts: DicomTimeouts,
    *,
    tls: ssl.SSLContext | None = None,
    relational_sop_classes: Sequence[str] = (),
) -> Iterator[OpenAssociation]:
    """Open an association as *calling_ae_title* that offers *sop_classes* in Implicit and Explicit VR Little Endian.

    With *tls* (:meth:`~dcmcfg.dicom.tls.TlsFiles.client_context`), the connection is secured first. Relational queries
    are negotiated for *relational_sop_classes*. The association is released at the end of the block, and aborted if the
    block raises. At least one presentation context is accepted. Raises :class:`DicomError` if the peer cannot be
    reached, rejects, aborts, is silent or accepts no context (:class:`TransientDicomError` for a transient rejection or
    an ended connection), and :class:`~dcmcfg.errors.MalformedInput` for an invalid AE title.
    """
    parse_ae_title(calling_ae_title)
    parse_ae_title(peer.ae_title)
    association = _request_association(
        peer, calling_ae_title, sop_classes, timeouts=timeouts, tls=tls, relational_sop_classes=relational_sop_classes
    )
    try:
        yield association
        # The release is in the try block, so that Ctrl-C while it waits aborts the association.
        association.ul_association.release()
    except BaseException:
        association.ul_association.abort("aborted")
        raise


def _request_association(
    peer: Peer,
    calling_ae_title: str,
    sop_classes: Sequence[str],
    *,
    timeouts: DicomTimeouts,
    tls: ssl.SSLContext | None,
    relational_sop_classes: Sequence[str],
) -> OpenAssociation:
    proposed = build_proposed_contexts(sop_classes, _TRANSFER_SYNTAXES)
    label = f"{calling_ae_title} → {peer}"
    with _log_request(f"A-ASSOCIATE {label}{' over TLS' if tls else ''}"):
        connection, acceptance = _negotiate(
            peer,
            calling_ae_title,
            proposed,
            timeouts=timeouts,
            tls=tls,
            relational_sop_classes=relational_sop_classes,
        )
    message_log = None
    if PROTOCOL_LOG.level:
        log_contexts(
            {number: each.abstract_syntax for number, each in proposed.items()}, acceptance.contexts, format_uid_name
        )
        message_log = MessageLog(label)
    stall_timeout_s = min(timeouts.acse, timeouts.network)
    ul_association = Association(connection, acceptance, stall_timeout_s, timeouts.acse, message_log=message_log)
    return OpenAssociation(ul_association, peer, timeouts)


@contextmanager
def _log_request(request: str) -> Iterator[None]:
    """Log *request*, the association that the block requests, with its result."""
    if not PROTOCOL_LOG.level:
        yield
        return
    started, result = time.monotonic(), "failed"
    try:
        yield
        result = "accepted"
    except DicomError as error:
        result = error.message
        raise
    finally:
        PROTOCOL_LOG.log(DICOM, request, result, started)


def _negotiate(
    peer: Peer,
    calling_ae_title: str,
    proposed: Mapping[int, ProposedContext],
    *,
    timeouts: DicomTimeouts,
    tls: ssl.SSLContext | None,
    relational_sop_classes: Sequence[str],
) -> tuple[RequestedConnection, Acceptance]:
    """Return a connection with *peer*, and its acceptance of *proposed*."""
    connection = open_connection(peer, timeouts, tls)
    try:
        request = encode_association_request(
            calling_ae_title, peer.ae_title, proposed, _MAXIMUM_LENGTH, relational_sop_classes=relational_sop_classes
        )
        kind, response = _exchange_request(connection, request, timeouts.acse, peer=peer, tls=tls)
        if kind in (PduType.ASSOCIATE_RJ, PduType.ABORT):
            connection.close()  # The peer has ended the association, so there is nothing to abort.
        acceptance = _check_response(
            kind, response, proposed=proposed, calling_ae_title=calling_ae_title, peer=peer, tls=tls
        )
    except BaseException:
        connection.close(ABORT_PDU)
        raise
    return connection, acceptance


def open_connection(peer: Peer, timeouts: DicomTimeouts, tls: ssl.SSLContext | None = None) -> RequestedConnection:
    """Return a connection with *peer* for PDUs; raises the errors of :func:`~dcmcfg.dicom.connect.open_socket`."""
    connection = open_socket(peer, timeouts, tls)
    try:
        return RequestedConnection(connection)
    except OSError as error:  # The process has no file descriptors left.
        connection.close()
        raise translate_connect_error(error, peer, timeouts) from error


def _exchange_request(
    connection: RequestedConnection, request: bytes, seconds: float, *, peer: Peer, tls: ssl.SSLContext | None
) -> tuple[int, bytes]:
    """Return type and content of the PDU that answers the association request *request* within *seconds*."""
    try:
        with contextlib.suppress(ConnectionClosed):  # Read the peer's response even if it closed the connection.
            connection.send(request, seconds)
        return connection.read_pdu(seconds)
    except PduTimeout as timeout:
        raise DicomError(
            f"no answer to the association request within {seconds:g} s",
            subject=str(peer),
            next_step="check that this is a DICOM port (not TLS, not HTTP), and that the peer does not hang",
        ) from timeout
    except ConnectionClosed as closed:
        raise _build_association_error(describe_lost_connection(closed), peer, tls, TransientDicomError) from closed


def _check_response(
    kind: int,
    response: bytes,
    *,
    proposed: Mapping[int, ProposedContext],
    calling_ae_title: str,
    peer: Peer,
    tls: ssl.SSLContext | None,
) -> Acceptance:
    match kind:
        case PduType.ASSOCIATE_AC:
            return _read_valid_acceptance(response, proposed, peer, tls)
        case PduType.ASSOCIATE_RJ if len(response) >= 4:
            # The first octet is reserved (PS3.8 Table 9-21).
            rejection = Rejection(*response[1:4])
            error_type = RejectedTransient if rejection.is_transient else RejectedPermanent
            raise error_type(
                str(rejection), subject=str(peer), next_step=rejection.suggest_check(calling_ae_title, peer.ae_title)
            )
        case PduType.ABORT:
            raise _build_association_error(describe_abort(response), peer, tls, TransientDicomError)
        case _:
            raise _build_association_error(NOT_DICOM, peer, tls, NotDicom)


def _read_valid_acceptance(
    response: bytes, proposed: Mapping[int, ProposedContext], peer: Peer, tls: ssl.SSLContext | None
) -> Acceptance:
    try:
        acceptance = read_acceptance(response, proposed)
    except ProtocolViolation as violation:
        raise _build_association_error(f"{NOT_DICOM} ({violation})", peer, tls, NotDicom) from violation
    if not acceptance.contexts:
        raise build_not_accepted_error([each.abstract_syntax for each in proposed.values()], peer)
    if any(each.transfer_syntax not in _TRANSFER_SYNTAXES for each in acceptance.contexts.values()):
        raise DicomError(
            "the peer accepted a transfer syntax that was not offered", subject=str(peer), next_step=_PEER_LOG
        )
    return acceptance


def _build_association_error(
    message: str, peer: Peer, tls: ssl.SSLContext | None, kind: type[DicomError]
) -> DicomError:
    if tls_fix := suggest_tls_fix(message):
        return TlsHandshakeFailed(f"no association: {message}", subject=str(peer), next_step=tls_fix)
    question = "check that this is a DICOM port" if tls else "check that this is a plain DICOM port (for TLS use --tls)"
    return kind(f"no association: {message}", subject=str(peer), next_step=f"{question}; check the peer's log")


def build_not_accepted_error(sop_classes: Sequence[str], peer: Peer) -> DicomError:
    """Return the error for an association that *peer* accepted without any of *sop_classes*."""
    refused = ", ".join(map(format_uid_name, sop_classes))
    return DicomError(
        f"the peer accepted the association, but no presentation context ({refused})",
        subject=str(peer),
        next_step=(
            f"check that the AE {peer.ae_title} offers this service. On a dcm4chee archive, the AE must have a "
            "dicomTransferCapability with this dicomSOPClass, role SCP and Implicit VR Little Endian. The AE can also "
            "share the capability of another AE (dcmShareTransferCapabilitiesFromAETitle)"
        ),
    )
