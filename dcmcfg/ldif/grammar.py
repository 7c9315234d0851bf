"""Parse the lines of a record into an entry or a change (RFC 2849)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.ldif.fields import KEYWORDS, Field, FieldReader, is_attribute_description, parse_keyword, quote_for_message
from dcmcfg.ldif.lines import LogicalLine
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record

Lines = Sequence[LogicalLine]

_OPERATIONS = {operation.value: operation for operation in Operation}
#: ``rename`` is an alias of OpenLDAP's tools, not of RFC 2849.
_RENAMES = {"modrdn", "moddn", "rename"}
_CONTROL = re.compile(rb"([0-9]+(?:\.[0-9]+)*)(?: +(true|false))?(?: *:(.*)| *)", re.IGNORECASE | re.DOTALL)
#: The same, without the blanks before the colon and at the end that OpenLDAP's tools accept.
_RFC2849_CONTROL = re.compile(rb"([0-9]+(?:\.[0-9]+)*)(?: +(true|false))?(?::(.*))?", re.IGNORECASE | re.DOTALL)


def parse_record(fields: FieldReader, lines: Lines) -> Record:
    """Return the record in *lines* (at least one, without comments).

    Raises :class:`~dcmcfg.errors.LdifError` for the first problem.

    A record without ``changetype`` is a content record, unless the line after the DN begins a modification such as
    ``replace: attr``. OpenLDAP's tools treat this as a modify, and so does this function, except in strict mode.
    """
    start = lines[0].number
    dn = _parse_dn_line(fields, lines[0])
    controls, body = _parse_controls(fields, lines[1:])
    if not body:
        raise fields.build_error(
            start, "nothing follows the DN", "if an empty line follows the DN, remove the empty line"
        )
    word = parse_keyword(body[0])
    if word == "changetype":
        return ChangeRecord(_parse_change(fields, dn, controls, body), start)
    if word in _OPERATIONS and not fields.strict:
        return ChangeRecord(Modify(dn, _parse_modifications(fields, body), controls), start)
    if controls or word in _OPERATIONS or word == "newrdn":
        raise fields.build_error(body[0].number, f"'changetype:' is missing before '{word}:'")
    return ContentRecord(Entry(dn, _parse_attributes(fields, body)), start)


def _parse_dn_line(fields: FieldReader, line: LogicalLine) -> DN:
    word = parse_keyword(line)
    if word != "dn":
        fields.parse_field(line)  # raises a more exact error if the line is not a field at all
        raise fields.build_error(
            line.number,
            f"the record begins with {quote_for_message(word.encode())}, not with 'dn:'",
            "add the DN, or remove the empty line before this line (ldapmodify ignores a record without a DN)",
        )
    return _parse_name(fields, fields.parse_field(line))


def _parse_name(fields: FieldReader, field: Field) -> DN:
    try:
        return DN.parse(field.value.decode())
    except UnicodeDecodeError as error:
        raise fields.build_error(
            field.line, f"'{field.name}: {quote_for_message(field.value)}' is not UTF-8", "save the file as UTF-8"
        ) from error
    except MalformedInput as error:
        raise fields.build_error(
            field.line, f"{error.message}: {field.name}: {quote_for_message(field.value)}"
        ) from error


def _parse_controls(fields: FieldReader, lines: Lines) -> tuple[tuple[Control, ...], Lines]:
    """Return the controls at the beginning of *lines*, and the remaining lines."""
    controls: list[Control] = []
    while len(controls) < len(lines) and parse_keyword(lines[len(controls)]) == "control":
        controls.append(_parse_control(fields, fields.parse_field(lines[len(controls)])))
    return tuple(controls), lines[len(controls) :]


def _parse_control(fields: FieldReader, field: Field) -> Control:
    match = (_RFC2849_CONTROL if fields.strict else _CONTROL).fullmatch(field.value)
    if match is None:
        raise fields.build_error(
            field.line,
            f"not a control: {quote_for_message(field.value.partition(b':')[0])}",
            "write 'control: OID true|false', then ': value' or ':: base64'",
        )
    oid, criticality, rest = match.groups()
    value = None if rest is None else fields.decode_value("control", rest, field.line)
    return Control(oid.decode(), (criticality or b"").lower() == b"true", value)


def _parse_change(fields: FieldReader, dn: DN, controls: tuple[Control, ...], lines: Lines) -> Change:
    kind = fields.parse_field(lines[0])
    body = lines[1:]
    match kind.value.decode("utf-8", "replace").lower():
        case "add":
            if not body:
                raise fields.build_error(kind.line, "the add record has no attributes")
            return Add(Entry(dn, _parse_attributes(fields, body)), controls)
        case "delete":
            _require_end(fields, body, "a delete")
            return Delete(dn, controls)
        case "modify":
            if not body:
                raise fields.build_error(kind.line, "the modify record has no modifications")
            return Modify(dn, _parse_modifications(fields, body), controls)
        case word if word in _RENAMES and not (fields.strict and word == "rename"):
            return _parse_rename(fields, dn, controls=controls, kind=kind, lines=body)
    raise fields.build_error(
        kind.line,
        f"unknown changetype {quote_for_message(kind.value)}",
        "the changetype must be add, delete, modify, modrdn or moddn",
    )


def _parse_attributes(fields: FieldReader, lines: Lines) -> tuple[Attribute, ...]:
    """Return the attributes of an entry; values of the same attribute are merged under its first spelling."""
    values: dict[str, tuple[str, list[bytes]]] = {}
    for line in lines:
        name, value, number = fields.parse_field(line)
        folded = name.lower()
        if folded in KEYWORDS:
            raise fields.build_error(number, *_explain_misplaced(folded))
        known = values.get(folded)
        if known is None:
            values[folded] = (name, [value])
        else:
            known[1].append(value)
    return tuple(Attribute(name, tuple(octets)) for name, octets in values.values())


def _explain_misplaced(word: str) -> tuple[str, str]:
    match word:
        case "dn":
            return "a 'dn:' line inside a record", "if a new record begins here, add an empty line before this line"
        case "changetype":
            return "'changetype:' is misplaced or repeated", "write 'changetype:' once, directly after the DN"
        case "control":
            return "'control:' is misplaced", "write 'control:' between the DN and 'changetype:'"
    return f"'{word}:' inside an entry", "check for a missing or wrong 'changetype:'"


def _parse_modifications(fields: FieldReader, lines: Lines) -> tuple[Modification, ...]:
    modifications: list[Modification] = []
    position = 0
    while position < len(lines):
        head = fields.parse_field(lines[position])
        end = position + 1
        while end < len(lines) and lines[end].text != b"-":
            end += 1
        modifications.append(_parse_modification(fields, head, lines[position + 1 : end]))
        if end == len(lines) and fields.strict:
            raise fields.build_error(lines[-1].number, "the '-' after the last modification is missing")
        position = end + 1
    return tuple(modifications)


def _parse_modification(fields: FieldReader, head: Field, lines: Lines) -> Modification:
    operation = _OPERATIONS.get(head.name.lower())
    if operation is None:
        if head.name.lower() in ("dn", "changetype", "control"):
            raise fields.build_error(head.line, *_explain_misplaced(head.name.lower()))
        raise fields.build_error(head.line, f"expected 'add:', 'delete:' or 'replace:', not '{head.name}:'")
    attribute = head.value.decode("utf-8", "replace")
    if not is_attribute_description(attribute):
        raise fields.build_error(
            head.line, f"the text after '{head.name}:' is not an attribute name: {quote_for_message(head.value)}"
        )
    fields.require_name(attribute, head.line)
    values = tuple(_parse_modification_value(fields, attribute, line) for line in lines)
    # Only a delete or a replace may have no values, and then removes the attribute (RFC 4511 §4.6).
    if operation is Operation.ADD and not values:
        raise fields.build_error(head.line, f"'add: {attribute}' has no values")
    # RFC 4525 §2 requires exactly one value.
    if operation is Operation.INCREMENT and len(values) != 1:
        raise fields.build_error(head.line, f"'increment: {attribute}' requires exactly one value")
    return Modification(operation, attribute, values)


def _parse_modification_value(fields: FieldReader, attribute: str, line: LogicalLine) -> bytes:
    word = parse_keyword(line)
    if word == attribute.lower():
        return fields.parse_field(line).value
    if word in ("dn", "changetype", "control") and b":" in line.text:
        raise fields.build_error(line.number, *_explain_misplaced(word))
    name = fields.parse_field(line).name
    next_step = "if a new modification begins here, add a line with '-' before this line" if word in _OPERATIONS else ""
    raise fields.build_error(line.number, f"'{name}:' inside a modification of {attribute}", next_step)


def _parse_rename(fields: FieldReader, dn: DN, *, controls: tuple[Control, ...], kind: Field, lines: Lines) -> Rename:
    # RFC 2849 defines this order.
    words = ("newrdn", "deleteoldrdn", "newsuperior")
    for line, word in zip(lines, words, strict=False):
        if parse_keyword(line) != word:
            raise fields.build_error(line.number, f"expected '{word}:', not '{parse_keyword(line)}:'")
    if len(lines) < len(words) - 1:
        raise fields.build_error(kind.line, f"'{words[len(lines)]}:' is missing")
    _require_end(fields, lines[len(words) :], "a rename")
    new_rdn, delete_old, *superior = (fields.parse_field(line) for line in lines)
    if delete_old.value not in (b"0", b"1"):
        raise fields.build_error(
            delete_old.line, f"'deleteoldrdn:' must be 0 or 1, not {quote_for_message(delete_old.value)}"
        )
    new_superior = _parse_name(fields, superior[0]) if superior else None
    return Rename(
        dn,
        _parse_rdn(fields, new_rdn),
        delete_old_rdn=delete_old.value == b"1",
        new_superior=new_superior,
        controls=controls,
    )


def _parse_rdn(fields: FieldReader, field: Field) -> RDN:
    name = _parse_name(fields, field)
    if len(name.rdns) != 1:
        raise fields.build_error(field.line, f"'newrdn:' must be one RDN, not {quote_for_message(field.value)}")
    return name.rdn


def _require_end(fields: FieldReader, lines: Lines, kind: str) -> None:
    if not lines:
        return
    word = parse_keyword(lines[0])
    if word in ("dn", "changetype", "control"):
        raise fields.build_error(lines[0].number, *_explain_misplaced(word))
    raise fields.build_error(
        lines[0].number,
        f"extra lines at the end of {kind}",
        "if a new record begins here, add an empty line before this line",
    )
