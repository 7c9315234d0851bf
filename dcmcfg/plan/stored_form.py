"""Values in the form in which a server keeps them, which is not in every case the one that it was given.

Each server has its own: 389 Directory Server, ApacheDS and UnboundID add the classes above a class, slapd does not and
spells class names and DNs anew, 389 Directory Server and ApacheDS hash passwords. A plan that asks for the given form
never converges.
"""

from __future__ import annotations

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.plan.hashed_passwords import PASSWORD, as_held
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import with_implied

_CLASSES = "objectclass"

_Values = tuple[bytes, ...]


def in_held_form(held: Entry, wanted: Entry, schema: Schema) -> Entry:
    """Return *wanted* with each value that a server keeps in a form of its own in the form that *held* has of it.

    Those are class names, with the classes that others imply, DNs (the case of their values counts), and passwords.
    """
    found = wanted
    for attribute in wanted.attributes:
        old, new = held.values(attribute.name), attribute.values
        if old == new or not old:
            continue
        name = attribute.name.lower()
        definition = schema.attribute(name)
        if name == _CLASSES:
            new = classes(old, new, schema)
        elif name.partition(";")[0] == PASSWORD:
            new = as_held(old, new)
        elif definition is not None and definition.syntax == "DN":
            by_name = {_name(value, schema): value for value in old}
            new = tuple(by_name.get(_name(value, schema), value) for value in new)
        if new != attribute.values:
            found = found.with_values(attribute.name, new)
    return found


def classes(held: _Values, wanted: _Values, schema: Schema) -> _Values:
    """Return *wanted* with the classes of *held* that it implies; *held* itself where both imply the same.

    With a class an entry has all above it, whether they are stored or not (RFC 4512 §3.3).
    """
    implied, before = (
        with_implied(schema, (value.decode("utf-8", "replace") for value in each)) for each in (wanted, held)
    )
    if implied == before:
        return held
    said = {value.lower() for value in wanted}
    return (*wanted, *(v for v in held if v.lower() not in said and v.lower().decode("utf-8", "replace") in implied))


def _name(value: bytes, schema: Schema) -> object:
    """Return what *value*, a DN, says in whichever of its spellings, case included; the octets if it is no DN."""
    try:
        dn = DN.parse(value.decode("utf-8", "surrogateescape"))
    except MalformedInput:
        return value
    return tuple(frozenset((_kind(kind, schema), text) for kind, text in rdn.parts) for rdn in dn.rdns)


def _kind(name: str, schema: Schema) -> str:
    known = schema.attribute(name)
    return (known.name if known is not None else name).lower()
