"""A reload is confirmed by what the node shows before and after it, and by nothing less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.dn import NormalDN
from dcmcfg.nodes.confirmation import Confirmation, ConfirmationState, judge_reload
from dcmcfg.nodes.expectations import (
    AssociationExpectation,
    AssociationFact,
    ChangedAttribute,
    EndpointExpectation,
    Expectation,
    Expectations,
    Match,
    PortExpectation,
)

KEY: NormalDN = ()
DESCRIPTION: ChangedAttribute = (KEY, "dicomdescription")
RETRIEVE: ChangedAttribute = (KEY, "dcmexternalretrieveaedestination")
PORT: ChangedAttribute = (KEY, "dicomport")
AET = EndpointExpectation(
    "/aets",
    "dicomAETitle",
    "DCM4CHEE",
    shown_key="dicomDescription",
    shown="new",
    covered=frozenset({DESCRIPTION}),
)
REMOVED = EndpointExpectation("/export", "id", "OLD", is_present=False, covered=frozenset({DESCRIPTION}))
EMPTIED = EndpointExpectation(
    "/storage", "dcmStorageID", "fs1", shown_key="dcmReadOnly", shown=None, covered=frozenset({DESCRIPTION})
)
OPEN = PortExpectation("localhost", 11113, is_open=True, covered=frozenset({PORT}))
CLOSED = PortExpectation("localhost", 11112, is_open=False, covered=frozenset({PORT}))
LENGTH = AssociationExpectation(
    fact=AssociationFact.MAXIMUM_LENGTH,
    host="localhost",
    port=11112,
    called="DCM4CHEE",
    expected=20000,
    covered=frozenset({PORT}),
)
SHOWN, NOT_SHOWN, UNKNOWN = Match.SHOWN, Match.NOT_SHOWN, Match.UNKNOWN
#: Each in an order of its own for hypothesis.
KINDS: tuple[Expectation, ...] = (AET, REMOVED, EMPTIED, OPEN, CLOSED, LENGTH)
NO_REQUEST = "no service of the archive returns the changed values"
NO_EVIDENCE = "the archive does not show any of the changed values"
SHOWN_BEFORE = "the archive shows new values, but the archive already showed the same values before the reload"


def judge(
    *observed: tuple[Expectation, Match, Match],
    changed: frozenset[ChangedAttribute] = frozenset({DESCRIPTION, PORT}),
    problem: str = "",
) -> Confirmation:
    expectations = Expectations(tuple(each for each, _, _ in observed), changed)
    return judge_reload(expectations, [old for _, old, _ in observed], [new for *_, new in observed], problem)


@pytest.mark.parametrize(
    ("expectation", "source"),
    [
        (AET, "GET /aets"),
        (REMOVED, "GET /export"),
        (EMPTIED, "GET /storage"),
        (OPEN, "port 11113"),
        (CLOSED, "port 11112"),
        (LENGTH, "association to DCM4CHEE"),
    ],
)
def test_a_value_that_appears_with_the_reload_confirms_it(expectation: Expectation, source: str) -> None:
    """Even if the change has other attributes, because the archive loads its whole device at once."""
    confirmation = judge((expectation, NOT_SHOWN, SHOWN), changed=frozenset({DESCRIPTION, PORT, RETRIEVE}))
    assert confirmation == Confirmation(ConfirmationState.CONFIRMED, (source,))
    assert confirmation.is_confirmed


def test_each_source_is_named_once_and_only_if_its_value_appeared() -> None:
    confirmation = judge(
        (AET, NOT_SHOWN, SHOWN), (AET, NOT_SHOWN, SHOWN), (OPEN, NOT_SHOWN, SHOWN), (LENGTH, SHOWN, SHOWN)
    )
    assert confirmation.sources == ("GET /aets", "port 11113")


def test_a_change_that_nothing_shows_is_not_confirmed() -> None:
    assert judge() == Confirmation(ConfirmationState.NOT_CONFIRMED, (), NO_REQUEST)


@pytest.mark.parametrize("old", Match)
def test_an_endpoint_with_another_value_contradicts_the_reload(old: Match) -> None:
    """Also if another value appeared: somebody else may have changed this one."""
    confirmation = judge((OPEN, NOT_SHOWN, SHOWN), (AET, old, NOT_SHOWN))
    assert confirmation == Confirmation(
        ConfirmationState.CONTRADICTED,
        (),
        "the archive does not show the expected values after the reload. Expected: "
        "GET /aets shows the new dicomDescription of DCM4CHEE",
    )


@pytest.mark.parametrize("expectation", [OPEN, CLOSED, LENGTH])
def test_a_port_or_an_association_that_is_not_as_expected_does_not_contradict(expectation: Expectation) -> None:
    assert judge((expectation, NOT_SHOWN, NOT_SHOWN)) == Confirmation(ConfirmationState.NOT_CONFIRMED, (), NO_EVIDENCE)


def test_a_value_that_was_shown_before_confirms_if_it_covers_the_whole_change() -> None:
    assert judge((AET, SHOWN, SHOWN), changed=frozenset({DESCRIPTION})).is_confirmed


def test_a_value_that_was_shown_before_does_not_confirm_another_attribute() -> None:
    confirmation = judge((AET, SHOWN, SHOWN), changed=frozenset({DESCRIPTION, RETRIEVE}))
    assert confirmation == Confirmation(ConfirmationState.NOT_CONFIRMED, (), SHOWN_BEFORE)


@pytest.mark.parametrize("expectation", [REMOVED, EMPTIED, OPEN, CLOSED, LENGTH])
@pytest.mark.parametrize("old", [SHOWN, UNKNOWN])
def test_absence_and_the_network_confirm_only_as_a_change(expectation: Expectation, old: Match) -> None:
    """An archive of another release may never list the value, and a port may be that of another process."""
    assert not judge((expectation, old, SHOWN)).is_confirmed


def test_a_value_whose_state_before_is_unknown_confirms_only_what_it_covers() -> None:
    assert judge((AET, UNKNOWN, SHOWN), changed=frozenset({DESCRIPTION})).is_confirmed
    assert not judge((AET, UNKNOWN, SHOWN), changed=frozenset({DESCRIPTION, RETRIEVE})).is_confirmed


@pytest.mark.parametrize("other", [OPEN, LENGTH])
def test_a_closed_port_is_no_evidence_while_the_network_shows_another_difference(other: Expectation) -> None:
    """An archive that has stopped after its reload has closed all of its ports."""
    assert not judge((CLOSED, NOT_SHOWN, SHOWN), (other, NOT_SHOWN, NOT_SHOWN)).is_confirmed
    assert judge((CLOSED, NOT_SHOWN, SHOWN), (other, UNKNOWN, UNKNOWN)).sources == ("port 11112",)


def test_an_endpoint_that_cannot_be_read_is_the_reason() -> None:
    confirmation = judge((AET, NOT_SHOWN, UNKNOWN), problem="GET /aets: HTTP 401")
    assert confirmation == Confirmation(ConfirmationState.NOT_CONFIRMED, (), "GET /aets: HTTP 401")


def test_a_problem_does_not_hide_what_another_endpoint_confirms() -> None:
    assert judge((AET, NOT_SHOWN, UNKNOWN), (OPEN, NOT_SHOWN, SHOWN), problem="GET /aets: HTTP 401").is_confirmed


def test_observations_must_fit_the_expectations() -> None:
    with pytest.raises(ValueError, match="zip"):
        judge_reload(Expectations((AET,)), [], [SHOWN])


matches = st.sampled_from(Match)
observations = st.lists(st.tuples(st.sampled_from(KINDS), matches, matches), max_size=6)
changes = st.frozensets(st.sampled_from([DESCRIPTION, RETRIEVE, PORT]))


@given(observations, changes, st.sampled_from(["", "GET /aets: no response"]))
def test_confirmed_is_never_said_against_an_endpoint(
    observed: list[tuple[Expectation, Match, Match]], changed: frozenset[ChangedAttribute], problem: str
) -> None:
    confirmation = judge(*observed, changed=changed, problem=problem)
    differs = any(isinstance(each, EndpointExpectation) and new is NOT_SHOWN for each, _, new in observed)
    assert differs == (confirmation.state is ConfirmationState.CONTRADICTED)


@given(observations, changes, st.sampled_from(["", "GET /aets: no response"]))
def test_a_confirmation_has_sources_and_anything_else_has_a_reason(
    observed: list[tuple[Expectation, Match, Match]], changed: frozenset[ChangedAttribute], problem: str
) -> None:
    confirmation = judge(*observed, changed=changed, problem=problem)
    assert bool(confirmation.sources) == confirmation.is_confirmed == (not confirmation.reason)
    shown = {each.source for each, _, new in observed if new is SHOWN}
    assert set(confirmation.sources) <= shown


@given(observations, changes)
def test_without_a_difference_only_values_that_cover_the_whole_change_confirm(
    observed: list[tuple[Expectation, Match, Match]], changed: frozenset[ChangedAttribute]
) -> None:
    """A node that shows after the reload what it showed before it may not have reloaded at all."""
    same = [(each, new, new) for each, _, new in observed]
    confirmation = judge(*same, changed=changed)
    covered = frozenset[ChangedAttribute]().union(*(each.covered for each, *_ in same if each is AET))
    assert confirmation.is_confirmed <= (bool(same) and changed <= covered)


@given(observations, changes)
def test_an_unreadable_node_is_never_confirmed(
    observed: list[tuple[Expectation, Match, Match]], changed: frozenset[ChangedAttribute]
) -> None:
    assert not judge(*((each, old, UNKNOWN) for each, old, _ in observed), changed=changed).is_confirmed
