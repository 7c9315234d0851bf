from __future__ import annotations

import pytest

from dcmcfg.suggestions import join_limited


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a; b"),
        (["a", "b", "c"], "a; b and 1 more"),
        (list("abcd"), "a; b and 2 more"),
    ],
)
def test_of_many_names_the_first_are_told_and_how_many_more_there_are(names: list[str], expected: str) -> None:
    assert join_limited(names, 2, "; ") == expected
