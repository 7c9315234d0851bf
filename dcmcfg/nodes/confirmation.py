"""Judge whether a reload is confirmed by what the node shows before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from dcmcfg.nodes.expectations import EndpointExpectation, Expectations, Match

_NO_EVIDENCE = "the archive shows no value of this change"


class ConfirmationState(Enum):
    """Whether a node is known to have loaded a change."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not confirmed"
    CONTRADICTED = "contradicted"  # the node shows that it has not loaded the change


@dataclass(frozen=True)
class Confirmation:
    """The judgement, the ``sources`` that confirm it (``GET /aets`` …), and the ``reason`` if it is not confirmed."""

    state: ConfirmationState
    sources: tuple[str, ...] = ()
    reason: str = ""

    @property
    def is_confirmed(self) -> bool:
        return self.state is ConfirmationState.CONFIRMED


def judge_reload(
    expectations: Expectations,
    before: Sequence[Match],
    after: Sequence[Match],
    problem: str = "",
    *,
    is_replicated: bool = False,
) -> Confirmation:
    """Return whether a reload is confirmed; *before* and *after* are observations of the expectations around it.

    The archive loads its whole device at once, so one value that appears with this reload confirms all of it. Values
    that the node showed before the reload prove nothing about the reload: then each changed attribute must be shown.
    An endpoint that still shows another value contradicts the reload. A port or an association that is not as expected
    does not: a firewall, or another address of the node, has the same effect. *problem* is the reason why an endpoint
    could not be read.

    If the directory *is_replicated*, the node may read another replica than the profile says, and the replica may have
    only the first steps of the plan. Then only a value of the last step, or of a marker, confirms all of it.
    """
    pairs = list(zip(expectations.all, before, after, strict=True))
    missing = [each for each, _, match in pairs if match is Match.NOT_SHOWN and isinstance(each, EndpointExpectation)]
    if missing:
        return Confirmation(
            ConfirmationState.CONTRADICTED,
            reason=f"after the reload it is not true that {missing[0].describe()}",
        )
    appeared = [each for each, old, new in pairs if old is Match.NOT_SHOWN and new is Match.SHOWN]
    conclusive = [each for each in appeared if not is_replicated or expectations.shows_end_of_plan(each)]
    if conclusive:
        return Confirmation(ConfirmationState.CONFIRMED, _list_sources(conclusive))
    shown = [each for each, _, match in pairs if match is Match.SHOWN]
    if shown and len(shown) == len(pairs) and expectations.covers_all_changes:
        return Confirmation(ConfirmationState.CONFIRMED, _list_sources(shown))
    if problem:
        return Confirmation(ConfirmationState.NOT_CONFIRMED, reason=problem)
    if appeared:
        return Confirmation(
            ConfirmationState.NOT_CONFIRMED,
            reason="the archive shows the first steps of this change, and no value of the last one",
        )
    if shown:
        return Confirmation(
            ConfirmationState.NOT_CONFIRMED,
            reason="the archive showed the visible part of this change before the reload, and shows no other part",
        )
    return Confirmation(ConfirmationState.NOT_CONFIRMED, reason=_NO_EVIDENCE)


def _list_sources(expectations: Sequence[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(getattr(each, "source", "")) for each in expectations))
