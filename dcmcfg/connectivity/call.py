"""Calling a peer: how far one gets, and what helps where that is not far enough.

What is spoken at a port where nobody answered as was expected: TLS, or DICOM without it.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import Enum

from dcmcfg.dicom.connect import connected
from dcmcfg.dicom.echo import VERIFICATION, echo
from dcmcfg.dicom.open_association import IMPLICIT, opened_wire
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.peer_identity import Secured
from dcmcfg.dicom.ul.negotiation import proposals, request_pdu
from dcmcfg.dicom.ul.pdu import ABORT, PduType
from dcmcfg.dicom.ul.requested_connection import Lost, Stalled
from dcmcfg.dicom.ul.tls_failure import NOTHING_SENT
from dcmcfg.errors import DcmcfgError, NotDicom, NotEchoed, NotSecured, RejectedForNow, TryLater, Unreachable
from dcmcfg.route.command import command

_MAXIMUM_LENGTH = 1 << 14
_ANSWERS = frozenset({PduType.ASSOCIATE_AC, PduType.ASSOCIATE_RJ, PduType.ABORT})


def speaks_tls(peer: Peer, timeouts: Timeouts) -> bool:
    """Tell whether *peer* speaks TLS, by a handshake in which nothing is shown or believed, or sent after it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        connected(peer, timeouts, context).close()
    except NotSecured as error:
        return error.speaks_tls
    except Unreachable:
        return False
    return True


def speaks_dicom(peer: Peer, calling: str, timeouts: Timeouts) -> bool:
    """Tell whether *peer* answers an association request as *calling* without TLS, whatever it answers."""
    try:
        wire = opened_wire(peer, timeouts)
    except Unreachable:
        return False
    kind = 0
    try:
        proposed = proposals([VERIFICATION], (IMPLICIT,))
        wire.send(request_pdu(calling, peer.ae_title, proposed, _MAXIMUM_LENGTH), timeouts.acse)
        kind, _ = wire.pdu(timeouts.acse)
    except (Lost, Stalled):
        return False
    finally:
        wire.close(ABORT if kind == PduType.ASSOCIATE_AC else b"")
    return kind in _ANSWERS


@dataclass(frozen=True)
class Callee:
    """A peer to be called, with ``tls`` over TLS; ``connection`` is what ``connection set`` takes, ``""`` for none."""

    peer: Peer
    tls: bool = False
    connection: str = ""

    @property
    def address(self) -> tuple[str, int]:
        """Where it is; several may be at one address."""
        return self.peer.host.casefold(), self.peer.port


class Stage(Enum):
    """What one gets through on the way to an answer, in this order."""

    TCP = "tcp"
    TLS = "tls"
    ASSOCIATION = "association"
    ECHO = "echo"


@dataclass(frozen=True)
class Verdict:
    """The ``seconds`` until the answer, association included, and how the line was secured.

    Or the ``problem`` as a phrase, where it ``failed_at``, None for a fault of ours, and the next step.
    """

    seconds: float = 0
    problem: str = ""
    failed_at: Stage | None = None
    next_step: str = ""
    secured: Secured | None = None

    @property
    def answered(self) -> bool:
        """Whether the peer is as it should be, as far as a C-ECHO shows that."""
        return not self.problem

    @property
    def reached(self) -> bool:
        """Whether there was a TCP connection."""
        return self.failed_at is not Stage.TCP


def call(callee: Callee, calling: str, timeouts: Timeouts, tls: ssl.SSLContext | None) -> Verdict:
    """Return the verdict on *callee*, called as *calling*, with *tls* where it is to be called over TLS.

    A peer that does not speak what was expected is asked whether it speaks the other: TLS, or DICOM without it.
    """
    try:
        answered = echo(callee.peer, calling, timeouts, tls if callee.tls else None)
    except DcmcfgError as error:
        return _otherwise(callee, calling, timeouts, error) or _failed(error)
    return Verdict(answered.seconds, secured=answered.secured)


def _otherwise(callee: Callee, calling: str, timeouts: Timeouts, error: DcmcfgError) -> Verdict | None:
    """Return the verdict on a peer that speaks the other; None where it does not, or *error* says what it speaks."""
    match error:
        case NotSecured(speaks_tls=False) if speaks_dicom(callee.peer, calling, timeouts):
            return Verdict(
                problem="no TLS: the peer speaks DICOM without TLS there", failed_at=Stage.TLS, next_step=_alike(callee)
            )
        case RejectedForNow():
            return None
        case NotDicom() | TryLater() if not callee.tls and speaks_tls(callee.peer, timeouts):
            return Verdict(
                problem="no association: the peer speaks TLS there, and was called without",
                failed_at=Stage.ASSOCIATION,
                next_step=_alike(callee),
            )
    return None


def _alike(callee: Callee) -> str:
    """Return how *callee* and what is said of it are made alike."""
    if not callee.connection:
        return "the peer or what is said of it is wrong: tls in a file for onboard, dicomTLSCipherSuite in the tree"
    other = command("connection", "set", callee.connection, "--no-tls" if callee.tls else "--tls")
    return f"where it is the tree that is wrong: {other}"


def _failed(error: DcmcfgError) -> Verdict:
    match error:
        case Unreachable():
            return Verdict(problem=error.what, failed_at=Stage.TCP, next_step=error.next_step)
        case NotSecured():
            return Verdict(problem=_not_secured(error), failed_at=Stage.TLS, next_step=error.next_step)
        case NotEchoed():
            return Verdict(problem=error.what, failed_at=Stage.ECHO, next_step=error.next_step)
        case _:
            return Verdict(problem=error.what, failed_at=Stage.ASSOCIATION, next_step=error.next_step)


def _not_secured(error: NotSecured) -> str:
    """Return what is wrong with TLS; only of a peer that spoke none it is said that there is none."""
    if error.speaks_tls:
        return error.what.removeprefix("no association: ")
    return f"no TLS: {error.what.removesuffix(NOTHING_SENT)}"  # something was, to see whether DICOM is spoken
