"""What is wrong with single values: by their syntax, and by how the archive and its web form read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.network_address import address_problem
from dcmcfg.schema import formats, syntaxes
from dcmcfg.schema.archive_values import kinds_on
from dcmcfg.schema.definitions import AttributeType, Schema
from dcmcfg.schema.findings import (
    AE_TITLE,
    DANGLING,
    ENUMERATION,
    FORMAT,
    HOST,
    NOT_OFFERED,
    OUT_OF_RANGE,
    PORT,
    REQUIRED_REFERENCE,
    SYNTAX,
    TAG,
    Finding,
    Rule,
)
from dcmcfg.schema.structure import with_superiors
from dcmcfg.schema.value_kinds.catalogue import ENUMERATION as ONE_OF
from dcmcfg.schema.value_kinds.catalogue import REFERENCES
from dcmcfg.schema.value_kinds.integers import NOT_LISTENING
from dcmcfg.schema.value_kinds.integers import PORT as PORT_KIND
from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.web_form import OPEN_LISTS, FormField, form_fields

_Classes = tuple[bytes, ...]
_DEVICE = "dicomdevicename"
#: The rule that a value of such a kind breaks; any other kind is a format.
_RULES = {ONE_OF: ENUMERATION, PORT_KIND.name: PORT}


class _Readers(NamedTuple):
    """How the archive reads an attribute of an entry (``kinds``), and the fields that its web form has for it."""

    kinds: tuple[ValueKind, ...]
    fields: tuple[FormField, ...]


@dataclass(frozen=True)
class ValueRules:
    """The rules for single values; ``exists`` tells whether the entry that a value names is there, or may be."""

    schema: Schema
    exists: Callable[[DN], bool]
    _readers: dict[tuple[_Classes, str], _Readers] = field(default_factory=dict)

    def findings(self, entry: Entry, name: str, values: Iterable[bytes]) -> Iterator[Finding]:
        """Yield what is wrong with *values* of attribute *name* of *entry*, in their order.

        How the archive reads an attribute, and what its web form says of it, depends on the entry's classes. Nothing is
        said of objectClass, nor of an attribute that the schema does not know.
        """
        definition = self.schema.attribute(name)
        if definition is None or definition.name == "objectClass":
            return
        readers = self._readers_of(entry, definition.name)
        if readers.kinds and not _is_of_a_device(entry.dn):
            readers = readers._replace(kinds=())  # the archive reads devices only
        for value in values:
            yield from self._value(entry.dn, definition, value, readers)

    def _readers_of(self, entry: Entry, name: str) -> _Readers:
        """Return how *name* of *entry* is read; most entries have the same classes as one before them."""
        classes = entry.values("objectClass")
        known = self._readers.get((classes, name))
        if known is None:
            found = [each for each in map(self.schema.object_class, entry.texts("objectClass")) if each is not None]
            names = frozenset(each.name for each in with_superiors(self.schema, found))
            fields = tuple(form for of, form in form_fields(name).items() if of in names)
            known = self._readers[classes, name] = _Readers(kinds_on(name, names), fields)
        return known

    def _value(self, dn: DN, definition: AttributeType, value: bytes, readers: _Readers) -> Iterator[Finding]:
        def found(rule: Rule, message: str) -> Finding:
            return Finding(rule, dn, definition.name, message, value, rule.severity)

        if problem := syntaxes.problem(definition.syntax, value):
            yield found(SYNTAX, problem)
        elif definition.syntax == "DN":
            yield from self._reference(DN.parse(value.decode()), readers.kinds, found)
        elif refused := _refused(_text(value), readers.kinds):
            kind, problem = refused
            yield found(_RULES.get(kind.name, FORMAT), problem)
        elif definition.syntax == "Integer":
            yield from _number(value, readers, found)
        elif definition.syntax in ("IA5String", "DirectoryString"):
            yield from _advice(definition.name, value.decode(), readers, found)

    def _reference(self, target: DN, kinds: tuple[ValueKind, ...], found: _Found) -> Iterator[Finding]:
        if not self.exists(target):
            followed = any(kind.name in REFERENCES for kind in kinds)
            yield found(REQUIRED_REFERENCE if followed else DANGLING, "there is no such entry")


_Found = Callable[[Rule, str], Finding]


def _is_of_a_device(dn: DN) -> bool:
    return any(_names_device(dn, at) for at in range(len(dn.rdns)))


def _names_device(dn: DN, at: int) -> bool:
    return any(kind.lower() == _DEVICE for kind, _ in dn.rdns[at].parts)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _refused(text: str, kinds: tuple[ValueKind, ...]) -> tuple[ValueKind, str] | None:
    """Return the first of *kinds* that the archive does not read *text* as, and the reason."""
    problems = ((kind, kind.problem(text)) for kind in kinds)
    return next((each for each in problems if each[1]), None)


def _number(value: bytes, readers: _Readers, found: _Found) -> Iterator[Finding]:
    number = _integer(value)
    if number == NOT_LISTENING and PORT_KIND in readers.kinds:
        yield found(OUT_OF_RANGE, "the connection does not listen")
        return
    for form in readers.fields:
        low, high = form.minimum, form.maximum
        if (low is not None and number < low) or (high is not None and number > high):
            bounds = f"from {low} to {high}" if high is not None else f"{low} or more"
            yield found(OUT_OF_RANGE, f"the web form takes {bounds}")
            return
    yield from _offered(value.decode(), readers.fields, found)


def _integer(value: bytes) -> int:
    """Return the number in *value*; one of more digits than any bound has counts as just as far out."""
    return int(value[:20])


def _advice(name: str, text: str, readers: _Readers, found: _Found) -> Iterator[Finding]:
    """Yield what is odd about *text*, which the archive loads."""
    if name == "dicomHostname" and (problem := address_problem(text)):
        yield found(HOST, problem)
        return
    names = {kind.name for kind in readers.kinds}
    if formats.TAG.name in names:
        if problem := formats.TAG.problem(text):
            yield found(TAG, problem)
    elif formats.holds_ae_titles(name, next((form.format for form in readers.fields), "")):
        if problem := formats.AE_TITLE.problem(text):
            yield found(AE_TITLE, problem)
    elif name not in OPEN_LISTS and not names:
        yield from _offered(text, readers.fields, found)


def _offered(text: str, fields: tuple[FormField, ...], found: _Found) -> Iterator[Finding]:
    if not fields or not all(form.values for form in fields):  # a class that offers no list takes any value
        return
    offered = tuple(dict.fromkeys(value for form in fields for value in form.values))
    if text not in offered:
        shown = ", ".join(offered[:12]) + (", …" if len(offered) > 12 else "")
        yield found(NOT_OFFERED, f"the web form offers {shown}")
