"""A report for people, without a format: Markdown and web pages show the same report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from dcmcfg.render.change_lines import ChangeLine

#: What a text means for the reader: good, good with a reservation, bad, worse, or undecided; ``plain`` rates nothing.
Rating = Literal["good", "fair", "bad", "worse", "open", "plain"]


@dataclass(frozen=True)
class ReportCell:
    """A cell: its text, which is not escaped, and the lines that it summarises; ``is_code`` for names and values."""

    text: str
    is_code: bool = False
    details: tuple[str, ...] = ()
    rating: Rating = "plain"


#: A name and its text; a cell for a command or another value to copy.
Fact = tuple[str, str | ReportCell]


@dataclass(frozen=True, kw_only=True)
class ReportSection:
    """A section of the report. Its parts are shown in the order of the fields; only ``changes`` are escaped already.

    ``is_open`` shows the lines that cells summarise, also in print. ``text`` is shown as it is, such as LDIF, whose
    language is ``text_language``. With ``is_matrix``, the cells of ``rows`` are short, and a web page scrolls the
    table.
    """

    title: str
    sentences: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    changes: tuple[ChangeLine, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[ReportCell, ...], ...] = ()
    items: tuple[str, ...] = ()
    text: str = ""
    text_language: str = ""
    commands: tuple[str, ...] = ()
    is_open: bool = False
    is_matrix: bool = False


@dataclass(frozen=True, kw_only=True)
class Report:
    """The whole report: the ``headline`` with its ``rating``, the ``facts`` below it, and the ``sections``.

    ``command`` is the command that wrote the report, such as ``dcmcfg diff``.
    """

    command: str
    headline: str
    rating: Rating = "plain"
    facts: tuple[Fact, ...] = ()
    sections: tuple[ReportSection, ...] = ()
    created: datetime | None = None
