"""States, limits and their texts."""

from __future__ import annotations

import pytest

from dcmcfg.errors import MalformedInput
from dcmcfg.monitoring.parts import LIMITS, Part, make_limits
from dcmcfg.monitoring.run import select_parts
from dcmcfg.monitoring.state import NO_LIMIT, Limit, State, find_worst

OK, WARNING, CRITICAL, UNKNOWN = State.OK, State.WARNING, State.CRITICAL, State.UNKNOWN


def test_the_exit_codes_are_those_of_the_plugin_guidelines() -> None:
    assert [(each.value, each.exit_code) for each in (OK, WARNING, CRITICAL, UNKNOWN)] == [
        ("OK", 0),
        ("WARNING", 1),
        ("CRITICAL", 2),
        ("UNKNOWN", 3),
    ]


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        ((), OK),
        ((OK, WARNING), WARNING),
        ((WARNING, UNKNOWN, OK), UNKNOWN),
        ((UNKNOWN, CRITICAL, WARNING), CRITICAL),
    ],
)
def test_the_worst_state_wins(states: tuple[State, ...], worst: State) -> None:
    assert find_worst(states) is worst


@pytest.mark.parametrize(
    ("limit", "states"),
    [
        (NO_LIMIT, {0: OK, 1e9: OK}),
        (Limit(warning=0), {0: OK, 0.1: WARNING, 9: WARNING}),
        (Limit(warning=30, critical=300), {30: OK, 30.1: WARNING, 300: WARNING, 300.1: CRITICAL}),
        (Limit(warning=30, critical=7, is_minimum=True), {31: OK, 30: OK, 29: WARNING, 7: WARNING, 6.9: CRITICAL}),
        (Limit(warning=1, critical=0), {0: OK, 1: CRITICAL}),
    ],
)
def test_a_limit_is_the_last_acceptable_value(limit: Limit, states: dict[float, State]) -> None:
    assert {value: limit.judge(value) for value in states} == states


def test_limits_are_changed_by_name_and_others_keep_their_defaults() -> None:
    limits = make_limits(["certificates=60", "check=none"], ["replicas=1.5"])
    assert limits[Part.CERTIFICATES] == Limit(warning=60, critical=7, is_minimum=True)
    assert limits[Part.CHECK] == Limit()
    assert limits[Part.REPLICAS] == Limit(warning=30, critical=1.5)
    assert limits[Part.NODES] == LIMITS[Part.NODES].default
    assert limits[Part.DIRECTORY] == NO_LIMIT


@pytest.mark.parametrize(
    "text",
    ["nodes", "nodes=", "nodes=-1", "nodes=nan", "nodes=inf", "nodes=1e3", "nodes=1_0", "nodes=\u0661", "=1", "x=1"],
)
def test_another_text_for_a_limit_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        make_limits([text], [])
    with pytest.raises(MalformedInput):
        make_limits([], [text])


def test_all_parts_that_can_be_checked_are_selected() -> None:
    missing = {Part.DRIFT: "--against FILE", Part.RECALL: "--recall AET"}
    assert select_parts((), (Part.ECHO,), missing) == tuple(
        each for each in Part if each not in (Part.DRIFT, Part.RECALL, Part.ECHO)
    )
    assert select_parts((Part.NODES, Part.CHECK), (), missing) == (Part.NODES, Part.CHECK)
    with pytest.raises(MalformedInput, match="the part drift requires --against FILE"):
        select_parts((Part.DRIFT,), (), missing)
    with pytest.raises(MalformedInput, match="there is no part to check"):
        select_parts((Part.NODES,), (Part.NODES,), missing)
