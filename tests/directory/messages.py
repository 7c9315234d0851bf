"""LDAP messages as a server would send them, encoded by ldap3's and pyasn1's own classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ldap3.protocol.rfc2696 import RealSearchControlValue
from ldap3.protocol.rfc4511 import (
    LDAPMessage,
    MessageID,
    ProtocolOp,
    SearchResultDone,
    SearchResultEntry,
    SearchResultReference,
)
from pyasn1.codec.ber.encoder import encode

NUMBER = 5


def entry(dn: bytes, attributes: Sequence[tuple[bytes, Sequence[bytes]]], number: int = NUMBER) -> bytes:
    found = SearchResultEntry()
    found["object"] = dn
    for index, (name, values) in enumerate(attributes):
        found["attributes"][index]["type"] = name
        found["attributes"][index]["vals"].extend(values)
    if not attributes:
        found["attributes"].clear()
    return _message("searchResEntry", found, number)


def entry_of(dn: str, attributes: Mapping[str, Sequence[bytes]]) -> bytes:
    return entry(dn.encode(), [(name.encode(), values) for name, values in attributes.items()])


def search_result_done(code: int = 0, message: str = "", *, matched: str = "", cookie: bytes | None = None) -> bytes:
    end = SearchResultDone()
    end["resultCode"] = code
    end["matchedDN"] = matched
    end["diagnosticMessage"] = message
    encoded = _message("searchResDone", end, NUMBER)
    if cookie is None:
        return encoded
    value = RealSearchControlValue()
    value["size"] = 0
    value["cookie"] = cookie
    name = element(0x04, b"1.2.840.113556.1.4.319")
    controls = element(0xA0, element(0x30, name + element(0x04, encode(value))))
    return element(0x30, contents(encoded) + controls)


def reference(*urls: str) -> bytes:
    found = SearchResultReference()
    found.extend(urls)
    return _message("searchResRef", found, NUMBER)


def notice_of_disconnection(message: bytes) -> bytes:
    oid = element(0x8A, b"1.3.6.1.4.1.1466.20036")
    result = element(0x0A, b"\x34") + element(0x04, b"") + element(0x04, message) + oid
    return element(0x30, element(0x02, b"\0") + element(0x78, result))


def element(tag: int, inside: bytes) -> bytes:
    """A BER element by hand, for what ldap3 has no class for."""
    if len(inside) < 128:
        return bytes((tag, len(inside))) + inside
    length = len(inside).to_bytes((len(inside).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 + len(length))) + length + inside


def contents(message: bytes) -> bytes:
    return message[2:] if message[1] < 128 else message[2 + message[1] - 128 :]


def in_pieces(octets: bytes, sizes: Iterable[int] = ()) -> Callable[[int], bytes]:
    """A connection from which *octets* come in pieces of *sizes*, the rest at once, and then nothing more."""
    pieces = []
    for size in sizes:
        pieces.append(octets[:size])
        octets = octets[size:]
    remaining = iter([piece for piece in (*pieces, octets) if piece])
    return lambda _: next(remaining, b"")


def _message(kind: str, operation: Any, number: int) -> bytes:
    message = LDAPMessage()
    message["messageID"] = MessageID(number)
    message["protocolOp"] = ProtocolOp().setComponentByName(kind, operation)
    return bytes(encode(message))
