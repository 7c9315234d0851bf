"""The names in a single value: finding them, putting others in their place."""

from __future__ import annotations

from dcmcfg.dn import DN
from dcmcfg.errors import MalformedInput
from dcmcfg.references.attributes import SHAPES
from dcmcfg.references.kinds import Kind
from dcmcfg.references.shapes import Name


def names(attribute: str, value: bytes) -> tuple[Name, ...]:
    """Return the names in *value* of *attribute* (any case, options ignored), in order; DNs are not names here."""
    shape = SHAPES.get(attribute.partition(";")[0].lower())
    return tuple(shape(value.decode("utf-8", "surrogateescape"))) if shape is not None else ()


def rewritten(attribute: str, value: bytes, kind: Kind, old: str, new: str) -> bytes:
    """Return *value* of *attribute* with *new* wherever the thing *old* of *kind* was named; the rest to the octet."""
    text = value.decode("utf-8", "surrogateescape")
    pieces, done = [], 0
    for name in names(attribute, value):
        if name.kind is kind and kind.same(name.text, old):
            pieces += [text[done : name.start], name.spelled(new)]
            done = name.end
    return "".join([*pieces, text[done:]]).encode("utf-8", "surrogateescape")


def dn_rewritten(value: bytes, old: DN, new: DN) -> bytes:
    """Return the DN in *value*, where it is *old* or below it, as below *new*; what is left of that to the octet.

    A value that is elsewhere, or no DN, is returned as it is.
    """
    text = value.decode("utf-8", "surrogateescape")
    try:
        dn = DN.parse(text)
    except MalformedInput:
        return value
    if not old.rdns or not dn.is_below(old):
        return value
    below = len(dn.rdns) - len(old.rdns)
    return (text[: _end_of_rdns(text, below)] + str(new)).encode("utf-8", "surrogateescape")


def _end_of_rdns(text: str, count: int) -> int:
    """Return where the first *count* RDNs of the DN in *text* end, the comma and blanks after them included."""
    at, quoted = 0, False
    while count:
        if text[at] == "\\":
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        elif text[at] in ",;" and not quoted:
            count -= 1
        at += 1
    while text[at : at + 1] == " ":
        at += 1
    return at
