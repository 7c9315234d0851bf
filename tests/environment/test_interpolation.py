"""Variables in values are replaced as Docker Compose and Kubernetes do it."""

from __future__ import annotations

import pytest

from dcmcfg.environment.interpolation import Interpolation, replace_kubernetes_references

VALUES = {"SET": "a", "EMPTY": "", "UNKNOWN": None}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("$SET", "a"),
        ("${SET}", "a"),
        ("x${SET}y$SET-z", "xaya-z"),
        ("$$SET ${SET}$$", "$SET a$"),
        ("${SET:-d}", "a"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${NONE-d}", "d"),
        ("${NONE:-}", ""),
        ("${NONE:-${SET}}", "a"),
        ("${NONE:-${OTHER:-x}y}z", "xyz"),
        ("${SET:?needed}", "a"),
        ("${SET:+b}", "b"),
        ("${EMPTY:+b}", ""),
        ("${EMPTY+b}", "b"),
        ("${NONE+b}", ""),
        ("ldap://${HOST:-ldap}:${PORT:-389}", "ldap://ldap:389"),
        ("$", "$"),
        ("$1", "$1"),
    ],
)
def test_a_value_is_replaced(text: str, value: str) -> None:
    interpolation = Interpolation(VALUES)
    assert interpolation.replace(text) == value
    assert interpolation.unset == []


@pytest.mark.parametrize(
    ("text", "unset"),
    [
        ("$NONE", ["NONE"]),
        ("${NONE}", ["NONE"]),
        ("${NONE:?x}", ["NONE"]),
        ("${EMPTY:?x}", ["EMPTY"]),
        ("${UNKNOWN}", []),
        ("${UNKNOWN:-d}", []),
        ("${open", []),
        ("${}", []),
        ("${SET!x}", []),
    ],
)
def test_a_value_that_the_file_does_not_show_is_unknown(text: str, unset: list[str]) -> None:
    interpolation = Interpolation(VALUES)
    assert interpolation.replace(text) is None
    assert interpolation.unset == unset


def test_values_and_defaults_cannot_grow_without_a_bound() -> None:
    assert Interpolation({"A": "x" * 60_000}).replace("$A$A") is None
    assert Interpolation({}).replace("${A:-" * 1000 + "}" * 1000) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$(SET)/x", "a/x"),
        ("$$(SET)", "$(SET)"),
        ("$(NONE)", "$(NONE)"),
        ("$SET", "$SET"),
        ("$(UNKNOWN)", None),
        ("", ""),
    ],
)
def test_kubernetes_replaces_only_its_own_form(text: str, value: str | None) -> None:
    assert replace_kubernetes_references(text, VALUES) == value
