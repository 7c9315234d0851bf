"""Render parts of a Markdown document (CommonMark with tables); all text is escaped, because values may be hostile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dcmcfg.printable import escape_unprintable

#: Characters that can have a meaning: a dot or a colon that makes a link, a sign at the start, and the others anywhere.
_SPECIAL = re.compile(r"(?<=www)\.|:(?=//)|\A[-+=]|[\\`*_{}\[\]<>#|~&!@^$]")
#: The start of a numbered list.
_LIST_NUMBER = re.compile(r"\A(\d+)([.)])")


def escape_markdown(text: str) -> str:
    """Return *text* so that no character has a meaning in Markdown, HTML, or as a mention of a user.

    Entities are used instead of backslashes, because a backslash does not protect a ``|`` in every table.
    """
    text = _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", escape_unprintable(text))
    return _LIST_NUMBER.sub(lambda match: f"{match[1]}&#{ord(match[2])};", text)


def render_code_span(text: str) -> str:
    """Return *text* as a code span; text that could end the span or a cell of a table is escaped text instead."""
    text = escape_unprintable(text)
    if not text.strip():
        return ""
    return escape_markdown(text) if "|" in text or "`" in text else f"`{text}`"


def render_prose(text: str) -> str:
    """Return *text* with each word that has a special character as a code span, so that names stay readable.

    A word that could end the span or a cell of a table is escaped text. A single ``@`` mentions nobody.
    """
    first, *others = escape_unprintable(text).split(" ")
    first = f"`{first}`" if _LIST_NUMBER.fullmatch(first) else _render_word(first)
    return " ".join((first, *map(_render_word, others)))


def _render_word(word: str) -> str:
    if word == "@" or not _SPECIAL.search(word):
        return word
    # The comma after a name is not a part of the name.
    name = word.rstrip(",.;:")
    return render_code_span(name) + word[len(name) :] if _SPECIAL.search(name) else render_code_span(word)


def render_markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; *rows* are escaped already."""
    yield f"| {' | '.join(map(escape_markdown, columns))} |\n"
    yield f"|{'---|' * len(columns)}\n"
    for row in rows:
        yield f"| {' | '.join(row)} |\n"
    yield "\n"


def render_markdown_list(items: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a list; *items* are escaped already."""
    yield from (f"- {each}\n" for each in items)
    yield "\n"


def render_code_block(lines: Sequence[str], language: str) -> Iterator[str]:
    """Yield the lines of a fenced code block of *lines*, which need no escaping there except of control characters."""
    escaped = [escape_unprintable(each) for each in lines]
    # The fence must be longer than any fence in the text.
    longest = max((len(each) for line in escaped for each in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}{language}\n"
    yield from (f"{each}\n" for each in escaped)
    yield f"{fence}\n\n"
