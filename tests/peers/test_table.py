"""What ``docs/reference/verify-peers.md`` says of each kind of peer is what ``verify`` said when it met them."""

from __future__ import annotations

from tests.peers.outputs import ANSWERS
from tests.peers.table import PAGE, TABLES, with_tables


def test_the_tables_are_what_was_said() -> None:
    page = PAGE.read_text("utf-8")
    assert page == with_tables(page), "python -m tests.peers.table writes them"


def test_every_answer_is_that_of_a_peer() -> None:
    names = [peer.name for peers in TABLES.values() for peer in peers]
    assert sorted(path.stem for path in ANSWERS.iterdir()) == sorted(names)
