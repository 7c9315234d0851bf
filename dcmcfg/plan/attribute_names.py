"""Attribute names as the server will give them back, whatever name a file uses for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dcmcfg.changes import Add, Change, Modify
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.model.tree import canonicalise_name, find_spelling_in_entry
from dcmcfg.schema.definitions import Schema


def canonicalise_names(schema: Schema, change: Change, current: Entry | None = None) -> Change:
    """Return *change* with aliases (``commonName``) and OIDs of attributes replaced by their names (``cn``).

    Otherwise a tree would hold one attribute under two names, and a secret named by its OID would not be known as one.
    Options stand in the order of the entry as *current*: 389 Directory Server knows an attribute by that order only.
    Raises :class:`DoesNotApply` for a certificate without ``;binary``, which would seem to be an attribute of its own.
    """
    match change:
        case Add(entry):
            _require_binary(schema, change, (attribute.name for attribute in entry.attributes))
            return replace(change, entry=Entry(entry.dn, _merge_attributes(schema, entry.attributes)))
        case Modify(_, modifications):
            _require_binary(schema, change, (modification.name for modification in modifications))
            canonical = (
                replace(each, name=find_spelling_in_entry(schema, each.name, current)) for each in modifications
            )
            return replace(change, modifications=tuple(canonical))
        case _:
            return change


def _require_binary(schema: Schema, change: Change, names: Iterable[str]) -> None:
    """A certificate travels as ``;binary`` only (RFC 4523 §2.1)."""
    for name in names:
        known = schema.attribute(name)
        if known is not None and known.syntax == "Certificate" and "binary" not in name.lower().split(";"):
            raise DoesNotApply(f"{name} must be written {name};binary", subject=str(change.dn), result_code=17)


def _merge_attributes(schema: Schema, given: Iterable[Attribute]) -> tuple[Attribute, ...]:
    """Return *given* renamed, values that stood under several names of one attribute together."""
    found: dict[str, Attribute] = {}
    for attribute in given:
        name = canonicalise_name(schema, attribute.name)
        known = found.get(name.lower(), Attribute(name, ()))
        found[name.lower()] = Attribute(known.name, known.values + attribute.values)
    return tuple(found.values())
