"""What is said on standard error fits the terminal, and is left as it is elsewhere."""

from __future__ import annotations

from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run

UNNAMED = ("--profile", "no-such-profile-of-this-account", "ae", "list")
UNKNOWN = ("verify", "--study", "1.2.3", "--dest", "STORESCP", "--yes")


def test_an_error_is_broken_between_words_at_a_terminal_and_not_elsewhere(run: Run) -> None:
    result = run(*UNNAMED)
    plain, plain_code = result.stderr, result.exit_code
    for columns in (80, 60):
        code, shown = at_terminal(UNNAMED, [], columns=columns)
        assert code == plain_code
        assert " ".join(shown.split()) == " ".join(plain.split())
        # The prefix does not stand alone, also before a word that is longer than the line.
        texts = [line.strip().removeprefix("dcmcfg: ") for line in shown.splitlines()]
        assert all(len(text) <= columns or " " not in text for text in texts)
    assert [line[:8] for line in plain.splitlines()] == ["dcmcfg: ", "  next: "]


def test_wrong_usage_is_broken_between_words_too(run: Run) -> None:
    plain = run(*UNKNOWN).stderr
    _, shown = at_terminal(UNKNOWN, [], columns=40)
    assert [" ".join(text.split()) for text in (shown, plain)] == [" ".join(plain.split())] * 2
    assert all(len(line) <= 40 for line in shown.splitlines())
