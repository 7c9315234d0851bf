"""LDAP transactions (RFC 5805): the server applies several changes together or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from dcmcfg.ber import BOOLEAN, INTEGER, OCTET_STRING, SEQUENCE, encode_element, read_element, read_elements
from dcmcfg.changes import Change, Control, Modification, Modify, Operation
from dcmcfg.directory.exchange import Exchange
from dcmcfg.directory.failures import SUCCESS, UNAVAILABLE_CRITICAL_EXTENSION, raise_for_response
from dcmcfg.directory.messages import LdapResponse, encode_change_request, encode_extended_request
from dcmcfg.dn import DN
from dcmcfg.errors import DirectoryError
from dcmcfg.plan.waves import split_into_waves
from dcmcfg.schema.definitions import load_bundled_schema

START_TRANSACTION_OID = "1.3.6.1.1.21.1"
TRANSACTION_SPECIFICATION_OID = "1.3.6.1.1.21.2"
END_TRANSACTION_OID = "1.3.6.1.1.21.3"

#: The assertion control. Without it, steps can be applied too, with a read before each.
ASSERTION_CONTROL_OID = "1.3.6.1.1.12"

#: The maximum number of pending members: slapd closes a connection with 1,000 pending requests (conn_max_pending).
MAXIMUM_PENDING = 500

#: The delay before the end of a transaction. slapd 2.5 sends the response for a member before it has released the
#: member, and crashes if the end request frees the member at that moment. Without a delay, this happened in about one
#: of 300 transactions with two members; with a delay of 20 ms, in none of 15,000, on a loaded machine.
_END_DELAY_S = 0.05


_STEP_BY_STEP_HINT = "to apply the plan without a transaction: --step-by-step"

#: A value that no entry has.
NONEXISTENT_VALUE = b"dcmcfg 6a0b7f52-3c1e-4d0e-9d7e-5b8f1f0f7c11"


class TransactionUnavailable(DirectoryError):
    """The server or its database does not support transactions; nothing has changed."""


class _MemberFailed(Exception):
    """The server refused a member; the transaction is still open."""

    def __init__(self, response: LdapResponse) -> None:
        super().__init__(response.message)
        self.response = response


@dataclass(frozen=True)
class TransactionProbe:
    """A trial transaction: whether the database supports transactions, and the function that aborts it.

    ``is_isolated``: the transaction does not affect other connections, so the abort may be delayed. This is true for
    slapd, whose identifiers are empty. On ApacheDS, the abort also drops the members of another connection's
    transaction.
    """

    available: bool
    is_isolated: bool
    abort: Callable[[], object]


def probe_transactions(exchange: Exchange, dn: DN) -> TransactionProbe:
    """Start a trial transaction to determine whether the database of *dn* supports transactions.

    The root DSE describes the server only, not its databases. The only member deletes a value that no entry has, so it
    cannot be applied. Raises :class:`~dcmcfg.errors.DirectoryError`.
    """
    started = exchange.send_request(partial(encode_extended_request, name=START_TRANSACTION_OID))
    if started.result_code != SUCCESS:
        return TransactionProbe(available=False, is_isolated=True, abort=lambda: None)
    identifier = started.value or b""
    nothing = Modify(dn, (Modification(Operation.DELETE, "description", (NONEXISTENT_VALUE,)),))
    control = (Control(TRANSACTION_SPECIFICATION_OID, critical=True, value=identifier),)
    response = exchange.send_request(partial(encode_change_request, change=nothing, more=control))
    available = response.result_code != UNAVAILABLE_CRITICAL_EXTENSION
    return TransactionProbe(available, not identifier, partial(_end_transaction, exchange, identifier, commit=False))


def apply_in_transaction(exchange: Exchange, changes: Sequence[Change], url: str) -> None:
    """Apply *changes* in one transaction, with the same result as in order; after an error, nothing has changed.

    Raises :class:`TransactionUnavailable`, the :class:`DirectoryError` of the refused change, and
    :class:`~dcmcfg.errors.ConnectionLost`.
    """
    started = exchange.send_request(partial(encode_extended_request, name=START_TRANSACTION_OID))
    if started.result_code != SUCCESS:
        raise TransactionUnavailable(
            "the server does not support transactions", subject=url, next_step=_STEP_BY_STEP_HINT
        )
    identifier = started.value or b""  # slapd's is empty
    members: dict[int, Change] = {}
    try:
        _send_members(exchange, changes, identifier, members)
    except _MemberFailed as failed:
        # slapd may process pending requests in any order, so the end must wait for the other members.
        exchange.collect_responses()
        _end_transaction(exchange, identifier, commit=False)
        member = members[failed.response.message_id]
        _raise_for_member(failed.response, str(member.dn), member, first=member is changes[0])
    end_response = _end_transaction(exchange, identifier, commit=True)
    if end_response.result_code != SUCCESS:
        failed_change = members.get(parse_failed_message_id(end_response.value or b""))
        _raise_for_member(
            end_response,
            str(failed_change.dn) if failed_change else url,
            failed_change,
            first=failed_change is changes[0],
        )


def _send_members(exchange: Exchange, changes: Sequence[Change], identifier: bytes, members: dict[int, Change]) -> None:
    """Send *changes* as members of the transaction, and add each to *members* by its message ID."""
    control = (Control(TRANSACTION_SPECIFICATION_OID, critical=True, value=identifier),)
    for wave in split_into_waves(changes, load_bundled_schema().normalise_dn):
        for change in wave:
            # Half of the responses are awaited, so that the server always has requests to process.
            if exchange.pending_count >= MAXIMUM_PENDING:
                _check_responses(exchange, max_pending=MAXIMUM_PENDING // 2)
            members[exchange.queue_request(partial(encode_change_request, change=change, more=control))] = change
        _check_responses(exchange, max_pending=0)


def _check_responses(exchange: Exchange, *, max_pending: int) -> None:
    failed = [response for response in exchange.collect_responses(max_pending) if response.result_code != SUCCESS]
    if failed:
        # Responses may arrive in any order; the first refused member in the order of sending is reported.
        raise _MemberFailed(min(failed, key=lambda response: response.message_id))


def _end_transaction(exchange: Exchange, identifier: bytes, *, commit: bool) -> LdapResponse:
    time.sleep(_END_DELAY_S)
    return exchange.send_request(
        partial(encode_extended_request, name=END_TRANSACTION_OID, value=encode_end_request(identifier, commit=commit))
    )


def _raise_for_member(response: LdapResponse, subject: str, member: Change | None, *, first: bool) -> None:
    """Raise the error for a *member* that was refused, or that failed at the commit (None: unknown).

    A database without transactions reports this only here, with result 12 (OpenLDAP's back-ldif). For a later member
    with its own critical control, the same result is about that control. Applying the steps one by one would fail there
    too, after the first steps were applied.
    """
    has_own_control = (
        any(control.critical and control.oid != ASSERTION_CONTROL_OID for control in member.controls)
        if member
        else False
    )
    if response.result_code == UNAVAILABLE_CRITICAL_EXTENSION and (first or not has_own_control):
        raise TransactionUnavailable(
            "the database does not support transactions", subject=subject, next_step=_STEP_BY_STEP_HINT
        )
    raise_for_response(response, subject, member)


def encode_end_request(identifier: bytes, *, commit: bool) -> bytes:
    """Return the value of the request that ends a transaction: ``SEQUENCE { commit BOOLEAN, identifier }``."""
    decision = b"" if commit else encode_element(BOOLEAN, b"\x00")  # TRUE is the default, which DER omits
    return encode_element(SEQUENCE, decision + encode_element(OCTET_STRING, identifier))


def parse_failed_message_id(value: bytes) -> int:
    """Return the message ID of the failed member from the value of the end response; -1 if it is missing."""
    try:
        _, content, _ = read_element(value)
        tag, number = read_elements(content)[0]
    except (ValueError, IndexError):
        return -1
    return int.from_bytes(number, "big", signed=True) if tag == INTEGER else -1
