"""The grammar of a record: from its lines to an entry or a change (RFC 2849)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.ldif.fields import KEYWORDS, Field, FieldReader, is_attribute_description, keyword, shown
from dcmcfg.ldif.lines import LogicalLine
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record

Lines = Sequence[LogicalLine]

_OPERATIONS = {operation.value: operation for operation in Operation}
_RENAMES = {"modrdn", "moddn", "rename"}
_CONTROL = re.compile(rb"([0-9]+(?:\.[0-9]+)*)(?: +(true|false))?(?: *:(.*)| *)", re.IGNORECASE | re.DOTALL)
_RFC2849_CONTROL = re.compile(rb"([0-9]+(?:\.[0-9]+)*)(?: +(true|false))?(?::(.*))?", re.IGNORECASE | re.DOTALL)


def parse_record(fields: FieldReader, lines: Lines) -> Record:
    """Return the record that *lines* (at least one, no comments) are; the first fault raises :class:`LdifError`.

    Without ``changetype`` a record is content, unless the line after the DN begins a modification as in
    ``replace: attr``: OpenLDAP's tools take that for a modify, and so does this, except when strict.
    """
    start = lines[0].number
    dn = _dn(fields, lines[0])
    controls, body = _controls(fields, lines[1:])
    if not body:
        raise fields.problem(start, "nothing follows the DN", "is there an empty line too many?")
    word = keyword(body[0])
    if word == "changetype":
        return ChangeRecord(_change(fields, dn, controls, body), start)
    if word in _OPERATIONS and not fields.strict:
        return ChangeRecord(Modify(dn, _modifications(fields, body), controls), start)
    if controls or word in _OPERATIONS or word == "newrdn":
        raise fields.problem(body[0].number, f"'changetype:' is missing before '{word}:'")
    return ContentRecord(Entry(dn, _attributes(fields, body)), start)


def _dn(fields: FieldReader, line: LogicalLine) -> DN:
    word = keyword(line)
    if word != "dn":
        fields.field(line)  # says what is wrong with a line that is no field at all
        raise fields.problem(
            line.number,
            f"the record does not begin with 'dn:' but with {shown(word.encode())}",
            "begin it with its DN, or take away the empty line above it, which ends a record; "
            "ldapmodify drops such a record without a word",
        )
    return _name(fields, fields.field(line))


def _name(fields: FieldReader, field: Field) -> DN:
    try:
        return DN.parse(field.value.decode())
    except UnicodeDecodeError as error:
        raise fields.problem(
            field.line, f"'{field.name}: {shown(field.value)}' is not UTF-8", "save the file as UTF-8"
        ) from error
    except MalformedInput as error:
        raise fields.problem(field.line, f"{error.what}: {field.name}: {shown(field.value)}") from error


def _controls(fields: FieldReader, lines: Lines) -> tuple[tuple[Control, ...], Lines]:
    """Return the controls that *lines* begin with, then the lines after them."""
    controls: list[Control] = []
    while len(controls) < len(lines) and keyword(lines[len(controls)]) == "control":
        controls.append(_control(fields, fields.field(lines[len(controls)])))
    return tuple(controls), lines[len(controls) :]


def _control(fields: FieldReader, field: Field) -> Control:
    match = (_RFC2849_CONTROL if fields.strict else _CONTROL).fullmatch(field.value)
    if match is None:
        raise fields.problem(
            field.line,
            f"not a control: {shown(field.value.partition(b':')[0])}",
            "it is written 'control: OID true|false', then ': value' or ':: base64'",
        )
    oid, criticality, rest = match.groups()
    value = None if rest is None else fields.value("control", rest, field.line)
    return Control(oid.decode(), (criticality or b"").lower() == b"true", value)


def _change(fields: FieldReader, dn: DN, controls: tuple[Control, ...], lines: Lines) -> Change:
    kind = fields.field(lines[0])
    body = lines[1:]
    match kind.value.decode("utf-8", "replace").lower():
        case "add":
            if not body:
                raise fields.problem(kind.line, "an add without attributes")
            return Add(Entry(dn, _attributes(fields, body)), controls)
        case "delete":
            _nothing_left(fields, body, "a delete")
            return Delete(dn, controls)
        case "modify":
            if not body:
                raise fields.problem(kind.line, "a modify that modifies nothing")
            return Modify(dn, _modifications(fields, body), controls)
        case word if word in _RENAMES and not (fields.strict and word == "rename"):
            return _rename(fields, dn, controls, kind, body)
    raise fields.problem(
        kind.line, f"unknown changetype {shown(kind.value)}", "known are add, delete, modify, modrdn, moddn"
    )


def _attributes(fields: FieldReader, lines: Lines) -> tuple[Attribute, ...]:
    """Return the attributes of an entry; values of one attribute come together, as it was first spelt."""
    values: dict[str, tuple[str, list[bytes]]] = {}
    for line in lines:
        name, value, number = fields.field(line)
        folded = name.lower()
        if folded in KEYWORDS:
            raise fields.problem(number, *_misplaced(folded))
        known = values.get(folded)
        if known is None:
            values[folded] = (name, [value])
        else:
            known[1].append(value)
    return tuple(Attribute(name, tuple(octets)) for name, octets in values.values())


def _misplaced(word: str) -> tuple[str, str]:
    match word:
        case "dn":
            return "a 'dn:' line inside a record", "is the empty line before it missing?"
        case "changetype":
            return "'changetype:' stands late or twice", "it belongs right after the DN, once"
        case "control":
            return "'control:' stands late", "it belongs between the DN and 'changetype:'"
    return f"'{word}:' stands inside an entry", "is 'changetype:' missing, or wrong?"


def _modifications(fields: FieldReader, lines: Lines) -> tuple[Modification, ...]:
    modifications: list[Modification] = []
    at = 0
    while at < len(lines):
        head = fields.field(lines[at])
        end = at + 1
        while end < len(lines) and lines[end].text != b"-":
            end += 1
        modifications.append(_modification(fields, head, lines[at + 1 : end]))
        if end == len(lines) and fields.strict:
            raise fields.problem(lines[-1].number, "the '-' after the last modification is missing")
        at = end + 1
    return tuple(modifications)


def _modification(fields: FieldReader, head: Field, lines: Lines) -> Modification:
    operation = _OPERATIONS.get(head.name.lower())
    if operation is None:
        if head.name.lower() in ("dn", "changetype", "control"):
            raise fields.problem(head.line, *_misplaced(head.name.lower()))
        raise fields.problem(head.line, f"'add:', 'delete:' or 'replace:' expected, not '{head.name}:'")
    attribute = head.value.decode("utf-8", "replace")
    if not is_attribute_description(attribute):
        raise fields.problem(head.line, f"'{head.name}:' names no attribute: {shown(head.value)}")
    fields.require_name(attribute, head.line)
    values = tuple(_modification_value(fields, attribute, line) for line in lines)
    if operation is Operation.ADD and not values:
        raise fields.problem(head.line, f"'add: {attribute}' adds no value")
    if operation is Operation.INCREMENT and len(values) != 1:
        raise fields.problem(head.line, f"'increment: {attribute}' needs exactly one value")
    return Modification(operation, attribute, values)


def _modification_value(fields: FieldReader, attribute: str, line: LogicalLine) -> bytes:
    word = keyword(line)
    if word == attribute.lower():
        return fields.field(line).value
    if word in ("dn", "changetype", "control") and b":" in line.text:
        raise fields.problem(line.number, *_misplaced(word))
    name = fields.field(line).name
    missing = "is the '-' before it missing?" if word in _OPERATIONS else ""
    raise fields.problem(line.number, f"'{name}:' inside a modification of {attribute}", missing)


def _rename(fields: FieldReader, dn: DN, controls: tuple[Control, ...], kind: Field, lines: Lines) -> Rename:
    words = ("newrdn", "deleteoldrdn", "newsuperior")
    for line, word in zip(lines, words, strict=False):
        if keyword(line) != word:
            raise fields.problem(line.number, f"'{word}:' expected, not '{keyword(line)}:'")
    if len(lines) < len(words) - 1:
        raise fields.problem(kind.line, f"'{words[len(lines)]}:' is missing")
    _nothing_left(fields, lines[len(words) :], "a rename")
    new_rdn, delete_old, *superior = (fields.field(line) for line in lines)
    if delete_old.value not in (b"0", b"1"):
        raise fields.problem(delete_old.line, f"'deleteoldrdn:' must be 0 or 1, not {shown(delete_old.value)}")
    new_superior = _name(fields, superior[0]) if superior else None
    return Rename(dn, _one_rdn(fields, new_rdn), delete_old.value == b"1", new_superior, controls)


def _one_rdn(fields: FieldReader, field: Field) -> RDN:
    name = _name(fields, field)
    if len(name.rdns) != 1:
        raise fields.problem(field.line, f"'newrdn:' must be one RDN, not {shown(field.value)}")
    return name.rdn


def _nothing_left(fields: FieldReader, lines: Lines, kind: str) -> None:
    if not lines:
        return
    word = keyword(lines[0])
    if word in ("dn", "changetype", "control"):
        raise fields.problem(lines[0].number, *_misplaced(word))
    raise fields.problem(lines[0].number, f"extra lines at the end of {kind}", "is an empty line missing?")
