"""Encode requests that change the directory (RFC 4511 §4.6 to §4.9, §4.12), and decode their responses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dcmcfg.ber import (
    BOOLEAN,
    ENUMERATED,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    encode_element,
    encode_integer,
    read_element,
    read_elements,
)
from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Operation, Rename

#: The BER tags of requests (RFC 4511 §4.6 to §4.9, §4.12), and of their optional parts.
_MODIFY, _ADD, _DELETE, _MODIFY_DN, _EXTENDED = 0x66, 0x68, 0x4A, 0x6C, 0x77
_CONTROLS, _NEW_SUPERIOR, _REQUEST_NAME, _REQUEST_VALUE = 0xA0, 0x80, 0x80, 0x81
_TRUE, _FALSE = encode_element(BOOLEAN, b"\xff"), encode_element(BOOLEAN, b"\x00")
_OPERATIONS = {
    Operation.ADD: encode_element(ENUMERATED, b"\x00"),
    Operation.DELETE: encode_element(ENUMERATED, b"\x01"),
    Operation.REPLACE: encode_element(ENUMERATED, b"\x02"),
    Operation.INCREMENT: encode_element(ENUMERATED, b"\x03"),  # RFC 4525 §3
}


def encode_change_request(message_id: int, change: Change, more: Sequence[Control] = ()) -> bytes:
    """Return the LDAPMessage *message_id* that requests *change*, with its own controls followed by *more*."""
    return _encode_message(message_id, _encode_operation(change), (*change.controls, *more))


def encode_extended_request(message_id: int, name: str, value: bytes | None = None) -> bytes:
    """Return the LDAPMessage *message_id* that requests the extended operation *name* (an OID)."""
    request = encode_element(_REQUEST_NAME, name.encode("ascii"))
    if value is not None:
        request += encode_element(_REQUEST_VALUE, value)
    return _encode_message(message_id, encode_element(_EXTENDED, request), ())


def _encode_message(number: int, operation: bytes, controls: Iterable[Control]) -> bytes:
    attached = b"".join(map(_encode_control, controls))
    tail = encode_element(_CONTROLS, attached) if attached else b""
    return encode_element(SEQUENCE, encode_integer(number) + operation + tail)


def _encode_operation(change: Change) -> bytes:
    match change:
        case Add(entry):
            attributes = b"".join(_encode_attribute(attribute.name, attribute.values) for attribute in entry.attributes)
            return encode_element(_ADD, _encode_text(str(entry.dn)) + encode_element(SEQUENCE, attributes))
        case Modify(dn, modifications):
            steps = b"".join(map(_encode_modification, modifications))
            return encode_element(_MODIFY, _encode_text(str(dn)) + encode_element(SEQUENCE, steps))
        case Rename(dn, new_rdn, delete_old_rdn=delete_old_rdn, new_superior=new_superior):
            names = _encode_text(str(dn)) + _encode_text(str(new_rdn)) + (_TRUE if delete_old_rdn else _FALSE)
            superior = b"" if new_superior is None else encode_element(_NEW_SUPERIOR, str(new_superior).encode())
            return encode_element(_MODIFY_DN, names + superior)
        case Delete(dn):
            return encode_element(_DELETE, str(dn).encode())


def _encode_modification(modification: Modification) -> bytes:
    step = _OPERATIONS[modification.operation] + _encode_attribute(modification.name, modification.values)
    return encode_element(SEQUENCE, step)


def _encode_attribute(name: str, values: Iterable[bytes]) -> bytes:
    encoded = b"".join([encode_element(OCTET_STRING, value) for value in values])
    return encode_element(SEQUENCE, _encode_text(name) + encode_element(SET, encoded))


def _encode_control(control: Control) -> bytes:
    content = _encode_text(control.oid)
    if control.critical:  # FALSE is the default, which is omitted
        content += _TRUE
    if control.value is not None:
        content += encode_element(OCTET_STRING, control.value)
    return encode_element(SEQUENCE, content)


def _encode_text(text: str) -> bytes:
    return encode_element(OCTET_STRING, text.encode())


#: The message ID of unsolicited notifications of the server (RFC 4511 §4.4).
UNSOLICITED_MESSAGE_ID = 0
_RESULTS = frozenset({0x67, 0x69, 0x6B, 0x6D})  # modify, add, delete, modify DN
_EXTENDED_RESPONSE, _REFERRAL, _RESPONSE_NAME, _RESPONSE_VALUE = 0x78, 0xA3, 0x8A, 0x8B
#: Far more than any response to a change. A larger length is garbage, and waiting for the message would never end.
_MAXIMUM_LENGTH = 1 << 24


@dataclass(frozen=True, kw_only=True)
class LdapResponse:
    """An LDAPResult; for an extended response, also its name and value (None if missing)."""

    message_id: int
    result_code: int
    matched_dn: str = ""
    message: str = ""
    referrals: tuple[str, ...] = ()
    name: str | None = None
    value: bytes | None = None


class InvalidResponse(ValueError):
    """Octets that are not an LDAP response to a change."""


class ResponseBuffer:
    """The received octets of responses that were not returned yet."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._needed = 0  # the number of octets that the first message requires

    def add(self, octets: bytes) -> None:
        """Append received octets."""
        self._octets += octets

    def pop_responses(self) -> list[LdapResponse]:
        """Remove and return the complete responses; raises :class:`InvalidResponse`."""
        responses: list[LdapResponse] = []
        if len(self._octets) < self._needed:
            return responses
        start = 0
        while (end := _find_message_end(self._octets, start)) is not None and end <= len(self._octets):
            responses.append(parse_response(bytes(self._octets[start:end])))
            start = end
        self._needed = 0 if end is None else end - start
        del self._octets[:start]
        return responses


def parse_response(message: bytes) -> LdapResponse:
    """Return the response in *message*, one complete LDAPMessage; raises :class:`InvalidResponse`."""
    try:
        return _decode_response(message)
    except ValueError as error:
        raise InvalidResponse(str(error)) from error


def _decode_response(message: bytes) -> LdapResponse:
    _, content, _ = read_element(message)
    # The padding gives a message with missing elements tags that the check below refuses.
    (number_tag, number), (kind, operation), *_ = [*read_elements(content), (0, b""), (0, b"")]
    if number_tag != INTEGER or (kind not in _RESULTS and kind != _EXTENDED_RESPONSE):
        raise ValueError(f"the server sent a message of type {kind:#x} instead of the response to a change")
    (code_tag, code), (dn_tag, dn), (text_tag, text), *more = [*read_elements(operation), *[(0, b"")] * 3]
    if (code_tag, dn_tag, text_tag) != (ENUMERATED, OCTET_STRING, OCTET_STRING):
        raise ValueError(
            "the response must have a resultCode, a matchedDN and a diagnosticMessage, but one of them is missing"
        )
    optional = dict(more)
    name = optional.get(_RESPONSE_NAME)
    return LdapResponse(
        message_id=int.from_bytes(number, "big", signed=True),
        result_code=int.from_bytes(code, "big", signed=True),
        matched_dn=dn.decode("utf-8", "replace"),
        message=text.decode("utf-8", "replace"),
        referrals=tuple(uri.decode("utf-8", "replace") for _, uri in read_elements(optional.get(_REFERRAL, b""))),
        name=name.decode("utf-8", "replace") if name is not None else None,
        value=optional.get(_RESPONSE_VALUE),
    )


def _find_message_end(data: bytes | bytearray, start: int) -> int | None:
    """Return the end of the message that starts at *start*, or None if its length has not arrived yet."""
    if start >= len(data):
        return None
    if data[start] != SEQUENCE:
        raise InvalidResponse(f"a message begins with {data[start]:#x}")
    if len(data) < start + 2:
        return None
    length = data[start + 1]
    if length < 0x80:
        return start + 2 + length
    octets = length & 0x7F
    if len(data) < start + 2 + octets:
        return None
    length = int.from_bytes(data[start + 2 : start + 2 + octets], "big")
    # LDAP allows no indefinite lengths (RFC 4511 §5.1).
    if not octets or length > _MAXIMUM_LENGTH:
        raise InvalidResponse("a message has an invalid length")
    return start + 2 + octets + length
