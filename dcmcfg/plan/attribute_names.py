"""Canonical attribute names: the names that the server returns, instead of the aliases and OIDs of a file."""

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

    Otherwise, a tree could have one attribute under two names, and a secret named by its OID would not be recognised.
    Attribute options get the order of the entry *current*, because 389 Directory Server finds an attribute only with
    that order. Raises :class:`DoesNotApply` for a certificate without ``;binary``, which would become a second
    attribute.
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
    """Refuse certificates without ``;binary``: they are transferred with that option only (RFC 4523 §2.1)."""
    for name in names:
        known = schema.attribute(name)
        if known is not None and known.syntax == "Certificate" and "binary" not in name.lower().split(";"):
            # slapd refuses such an attribute with undefinedAttributeType (17) too.
            raise DoesNotApply(f"{name} must be written as {name};binary", subject=str(change.dn), result_code=17)


def _merge_attributes(schema: Schema, given: Iterable[Attribute]) -> tuple[Attribute, ...]:
    """Return *given* with canonical names, and merge the values of several names of one attribute."""
    found: dict[str, Attribute] = {}
    for attribute in given:
        name = canonicalise_name(schema, attribute.name)
        known = found.get(name.lower(), Attribute(name, ()))
        found[name.lower()] = Attribute(known.name, known.values + attribute.values)
    return tuple(found.values())
