"""LDAP transactions on the wire (RFC 5805): the requests and what their answers mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dcmcfg.changes import Change
from dcmcfg.directory.failures import SUCCESS, UNAVAILABLE_CRITICAL_EXTENSION, check
from dcmcfg.errors import DirectoryError

BEGIN = "1.3.6.1.1.21.1"
MEMBER = "1.3.6.1.1.21.2"
END = "1.3.6.1.1.21.3"

#: The assertion control, without which steps can be taken too (by a read before each).
ASSERTION = "1.3.6.1.1.12"

_SEQUENCE, _BOOLEAN, _INTEGER, _OCTET_STRING = 0x30, 0x01, 0x02, 0x04


class TransactionUnavailable(DirectoryError):
    """The server, or the database behind it, does no transactions; nothing has changed."""


def check_begun(answer: Mapping[str, Any], url: str) -> None:
    """Raise :class:`TransactionUnavailable` when none was begun; slapd's identifier, by the way, is empty."""
    if answer["result"] != SUCCESS:
        raise TransactionUnavailable("the server does no transactions", on=url)


def check_member(answer: Mapping[str, Any], on: str, member: Change | None, *, first: bool) -> None:
    """Raise the error of a *member* that was refused, or that failed at the commit (None when not known which).

    A database without transactions says so only here, by result 12 (OpenLDAP's back-ldif). The same result of a later
    member with a critical control of its own is about that control: taking the steps one by one would end there too,
    with the first ones made.
    """
    own = any(control.critical and control.oid != ASSERTION for control in member.controls) if member else False
    if answer["result"] == UNAVAILABLE_CRITICAL_EXTENSION and (first or not own):
        raise TransactionUnavailable("the database does no transactions", on=on)
    check(answer, on)


def end_request(identifier: bytes, *, commit: bool) -> bytes:
    """Return the value of the request that ends a transaction: ``SEQUENCE { commit BOOLEAN, identifier }``."""
    decision = b"" if commit else bytes((_BOOLEAN, 1, 0))  # TRUE is the default, left out in DER
    body = decision + bytes((_OCTET_STRING, len(identifier))) + identifier
    return bytes((_SEQUENCE, len(body))) + body


def failed_message(value: bytes) -> int:
    """Return the message ID of the member that failed, from the value of the end response; -1 when not said."""
    if len(value) < 4 or value[0] != _SEQUENCE or value[1] >= 0x80 or value[2] != _INTEGER:
        return -1
    return int.from_bytes(value[4 : 4 + value[3]], "big", signed=True)
