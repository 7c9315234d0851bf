"""What is spoken at a port where nobody answered as was expected: TLS, or DICOM without it."""

from __future__ import annotations

import ssl

from dcmcfg.dicom.associate import IMPLICIT, opened_wire
from dcmcfg.dicom.echo import VERIFICATION
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.proposing import proposals, request_pdu
from dcmcfg.dicom.reach import connected
from dcmcfg.dicom.upper_layer import ABORT, PduType
from dcmcfg.dicom.wire import Lost, Stalled
from dcmcfg.errors import NotSecured, Unreachable

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
