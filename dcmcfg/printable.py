"""Text that cannot steer a terminal or forge a line, and numbers of things.

Kept apart: commands use it without loading rich.
"""

from __future__ import annotations


def escape_unprintable(text: str) -> str:
    r"""Return *text* with each character that is not printable, line ends too, as ``\xNN`` or ``\uNNNN``.

    What came from a peer, a server or a file passes through here before it is printed, once: what is escaped stays so.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def escape_unprintable_lines(text: str) -> str:
    """Return *text* as :func:`escape_unprintable` does, its line feeds kept: for a text whose lines are our own."""
    return text if text.isprintable() else "\n".join(map(escape_unprintable, text.split("\n")))


def format_count(number: int, one: str, many: str = "", *, grouped: bool = False) -> str:
    """Return ``1 entry`` or ``1234 entries``, *grouped* ``1,234 entries``; without *many* the plural has an ``s``."""
    return f"{number:{',' if grouped else ''}} {one if number == 1 else many or f'{one}s'}"


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
