"""Text as roff source with the macros of man(7), which groff and mandoc read.

The source is ASCII, and each character is shown as it is: a hyphen as the ASCII hyphen of a command line, which can be
copied, and a quotation mark as the ASCII one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: groff_char(7): characters that roff interprets, or prints as typographic ones.
_ESCAPES = {"\\": r"\(rs", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
_PARAGRAPH = ".PP\n"
_OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")
_PLACEHOLDER = re.compile(r"\b[A-Z][A-Z0-9_]*\b")


def escape(text: str) -> str:
    """Return *text* as roff that prints exactly *text*, also at the beginning of a line."""
    escaped = "".join(_ESCAPES.get(each) or (each if each.isascii() else rf"\[u{ord(each):04X}]") for each in text)
    return rf"\&{escaped}" if escaped.startswith(".") else escaped


def bold(text: str) -> str:
    """Return *text* in bold."""
    return rf"\fB{escape(text)}\fR"


def format_usage(text: str) -> str:
    """Return a usage line or the term of an option: names of options in bold, placeholders in italics."""
    parts = []
    position = 0
    for match in sorted([*_OPTION.finditer(text), *_PLACEHOLDER.finditer(text)], key=lambda each: each.start()):
        if match.start() < position:  # a placeholder within the name of an option
            continue
        font = "B" if match.re is _OPTION else "I"
        parts += [escape(text[position : match.start()]), rf"\f{font}{escape(match[0])}\fR"]
        position = match.end()
    return "".join([*parts, escape(text[position:])])


def section(heading: str, *parts: str) -> str:
    """Return a section with *parts*, already roff; the heading is in capitals, as man pages have it."""
    body = "\n".join(parts).removeprefix(_PARAGRAPH)  # mandoc reports a paragraph macro directly below a heading
    return f'.SH "{escape(heading.upper())}"\n{body}'


def paragraph(text: str) -> str:
    """Return a paragraph; roff wraps it."""
    return f"{_PARAGRAPH}{escape(text)}"


def literal(lines: Iterable[str]) -> str:
    """Return *lines* as a block that is not wrapped."""
    shown = "\n".join(map(escape, lines))
    return f"{_PARAGRAPH}.RS 4\n.EX\n{shown}\n.EE\n.RE"


def entry(term: str, text: str) -> str:
    """Return a term, already roff, with its *text* indented below it."""
    return f".TP\n{term}\n{escape(text)}"


def example(purpose: str, command: str) -> str:
    """Return a *command* line that is not wrapped, below its *purpose*."""
    return f"{paragraph(f'{purpose}:')}\n{literal([command])}"
