"""A file of AEs: its rows, with what it takes to write some of them down again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from dcmcfg.onboarding.row import Row


class Source(Protocol):
    """The form that the rows were read in."""

    def with_reasons(self, reasons: Mapping[int, str], heading: str) -> str:
        """Return a file of the same form that holds the rows of those numbers as they were, each with its reason.

        *heading* is told above them, where the form has a place for that.
        """
        ...


@dataclass(frozen=True)
class Sheet:
    """The ``rows`` of a file; ``warnings`` are sentences on what of it counts for nothing."""

    rows: tuple[Row, ...]
    source: Source
    warnings: tuple[str, ...] = ()


def unknown_columns(name: str, headings: Iterable[str], word: str) -> Iterator[str]:
    """Yield a sentence for each of the *headings* of the file *name* that stand for nothing here.

    *word* is what they are there: column or key.
    """
    for heading, count in Counter(headings).items():
        times = f" ({count} times)" if count > 1 else ""
        yield f"{name}: the {word} {heading!r} is unknown and counts for nothing{times}."


def in_one_line(text: str) -> str:
    """Return *text* without line ends and control characters, as a comment or a cell holds it."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
