"""Numbers that no command can go by."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    "command",
    [
        ("results", "clear", "--older-than-days"),
        ("echo", "LONGTERM", "--timeout-s"),
        ("verify", "--study", "1.2.3", "--timeout-s"),
        ("verify", "--studies", "list.txt", "--patience-s"),
    ],
)
@pytest.mark.parametrize("number", ["nan", "inf", "1e300", "-1"])
def test_what_is_no_number_or_beyond_all_use_is_refused(run: Run, command: tuple[str, ...], number: str) -> None:
    done = run(*command, number)
    assert (done.exit_code, done.stdout) == (2, "")
    problem = "nan is not a number." if number == "nan" else f"{float(number)} is not in the range 0<"
    assert f"Error: Invalid value for '{command[-1]}': {problem}" in done.stderr
