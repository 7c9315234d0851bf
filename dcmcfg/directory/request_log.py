"""LDAP requests and results as lines of the protocol log, without values.

A request is described by its octets, so that the log shows the request that is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ldap3.core.results import RESULT_CODES

from dcmcfg.ber import OCTET_STRING, read_element, read_elements

LDAP = "ldap"
_MODIFY, _ADD, _DELETE, _MODIFY_DN, _EXTENDED = 0x66, 0x68, 0x4A, 0x6C, 0x77
_CONTROLS = 0xA0
_OPERATIONS = {_MODIFY: "modify", _ADD: "add", _DELETE: "delete", _MODIFY_DN: "modify DN", _EXTENDED: "extended"}
_MODIFICATIONS = {0: "add", 1: "delete", 2: "replace", 3: "increment"}
_OID_NAMES = {
    "1.3.6.1.1.12": "assertion",
    "1.3.6.1.1.21.1": "start transaction",
    "1.3.6.1.1.21.2": "transaction",
    "1.3.6.1.1.21.3": "end transaction",
    "1.3.6.1.4.1.4203.1.11.3": "Who am I?",
    "1.2.840.113556.1.4.319": "paged results",
    "2.16.840.1.113730.3.4.2": "ManageDsaIT",
}


@dataclass(frozen=True)
class RequestDescription:
    """A request in one line, and ``details``, a line each."""

    headline: str
    details: tuple[str, ...]


def format_result(code: int) -> str:
    """Return the name of a result code (RFC 4511 Appendix A), or its number."""
    return str(RESULT_CODES.get(code, f"result {code}"))


def format_oid(oid: str) -> str:
    """Return *oid* with its name, if it is known."""
    name = _OID_NAMES.get(oid)
    return f"{oid} ({name})" if name else oid


def describe_request(message: bytes) -> RequestDescription:
    """Describe the LDAPMessage *message*: operation, DN or OID, attributes and controls, but no values."""
    try:
        _, envelope, _ = read_element(message)
        (_, number), (tag, content), *rest = read_elements(envelope)
        message_id = int.from_bytes(number, "big")
        controls = [oid for kind, value in rest if kind == _CONTROLS for oid in _list_control_oids(value)]
        target, details = _describe_operation(tag, content)
    # A log must not make a request fail.
    except (ValueError, IndexError) as error:
        return RequestDescription(f"a request that cannot be described ({error})", ())
    control_details = [f"controls: {', '.join(map(format_oid, controls))}"] if controls else []
    return RequestDescription(
        f"{_OPERATIONS.get(tag, f'operation {tag:#04x}')} {target}",
        (f"message ID {message_id}, {len(message)} octets", *details, *control_details),
    )


def _describe_operation(tag: int, content: bytes) -> tuple[str, list[str]]:
    if tag == _DELETE:  # the whole content is the DN
        return quote_dn(_decode(content)), []
    elements = [value for _, value in read_elements(content)]
    name = _decode(elements[0])
    if tag == _EXTENDED:
        return format_oid(name), []
    if tag == _MODIFY:
        return quote_dn(name), [_describe_modification(step) for _, step in read_elements(elements[1])]
    if tag == _ADD:
        attributes = [_describe_attribute(each) for _, each in read_elements(elements[1])]
        return quote_dn(name), [f"attributes: {', '.join(attributes)}"]
    return f"{quote_dn(name)} to {', '.join(quote_dn(_decode(each)) for each in (elements[1], *elements[3:]))}", []


def _describe_modification(step: bytes) -> str:
    (_, operation), (_, attribute) = read_elements(step)
    kind = int.from_bytes(operation, "big")
    return f"{_MODIFICATIONS.get(kind, kind)} {_describe_attribute(attribute)}"


def _describe_attribute(attribute: bytes) -> str:
    (_, name), (_, values) = read_elements(attribute)
    # Values may be secrets, so only their number is logged.
    count = len(read_elements(values))
    return f"{_decode(name)} ({count} {'value' if count == 1 else 'values'})"


def _list_control_oids(controls: bytes) -> Iterator[str]:
    for _, control in read_elements(controls):
        tag, oid = read_elements(control)[0]
        if tag == OCTET_STRING:
            yield _decode(oid)


def quote_dn(dn: str) -> str:
    """Return *dn* in quotes, because a DN may be empty or contain spaces."""
    return f'"{dn}"'


def _decode(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")
