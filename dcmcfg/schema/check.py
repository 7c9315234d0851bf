"""Everything that is wrong with entries, by the schema and by how the archive reads its values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.schema import syntaxes
from dcmcfg.schema.definitions import AttributeType, Schema
from dcmcfg.schema.findings import (
    DANGLING,
    ENTRY_TWICE,
    ENUMERATION,
    FORMAT,
    NOT_ALLOWED,
    NOT_OFFERED,
    OUT_OF_RANGE,
    PORT,
    SINGLE_VALUED,
    SYNTAX,
    UNKNOWN_ATTRIBUTE,
    UNKNOWN_CLASS,
    VALUE_TWICE,
    Finding,
    Place,
    Rule,
)
from dcmcfg.schema.formats import ENUMERATIONS
from dcmcfg.schema.structure import OPERATIONAL, structure, with_superiors
from dcmcfg.schema.web_form import OPEN_LISTS, FormField, form_fields, value_format

#: Where the archive looks for its configuration (LdapDicomConfiguration).
_ROOT = (("cn", "dicom configuration"),)
#: What a server that holds the entry knows better than the bundled schema.
_SERVER_KNOWS = (UNKNOWN_ATTRIBUTE, UNKNOWN_CLASS, NOT_ALLOWED)
_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Subject:
    """An entry to check, with its place in a file if it comes from one."""

    entry: Entry
    place: Place | None = None


def check(subjects: Iterable[Subject], schema: Schema, *, live: bool, newer: bool = False) -> Iterator[Finding]:
    """Yield what is wrong with *subjects*, in their order: errors and warnings, see ``RULES``.

    *live* says that they are all that a server holds below its base DN. Then every reference must find its target
    among them. Otherwise they come from files, which may hold a part: a reference into a part that is not there is
    passed over. With *newer*, the server that took the entries may know more than *schema* does: what it does not
    know or allow is a warning.
    Unknown names count below ``cn=DICOM Configuration`` only, what else a directory holds is not the archive's.
    """
    return _Check(tuple(subjects), schema, live, newer).findings()


@dataclass(frozen=True)
class _Check:
    subjects: tuple[Subject, ...]
    schema: Schema
    live: bool
    newer: bool

    def findings(self) -> Iterator[Finding]:
        seen = set()
        for subject in self.subjects:
            entry = subject.entry
            key = self.schema.normal_dn(entry.dn)
            if key in seen:
                yield Finding(ENTRY_TWICE, entry.dn, "", "the entry was given before", place=subject.place)
            seen.add(key)
            for finding in (*self._structure(entry), *self._values(entry)):
                yield replace(finding, place=subject.place)

    @cached_property
    def _names(self) -> frozenset[object]:
        return frozenset(self.schema.normal_dn(subject.entry.dn) for subject in self.subjects)

    def _structure(self, entry: Entry) -> Iterator[Finding]:
        ours = _ROOT in self.schema.normal_dn(entry.dn)
        for finding in structure(self.schema, entry):
            if finding.rule not in _SERVER_KNOWS:
                yield finding
            elif ours and finding.attribute.lower() not in OPERATIONAL:
                yield replace(finding, severity="warning") if self.newer else finding

    def _values(self, entry: Entry) -> Iterator[Finding]:
        held: dict[str, tuple[AttributeType, list[bytes]]] = {}
        for attribute in entry.attributes:
            definition = self.schema.attribute(attribute.name)
            if definition is not None:
                held.setdefault(definition.name, (definition, []))[1].extend(attribute.values)
        classes = self._class_names(entry)
        for name, (definition, values) in held.items():
            yield from self._together(entry.dn, definition, values)
            if name != "objectClass":
                fields = {of: field for of, field in form_fields(name).items() if of in classes}
                for value in values:
                    yield from self._value(entry.dn, definition, value, tuple(fields.values()))

    def _class_names(self, entry: Entry) -> frozenset[str]:
        known = [each for each in map(self.schema.object_class, entry.texts("objectClass")) if each is not None]
        return frozenset(each.name for each in with_superiors(self.schema, known))

    def _together(self, dn: DN, definition: AttributeType, values: list[bytes]) -> Iterator[Finding]:
        if len(values) < 2:
            return
        if definition.single_valued:
            yield Finding(SINGLE_VALUED, dn, definition.name, f"one value is allowed, and there are {len(values)}")
        seen = set()
        for value in values:
            normal = self.schema.normal_value(definition.name, value)
            if normal in seen:
                yield Finding(VALUE_TWICE, dn, definition.name, "the value is given twice", value)
            seen.add(normal)

    def _value(
        self, dn: DN, definition: AttributeType, value: bytes, fields: tuple[FormField, ...]
    ) -> Iterator[Finding]:
        def found(rule: Rule, message: str) -> Finding:
            return Finding(rule, dn, definition.name, message, value, rule.severity)

        if problem := syntaxes.problem(definition.syntax, value):
            yield found(SYNTAX, problem)
        elif definition.syntax == "DN":
            if not self._exists(DN.parse(value.decode())):
                yield found(DANGLING, "there is no such entry")
        elif definition.syntax == "Integer":
            yield from _number(definition.name, value, fields, found)
        elif definition.syntax in ("IA5String", "DirectoryString"):
            yield from _text(definition.name, value.decode(), fields, found)

    def _exists(self, dn: DN) -> bool:
        """Tell whether the entry *dn* is there, or may be in a part of the tree that was not read."""
        key = self.schema.normal_dn(dn)
        if key in self._names:
            return True
        return not self.live and not any(key[depth:] in self._names for depth in range(1, len(key)))


_Found = Callable[[Rule, str], Finding]


def _number(name: str, value: bytes, fields: tuple[FormField, ...], found: _Found) -> Iterator[Finding]:
    number = _integer(value)
    if name == "dicomPort":
        if not 1 <= number <= _HIGHEST_PORT:
            yield found(PORT, f"a port is from 1 to {_HIGHEST_PORT}")
        return
    for field in fields:
        low, high = field.minimum, field.maximum
        if (low is not None and number < low) or (high is not None and number > high):
            bounds = f"from {low} to {high}" if high is not None else f"{low} or more"
            yield found(OUT_OF_RANGE, f"the web form takes {bounds}")
            return
    yield from _offered(value.decode(), fields, found)


def _integer(value: bytes) -> int:
    """Return the number in *value*; one of more digits than any bound has counts as just as far out."""
    return int(value[:20])


def _text(name: str, text: str, fields: tuple[FormField, ...], found: _Found) -> Iterator[Finding]:
    if name in ENUMERATIONS:
        if text not in ENUMERATIONS[name]:
            yield found(ENUMERATION, f"it must be one of {', '.join(ENUMERATIONS[name])}, in capitals")
        return
    formats = (value_format(name, field) for field in (fields or (None,)))
    known = next((each for each in formats if each is not None), None)
    if known is not None:
        if problem := known.problem(text):
            yield found(FORMAT, problem)
        return
    if name not in OPEN_LISTS:
        yield from _offered(text, fields, found)


def _offered(text: str, fields: tuple[FormField, ...], found: _Found) -> Iterator[Finding]:
    if not fields or not all(field.values for field in fields):  # a class that offers no list takes any value
        return
    offered = tuple(dict.fromkeys(value for field in fields for value in field.values))
    if text not in offered:
        shown = ", ".join(offered[:12]) + (", …" if len(offered) > 12 else "")
        yield found(NOT_OFFERED, f"the web form offers {shown}")
