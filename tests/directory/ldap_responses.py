"""Answers of an LDAP server in octets, to be sent by a test."""

from __future__ import annotations

from dcmcfg.ber import ENUMERATED, OCTET_STRING, SEQUENCE, encode_element, encode_integer

ADDED, MODIFIED, RENAMED, DELETED, EXTENDED = 0x69, 0x67, 0x6D, 0x6B, 0x78
NOTICE_OF_DISCONNECTION = "1.3.6.1.4.1.1466.20036"


def answer(
    number: int,
    code: int = 0,
    *,
    kind: int = MODIFIED,
    matched: str = "",
    message: str = "",
    referrals: tuple[str, ...] = (),
    name: str | None = None,
    value: bytes | None = None,
) -> bytes:
    """Return one LDAPMessage with an LDAPResult (RFC 4511 §4.1.9)."""
    result = encode_element(ENUMERATED, bytes((code,)))
    result += encode_element(OCTET_STRING, matched.encode()) + encode_element(OCTET_STRING, message.encode())
    if referrals:
        result += encode_element(0xA3, b"".join(encode_element(OCTET_STRING, each.encode()) for each in referrals))
    if name is not None:
        result += encode_element(0x8A, name.encode())
    if value is not None:
        result += encode_element(0x8B, value)
    return encode_element(SEQUENCE, encode_integer(number) + encode_element(kind, result))
