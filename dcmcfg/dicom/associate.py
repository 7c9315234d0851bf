"""Opening an association with a peer (PS3.8 §7.1)."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, build_context
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.quiet import keep_quiet
from dcmcfg.dicom.reach import not_connected, not_resolved
from dcmcfg.dicom.rejection import Rejection
from dcmcfg.dicom.trace import Trace
from dcmcfg.errors import DicomError

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

    def ending(self, waited: float) -> str:
        """Return why no response came in *waited* seconds: aborted, connection lost or time-out, in words."""
        if waited >= self.timeouts.dimse:
            return f"no response within {self.timeouts.dimse:g} s"
        return self.trace.ending or "the peer sent a response that is not DICOM"

    def failure(self, waited: float) -> DicomError:
        """Return :meth:`ending` as an error."""
        return DicomError(self.ending(waited), on=str(self.peer), next_step=_PEER_LOG)


@contextmanager
def associated(peer: Peer, calling: str, sop_classes: Sequence[str], timeouts: Timeouts) -> Iterator[OpenAssociation]:
    """Open an association as *calling* that offers *sop_classes* in Implicit and Explicit VR Little Endian.

    Released when the block ends, aborted when it raises. At least one presentation context is accepted.
    Raises :class:`DicomError` when the peer cannot be reached, rejects, aborts, keeps silent or accepts no
    context, and :class:`MalformedInput` for an AE title that is none.
    """
    opened = _open(peer, calling, sop_classes, timeouts)
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


def _open(peer: Peer, calling: str, sop_classes: Sequence[str], timeouts: Timeouts) -> OpenAssociation:
    keep_quiet()
    trace = Trace(stall_seconds=min(timeouts.acse, timeouts.network))
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
    entity.network_timeout = timeouts.network
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
    if not trace.opened:
        return not_connected(trace.connect_error, peer, timeouts)
    answer = assoc.acceptor.primitive
    if answer is not None and answer.result:
        rejection = Rejection(answer.result, answer.result_source or 0, answer.diagnostic or 0)
        return DicomError(str(rejection), on=str(peer), next_step=rejection.look_at(calling, peer.ae_title))
    if answer is not None and answer.result == 0 and not assoc.accepted_contexts:
        refused = ", ".join(UID(context.abstract_syntax or "").name for context in assoc.rejected_contexts)
        return DicomError(
            f"the association was accepted, but no presentation context ({refused})",
            on=str(peer),
            next_step=f"does {peer.ae_title} have that service? On a dcm4chee archive: a "
            "dicomTransferCapability with that dicomSOPClass, role SCP and Implicit VR Little Endian (or "
            "dcmShareTransferCapabilitiesFromAETitle)",
        )
    if waited >= timeouts.acse:
        return DicomError(
            f"no answer to the association request within {timeouts.acse:g} s",
            on=str(peer),
            next_step="is that a DICOM port (not TLS, not HTTP), and is the peer not stuck?",
        )
    what = trace.ending or "the peer's answer to the association request is not DICOM"
    return DicomError(
        f"no association: {what}", on=str(peer), next_step="is that a plain DICOM port? Its own log says more"
    )
