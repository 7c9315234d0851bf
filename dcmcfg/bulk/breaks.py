"""Associations that break one after the other: of different studies in a row, it is the archive's doing."""

from __future__ import annotations

from collections import Counter

#: Two studies may be such that an archive fails on each; of so many it is taken to fail by itself.
_STUDIES = 3


class Breaks:
    """Which studies were under way when associations broke, since the last answer. Not safe for several threads."""

    def __init__(self) -> None:
        self._in_a_row: Counter[str] = Counter()

    @property
    def are_in_doubt(self) -> bool:
        """Whether the last thing known is a break: another study tells whose doing it was."""
        return bool(self._in_a_row)

    @property
    def are_of_the_archive(self) -> bool:
        """Whether it breaks each association, whatever it is asked for."""
        return len(self._in_a_row) >= _STUDIES

    def broke(self, uid: str) -> None:
        """Note that an association broke while *uid* was under way on it."""
        self._in_a_row[uid] += 1

    def answered(self) -> Counter[str]:
        """Note an answer, of whatever study; return how often studies were under way at breaks of the archive."""
        of_the_archive = self._in_a_row if self.are_of_the_archive else Counter[str]()
        self._in_a_row = Counter()
        return of_the_archive
