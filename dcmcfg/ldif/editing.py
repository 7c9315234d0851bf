"""Entries as text for an editor: LDIF with a line for each value, and with text as one reads it.

Other than :mod:`dcmcfg.ldif.writer` it neither folds lines nor puts text that is not ASCII into base64. OpenLDAP's
tools read that, and so does :func:`dcmcfg.ldif.reader.read`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from dcmcfg.entry import Entry

_UNSAFE_FIRST = (" ", ":", "<")


def editor_text(entry: Entry, *, comments: Iterable[str] = ()) -> str:
    """Return *entry* as a content record that ends with an empty line, each of *comments* on a ``#`` line before it."""
    lines = [f"# {comment}".rstrip() for comment in comments]
    lines.append(_line("dn", str(entry.dn).encode("utf-8", "surrogateescape")))
    lines += [_line(attribute.name, value) for attribute in entry.attributes for value in attribute.values]
    return "\n".join(lines) + "\n\n"


def _line(name: str, value: bytes) -> str:
    if not value:
        return f"{name}:"
    text = value.decode("utf-8", "replace")
    readable = text.isprintable() and text.encode() == value and not text.startswith(_UNSAFE_FIRST)
    if readable and not text.endswith(" "):
        return f"{name}: {text}"
    return f"{name}:: {base64.b64encode(value).decode()}"
