"""A storage SCU made of octets, for what no library would send."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from dcmcfg.dicom.peer import Peer
from tests.patience import PATIENCE_S

CT = b"1.2.840.10008.5.1.4.1.1.2"
IMPLICIT = b"1.2.840.10008.1.2"
STUDY = b"1.2.3"
RELEASE = b"\5\0\0\0\0\4\0\0\0\0"


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def context(number: int, abstract: bytes = CT, *syntaxes: bytes) -> bytes:
    return item(0x20, bytes((number, 0, 0, 0)) + item(0x30, abstract) + b"".join(item(0x40, x) for x in syntaxes))


def pdu(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxL", kind, len(content)) + content


def associate(
    called: bytes = b"STORESCP",
    *,
    contexts: Sequence[bytes] = (context(1, CT, IMPLICIT),),
    user: bytes = item(0x51, b"\0\0\0\0") + item(0x52, b"1.2.3"),
    version: int = 1,
    name: bytes = b"1.2.840.10008.3.1.1.1",
) -> bytes:
    fixed = struct.pack(">Hxx16s16s32x", version, called.ljust(16), b"RAW".ljust(16))
    return pdu(1, fixed + item(0x10, name) + b"".join(contexts) + item(0x50, user))


def element(group: int, number: int, value: bytes) -> bytes:
    padded = value + b"\0" * (len(value) % 2)
    return struct.pack("<HHL", group, number, len(padded)) + padded


def command(elements: Mapping[int, bytes | int]) -> bytes:
    """Return a command set; numbers are of two octets."""
    encoded = b"".join(
        element(0, number, struct.pack("<H", value) if isinstance(value, int) else value)
        for number, value in sorted(elements.items())
    )
    return element(0, 0, struct.pack("<L", len(encoded))) + encoded


def store(uid: bytes = b"1.2.3.1", **other: int) -> bytes:
    """Return the command set of a C-STORE."""
    return command({0x0002: CT, 0x0100: 1, 0x0110: 7, 0x0700: 0, 0x0800: 1, 0x1000: uid})


def data_set(uid: bytes = b"1.2.3.1", study: bytes = STUDY) -> bytes:
    return element(8, 0x16, CT) + element(8, 0x18, uid) + element(0x20, 0xD, study) + element(0x20, 0x10, b"1")


def value(content: bytes, *, is_command: bool, is_last: bool = True, context_id: int = 1) -> bytes:
    """Return a presentation data value."""
    return struct.pack(">LBB", len(content) + 2, context_id, is_command + 2 * is_last) + content


def p_data(*values: bytes) -> bytes:
    return pdu(4, b"".join(values))


def stored(uid: bytes = b"1.2.3.1", *, context_id: int = 1) -> bytes:
    """Return a whole C-STORE in one PDU."""
    return p_data(
        value(store(uid), is_command=True, context_id=context_id),
        value(data_set(uid), is_command=False, context_id=context_id),
    )


class RawScu:
    """A connection; what comes back is read PDU by PDU."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.send = connection.sendall
        self.close = connection.close

    def pdu(self) -> tuple[int, bytes]:
        """Return type and content of the next PDU; (0, b"") where the other side has closed."""
        head = self._octets(6)
        if len(head) < 6:
            return 0, b""
        kind, length = struct.unpack(">BxL", head)
        return kind, self._octets(length)

    def associated(self, request: bytes = associate()) -> RawScu:
        """Have the association accepted."""
        self.send(request)
        kind, _ = self.pdu()
        assert kind == 2
        return self

    def status(self) -> int:
        """Return the status of the next response, which is in one PDU."""
        kind, content = self.pdu()
        assert kind == 4, (kind, content)
        place = content.index(struct.pack("<HHL", 0, 0x0900, 2))
        return int.from_bytes(content[place + 8 : place + 10], "little")

    def _octets(self, number: int) -> bytes:
        octets = b""
        while len(octets) < number:
            try:
                piece = self._connection.recv(number - len(octets))
            except ConnectionResetError:
                piece = b""
            if not piece:
                break
            octets += piece
        return octets


@contextmanager
def raw_scu(peer: Peer) -> Iterator[RawScu]:
    with socket.create_connection((peer.host, peer.port), timeout=PATIENCE_S) as connection:
        yield RawScu(connection)
