"""What is wrong with single values: by their syntax, and by how the archive and its web form read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.network_address import address_problem
from dcmcfg.schema import syntaxes
from dcmcfg.schema.definitions import AttributeType, Schema
from dcmcfg.schema.findings import (
    DANGLING,
    ENUMERATION,
    FORMAT,
    HOST,
    NOT_OFFERED,
    OUT_OF_RANGE,
    PORT,
    SYNTAX,
    Finding,
    Rule,
)
from dcmcfg.schema.formats import ENUMERATIONS
from dcmcfg.schema.structure import with_superiors
from dcmcfg.schema.web_form import OPEN_LISTS, FormField, form_fields, value_format

_HIGHEST_PORT = 65535
#: The attribute whose values are TCP ports, and what these are; the web form takes others too.
PORT_ATTRIBUTE, PORT_IN_WORDS = "dicomPort", f"a TCP port, 1 to {_HIGHEST_PORT}"
_Classes = tuple[bytes, ...]


@dataclass(frozen=True)
class ValueRules:
    """The rules for single values; ``exists`` tells whether the entry that a value names is there, or may be."""

    schema: Schema
    exists: Callable[[DN], bool]
    _fields: dict[tuple[_Classes, str], tuple[FormField, ...]] = field(default_factory=dict)

    def findings(self, entry: Entry, name: str, values: Iterable[bytes]) -> Iterator[Finding]:
        """Yield what is wrong with *values* of attribute *name* of *entry*, in their order.

        What the web form says of an attribute depends on the entry's classes. Of an attribute that the schema does not
        know nothing is said, nor of objectClass.
        """
        definition = self.schema.attribute(name)
        if definition is None or definition.name == "objectClass":
            return
        fields = self._form_fields(entry, definition.name)
        for value in values:
            yield from self._value(entry.dn, definition, value, fields)

    def _form_fields(self, entry: Entry, name: str) -> tuple[FormField, ...]:
        """Return the fields of *name* in the form for the classes of *entry*, which few of the entries differ in."""
        classes = entry.values("objectClass")
        known = self._fields.get((classes, name))
        if known is None:
            found = [each for each in map(self.schema.object_class, entry.texts("objectClass")) if each is not None]
            names = {each.name for each in with_superiors(self.schema, found)}
            known = tuple(form for of, form in form_fields(name).items() if of in names)
            self._fields[classes, name] = known
        return known

    def _value(
        self, dn: DN, definition: AttributeType, value: bytes, fields: tuple[FormField, ...]
    ) -> Iterator[Finding]:
        def found(rule: Rule, message: str) -> Finding:
            return Finding(rule, dn, definition.name, message, value, rule.severity)

        if problem := syntaxes.problem(definition.syntax, value):
            yield found(SYNTAX, problem)
        elif definition.syntax == "DN":
            if not self.exists(DN.parse(value.decode())):
                yield found(DANGLING, "there is no such entry")
        elif definition.syntax == "Integer":
            yield from _number(definition.name, value, fields, found)
        elif definition.syntax in ("IA5String", "DirectoryString"):
            yield from _text(definition.name, value.decode(), fields, found)


_Found = Callable[[Rule, str], Finding]


def _number(name: str, value: bytes, fields: tuple[FormField, ...], found: _Found) -> Iterator[Finding]:
    number = _integer(value)
    if name == PORT_ATTRIBUTE:
        if not 1 <= number <= _HIGHEST_PORT:
            yield found(PORT, f"a port is from 1 to {_HIGHEST_PORT}")
        return
    for form in fields:
        low, high = form.minimum, form.maximum
        if (low is not None and number < low) or (high is not None and number > high):
            bounds = f"from {low} to {high}" if high is not None else f"{low} or more"
            yield found(OUT_OF_RANGE, f"the web form takes {bounds}")
            return
    yield from _offered(value.decode(), fields, found)


def _integer(value: bytes) -> int:
    """Return the number in *value*; one of more digits than any bound has counts as just as far out."""
    return int(value[:20])


def _text(name: str, text: str, fields: tuple[FormField, ...], found: _Found) -> Iterator[Finding]:
    if name == "dicomHostname" and (problem := address_problem(text)):
        yield found(HOST, problem)
        return
    if name in ENUMERATIONS:
        if text not in ENUMERATIONS[name]:
            yield found(ENUMERATION, f"it must be one of {', '.join(ENUMERATIONS[name])}, in capitals")
        return
    formats = (value_format(name, form) for form in (fields or (None,)))
    known = next((each for each in formats if each is not None), None)
    if known is not None:
        if problem := known.problem(text):
            yield found(FORMAT, problem)
        return
    if name not in OPEN_LISTS:
        yield from _offered(text, fields, found)


def _offered(text: str, fields: tuple[FormField, ...], found: _Found) -> Iterator[Finding]:
    if not fields or not all(form.values for form in fields):  # a class that offers no list takes any value
        return
    offered = tuple(dict.fromkeys(value for form in fields for value in form.values))
    if text not in offered:
        shown = ", ".join(offered[:12]) + (", …" if len(offered) > 12 else "")
        yield found(NOT_OFFERED, f"the web form offers {shown}")
