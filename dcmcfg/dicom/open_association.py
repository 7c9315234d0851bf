"""Opening an association with a peer (PS3.8 §7.1)."""

from __future__ import annotations

import contextlib
import itertools
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.dicom.connect import connected, not_connected
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.uid_registry import name_of
from dcmcfg.dicom.ul.association import NOT_DICOM, Association, Ended, aborted
from dcmcfg.dicom.ul.command_set import Kind, request
from dcmcfg.dicom.ul.negotiation import Acceptance, Proposed, proposals, read_acceptance, request_pdu
from dcmcfg.dicom.ul.pdu import ABORT, PduType, Violation
from dcmcfg.dicom.ul.rejection import Rejection
from dcmcfg.dicom.ul.request import Request
from dcmcfg.dicom.ul.requested_connection import Lost, Stalled, Wire
from dcmcfg.dicom.ul.tls_failure import lost, next_step_over_tls
from dcmcfg.errors import DicomError, NotDicom, NotSecured, RejectedForNow, TryLater

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_PEER_LOG = "its own log says more"
_TRANSFER_SYNTAXES = (IMPLICIT, EXPLICIT)
_MAXIMUM_LENGTH = 1 << 16


@dataclass(frozen=True)
class OpenAssociation:
    """An association on which requests are made one after the other.

    After an error, and after a request without a final response, it is of no more use.
    """

    association: Association
    peer: Peer
    timeouts: Timeouts
    _message_ids: Iterator[int] = field(default_factory=lambda: itertools.cycle(range(1, 0x10000)), repr=False)
    _numbered: Mapping[Kind, Iterator[int]] = field(default_factory=dict, repr=False)  # by others

    @property
    def is_open(self) -> bool:
        """Whether requests can be made."""
        return self.association.is_open

    def with_patience(self, timeouts: Timeouts) -> OpenAssociation:
        """Return the same association, whose next requests wait as long as *timeouts* says."""
        return replace(self, timeouts=timeouts)

    def numbering(self, kind: Kind, message_ids: Iterator[int]) -> OpenAssociation:
        """Return the same association, whose next requests of *kind* have these Message IDs."""
        return replace(self, _numbered={**self._numbered, kind: message_ids})

    def offers(self, sop_class: str) -> bool:
        """Tell whether the peer accepted *sop_class*."""
        return any(each.abstract_syntax == sop_class for each in self.association.acceptance.contexts.values())

    def encoding_of(self, sop_class: str) -> str:
        """Return the transfer syntax for *sop_class*; raises :class:`DicomError` where the peer did not accept it."""
        return self.association.acceptance.contexts[self._context_id(sop_class)].transfer_syntax

    def send(
        self, kind: Kind, sop_class: str, values: Mapping[int, bytes] | None = None, data: bytes | None = None
    ) -> Request:
        """Send a request of *sop_class* with *values* more, and with the data set *data*; return it, on its way.

        Raises :class:`DicomError` where the association has ended, or the peer did not accept that SOP class.
        """
        if not self.is_open:
            raise self.failure()
        context_id = self._context_id(sop_class)
        message_id = next(self._numbered.get(kind, self._message_ids))
        command_set = request(kind, sop_class, message_id, values or {}, has_data_set=data is not None)
        try:
            self.association.send(context_id, command_set, data)
        except Ended as end:
            raise self.failure() from end
        return Request(self.association, kind, context_id, message_id)

    def failure(self, where: str = "", kind: type[DicomError] = TryLater) -> DicomError:
        """Return how the association ended as an error of *kind*, that of *where*."""
        what = f"{where}: {self.association.ending}" if where else self.association.ending
        return kind(what, on=str(self.peer), next_step=_PEER_LOG)

    def _context_id(self, sop_class: str) -> int:
        for number, each in self.association.acceptance.contexts.items():
            if each.abstract_syntax == sop_class:
                return number
        raise not_accepted([sop_class], self.peer)


@contextmanager
def associated(
    peer: Peer,
    calling: str,
    sop_classes: Sequence[str],
    timeouts: Timeouts,
    tls: ssl.SSLContext | None = None,
    *,
    relational: Sequence[str] = (),
) -> Iterator[OpenAssociation]:
    """Open an association as *calling* that offers *sop_classes* in Implicit and Explicit VR Little Endian.

    With *tls* (:meth:`~dcmcfg.dicom.tls.TlsFiles.client_context`) the connection is secured first. For the SOP classes
    *relational* relational queries are asked for. Released when the block ends, aborted when it raises. At least one
    presentation context is accepted. Raises :class:`DicomError` when the peer cannot be reached, rejects, aborts, keeps
    silent or accepts no context (:class:`TryLater` where it rejects for now, or ends the connection), and
    :class:`MalformedInput` for an AE title that is none.
    """
    parse_ae_title(calling)
    parse_ae_title(peer.ae_title)
    opened = _open(peer, calling, sop_classes, timeouts, tls, relational)
    try:
        yield opened
        opened.association.release()
    except BaseException:
        opened.association.abort("aborted")
        raise


def _open(
    peer: Peer,
    calling: str,
    sop_classes: Sequence[str],
    timeouts: Timeouts,
    tls: ssl.SSLContext | None,
    relational: Sequence[str],
) -> OpenAssociation:
    proposed = proposals(sop_classes, _TRANSFER_SYNTAXES)
    wire = opened_wire(peer, timeouts, tls)
    try:
        asked = request_pdu(calling, peer.ae_title, proposed, _MAXIMUM_LENGTH, relational)
        kind, answer = _answer(wire, asked, timeouts.acse, peer, tls)
        if kind in (PduType.ASSOCIATE_RJ, PduType.ABORT):
            wire.close()  # there is nobody left to abort
        acceptance = _accepted(kind, answer, proposed, calling, peer, tls)
    except BaseException:
        wire.close(ABORT)
        raise
    stall_s = min(timeouts.acse, timeouts.network)
    return OpenAssociation(Association(wire, acceptance, stall_s, timeouts.acse), peer, timeouts)


def opened_wire(peer: Peer, timeouts: Timeouts, tls: ssl.SSLContext | None = None) -> Wire:
    """Return a connection with *peer* for PDUs; raises what :func:`~dcmcfg.dicom.connect.connected` does."""
    connection = connected(peer, timeouts, tls)
    try:
        return Wire(connection)
    except OSError as error:  # no descriptors are left
        connection.close()
        raise not_connected(error, peer, timeouts) from error


def _answer(wire: Wire, asked: bytes, seconds: float, peer: Peer, tls: ssl.SSLContext | None) -> tuple[int, bytes]:
    """Return type and content of the PDU that answers the association request *asked* within *seconds*."""
    try:
        with contextlib.suppress(Lost):  # what the peer said before it left is to be read
            wire.send(asked, seconds)
        return wire.pdu(seconds)
    except Stalled as stalled:
        raise DicomError(
            f"no answer to the association request within {seconds:g} s",
            on=str(peer),
            next_step="is that a DICOM port (not TLS, not HTTP), and is the peer not stuck?",
        ) from stalled
    except Lost as over:
        raise _no_association(lost(over), peer, tls, TryLater) from over


def _accepted(
    kind: int, answer: bytes, proposed: Mapping[int, Proposed], calling: str, peer: Peer, tls: ssl.SSLContext | None
) -> Acceptance:
    match kind:
        case PduType.ASSOCIATE_AC:
            return _sensible(answer, proposed, peer, tls)
        case PduType.ASSOCIATE_RJ if len(answer) >= 4:
            rejection = Rejection(*answer[1:4])
            refused = RejectedForNow if rejection.is_for_now else DicomError
            raise refused(str(rejection), on=str(peer), next_step=rejection.look_at(calling, peer.ae_title))
        case PduType.ABORT:
            raise _no_association(aborted(answer), peer, tls, TryLater)
        case _:
            raise _no_association(NOT_DICOM, peer, tls, NotDicom)


def _sensible(answer: bytes, proposed: Mapping[int, Proposed], peer: Peer, tls: ssl.SSLContext | None) -> Acceptance:
    try:
        acceptance = read_acceptance(answer, proposed)
    except Violation as violation:
        raise _no_association(f"{NOT_DICOM} ({violation})", peer, tls, NotDicom) from violation
    if not acceptance.contexts:
        raise not_accepted([each.abstract_syntax for each in proposed.values()], peer)
    if any(each.transfer_syntax not in _TRANSFER_SYNTAXES for each in acceptance.contexts.values()):
        raise DicomError("the peer accepted a transfer syntax that was not offered", on=str(peer), next_step=_PEER_LOG)
    return acceptance


def _no_association(what: str, peer: Peer, tls: ssl.SSLContext | None, kind: type[DicomError]) -> DicomError:
    if over_tls := next_step_over_tls(what):
        return NotSecured(f"no association: {what}", on=str(peer), next_step=over_tls)
    port = "is that a DICOM port" if tls else "is that a plain DICOM port? --tls calls one with TLS"
    return kind(f"no association: {what}", on=str(peer), next_step=f"{port}; its own log says more")


def not_accepted(sop_classes: Sequence[str], peer: Peer) -> DicomError:
    """Return the error that *peer* took the association, but none of *sop_classes*."""
    refused = ", ".join(map(name_of, sop_classes))
    return DicomError(
        f"the association was accepted, but no presentation context ({refused})",
        on=str(peer),
        next_step=f"does {peer.ae_title} have that service? On a dcm4chee archive: a "
        "dicomTransferCapability with that dicomSOPClass, role SCP and Implicit VR Little Endian (or "
        "dcmShareTransferCapabilitiesFromAETitle)",
    )
