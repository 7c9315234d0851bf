"""Find the differences between the archive's device in the directory and in the archive's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Any

from dcmcfg.entry import Entry
from dcmcfg.lint.archive_view.pairing import Pair, UnknownObject, pair_entries
from dcmcfg.lint.archive_view.rules import (
    ATTRIBUTE_NAME,
    ATTRIBUTE_NOT_SHOWN,
    ENTRY_NOT_SHOWN,
    ENTRY_ONLY_SHOWN,
    VALUE_DIFFERS,
)
from dcmcfg.lint.archive_view.shown_object import parse_object
from dcmcfg.lint.archive_view.values import ValueComparer, ValueDifference
from dcmcfg.model.tree import Tree
from dcmcfg.printable import format_count
from dcmcfg.schema.archive_values import is_loaded_by_archive
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import CheckRule, EntryFinding
from dcmcfg.schema.structure import OPERATIONAL_ATTRIBUTES
from dcmcfg.schema.web_form import get_form_fields
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.secret_values import is_secret
from dcmcfg.suggestions import ATTRIBUTE_SIMILARITY, join_limited, suggest_names

#: Syntaxes of values that JSON cannot contain (RFC 4517).
_BINARY_SYNTAXES = frozenset({"Binary", "Certificate"})
#: The archive omits these values, if the web form has no other default: an absent value has the same meaning.
_NEUTRAL_VALUES = frozenset({"FALSE", "0", ""})
_REFERENCE, _NAME = "Reference", "Name"
_MAX_VALUE_LENGTH, _MAX_VALUES = 60, 3
#: Unknown entries of one list, each with a finding; and unknown keys of one object that are compared with names.
_MAX_UNKNOWN, _MAX_OTHER_KEYS = 20, 200


@dataclass(frozen=True)
class DeviceView:
    """The JSON of a device, as the node ``node`` shows it; the name is empty for an archive without named nodes."""

    node: str
    content: Mapping[str, Any]


def find_view_differences(tree: Tree, device: Entry, views: Sequence[DeviceView]) -> tuple[EntryFinding, ...]:
    """Return the findings about *device* in *tree* and the entries below it, in the order of the entries.

    The same finding of several nodes is one finding, which lists the nodes.
    """
    nodes_by_finding: dict[EntryFinding, list[str]] = {}
    for view in views:
        for finding in _find_differences(tree, device, view.content):
            nodes_by_finding.setdefault(finding, []).append(view.node)
    return tuple(_add_nodes(finding, nodes) for finding, nodes in nodes_by_finding.items())


def _add_nodes(finding: EntryFinding, nodes: Sequence[str]) -> EntryFinding:
    if not any(nodes):
        return finding
    label = "node" if len(nodes) == 1 else "nodes"
    return replace(finding, message=f"{finding.message} ({label} {join_limited(nodes, _MAX_VALUES)})")


def _find_differences(tree: Tree, device: Entry, content: Mapping[str, Any]) -> Iterator[EntryFinding]:
    pairing = pair_entries(tree, device, parse_object(content))
    finder = _AttributeFinder(tree.schema, ValueComparer(tree.schema, pairing.dns_by_pointer))
    for pair in pairing.pairs:
        yield from finder.find(pair)
    for entry in pairing.hidden:
        below = len(tree.subtree(entry.dn)) - 1
        more = f" and the {format_count(below, 'entry', 'entries')} below it" if below else ""
        message = f"the archive's JSON does not show this entry{more}"
        yield _build_finding(ENTRY_NOT_SHOWN, entry, "", message)
    # An archive that reads another directory can show thousands of other entries.
    for _, group in groupby(pairing.unknown, lambda each: (each.parent.dn, each.key)):
        unknown = tuple(group)
        for each in unknown[:_MAX_UNKNOWN]:
            yield _build_finding(ENTRY_ONLY_SHOWN, each.parent, "", _describe_unknown(each))
        if (rest := len(unknown) - _MAX_UNKNOWN) > 0:
            message = (
                f"the archive's JSON shows {rest} more entries with the key {unknown[0].key} that the directory does "
                "not have"
            )
            yield _build_finding(ENTRY_ONLY_SHOWN, unknown[0].parent, "", message)


def _describe_unknown(unknown: UnknownObject) -> str:
    first = next(((key, texts[0]) for key, texts in unknown.shown.attributes.items()), None)
    name = "" if first is None or is_secret(first[0], first[1].encode()) else f" {first[0]}={_shorten(first[1])}"
    return f"the archive's JSON shows an entry that the directory does not have: {unknown.key}{name}"


class _AttributeFinder:
    """Finds the attributes of a pair that the JSON does not show, or shows in another way."""

    def __init__(self, schema: Schema, comparer: ValueComparer) -> None:
        self._schema = schema
        self._comparer = comparer

    def find(self, pair: Pair) -> Iterator[EntryFinding]:
        attributes = dict(self._list_attributes(pair.entry))
        # Keys that are no attribute of the entry may be another spelling of one.
        others = ((key, texts) for key, texts in pair.shown.items() if key not in attributes)
        other_keys = dict(islice(others, _MAX_OTHER_KEYS))
        for name, values in attributes.items():
            shown = pair.shown.get(name)
            if shown is None and self._comparer.is_reference(name):
                shown = other_keys.pop(name.removesuffix(_REFERENCE) + _NAME, None)
            if shown is None:
                yield from self._find_missing(pair.entry, name, values, other_keys)
            elif not self._is_binary(name):
                difference = self._comparer.compare(name, values, shown)
                if difference.lost or difference.added:
                    yield _build_value_finding(pair.entry, name, difference)
            elif shown == ("FALSE",):
                yield _build_finding(
                    VALUE_DIFFERS,
                    pair.entry,
                    name,
                    "according to the archive's JSON, the entry does not have this attribute",
                )
        for key in other_keys:
            yield from self._find_unknown_key(pair.entry, key)

    def _list_attributes(self, entry: Entry) -> Iterator[tuple[str, tuple[bytes, ...]]]:
        for attribute in entry.attributes:
            name = attribute.name.partition(";")[0]
            known = self._schema.attribute(name)
            if name.lower() != OBJECT_CLASS.lower() and name.lower() not in OPERATIONAL_ATTRIBUTES:
                yield known.name if known else name, attribute.values

    def _find_missing(
        self, entry: Entry, name: str, values: tuple[bytes, ...], other_keys: dict[str, tuple[str, ...]]
    ) -> Iterator[EntryFinding]:
        key = self._find_other_spelling(name, values, other_keys)
        if key is not None:
            del other_keys[key]
            yield _build_finding(ATTRIBUTE_NAME, entry, name, f"the archive's JSON shows this attribute as {key}")
            return
        if self._is_default(entry, name, values):
            return
        if self._is_binary(name):
            message = "the archive's JSON never contains binary values"
            yield replace(_build_finding(ATTRIBUTE_NOT_SHOWN, entry, name, message), severity="note")
            return
        message = "the archive's JSON does not show this attribute"
        if self._schema.attribute(name) is None:
            message += ", which the schema does not define"
        elif not is_loaded_by_archive(name):
            message += ", and dcm4chee-arc 5.35 does not load it"
        value = values[0] if len(values) == 1 else None
        yield _build_finding(ATTRIBUTE_NOT_SHOWN, entry, name, message, value=value)

    def _is_default(self, entry: Entry, name: str, values: tuple[bytes, ...]) -> bool:
        """Return whether *values* have the same meaning as no value, so that the archive omits them."""
        if any(kind.lower() == name.lower() for kind, _ in entry.dn.rdn.parts):
            return False
        fields = get_form_fields(name)
        own = [each.default for object_class, each in fields.items() if each.default and entry.is_a(object_class)]
        # A default on another class shows at least that FALSE or 0 does not mean the same as no value.
        defaults = own or [each.default for each in fields.values() if each.default]
        if defaults:
            return any(self._comparer.is_same(name, values, each) for each in defaults)
        return len(values) == 1 and values[0].decode("utf-8", "replace").upper() in _NEUTRAL_VALUES

    def _find_other_spelling(
        self, name: str, values: tuple[bytes, ...], other_keys: Mapping[str, tuple[str, ...]]
    ) -> str | None:
        folded = name.casefold()
        for key in other_keys:
            if key.casefold() == folded:
                return key
        unknown = [key for key in other_keys if self._schema.attribute(key) is None]
        similar = suggest_names(name, unknown, min_similarity=ATTRIBUTE_SIMILARITY)
        if similar:
            return similar[0]
        # Another attribute's name with the value of this attribute.
        if all(value.decode("utf-8", "replace").upper() in _NEUTRAL_VALUES | {"TRUE"} for value in values):
            return None
        same = [key for key, texts in other_keys.items() if self._comparer.is_same(name, values, texts)]
        return next(iter(suggest_names(name, same)), None)

    def _find_unknown_key(self, entry: Entry, key: str) -> Iterator[EntryFinding]:
        if self._schema.attribute(key) is not None:
            return
        names = self._list_allowed_names(entry)
        similar = suggest_names(key, names, min_similarity=ATTRIBUTE_SIMILARITY)
        if similar:
            message = f"the archive's JSON has the unknown key {_shorten(key)}; did you mean {', '.join(similar)}?"
            yield _build_finding(ATTRIBUTE_NAME, entry, "", message)

    def _list_allowed_names(self, entry: Entry) -> Iterable[str]:
        classes = (self._schema.object_class(each) for each in entry.texts(OBJECT_CLASS))
        return {name for each in classes if each is not None for name in (*each.must, *each.may)}

    def _is_binary(self, name: str) -> bool:
        known = self._schema.attribute(name)
        return known is not None and known.syntax in _BINARY_SYNTAXES


def _build_value_finding(entry: Entry, name: str, difference: ValueDifference) -> EntryFinding:
    lost, added = difference.lost, difference.added
    if any(is_secret(name, value) for value in (*lost, *(text.encode() for text in added))):
        return _build_finding(
            VALUE_DIFFERS, entry, name, "the archive's JSON shows another value", value=lost[0] if lost else None
        )
    texts = join_limited([_shorten(text) for text in added], _MAX_VALUES)
    value = lost[0] if len(lost) == 1 else None
    match len(lost), bool(added):
        case 0, _:
            message = f"the archive's JSON also shows {texts}"
        case 1, True:
            message = f"the archive's JSON shows {texts} instead of this value"
        case 1, False:
            message = "the archive's JSON does not show this value"
        case count, True:
            message = f"the archive's JSON shows {texts} instead of {count} values"
        case count, _:
            message = f"the archive's JSON does not show {count} values"
    return _build_finding(VALUE_DIFFERS, entry, name, message, value=value)


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_VALUE_LENGTH else f"{text[:_MAX_VALUE_LENGTH]}…"


def _build_finding(
    rule: CheckRule, entry: Entry, attribute: str, message: str, *, value: bytes | None = None
) -> EntryFinding:
    return EntryFinding(rule, entry.dn, attribute, message, value=value, severity=rule.severity)
