"""Export the configuration of a server as LDIF, directly from its responses, without building entries.

The text is equal to that of :func:`dcmcfg.model.export.export_ldif`, to the octet, but faster for large trees. Each
record is built when it arrives, from the texts of its attributes. Texts of repeated attributes are cached by their
octets. Only the texts are kept, in the order of the tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter

from dcmcfg.directory.entry_rebaser import EntryRebaser
from dcmcfg.directory.search_result_entry import split_attribute, split_entry
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import explain_missing_base_dn
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.ldif.writer import MAXIMUM_LINE_LENGTH, VERSION_LINE, fold_line, format_attribute, format_dn_line
from dcmcfg.model.devices import build_no_configuration_error
from dcmcfg.model.export import attribute_sort_key, format_record
from dcmcfg.model.rebasing import RebasingReport
from dcmcfg.schema import equality
from dcmcfg.schema.definitions import Schema, load_bundled_schema
from dcmcfg.schema.equality import Normaliser
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.secret_values import is_secret

#: The normal form of an RDN in one text; siblings are sorted by it.
Key = str
#: The sort key of an attribute, and its lines; the lines are None if one of its values is a secret.
_AttributeText = tuple[str, str | None]

_ROOT_CLASS = b"dicomconfigurationroot"
#: An RDN that is printed unchanged and that ends at the next comma: no escapes, quotes, signs or extra spaces. Python
#: before 3.11.5 matches wrongly if a group has a possessive quantifier (CPython issue 106052); a set may have one.
_PLAIN_RDN = r"([A-Za-z][A-Za-z0-9-]*)=([!$-*\--:=?-\[\]-~]++(?: [!$-*\--:=?-\[\]-~]++)*)"
_match_plain_rdn = re.compile(_PLAIN_RDN).fullmatch
_match_plain_dn = re.compile(_PLAIN_RDN + r",(.+)", re.DOTALL).fullmatch
#: A value that is printed unchanged, and that is a secret only because of its attribute: it has no ``@`` and no ``=``.
_match_plain_value = re.compile(rb"(?![ :<])[ -<>?A-~]+(?<! )").fullmatch
#: String rule → the normal form of a value in a plain RDN, which is ASCII without extra spaces.
_NORMAL_FORMS: Mapping[Normaliser, Callable[[str], str]] = {
    equality.normalise_case_ignore: str.lower,
    equality.normalise_case_ignore_ia5: str.lower,
    equality.normalise_case_exact: str,
    equality.normalise_case_exact_ia5: str,
}
#: A value that is a secret in any attribute in which the key before ``=`` decides.
_SECRET_PROBE = b"password=x"
_CACHE_SIZE = 1 << 14
_MAXIMUM_CACHED_LENGTH = 512
#: An attribute with more different values than this rarely repeats one of them, so its values are no longer cached.
_MAXIMUM_DISTINCT_VALUES = 512
#: The number of tag and length octets before the value of a single-valued attribute with lengths of one octet.
_HEADERS = 8
_BATCH = 512
_order, _lines = itemgetter(0), itemgetter(1)


def export_live(
    directory: Directory, *, with_secrets: bool, version: bool = True, report: RebasingReport | None = None
) -> Iterator[str]:
    """Return the LDIF of the configuration in *directory*, in pieces of some records.

    The directory is read completely before the function returns. With *report*, the configuration is moved to its new
    base, and the report records texts that keep the old base. Raises :class:`~dcmcfg.errors.NotFound` if there is no
    configuration, and :class:`~dcmcfg.errors.DirectoryError`.
    """
    export = LiveExport(load_bundled_schema(), with_secrets=with_secrets)
    with pause_garbage_collection(), explain_missing_base_dn(directory):
        rebased = EntryRebaser(report).rebase if report else None
        for found in directory.search(directory.server.base_dn):
            export.add_entries(rebased(found) if rebased else found)
    return export.generate_ldif(version=version)


def _escape(text: str) -> str:
    # Two NULs separate the parts of a key; an escaped NUL sorts after such a separator.
    return text.replace("\0", "\0\1")


def _build_key(*parts: tuple[str, str]) -> Key:
    """Return the key of an RDN with *parts*; keys sort like the parts and are equal for equal parts."""
    return "\0\0".join([_escape(text) for part in parts for text in part])


class _AttributePrefix:
    """The data of the octets before an attribute's only value, and the number of different values after them."""

    __slots__ = ("different", "order", "start")

    def __init__(self, order: str, line_start: str) -> None:
        self.order = order
        self.start = line_start
        self.different = 0


class _TreeNode:
    """The records directly below one name, by the normal form of their RDN, and the node below each of them."""

    __slots__ = ("above", "below", "key", "records")

    def __init__(self, parent: _TreeNode | None, key: Key) -> None:
        self.above = parent
        self.key = key
        self.records: dict[Key, str] = {}
        self.below: dict[Key, _TreeNode] = {}

    def append_sorted(self, output: list[str]) -> None:
        """Append the records of this node and below to *output*: parents first, siblings sorted by RDN."""
        records, children = self.records, self.below
        if not children:
            output += map(records.__getitem__, sorted(records))
            return
        for key in sorted(records.keys() | children.keys()):
            if key in records:
                output.append(records[key])
            if key in children:
                children[key].append_sorted(output)


class LiveExport:
    """Builds the text of an export from entries in any order."""

    def __init__(self, schema: Schema, *, with_secrets: bool) -> None:
        self._schema = schema
        self._with_secrets = with_secrets
        self._texts: dict[bytes, _AttributeText] = {}
        self._heads: dict[bytes, _AttributePrefix] = {}
        self._root_node = _TreeNode(None, "")
        #: Text of the parent DN → its node; one node may have several spellings.
        self._nodes: dict[str, _TreeNode] = {"": self._root_node}
        self._names: dict[bytes, tuple[str, str, int]] = {}
        self._rules: dict[str, tuple[str, Callable[[str], str]]] = {}
        self._root_seen = False
        self._root: tuple[_TreeNode, Key] | None = None

    def add_entries(self, entries: Iterable[bytes]) -> None:
        """Add *entries*, each the octets of a SearchResultEntry.

        Raises :class:`~dcmcfg.directory.search_result_entry.InvalidLdapMessage`.
        """
        texts, nodes, rules = self._texts, self._nodes, self._rules
        for octets in entries:
            name, pieces = split_entry(octets)
            lines = [texts.get(piece) or self._format_cached(piece) for piece in pieces]
            lines.sort(key=_order)
            dn = name.decode("utf-8", "surrogateescape")
            plain = _match_plain_dn(dn)
            kind, value, parent = plain.groups() if plain else ("", "", "")
            node = nodes.get(parent) or self._find_node(parent)
            if plain and node:
                key_start, normal = rules.get(kind) or self._find_rule(kind)
                key = key_start + normal(value)
                line = fold_line("dn: " + dn)
            else:
                node, key, line = self._parse_dn(dn)
            try:
                node.records[key] = "".join((line, *map(_lines, lines), "\n"))
            except TypeError:  # one of the lines is None
                node.records[key] = self._format_record(dn, pieces)
            # The class of the root was just formatted for the first time, so this entry is the root.
            if self._root_seen and self._root is None:
                self._root = node, key

    def _find_rule(self, kind: str) -> tuple[str, Callable[[str], str]]:
        """Return the start of the keys of plain RDNs of attribute *kind*, and the function that normalises values."""
        ((name, _),) = self._schema.normalise_dn(DN((RDN.of(kind, "x"),)))[0]
        rule = self._schema.normalisers[kind]
        normal = _NORMAL_FORMS.get(rule) or (lambda value: _escape(rule(value.encode()).decode()))
        found = self._rules[kind] = _build_key((name, "")), normal
        return found

    def _find_node(self, text: str) -> _TreeNode | None:
        """Return the node below the DN *text*, created if missing; None if *text* cannot simply be split at commas."""
        parts = []
        while (node := self._nodes.get(text)) is None:
            rdn, comma, parent = text.partition(",")
            plain = _match_plain_rdn(rdn)
            if not plain or (comma and not parent):
                return None
            kind, value = plain.groups()
            key_start, normal = self._rules.get(kind) or self._find_rule(kind)
            parts.append((text, key_start + normal(value)))
            text = parent
        for text, key in reversed(parts):
            node = self._nodes[text] = node.below.setdefault(key, _TreeNode(node, key))
        return node

    def _parse_dn(self, dn: str) -> tuple[_TreeNode, Key, str]:
        """Return the node and the key for the entry *dn*, and the line with its DN; for any form of DN."""
        parsed = DN.parse(dn)
        key, *ancestors = [_build_key(*rdn) for rdn in self._schema.normalise_dn(parsed)] or [""]
        node = self._root_node
        for part in reversed(ancestors):
            node = node.below.setdefault(part, _TreeNode(node, part))
        return node, key, format_dn_line(parsed)

    def _format_cached(self, piece: bytes) -> _AttributeText:
        """Return the text of the attribute in *piece*, and cache it by its octets."""
        # With lengths of one octet, the octet at 3 is the length of the name; only such attributes are cached.
        begin = _HEADERS + piece[3] if len(piece) > _HEADERS else 0
        prefix = self._heads.get(piece[:begin])
        text: _AttributeText
        if prefix and _match_plain_value(value := piece[begin:]):
            text = prefix.order, f"{prefix.start}{value.decode()}\n"
            prefix.different += 1
            if prefix.different > _MAXIMUM_DISTINCT_VALUES:
                return text
        else:
            text = self._format_attribute(piece)
        if len(piece) <= _MAXIMUM_CACHED_LENGTH:
            if len(self._texts) >= _CACHE_SIZE:
                self._texts.clear()
            self._texts[piece] = text
        return text

    def _format_attribute(self, piece: bytes) -> _AttributeText:
        """Return the text of any attribute.

        The octets before an only value contain all lengths, so attributes with the same start have the same form. If
        the value may fit in one line, this start is cached.
        """
        name, values = split_attribute(piece)
        order, line_start, max_length = self._names.get(name) or self._prepare_name(name)
        if len(values) == 1 and len(values[0]) <= max_length and len(piece) == _HEADERS + len(name) + len(values[0]):
            self._heads[piece[: _HEADERS + len(name)]] = _AttributePrefix(order, line_start)
        return order, self._format_values(name.decode("utf-8", "surrogateescape"), values)

    def _prepare_name(self, octets: bytes) -> tuple[str, str, int]:
        """Return the sort key of the attribute *octets*, the start of its lines, and the length limit of plain values.

        The limit is 0 if a value may be a secret because of its name, or may mark the entry as the root.
        """
        name = octets.decode("utf-8", "surrogateescape")
        order, line_start = attribute_sort_key(name), f"{name}: "
        is_sensitive = not order or is_secret(name, _SECRET_PROBE)
        format_attribute(name, ())  # raises for a name that is not valid in LDIF
        known = self._names[octets] = order, line_start, 0 if is_sensitive else MAXIMUM_LINE_LENGTH - len(line_start)
        return known

    def _format_values(self, name: str, values: list[bytes]) -> str | None:
        if name.lower() == OBJECT_CLASS.lower() and not self._root_seen:
            self._root_seen = any(value.lower() == _ROOT_CLASS for value in values)
        if not self._with_secrets and any(is_secret(name, value) for value in values):
            return None
        return format_attribute(name, sorted(values))

    def _format_record(self, dn: str, pieces: Iterable[bytes]) -> str:
        attributes = (split_attribute(piece) for piece in pieces)
        decoded = (Attribute(name.decode("utf-8", "surrogateescape"), tuple(values)) for name, values in attributes)
        entry = Entry(DN.parse(dn), tuple(decoded))
        return format_record(entry, with_secrets=self._with_secrets)

    def generate_ldif(self, *, version: bool = True) -> Iterator[str]:
        """Yield the LDIF of the export, some records at a time.

        Raises :class:`~dcmcfg.errors.NotFound` if no entry was a configuration root.
        """
        if version:
            yield VERSION_LINE + "\n"
        records = self._collect_records()
        for line_start in range(0, len(records), _BATCH):
            yield "".join(records[line_start : line_start + _BATCH])

    def _collect_records(self) -> list[str]:
        if self._root is None:
            raise build_no_configuration_error()
        node, key = self._root
        records = [node.records[key]]
        while node.above is not None and (record := node.above.records.get(node.key)) is not None:
            records.append(record)
            node = node.above
        records.reverse()
        node, key = self._root
        if key in node.below:
            node.below[key].append_sorted(records)
        return records
