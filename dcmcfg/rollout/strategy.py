"""Choose how a plan is applied on a server: in one transaction, in two parts, or step by step."""

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
    """Return the strategy for *plan* on *directory*; *in_transaction* is the choice of the user, None for the default.

    The default is one transaction if possible. It is not used if the server may have replicas (a failed transaction can
    reach them in part), unless *in_transaction*, and never to delete the last child of an entry. Members of a
    transaction cannot be checked with a read, so a plan with assertions is applied step by step on a server without the
    assertion control. Whether the database supports transactions is only known after a trial, which requires
    *probe_database*.

    Raises :class:`Refused` if the user requests a transaction that is not possible.
    """
    # A server applies a single request completely or not at all.
    if len(plan.steps) == 1:
        return RolloutStrategy.ONE_CHANGE
    if in_transaction is False:
        return RolloutStrategy.STEP_BY_STEP
    capabilities = directory.read_capabilities()
    strategy = _choose_batch_strategy(split_plan(plan))
    reason = ""
    if not capabilities.transactions:
        reason = "the server does not support transactions (RFC 5805)"
    elif not capabilities.assertions and has_assertions(plan):
        reason = (
            "the server does not support assertions (RFC 4528), so a transaction cannot check the plan's assertions"
        )
    elif strategy is not RolloutStrategy.TRANSACTION and in_transaction:
        reason = "a transaction cannot move entries to another parent or delete the last child of an entry"
    elif capabilities.replicated and not in_transaction:
        return RolloutStrategy.STEP_BY_STEP
    # The trial requires a connection of its own, so it is the last check.
    elif strategy is not RolloutStrategy.STEP_BY_STEP and probe_database and not directory.supports_transactions():
        reason = "the directory server announces transactions (RFC 5805), but its database does not support them"
    if reason and in_transaction:
        raise _build_no_transaction_error(directory, reason)
    return RolloutStrategy.STEP_BY_STEP if reason else strategy


def choose_resume_strategy(
    directory: Directory, plan: Plan, in_transaction: bool | None = None, *, probe_database: bool = True
) -> RolloutStrategy:
    """Return the strategy for *plan*, the rest of a roll-out, which must keep its order.

    Raises as :func:`choose_strategy` does.
    """
    strategy = choose_strategy(directory, plan, in_transaction, probe_database=probe_database)
    return strategy if order_for_strategy(plan, strategy)[0].steps == plan.steps else RolloutStrategy.STEP_BY_STEP


def has_assertions(plan: Plan) -> bool:
    """Return whether a step of *plan* has an assertion, which the server or a read must check."""
    return any(map(assertions.has_assertion, plan.changes))


def order_for_strategy(plan: Plan, strategy: RolloutStrategy) -> tuple[Plan, int]:
    """Return *plan* with the steps of the transaction of *strategy* first, and the number of these steps."""
    if strategy in (RolloutStrategy.ONE_CHANGE, RolloutStrategy.STEP_BY_STEP):
        return plan, 0
    batches = split_plan(plan)
    return replace(plan, steps=batches.transaction_steps + batches.single_steps), len(batches.transaction_steps)


def order_as_sent(plan: Plan, transaction_size: int) -> Plan:
    """Return *plan* with its first *transaction_size* steps in the order in which the transaction sends them.

    A server that does not roll back after the client stopped leaves the first steps of this order applied.
    """
    # Steps of a plan may have equal changes, and the waves contain the same objects.
    by_change = {id(step.change): step for step in plan.steps[:transaction_size]}
    sent = (change for wave in split_into_waves(plan.changes[:transaction_size], plan.before.key) for change in wave)
    return replace(plan, steps=(*(by_change[id(change)] for change in sent), *plan.steps[transaction_size:]))


def _build_no_transaction_error(directory: Directory, reason: str) -> Refused:
    return Refused(
        f"{reason}; nothing was changed",
        subject=directory.server.url,
        next_step="repeat the command without --transaction; dcmcfg then chooses a way that this server supports",
    )


def _choose_batch_strategy(batches: PlanBatches) -> RolloutStrategy:
    if not batches.single_steps:
        return RolloutStrategy.TRANSACTION
    return RolloutStrategy.TRANSACTION_THEN_DELETES if batches.transaction_steps else RolloutStrategy.STEP_BY_STEP
