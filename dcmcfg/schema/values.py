"""Check single values by their LDAP syntax and by the formats of the archive and its web form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.network_address import find_address_problem
from dcmcfg.schema import formats, syntaxes
from dcmcfg.schema.archive_values import find_value_kinds
from dcmcfg.schema.definitions import AttributeType, Schema
from dcmcfg.schema.findings import (
    AE_TITLE,
    DANGLING_REFERENCE,
    ENUMERATION,
    FORMAT,
    HOST,
    OUT_OF_RANGE,
    PORT,
    REQUIRED_REFERENCE,
    SYNTAX,
    TAG,
    VALUE_NOT_OFFERED,
    CheckRule,
    EntryFinding,
)
from dcmcfg.schema.structure import add_superiors
from dcmcfg.schema.value_kinds.catalogue import ENUMERATION_NAME as ONE_OF
from dcmcfg.schema.value_kinds.catalogue import FOLLOWED_REFERENCES
from dcmcfg.schema.value_kinds.integers import NOT_LISTENING
from dcmcfg.schema.value_kinds.integers import PORT as PORT_KIND
from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.web_form import EXTENSIBLE_ATTRIBUTES, FormField, get_form_fields
from dcmcfg.schema_names import DICOM_DEVICE_NAME, DICOM_HOSTNAME, OBJECT_CLASS

_Classes = tuple[bytes, ...]
_DEVICE = DICOM_DEVICE_NAME.lower()
#: Kind of value → the rule that an invalid value violates; FORMAT for all other kinds.
_RULES = {ONE_OF: ENUMERATION, PORT_KIND.name: PORT}


class _Readers(NamedTuple):
    """The archive's value kinds of an attribute on an entry, and the fields of its web form for it."""

    kinds: tuple[ValueKind, ...]
    fields: tuple[FormField, ...]


@dataclass(frozen=True)
class ValueRules:
    """The rules for single values; ``entry_exists`` returns whether the entry named by a value exists or may exist."""

    schema: Schema
    entry_exists: Callable[[DN], bool]
    _readers: dict[tuple[_Classes, str], _Readers] = field(default_factory=dict)

    def find_problems(self, entry: Entry, name: str, values: Iterable[bytes]) -> Iterator[EntryFinding]:
        """Yield the problems of *values* of attribute *name* of *entry*, in their order.

        The archive's format and the web form's field of an attribute depend on the entry's classes. Values of
        objectClass and of attributes unknown to the schema are not checked.
        """
        definition = self.schema.attribute(name)
        if definition is None or definition.name == OBJECT_CLASS:
            return
        readers = self._find_readers(entry, definition.name)
        if readers.kinds and not _is_below_device(entry.dn):
            readers = readers._replace(kinds=())  # the archive reads devices only
        for value in values:
            yield from self._check_value(entry.dn, definition, value, readers)

    def _find_readers(self, entry: Entry, name: str) -> _Readers:
        """Return the readers of *name* on *entry*, cached: most entries have the same classes as an earlier entry."""
        classes = entry.values(OBJECT_CLASS)
        known = self._readers.get((classes, name))
        if known is None:
            object_classes = [
                each for each in map(self.schema.object_class, entry.texts(OBJECT_CLASS)) if each is not None
            ]
            names = frozenset(each.name for each in add_superiors(self.schema, object_classes))
            fields = tuple(form for object_class, form in get_form_fields(name).items() if object_class in names)
            known = self._readers[classes, name] = _Readers(find_value_kinds(name, names), fields)
        return known

    def _check_value(
        self, dn: DN, definition: AttributeType, value: bytes, readers: _Readers
    ) -> Iterator[EntryFinding]:
        def build_finding(rule: CheckRule, message: str) -> EntryFinding:
            return EntryFinding(rule, dn, definition.name, message, value=value, severity=rule.severity)

        if problem := syntaxes.find_syntax_problem(definition.syntax, value):
            yield build_finding(SYNTAX, problem)
        elif definition.syntax == "DN":
            yield from self._check_reference(DN.parse(value.decode()), readers.kinds, build_finding)
        # A value that the archive cannot load gets no second finding from the web form's rules.
        elif refused := _find_refused(_decode(value), readers.kinds):
            kind, problem = refused
            yield build_finding(_RULES.get(kind.name, FORMAT), problem)
        elif definition.syntax == "Integer":
            yield from _check_number(value, readers, build_finding)
        elif definition.syntax in ("IA5String", "DirectoryString"):
            yield from _check_text(definition.name, value.decode(), readers, build_finding)

    def _check_reference(
        self, target: DN, kinds: tuple[ValueKind, ...], build_finding: _FindingBuilder
    ) -> Iterator[EntryFinding]:
        if not self.entry_exists(target):
            # Loading fails without the entries of these references. For all other references, the archive only logs a
            # warning.
            followed = any(kind.name in FOLLOWED_REFERENCES for kind in kinds)
            yield build_finding(REQUIRED_REFERENCE if followed else DANGLING_REFERENCE, "the entry does not exist")


_FindingBuilder = Callable[[CheckRule, str], EntryFinding]


def _is_below_device(dn: DN) -> bool:
    return any(_is_device_rdn(dn, index) for index in range(len(dn.rdns)))


def _is_device_rdn(dn: DN, index: int) -> bool:
    return any(kind.lower() == _DEVICE for kind, _ in dn.rdns[index].parts)


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _find_refused(text: str, kinds: tuple[ValueKind, ...]) -> tuple[ValueKind, str] | None:
    """Return the first of *kinds* that *text* does not conform to, with the reason."""
    problems = ((kind, kind.find_problem(text)) for kind in kinds)
    return next((each for each in problems if each[1]), None)


def _check_number(value: bytes, readers: _Readers, build_finding: _FindingBuilder) -> Iterator[EntryFinding]:
    number = _parse_integer(value)
    if number == NOT_LISTENING and PORT_KIND in readers.kinds:
        yield build_finding(OUT_OF_RANGE, "the connection does not listen")
        return
    for form in readers.fields:
        low, high = form.minimum, form.maximum
        if (low is not None and number < low) or (high is not None and number > high):
            bounds = f"from {low} to {high}" if high is not None else f"{low} or more"
            yield build_finding(OUT_OF_RANGE, f"the web form allows {bounds}")
            return
    yield from _check_offered(value.decode(), readers.fields, build_finding)


def _parse_integer(value: bytes) -> int:
    """Return the number in *value*, cut off after 20 digits: no bound has as many, so it stays out of range."""
    return int(value[:20])


def _check_text(name: str, text: str, readers: _Readers, build_finding: _FindingBuilder) -> Iterator[EntryFinding]:
    """Yield problems of *text* that do not prevent the archive from loading it."""
    if name == DICOM_HOSTNAME and (problem := find_address_problem(text)):
        yield build_finding(HOST, problem)
        return
    names = {kind.name for kind in readers.kinds}
    if formats.TAG.name in names:
        if problem := formats.TAG.find_problem(text):
            yield build_finding(TAG, problem)
    elif formats.holds_ae_titles(name, next((form.format for form in readers.fields), "")):
        if problem := formats.AE_TITLE.find_problem(text):
            yield build_finding(AE_TITLE, problem)
    elif name not in EXTENSIBLE_ATTRIBUTES and not names:
        yield from _check_offered(text, readers.fields, build_finding)


def _check_offered(text: str, fields: tuple[FormField, ...], build_finding: _FindingBuilder) -> Iterator[EntryFinding]:
    if not fields or not all(form.values for form in fields):  # a class without a list accepts any value
        return
    offered = tuple(dict.fromkeys(value for form in fields for value in form.values))
    if text not in offered:
        shown = ", ".join(offered[:12]) + (", …" if len(offered) > 12 else "")
        yield build_finding(VALUE_NOT_OFFERED, f"the web form offers {shown}")
