"""Requests that change the directory, as the octets that go to the server (RFC 4511 §4.6 to §4.9, §4.12)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dcmcfg.ber import BOOLEAN, ENUMERATED, OCTET_STRING, SEQUENCE, SET, element, integer
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
