"""LDAP transactions (RFC 5805): several changes that are made together or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from dcmcfg.ber import BOOLEAN, INTEGER, OCTET_STRING, SEQUENCE, element, elements, split
from dcmcfg.changes import Change, Control, Modification, Modify, Operation
from dcmcfg.directory.exchange import Exchange
from dcmcfg.directory.failures import SUCCESS, UNAVAILABLE_CRITICAL_EXTENSION, check_answer
from dcmcfg.directory.messages import Response, change_request, extended_request
from dcmcfg.dn import DN
from dcmcfg.errors import DirectoryError
from dcmcfg.plan.waves import waves
from dcmcfg.schema.definitions import bundled

BEGIN = "1.3.6.1.1.21.1"
MEMBER = "1.3.6.1.1.21.2"
END = "1.3.6.1.1.21.3"

#: The assertion control, without which steps can be taken too (by a read before each).
ASSERTION = "1.3.6.1.1.12"

#: How many members may wait for their answer: slapd closes a connection with 1,000 requests pending (conn_max_pending).
WINDOW = 500

#: slapd 2.5 answers a member before it has let go of it, and crashes when the end frees it meanwhile: about one in 300
#: transactions of two members whose end followed at once, none in 15,000 with a rest of 20 ms, on a loaded machine.
_REST_S = 0.05


_WITHOUT = "--step-by-step applies the plan without a transaction"

#: A value that nothing holds.
IN_NO_ENTRY = b"dcmcfg 6a0b7f52-3c1e-4d0e-9d7e-5b8f1f0f7c11"


class TransactionUnavailable(DirectoryError):
    """The server, or the database behind it, does no transactions; nothing has changed."""


class _MemberFailed(Exception):
    """A member was refused; the transaction has not ended."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.message)
        self.answer = answer


@dataclass(frozen=True)
class Trial:
    """A transaction that is begun to be aborted: whether the database does them, and its end, still to be sent.

    ``apart``: it concerns no other connection, so that the end can wait. That is so on slapd, whose identifiers are
    empty. On ApacheDS the abort also drops what another connection has in its transaction by then.
    """

    available: bool
    apart: bool
    end: Callable[[], object]


def try_out(exchange: Exchange, dn: DN) -> Trial:
    """Find out whether the database that holds *dn* does transactions; the root DSE only speaks of the server.

    The only member deletes a value that no entry holds, so that it could not be made either. Raises
    :class:`~dcmcfg.errors.DirectoryError`.
    """
    begun = exchange.ask(partial(extended_request, name=BEGIN))
    if begun.result_code != SUCCESS:
        return Trial(available=False, apart=True, end=lambda: None)
    identifier = begun.value or b""
    nothing = Modify(dn, (Modification(Operation.DELETE, "description", (IN_NO_ENTRY,)),))
    control = (Control(MEMBER, critical=True, value=identifier),)
    answer = exchange.ask(partial(change_request, change=nothing, more=control))
    available = answer.result_code != UNAVAILABLE_CRITICAL_EXTENSION
    return Trial(available, not identifier, partial(_end, exchange, identifier, commit=False))


def carry_out(exchange: Exchange, changes: Sequence[Change], url: str) -> None:
    """Make *changes* in one transaction, as if in order; on an error nothing has changed.

    Raises :class:`TransactionUnavailable`, the :class:`DirectoryError` of the change that was refused, and
    :class:`~dcmcfg.errors.ConnectionLost`.
    """
    begun = exchange.ask(partial(extended_request, name=BEGIN))
    if begun.result_code != SUCCESS:
        raise TransactionUnavailable("the server does no transactions", on=url, next_step=_WITHOUT)
    identifier = begun.value or b""  # slapd's is empty
    members: dict[int, Change] = {}
    try:
        _send_members(exchange, changes, identifier, members)
    except _MemberFailed as failed:
        exchange.answers()
        _end(exchange, identifier, commit=False)
        member = members[failed.answer.number]
        _refuse(failed.answer, str(member.dn), member, first=member is changes[0])
    ended = _end(exchange, identifier, commit=True)
    if ended.result_code != SUCCESS:
        at_fault = members.get(failed_message(ended.value or b""))
        _refuse(ended, str(at_fault.dn) if at_fault else url, at_fault, first=at_fault is changes[0])


def _send_members(exchange: Exchange, changes: Sequence[Change], identifier: bytes, members: dict[int, Change]) -> None:
    """Send *changes* as members, noting each under its message ID."""
    control = (Control(MEMBER, critical=True, value=identifier),)
    for wave in waves(changes, bundled().normal_dn):
        for change in wave:
            if exchange.unanswered >= WINDOW:
                _check_answers(exchange, leaving=WINDOW // 2)
            members[exchange.post(partial(change_request, change=change, more=control))] = change
        _check_answers(exchange, leaving=0)


def _check_answers(exchange: Exchange, *, leaving: int) -> None:
    failed = [answer for answer in exchange.answers(leaving) if answer.result_code != SUCCESS]
    if failed:
        raise _MemberFailed(min(failed, key=lambda answer: answer.number))


def _end(exchange: Exchange, identifier: bytes, *, commit: bool) -> Response:
    time.sleep(_REST_S)
    return exchange.ask(partial(extended_request, name=END, value=end_request(identifier, commit=commit)))


def _refuse(answer: Response, on: str, member: Change | None, *, first: bool) -> None:
    """Raise the error of a *member* that was refused, or that failed at the commit (None when not known which).

    A database without transactions says so only here, by result 12 (OpenLDAP's back-ldif). The same result of a later
    member with a critical control of its own is about that control: taking the steps one by one would end there too,
    with the first ones made.
    """
    own = any(control.critical and control.oid != ASSERTION for control in member.controls) if member else False
    if answer.result_code == UNAVAILABLE_CRITICAL_EXTENSION and (first or not own):
        raise TransactionUnavailable("the database does no transactions", on=on, next_step=_WITHOUT)
    check_answer(answer, on, member)


def end_request(identifier: bytes, *, commit: bool) -> bytes:
    """Return the value of the request that ends a transaction: ``SEQUENCE { commit BOOLEAN, identifier }``."""
    decision = b"" if commit else element(BOOLEAN, b"\x00")  # TRUE is the default, left out in DER
    return element(SEQUENCE, decision + element(OCTET_STRING, identifier))


def failed_message(value: bytes) -> int:
    """Return the message ID of the member that failed, from the value of the end response; -1 when not said."""
    try:
        _, content, _ = split(value)
        tag, number = elements(content)[0]
    except (ValueError, IndexError):
        return -1
    return int.from_bytes(number, "big", signed=True) if tag == INTEGER else -1
