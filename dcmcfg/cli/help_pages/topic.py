"""The form of a help topic. Kept apart: every module with texts of topics uses it."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.cli.topics import TOPICS


@dataclass(frozen=True)
class Section:
    """A heading, and rows of a term and its text."""

    heading: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Topic:
    """A help topic: paragraphs, and the tables below them."""

    name: str
    paragraphs: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def summary(self) -> str:
        """The line of the topic in ``dcmcfg --help``."""
        return TOPICS[self.name]
