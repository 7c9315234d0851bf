"""Judge whether a reload is confirmed by what the node shows before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from dcmcfg.nodes.expectations import EndpointExpectation, Expectation, Expectations, Match, PortExpectation

_NO_REQUEST = "no service of the archive returns the changed values"
_NO_EVIDENCE = "the archive does not show any of the changed values"


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

    The archive loads its whole device at once, so one value that appears with this reload confirms all of it. A closed
    port is no evidence while another port or an association is not as expected: all ports of an archive that has
    stopped are closed.

    Values that the node showed before the reload prove nothing about the reload. Then the endpoints must show each
    changed attribute; neither an absent value, which an archive of another release may never show, nor a port or an
    association, which may be those of another process, is enough.

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
            reason=f"the archive does not show the expected values after the reload. Expected: {missing[0].describe()}",
        )
    appeared = [each for each, old, new in pairs if old is Match.NOT_SHOWN and new is Match.SHOWN]
    if any(match is Match.NOT_SHOWN for _, _, match in pairs):
        appeared = [each for each in appeared if not (isinstance(each, PortExpectation) and not each.is_open)]
    conclusive = [each for each in appeared if not is_replicated or expectations.shows_end_of_plan(each)]
    if conclusive:
        return Confirmation(ConfirmationState.CONFIRMED, _list_sources(conclusive))
    shown = [each for each, _, match in pairs if match is Match.SHOWN]
    if shown and len(shown) == len(pairs) and expectations.covers_all_changes and all(map(_is_conclusive, shown)):
        return Confirmation(ConfirmationState.CONFIRMED, _list_sources(shown))
    if problem:
        return Confirmation(ConfirmationState.NOT_CONFIRMED, reason=problem)
    if appeared:
        return Confirmation(
            ConfirmationState.NOT_CONFIRMED,
            reason="the archive shows values of the first steps of this change, but no value of the last step",
        )
    if shown:
        return Confirmation(
            ConfirmationState.NOT_CONFIRMED,
            reason="the archive shows new values, but the archive already showed the same values before the reload",
        )
    return Confirmation(ConfirmationState.NOT_CONFIRMED, reason=_NO_EVIDENCE if pairs else _NO_REQUEST)


def _is_conclusive(expectation: Expectation) -> bool:
    """Return whether the expected value shows by itself, without a change, what the node has loaded."""
    return isinstance(expectation, EndpointExpectation) and not expectation.expects_absence


def _list_sources(expectations: Sequence[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(getattr(each, "source", "")) for each in expectations))
