"""How a plan is applied on a server: whole, in parts, or step by step."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from dcmcfg.directory.server import Directory
from dcmcfg.errors import Refused
from dcmcfg.plan import assertions
from dcmcfg.plan.batches import PlanBatches, split_plan
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.waves import split_into_waves


class RolloutStrategy(Enum):
    """How a plan is applied."""

    ONE_CHANGE = "in one change"
    TRANSACTION = "in one transaction"
    TRANSACTION_THEN_DELETES = "in two parts: a transaction, then deletes one by one"
    STEP_BY_STEP = "step by step"

    @property
    def has_transaction(self) -> bool:
        """Whether the plan, or a part of it, is applied in a transaction."""
        return self in (RolloutStrategy.TRANSACTION, RolloutStrategy.TRANSACTION_THEN_DELETES)


def choose_strategy(
    directory: Directory, plan: Plan, in_transaction: bool | None = None, *, probe_database: bool = True
) -> RolloutStrategy:
    """Return how *plan* will be applied on *directory*, *in_transaction* or not if the user says so.

    One transaction wherever it is right: unless *in_transaction*, not where replicas may follow (a failing transaction
    has reached them in part), and never for deletes of an entry's last child. A member cannot be checked by a read, so
    it is step by step where the plan asserts something and the server has no assertion control. A database that cannot
    do transactions says so only when it is asked to, which is not done without *probe_database*.

    Raises :class:`Refused` where the user wants a transaction that is not to be had.
    """
    if len(plan.steps) == 1:
        return RolloutStrategy.ONE_CHANGE
    if in_transaction is False:
        return RolloutStrategy.STEP_BY_STEP
    capabilities = directory.read_capabilities()
    strategy = _choose_batch_strategy(split_plan(plan))
    reason = ""
    if not capabilities.transactions:
        reason = "the server does no transactions (RFC 5805)"
    elif not capabilities.assertions and has_assertions(plan):
        reason = "the server has no assertion control (RFC 4528), so a transaction cannot check what the plan asserts"
    elif strategy is not RolloutStrategy.TRANSACTION and in_transaction:
        reason = "a transaction cannot move entries to another parent, nor delete the last child of an entry"
    elif capabilities.replicated and not in_transaction:
        return RolloutStrategy.STEP_BY_STEP
    elif strategy is not RolloutStrategy.STEP_BY_STEP and probe_database and not directory.supports_transactions():
        reason = "the database does no transactions (RFC 5805), although the server announces them"
    if reason and in_transaction:
        raise _build_no_transaction_error(directory, reason)
    return RolloutStrategy.STEP_BY_STEP if reason else strategy


def choose_resume_strategy(
    directory: Directory, plan: Plan, in_transaction: bool | None = None, *, probe_database: bool = True
) -> RolloutStrategy:
    """Return how *plan*, what remains of a roll-out, will be applied: in the order in which it stands.

    Raises as :func:`choose_strategy` does.
    """
    strategy = choose_strategy(directory, plan, in_transaction, probe_database=probe_database)
    return strategy if order_for_strategy(plan, strategy)[0].steps == plan.steps else RolloutStrategy.STEP_BY_STEP


def has_assertions(plan: Plan) -> bool:
    """Return whether a step of *plan* carries an assertion, which the server or a read has to check."""
    return any(map(assertions.has_assertion, plan.changes))


def order_for_strategy(plan: Plan, strategy: RolloutStrategy) -> tuple[Plan, int]:
    """Return *plan* with what *strategy* makes in one transaction first, and how many steps these are."""
    if strategy in (RolloutStrategy.ONE_CHANGE, RolloutStrategy.STEP_BY_STEP):
        return plan, 0
    batches = split_plan(plan)
    return replace(plan, steps=batches.transaction_steps + batches.single_steps), len(batches.transaction_steps)


def order_as_sent(plan: Plan, transaction_size: int) -> Plan:
    """Return *plan* with its first steps, those of a transaction, in the order in which they are sent.

    A server that does not roll back when the client dies leaves the first ones of that order.
    """
    by_change = {id(step.change): step for step in plan.steps[:transaction_size]}
    sent = (change for wave in split_into_waves(plan.changes[:transaction_size], plan.before.key) for change in wave)
    return replace(plan, steps=(*(by_change[id(change)] for change in sent), *plan.steps[transaction_size:]))


def _build_no_transaction_error(directory: Directory, reason: str) -> Refused:
    return Refused(
        f"{reason}, nothing was changed",
        subject=directory.server.url,
        next_step="without --transaction, dcmcfg applies the plan in the way that is possible here",
    )


def _choose_batch_strategy(batches: PlanBatches) -> RolloutStrategy:
    if not batches.single_steps:
        return RolloutStrategy.TRANSACTION
    return RolloutStrategy.TRANSACTION_THEN_DELETES if batches.transaction_steps else RolloutStrategy.STEP_BY_STEP
