"""The names in a single value: finding them, putting others in their place."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.errors import MalformedInput
from dcmcfg.model.references.attributes import SHAPES
from dcmcfg.model.references.kinds import Kind
from dcmcfg.model.references.shapes import Name


@lru_cache(maxsize=4096)
def may_name(attribute: str) -> bool:
    """Return whether values of *attribute* (any case, options ignored) have names in them."""
    return attribute.partition(";")[0].lower() in SHAPES


def names(attribute: str, value: bytes) -> tuple[Name, ...]:
    """Return the names in *value* of *attribute* (any case, options ignored), in order; DNs are not names here."""
    shape = SHAPES.get(attribute.partition(";")[0].lower())
    return tuple(shape(value.decode("utf-8", "surrogateescape"))) if shape is not None else ()


def rewritten(attribute: str, value: bytes, kind: Kind, old: str, new: str, *, beside: bool = False) -> bytes:
    """Return *value* of *attribute* with *new* wherever the thing *old* of *kind* was named; the rest to the octet.

    With *beside*, a pattern that takes *old* goes on to do so and takes *new* as well; without it, one that takes both
    takes *new* once.
    """
    text = value.decode("utf-8", "surrogateescape")
    found = names(attribute, value)
    taken = not kind.same(old, new) and any(n.pattern and n.kind is kind and kind.same(n.text, new) for n in found)
    pieces, done = [], 0
    for name in found:
        if name.kind is kind and kind.same(name.text, old):
            start, end, instead = name.start, name.end, name.spelled(new)
            if name.pattern and taken:
                start, end, instead = _without_mark(text, start, end, keep=beside)
            elif name.pattern and beside:
                instead = f"{text[start:end]}|{instead}"
            pieces += [text[done:start], instead]
            done = end
    return "".join([*pieces, text[done:]]).encode("utf-8", "surrogateescape")


def _without_mark(text: str, start: int, end: int, *, keep: bool) -> tuple[int, int, str]:
    """Return from where to where an alternative of a pattern, with a mark beside it, is taken out; or *keep* it."""
    if keep:
        return start, end, text[start:end]
    if text[end : end + 1] == "|":
        return start, end + 1, ""
    return start - (text[start - 1 : start] == "|"), end, ""


def dn_rewritten(value: bytes, old: DN, new: DN, key: Callable[[DN], NormalDN]) -> bytes:
    """Return the DN in *value*, where it is *old* or below it, with the last RDN of *new* in the place of *old*'s.

    The two differ by that RDN only; *key* gives the form in which equal DNs are equal. What is before and after it
    stays to the octet, and so does a value that is elsewhere, or no DN.
    """
    text = value.decode("utf-8", "surrogateescape")
    try:
        dn = DN.parse(text)
    except MalformedInput:
        return value
    if not old.rdns or not is_at_or_below(key(dn), key(old)):
        return value
    below = len(dn.rdns) - len(old.rdns)
    start, end = _after_blanks(text, _end_of_rdns(text, below)), _end_of_rdns(text, below + 1)
    if end < len(text):
        end -= 1  # the comma
    end = start + len(text[start:end].rstrip(" "))
    return (text[:start] + str(new.rdn) + text[end:]).encode("utf-8", "surrogateescape")


def _end_of_rdns(text: str, count: int) -> int:
    """Return where the first *count* RDNs of the DN in *text* end, the comma after them included."""
    at, quoted = 0, False
    while count and at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        elif text[at] in ",;" and not quoted:
            count -= 1
        at += 1
    return at


def _after_blanks(text: str, at: int) -> int:
    while text[at : at + 1] == " ":
        at += 1
    return at
