"""Escaping of text that could control a terminal or fake a line, and the format of counts.

Kept apart: commands use it without loading rich.
"""

from __future__ import annotations


def escape_unprintable(text: str) -> str:
    r"""Return *text* with each unprintable character, including line ends, as ``\xNN`` or ``\uNNNN``.

    Text from a peer, a server or a file must be escaped once before it is printed. Escaping it again changes nothing.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def escape_unprintable_lines(text: str) -> str:
    """Return *text* as :func:`escape_unprintable` does, but keep line feeds: for text that dcmcfg split into lines."""
    return text if text.isprintable() else "\n".join(map(escape_unprintable, text.split("\n")))


def format_count(number: int, one: str, many: str = "", *, grouped: bool = False) -> str:
    """Return ``1 entry`` or ``1234 entries``, *grouped* ``1,234 entries``; the default plural is *one* with ``s``."""
    return f"{number:{',' if grouped else ''}} {one if number == 1 else many or f'{one}s'}"


def capitalise_sentence(text: str) -> str:
    """Return *text* with a capital first letter, but unchanged if it begins with ``dcmcfg``, a title or an attribute.

    After a label in a report, the capital shows where the sentence begins.
    """
    first_word = text.partition(" ")[0].rstrip(",:")
    is_sentence = first_word.isalpha() and first_word.islower() and first_word != "dcmcfg"
    return f"{text[0].upper()}{text[1:]}" if is_sentence else text


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
