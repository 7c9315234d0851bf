"""Requests in octets: another decoder reads the change that was meant."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ldap3.protocol.rfc4511 import LDAPMessage
from pyasn1.codec.ber import decoder

from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Operation, Rename
from dcmcfg.directory.messages import encode_change_request, encode_extended_request
from dcmcfg.dn import DN
from tests.ldif.strategies import changes

NUMBERS = st.sampled_from([1, 127, 128, 255, 256, 32768, 2**31 - 1])
OPERATIONS = (Operation.ADD, Operation.DELETE, Operation.REPLACE, Operation.INCREMENT)


def read_by_pyasn1(octets: bytes) -> Any:
    message, rest = decoder.decode(octets, asn1Spec=LDAPMessage())
    assert rest == b""
    return message


def octets_of(component: Any) -> list[bytes]:
    return [bytes(value) for value in component]


def as_requested(change: Change) -> object:
    """The request as plain values."""
    match change:
        case Add(entry):
            attributes = [(attribute.name.encode(), list(attribute.values)) for attribute in entry.attributes]
            return "addRequest", str(entry.dn).encode(), attributes
        case Modify(dn, modifications):
            steps = [
                (OPERATIONS.index(each.operation), each.name.encode(), list(each.values)) for each in modifications
            ]
            return "modifyRequest", str(dn).encode(), steps
        case Rename(dn, new_rdn, delete_old_rdn=delete_old_rdn, new_superior=new_superior):
            superior = None if new_superior is None else str(new_superior).encode()
            return "modDNRequest", str(dn).encode(), str(new_rdn).encode(), delete_old_rdn, superior
        case Delete(dn):
            return "delRequest", str(dn).encode()


def as_read(operation: Any) -> object:
    """The same of what pyasn1 read."""
    kind, request = operation.getName(), operation.getComponent()
    match kind:
        case "addRequest":
            attributes = [(bytes(each["type"]), octets_of(each["vals"])) for each in request["attributes"]]
            return kind, bytes(request["entry"]), attributes
        case "modifyRequest":
            return (
                kind,
                bytes(request["object"]),
                [
                    (
                        int(each["operation"]),
                        bytes(each["modification"]["type"]),
                        octets_of(each["modification"]["vals"]),
                    )
                    for each in request["changes"]
                ],
            )
        case "modDNRequest":
            given_superior = request["newSuperior"]
            superior = bytes(given_superior) if given_superior.hasValue() else None
            names = bytes(request["entry"]), bytes(request["newrdn"])
            return kind, *names, bool(request["deleteoldrdn"]), superior
        case _:
            return kind, bytes(request)


def controls_read(message: Any) -> list[tuple[bytes, bool, bytes | None]]:
    return [
        (
            bytes(each["controlType"]),
            bool(each["criticality"]),
            bytes(each["controlValue"]) if each["controlValue"].hasValue() else None,
        )
        for each in message["controls"]
    ]


@settings(max_examples=200)
@given(NUMBERS, changes)
def test_another_decoder_reads_the_change(number: int, change: Change) -> None:
    message = read_by_pyasn1(encode_change_request(number, change))
    assert int(message["messageID"]) == number
    assert as_read(message["protocolOp"]) == as_requested(change)
    controls = [(control.oid.encode(), control.critical, control.value) for control in change.controls]
    assert (controls_read(message) if message["controls"].hasValue() else []) == controls


def test_further_controls_follow_the_own_ones() -> None:
    own, member = Control("1.2.3"), Control("1.3.6.1.1.21.2", critical=True, value=b"")
    message = read_by_pyasn1(encode_change_request(7, Delete(DN.parse("cn=a"), (own,)), (member,)))
    assert controls_read(message) == [(b"1.2.3", False, None), (b"1.3.6.1.1.21.2", True, b"")]


def test_modifications_of_one_attribute_go_out_in_their_order() -> None:
    steps = tuple(Modification(Operation.ADD, name, (b"x",)) for name in ("cn", "description", "CN"))
    message = read_by_pyasn1(encode_change_request(1, Modify(DN.parse("cn=a"), steps)))
    sent = as_read(message["protocolOp"])
    assert sent == as_requested(Modify(DN.parse("cn=a"), steps))


@given(NUMBERS, st.none() | st.binary(max_size=300))
def test_another_decoder_reads_the_extended_request(number: int, value: bytes | None) -> None:
    message = read_by_pyasn1(encode_extended_request(number, "1.3.6.1.1.21.1", value))
    request = message["protocolOp"].getComponent()
    assert int(message["messageID"]) == number
    assert bytes(request["requestName"]) == b"1.3.6.1.1.21.1"
    assert (bytes(request["requestValue"]) if request["requestValue"].hasValue() else None) == value
