"""How a plan is carried out on a server: whole, in parts, or step by step."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from dcmcfg.directory.server import Directory
from dcmcfg.errors import Refused
from dcmcfg.plan import assertions
from dcmcfg.plan.batches import Parts, parts
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.waves import waves


class Manner(Enum):
    """How a plan is carried out."""

    ONE_CHANGE = "in one change"
    TRANSACTION = "in one transaction"
    TWO_PARTS = "in two parts: a transaction, then deletes one by one"
    STEP_BY_STEP = "step by step"

    @property
    def has_transaction(self) -> bool:
        """Whether the plan, or a part of it, is carried out in a transaction."""
        return self in (Manner.TRANSACTION, Manner.TWO_PARTS)


def manner_of(directory: Directory, plan: Plan, in_transaction: bool | None = None, *, asking: bool = True) -> Manner:
    """Return how *plan* will be carried out on *directory*, *in_transaction* or not if the user says so.

    One transaction wherever it is right: unless told, not where replicas may follow (a failing transaction has reached
    them in part), and never for deletes of an entry's last child. A member cannot be checked by a read, so it is step
    by step where the plan asserts something and the server has no assertion control. A database that cannot do
    transactions says so only when it is asked to, which is not done without *asking*.

    Raises :class:`Refused` where the user wants a transaction that is not to be had.
    """
    if len(plan.steps) == 1:
        return Manner.ONE_CHANGE
    if in_transaction is False:
        return Manner.STEP_BY_STEP
    facts = directory.facts()
    manner = _manner(parts(plan))
    reason = ""
    if not facts.transactions:
        reason = "the server does no transactions (RFC 5805)"
    elif not facts.assertions and asserts_something(plan):
        reason = "the server has no assertion control (RFC 4528), so a transaction cannot check what the plan asserts"
    elif manner is not Manner.TRANSACTION and in_transaction:
        reason = "a transaction cannot move entries to another parent, nor delete the last child of an entry"
    elif facts.replicated and not in_transaction:
        return Manner.STEP_BY_STEP
    elif manner is not Manner.STEP_BY_STEP and asking and not directory.does_transactions():
        reason = "the database does no transactions (RFC 5805), although the server announces them"
    if reason and in_transaction:
        raise _not_in_a_transaction(directory, reason)
    return Manner.STEP_BY_STEP if reason else manner


def manner_left(directory: Directory, plan: Plan, in_transaction: bool | None = None, *, asking: bool = True) -> Manner:
    """Return how *plan*, what a roll-out has left to do, will be carried out: in the order in which it stands.

    Raises as :func:`manner_of` does.
    """
    manner = manner_of(directory, plan, in_transaction, asking=asking)
    return manner if in_parts(plan, manner)[0].steps == plan.steps else Manner.STEP_BY_STEP


def asserts_something(plan: Plan) -> bool:
    """Return whether a step of *plan* carries an assertion, which the server or a read has to check."""
    return any(map(assertions.asserts, plan.changes))


def in_parts(plan: Plan, manner: Manner) -> tuple[Plan, int]:
    """Return *plan* with what *manner* makes in one transaction first, and how many steps these are."""
    if manner in (Manner.ONE_CHANGE, Manner.STEP_BY_STEP):
        return plan, 0
    split = parts(plan)
    return replace(plan, steps=split.together + split.one_by_one), len(split.together)


def in_order_sent(plan: Plan, together: int) -> Plan:
    """Return *plan* with its first steps, those of a transaction, in the order in which they are sent.

    A server that does not roll back when the client dies leaves the first ones of that order.
    """
    by_change = {id(step.change): step for step in plan.steps[:together]}
    sent = (change for wave in waves(plan.changes[:together], plan.before.key) for change in wave)
    return replace(plan, steps=(*(by_change[id(change)] for change in sent), *plan.steps[together:]))


def _not_in_a_transaction(directory: Directory, reason: str) -> Refused:
    return Refused(
        f"{reason}, nothing was changed",
        on=directory.server.url,
        next_step="without --transaction, dcmcfg applies the plan in the way that is possible here",
    )


def _manner(split: Parts) -> Manner:
    if not split.one_by_one:
        return Manner.TRANSACTION
    return Manner.TWO_PARTS if split.together else Manner.STEP_BY_STEP
