"""How a plan is carried out on a server: whole, in parts, or step by step."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from dcmcfg.directory.server import Directory
from dcmcfg.plan.parts import Parts, parts
from dcmcfg.plan.plan import Plan


class Manner(Enum):
    """How a plan is carried out."""

    ONE_CHANGE = "in one change"
    TRANSACTION = "in one transaction"
    TWO_PARTS = "in two parts: a transaction, then deletes one by one"
    STEP_BY_STEP = "step by step"


def manner_of(directory: Directory, plan: Plan, in_transaction: bool | None = None) -> Manner:
    """Return how *plan* will be carried out on *directory*, *in_transaction* or not if the user says so.

    One transaction wherever it is right: unless told, not where replicas may follow (a failing transaction has reached
    them in part), and never for deletes of an entry's last child. A database that cannot do transactions says so only
    when it is asked to; then it is step by step.
    """
    if len(plan.steps) == 1:
        return Manner.ONE_CHANGE
    if in_transaction is False:
        return Manner.STEP_BY_STEP
    facts = directory.facts()
    if not facts.transactions or (facts.replicated and not in_transaction):
        return Manner.STEP_BY_STEP
    return _manner(parts(plan))


def manner_left(directory: Directory, plan: Plan, in_transaction: bool | None = None) -> Manner:
    """Return how *plan*, what a roll-out has left to do, will be carried out: in the order in which it stands."""
    manner = manner_of(directory, plan, in_transaction)
    return manner if in_order_of(plan, manner)[0].steps == plan.steps else Manner.STEP_BY_STEP


def in_order_of(plan: Plan, manner: Manner) -> tuple[Plan, int]:
    """Return *plan* with its steps in the order in which *manner* takes them, and how many go in one transaction."""
    if manner in (Manner.ONE_CHANGE, Manner.STEP_BY_STEP):
        return plan, 0
    split = parts(plan)
    return replace(plan, steps=split.together + split.one_by_one), len(split.together)


def _manner(split: Parts) -> Manner:
    if not split.one_by_one:
        return Manner.TRANSACTION
    return Manner.TWO_PARTS if split.together else Manner.STEP_BY_STEP
