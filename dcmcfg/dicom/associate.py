"""Opening an association with a peer (PS3.8 §7.1)."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_context
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.quiet import keep_quiet
from dcmcfg.dicom.reach import not_connected, not_resolved
from dcmcfg.dicom.rejection import Rejection
from dcmcfg.dicom.tls_failure import next_step_over_tls, no_handshake
from dcmcfg.dicom.trace import Trace
from dcmcfg.errors import DicomError, RejectedForNow, TryLater

_PEER_LOG = "its own log says more"
_TRANSFER_SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)
_ABORT_SECONDS = 1.0
_IDLE = "Sta1"  # PS3.8 Table 9-1


@dataclass(frozen=True)
class OpenAssociation:
    """An established association with what happens to it; :attr:`ending` says in words how it ended, if it did."""

    assoc: Association
    peer: Peer
    timeouts: Timeouts
    trace: Trace
    _message_ids: Iterator[int] = field(default_factory=lambda: itertools.cycle(range(1, 0x10000)), repr=False)

    def with_patience(self, timeouts: Timeouts) -> OpenAssociation:
        """Return the same association, whose next requests wait as long as *timeouts* says."""
        return replace(self, timeouts=timeouts)

    def next_message_id(self, sop_class: str) -> int:
        """Return the Message ID for a request of *sop_class*; from then on each response may take ``timeouts.dimse``.

        Raises :class:`DicomError` where the association has ended, or the peer did not accept that SOP class.
        """
        if not self.assoc.is_established:
            raise self.failure(0)
        if not self.offers(sop_class):
            raise not_accepted([sop_class], self.peer)
        self.assoc.dimse_timeout = self.timeouts.dimse
        message_id = next(self._message_ids)
        if self.trace.answers:
            self.trace.answers.awaited = message_id
        return message_id

    def offers(self, sop_class: str) -> bool:
        """Tell whether the peer accepted *sop_class*."""
        return any(context.abstract_syntax == sop_class for context in self.assoc.accepted_contexts)

    def ending(self, waited: float) -> str:
        """Return why no response came in *waited* seconds: aborted, connection lost or time-out, in words."""
        if waited >= self.timeouts.dimse:
            stray = self.trace.answers.stray if self.trace.answers else None
            instead = "" if stray is None else f", but an answer to a request that was never made (Message ID {stray})"
            return f"no response within {self.timeouts.dimse:g} s{instead}"
        return self.trace.ending or "the peer sent a response that is not DICOM"

    def failure(self, waited: float) -> DicomError:
        """Return :meth:`ending` as an error: a :class:`TryLater` where the peer ended it."""
        broke = self.trace.ending and waited < self.timeouts.dimse
        return (TryLater if broke else DicomError)(self.ending(waited), on=str(self.peer), next_step=_PEER_LOG)


@contextmanager
def associated(
    peer: Peer, calling: str, sop_classes: Sequence[str], timeouts: Timeouts, tls: ssl.SSLContext | None = None
) -> Iterator[OpenAssociation]:
    """Open an association as *calling* that offers *sop_classes* in Implicit and Explicit VR Little Endian.

    With *tls* (:meth:`~dcmcfg.dicom.tls.TlsFiles.client_context`) the connection is secured first. Requests may follow
    each other on it. Released when the block ends, aborted when it raises. At least one presentation context is
    accepted. Raises :class:`DicomError` when the peer cannot be reached, rejects, aborts, keeps silent or accepts no
    context (:class:`TryLater` where it rejects for now, or ends the connection), and :class:`MalformedInput` for an AE
    title that is none.
    """
    opened = _open(peer, calling, sop_classes, timeouts, tls)
    try:
        yield opened
        opened.assoc.release()
    except BaseException:
        abort(opened.assoc)
        raise


def abort(assoc: Association) -> None:
    """Abort *assoc*, in about a second at most even where the peer stopped in the middle of a PDU."""
    assoc.abort(block=False)
    deadline = time.monotonic() + _ABORT_SECONDS
    while assoc.dul.is_alive() and assoc.dul.state_machine.current_state != _IDLE and time.monotonic() < deadline:
        time.sleep(0.01)
    if assoc.dul.is_alive() and assoc.dul.socket and assoc.dul.socket.socket:
        # pynetdicom's thread may be waiting for the rest of a PDU; only the end of the connection wakes it.
        with contextlib.suppress(OSError):
            assoc.dul.socket.socket.shutdown(socket.SHUT_RDWR)
    assoc.kill()


def abort_all() -> None:
    """Abort every association of this process, in about a second: pynetdicom's threads would keep it alive."""
    running = [each.assoc for each in threading.enumerate() if isinstance(each, DULServiceProvider)]
    aborting = [threading.Thread(target=abort, args=(each,)) for each in running]
    for thread in aborting:
        thread.start()
    for thread in aborting:
        thread.join()


def _open(
    peer: Peer, calling: str, sop_classes: Sequence[str], timeouts: Timeouts, tls: ssl.SSLContext | None
) -> OpenAssociation:
    keep_quiet()
    trace = Trace(min(timeouts.acse, timeouts.network), (tls, peer.host) if tls else None)
    started = time.monotonic()
    try:
        assoc = _request(peer, calling, sop_classes, timeouts, trace)
    except (OSError, UnicodeError) as error:
        raise not_resolved(error, peer) from error
    except BaseException:  # Ctrl-C while waiting: pynetdicom's thread would keep the process alive
        if trace.assoc is not None:
            abort(trace.assoc)
        raise
    if not assoc.is_established:
        raise _not_established(assoc, trace, peer, calling, timeouts, time.monotonic() - started)
    if any(context.transfer_syntax[0] not in _TRANSFER_SYNTAXES for context in assoc.accepted_contexts):
        abort(assoc)
        raise DicomError("the peer accepted a transfer syntax that was not offered", on=str(peer), next_step=_PEER_LOG)
    return OpenAssociation(assoc, peer, timeouts, trace)


def _request(peer: Peer, calling: str, sop_classes: Sequence[str], timeouts: Timeouts, trace: Trace) -> Association:
    entity = AE(parse_ae_title(calling))
    entity.connection_timeout = timeouts.connect
    entity.acse_timeout = timeouts.acse
    entity.dimse_timeout = timeouts.dimse
    entity.network_timeout = None  # it would end an association that is idle between two requests of ours
    return entity.associate(
        peer.host,
        peer.port,
        contexts=[build_context(uid, [*_TRANSFER_SYNTAXES]) for uid in sop_classes],
        ae_title=parse_ae_title(peer.ae_title),
        evt_handlers=trace.handlers,
    )


def _not_established(
    assoc: Association, trace: Trace, peer: Peer, calling: str, timeouts: Timeouts, waited: float
) -> DicomError:
    if trace.tls_error is not None:
        return no_handshake(trace.tls_error, peer, timeouts.connect)
    if not trace.opened:
        return not_connected(trace.connect_error, peer, timeouts)
    answer = assoc.acceptor.primitive
    if answer is not None and answer.result:
        rejection = Rejection(answer.result, answer.result_source or 0, answer.diagnostic or 0)
        kind = RejectedForNow if rejection.is_for_now else DicomError
        return kind(str(rejection), on=str(peer), next_step=rejection.look_at(calling, peer.ae_title))
    if answer is not None and answer.result == 0 and not assoc.accepted_contexts:
        return not_accepted([context.abstract_syntax or "" for context in assoc.rejected_contexts], peer)
    if waited >= timeouts.acse:
        return DicomError(
            f"no answer to the association request within {timeouts.acse:g} s",
            on=str(peer),
            next_step="is that a DICOM port (not TLS, not HTTP), and is the peer not stuck?",
        )
    what = trace.ending or "the peer's answer to the association request is not DICOM"
    over_tls = next_step_over_tls(what)
    port = "is that a DICOM port" if trace.tls_socket else "is that a plain DICOM port? verify --tls calls one with TLS"
    next_step = over_tls or f"{port}; its own log says more"
    kind = TryLater if trace.ending and not over_tls else DicomError
    return kind(f"no association: {what}", on=str(peer), next_step=next_step)


def not_accepted(sop_classes: Sequence[str], peer: Peer) -> DicomError:
    """Return the error that *peer* took the association, but none of *sop_classes*."""
    refused = ", ".join(UID(sop_class).name for sop_class in sop_classes)
    return DicomError(
        f"the association was accepted, but no presentation context ({refused})",
        on=str(peer),
        next_step=f"does {peer.ae_title} have that service? On a dcm4chee archive: a "
        "dicomTransferCapability with that dicomSOPClass, role SCP and Implicit VR Little Endian (or "
        "dcmShareTransferCapabilitiesFromAETitle)",
    )
