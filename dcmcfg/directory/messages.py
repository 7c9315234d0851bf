"""Requests that change the directory, as the octets that go to the server (RFC 4511 §4.6 to §4.9, §4.12).

Answers to requests that change the directory, from the octets that the server sent (RFC 4511 §4.1.9, §4.12).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dcmcfg.ber import BOOLEAN, ENUMERATED, INTEGER, OCTET_STRING, SEQUENCE, SET, element, elements, integer, split
from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Operation, Rename

_MODIFY, _ADD, _DELETE, _MODIFY_DN, _EXTENDED = 0x66, 0x68, 0x4A, 0x6C, 0x77
_CONTROLS, _NEW_SUPERIOR, _REQUEST_NAME, _REQUEST_VALUE = 0xA0, 0x80, 0x80, 0x81
_TRUE, _FALSE = element(BOOLEAN, b"\xff"), element(BOOLEAN, b"\x00")
_OPERATIONS = {
    Operation.ADD: element(ENUMERATED, b"\x00"),
    Operation.DELETE: element(ENUMERATED, b"\x01"),
    Operation.REPLACE: element(ENUMERATED, b"\x02"),
    Operation.INCREMENT: element(ENUMERATED, b"\x03"),  # RFC 4525 §3
}


def change_request(number: int, change: Change, more: Sequence[Control] = ()) -> bytes:
    """Return the LDAPMessage *number* that asks for *change*, with its own controls and then *more*."""
    return _message(number, _operation(change), (*change.controls, *more))


def extended_request(number: int, name: str, value: bytes | None = None) -> bytes:
    """Return the LDAPMessage *number* that asks for the extended operation *name* (an OID)."""
    request = element(_REQUEST_NAME, name.encode("ascii"))
    if value is not None:
        request += element(_REQUEST_VALUE, value)
    return _message(number, element(_EXTENDED, request), ())


def _message(number: int, operation: bytes, controls: Iterable[Control]) -> bytes:
    attached = b"".join(map(_control, controls))
    tail = element(_CONTROLS, attached) if attached else b""
    return element(SEQUENCE, integer(number) + operation + tail)


def _operation(change: Change) -> bytes:
    match change:
        case Add(entry):
            attributes = b"".join(_attribute(attribute.name, attribute.values) for attribute in entry.attributes)
            return element(_ADD, _text(str(entry.dn)) + element(SEQUENCE, attributes))
        case Modify(dn, modifications):
            steps = b"".join(map(_modification, modifications))
            return element(_MODIFY, _text(str(dn)) + element(SEQUENCE, steps))
        case Rename(dn, new_rdn, delete_old_rdn, new_superior):
            names = _text(str(dn)) + _text(str(new_rdn)) + (_TRUE if delete_old_rdn else _FALSE)
            superior = b"" if new_superior is None else element(_NEW_SUPERIOR, str(new_superior).encode())
            return element(_MODIFY_DN, names + superior)
        case Delete(dn):
            return element(_DELETE, str(dn).encode())


def _modification(modification: Modification) -> bytes:
    step = _OPERATIONS[modification.operation] + _attribute(modification.name, modification.values)
    return element(SEQUENCE, step)


def _attribute(name: str, values: Iterable[bytes]) -> bytes:
    held = b"".join([element(OCTET_STRING, value) for value in values])
    return element(SEQUENCE, _text(name) + element(SET, held))


def _control(control: Control) -> bytes:
    content = _text(control.oid)
    if control.critical:  # FALSE is the default, which is left out
        content += _TRUE
    if control.value is not None:
        content += element(OCTET_STRING, control.value)
    return element(SEQUENCE, content)


def _text(text: str) -> bytes:
    return element(OCTET_STRING, text.encode())


#: The message ID of what the server says unasked (RFC 4511 §4.4).
UNSOLICITED = 0
_RESULTS = frozenset({0x67, 0x69, 0x6B, 0x6D})  # modify, add, delete, modify DN
_EXTENDED_RESPONSE, _REFERRAL, _RESPONSE_NAME, _RESPONSE_VALUE = 0x78, 0xA3, 0x8A, 0x8B
#: Far beyond any answer to a change; a length above it is garbage, and waiting for so much would never end.
_LONGEST = 1 << 24


@dataclass(frozen=True)
class Response:
    """An LDAPResult, and of an extended response the name and value (None when not there)."""

    number: int
    result_code: int
    matched_dn: str = ""
    message: str = ""
    referrals: tuple[str, ...] = ()
    name: str | None = None
    value: bytes | None = None


class NotAnAnswer(ValueError):
    """Octets that are no LDAP answer to a change."""


class Incoming:
    """What has arrived of the server's answers and was not taken yet."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._needed = 0  # octets, before which the first message is not whole

    def add(self, octets: bytes) -> None:
        """Append what was received."""
        self._octets += octets

    def take(self) -> list[Response]:
        """Return the answers that have arrived whole; raises :class:`NotAnAnswer`."""
        found: list[Response] = []
        if len(self._octets) < self._needed:
            return found
        at = 0
        while (end := _end(self._octets, at)) is not None and end <= len(self._octets):
            found.append(response(bytes(self._octets[at:end])))
            at = end
        self._needed = 0 if end is None else end - at
        del self._octets[:at]
        return found


def response(message: bytes) -> Response:
    """Return the answer that *message*, one whole LDAPMessage, is; raises :class:`NotAnAnswer`."""
    try:
        return _response(message)
    except ValueError as error:
        raise NotAnAnswer(str(error)) from error


def _response(message: bytes) -> Response:
    _, content, _ = split(message)
    (number_tag, number), (kind, operation), *_ = [*elements(content), (0, b""), (0, b"")]
    if number_tag != INTEGER or (kind not in _RESULTS and kind != _EXTENDED_RESPONSE):
        raise ValueError(f"a message of kind {kind:#x} is no answer to a change")
    (code_tag, code), (dn_tag, dn), (text_tag, text), *more = [*elements(operation), *[(0, b"")] * 3]
    if (code_tag, dn_tag, text_tag) != (ENUMERATED, OCTET_STRING, OCTET_STRING):
        raise ValueError("an answer without result code, matched DN and message")
    optional = dict(more)
    name = optional.get(_RESPONSE_NAME)
    return Response(
        int.from_bytes(number, "big", signed=True),
        int.from_bytes(code, "big", signed=True),
        dn.decode("utf-8", "replace"),
        text.decode("utf-8", "replace"),
        tuple(uri.decode("utf-8", "replace") for _, uri in elements(optional.get(_REFERRAL, b""))),
        name.decode("utf-8", "replace") if name is not None else None,
        optional.get(_RESPONSE_VALUE),
    )


def _end(data: bytes | bytearray, at: int) -> int | None:
    """Return where the message that begins at *at* ends, or None when too little of it has arrived to tell."""
    if at >= len(data):
        return None
    if data[at] != SEQUENCE:
        raise NotAnAnswer(f"a message begins with {data[at]:#x}")
    if len(data) < at + 2:
        return None
    length = data[at + 1]
    if length < 0x80:
        return at + 2 + length
    octets = length & 0x7F
    if len(data) < at + 2 + octets:
        return None
    length = int.from_bytes(data[at + 2 : at + 2 + octets], "big")
    if not octets or length > _LONGEST:
        raise NotAnAnswer("a message has no sensible length")
    return at + 2 + octets + length
