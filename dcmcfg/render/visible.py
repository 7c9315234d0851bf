"""Text that cannot steer a terminal; without rich, which takes its time to load."""

from __future__ import annotations


def visible(text: str) -> str:
    r"""Return *text* with what is not printable written as ``\xNN``: a value must not steer the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
