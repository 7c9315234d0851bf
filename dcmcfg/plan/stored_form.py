"""Values in the form in which a server stores them, which may differ from the given form.

The forms depend on the server: 389 Directory Server, ApacheDS and UnboundID add the superior classes of a class; slapd
does not, but changes the spelling of class names and DNs; 389 Directory Server and ApacheDS hash passwords. A plan that
required the given form would never converge.
"""

from __future__ import annotations

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.plan.hashed_passwords import PASSWORD, substitute_stored_passwords
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import add_implied_classes
from dcmcfg.schema_names import OBJECT_CLASS

_CLASSES = OBJECT_CLASS.lower()

_Values = tuple[bytes, ...]


def substitute_stored_form(stored: Entry, desired: Entry, schema: Schema) -> Entry:
    """Return *desired*, with each value that servers store in another form replaced by its form in *stored*.

    These are object classes with the classes that they imply, DNs (the case of their values is significant), and
    passwords.
    """
    found = desired
    for attribute in desired.attributes:
        old, new = stored.values(attribute.name), attribute.values
        # An attribute without a stored value has no stored form.
        if old == new or not old:
            continue
        name = attribute.name.lower()
        definition = schema.attribute(name)
        if name == _CLASSES:
            new = substitute_stored_classes(old, new, schema)
        elif name.partition(";")[0] == PASSWORD:
            new = substitute_stored_passwords(old, new)
        elif definition is not None and definition.syntax == "DN":
            by_name = {_canonicalise_dn(value, schema): value for value in old}
            new = tuple(by_name.get(_canonicalise_dn(value, schema), value) for value in new)
        if new != attribute.values:
            found = found.with_values(attribute.name, new)
    return found


def substitute_stored_classes(stored: _Values, desired: _Values, schema: Schema) -> _Values:
    """Return *desired* with the classes of *stored* that it implies; *stored* itself if both imply the same classes.

    An entry with a class has all its superior classes too, stored or not (RFC 4512 §3.3).
    """
    implied, before = (
        add_implied_classes(schema, (value.decode("utf-8", "replace") for value in each)) for each in (desired, stored)
    )
    if implied == before:
        return stored
    desired_lower = {value.lower() for value in desired}
    return (
        *desired,
        *(
            value
            for value in stored
            if value.lower() not in desired_lower and value.lower().decode("utf-8", "replace") in implied
        ),
    )


def _canonicalise_dn(value: bytes, schema: Schema) -> object:
    """Return a key of the DN *value* that is equal for all spellings (case is significant), or *value* if not a DN."""
    try:
        dn = DN.parse(value.decode("utf-8", "surrogateescape"))
    except MalformedInput:
        return value
    # The parts of a multi-valued RDN have no order (RFC 4512 §2.3.1).
    return tuple(frozenset((_canonicalise_type(kind, schema), text) for kind, text in rdn.parts) for rdn in dn.rdns)


def _canonicalise_type(name: str, schema: Schema) -> str:
    known = schema.attribute(name)
    return (known.name if known is not None else name).lower()
