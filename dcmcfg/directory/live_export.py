"""The configuration as a server sends it, written as LDIF without making entries of it.

The text is that of :func:`dcmcfg.model.export.export_ldif`, to the octet. What takes its time with a large tree is avoided:
a record is made as it arrives, of the texts of its attributes, and those that occur again are looked up by their
octets; only texts are kept, by their place in the tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter

from dcmcfg.directory.entry_rebaser import RebasedEntries
from dcmcfg.directory.search_result_entry import split_attribute, split_entry
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import base_dn_told
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.garbage_collection import collector_paused
from dcmcfg.ldif.writer import MAXIMUM_LINE, VERSION_LINE, fold, format_attribute, format_name
from dcmcfg.model.devices import no_configuration
from dcmcfg.model.export import attribute_order, export_record
from dcmcfg.model.rebasing import RebasingNotes
from dcmcfg.schema import equality
from dcmcfg.schema.definitions import Schema, bundled
from dcmcfg.schema.equality import Normaliser
from dcmcfg.secret_values import is_secret

#: The normal form of an RDN in one text: in the order of these texts siblings stand.
Key = str
#: What an attribute is sorted by, and its lines; no lines when a secret is among its values.
_Text = tuple[str, str | None]

_ROOT_CLASS = b"dicomconfigurationroot"
#: An RDN that is printed as it is read, and that the next comma ends: no escapes, quotes, signs or surplus blanks.
_PLAIN_RDN = r"([A-Za-z][A-Za-z0-9-]*)=([!$-*\--:=?-\[\]-~]++(?: [!$-*\--:=?-\[\]-~]++)*+)"
_plain_rdn = re.compile(_PLAIN_RDN).fullmatch
_plain_name = re.compile(_PLAIN_RDN + r",(.+)", re.DOTALL).fullmatch
#: A value that stands in a line as it is, and is no secret unless its attribute is one: it has no ``@`` and no ``=``.
_harmless = re.compile(rb"(?![ :<])[ -<>?A-~]+(?<! )").fullmatch
#: What the rules for strings make of a value in a plain RDN, which is ASCII without surplus blanks.
_NORMAL_FORMS: Mapping[Normaliser, Callable[[str], str]] = {
    equality.case_ignore: str.lower,
    equality.case_ignore_ia5: str.lower,
    equality.case_exact: str,
    equality.case_exact_ia5: str,
}
#: A value that is a secret in any attribute where the key before ``=`` decides.
_SECRET_BY_ITS_KEY = b"password=x"
_MOST_REMEMBERED = 1 << 14
_LONGEST_REMEMBERED = 512
#: An attribute that comes with more values than these seldom comes with one of them again.
_MOST_DIFFERENT = 512
#: Tags and lengths before the value of an attribute that has one, when one octet holds each length.
_HEADERS = 8
_BATCH = 512
_order, _lines = itemgetter(0), itemgetter(1)


def export_live(
    directory: Directory, *, with_secrets: bool, version: bool = True, notes: RebasingNotes | None = None
) -> Iterator[str]:
    """Return the LDIF of the configuration that *directory* holds, in pieces of some records; all has been read then.

    With *notes* it is the configuration at the new base of their rebasing, and they are told what stays behind.
    Raises :class:`~dcmcfg.errors.NotFound` when there is none, and :class:`~dcmcfg.errors.DirectoryError`.
    """
    export = LiveExport(bundled(), with_secrets=with_secrets)
    with collector_paused(), base_dn_told(directory):
        rebased = RebasedEntries(notes).of if notes else None
        for found in directory.search(directory.server.base_dn):
            export.take(rebased(found) if rebased else found)
    return export.text(version=version)


def _escaped(text: str) -> str:
    return text.replace("\0", "\0\1")


def _key(*parts: tuple[str, str]) -> Key:
    """Return the key of an RDN with *parts*; keys are in the order of the parts, and the same for the same ones."""
    return "\0\0".join([_escaped(text) for part in parts for text in part])


class _Head:
    """What the octets before an attribute's only value tell, and how often another value came after them."""

    __slots__ = ("different", "order", "start")

    def __init__(self, order: str, start: str) -> None:
        self.order = order
        self.start = start
        self.different = 0


class _Level:
    """What stands directly below one name: records by the normal form of their RDN, and the level below each."""

    __slots__ = ("above", "below", "key", "records")

    def __init__(self, above: _Level | None, key: Key) -> None:
        self.above = above
        self.key = key
        self.records: dict[Key, str] = {}
        self.below: dict[Key, _Level] = {}

    def put_in_order(self, into: list[str]) -> None:
        """Append the records here and below to *into*, parents first, siblings by their RDNs."""
        records, below = self.records, self.below
        if not below:
            into += map(records.__getitem__, sorted(records))
            return
        for key in sorted(records.keys() | below.keys()):
            if key in records:
                into.append(records[key])
            if key in below:
                below[key].put_in_order(into)


class LiveExport:
    """The text of an export, made of entries that are taken in any order."""

    def __init__(self, schema: Schema, *, with_secrets: bool) -> None:
        self._schema = schema
        self._with_secrets = with_secrets
        self._texts: dict[bytes, _Text] = {}
        self._heads: dict[bytes, _Head] = {}
        self._top = _Level(None, "")
        #: By the text of the DN above; one level may be there in several spellings.
        self._levels: dict[str, _Level] = {"": self._top}
        self._names: dict[bytes, tuple[str, str, int]] = {}
        self._rules: dict[str, tuple[str, Callable[[str], str]]] = {}
        self._root_came = False
        self._root: tuple[_Level, Key] | None = None

    def take(self, found: Iterable[bytes]) -> None:
        """Take entries, each in the octets of a SearchResultEntry; raises :class:`NotLDAP`."""
        texts, levels, rules = self._texts, self._levels, self._rules
        for octets in found:
            name, pieces = split_entry(octets)
            made = [texts.get(piece) or self._text(piece) for piece in pieces]
            made.sort(key=_order)
            dn = name.decode("utf-8", "surrogateescape")
            plain = _plain_name(dn)
            kind, value, above = plain.groups() if plain else ("", "", "")
            level = levels.get(above) or self._level(above)
            if plain and level:
                start, normal = rules.get(kind) or self._rule(kind)
                key = start + normal(value)
                line = fold("dn: " + dn)
            else:
                level, key, line = self._parsed(dn)
            try:
                level.records[key] = "".join((line, *map(_lines, made), "\n"))
            except TypeError:  # one of the lines is None
                level.records[key] = self._by_definition(dn, pieces)
            if self._root_came and self._root is None:
                self._root = level, key

    def _rule(self, kind: str) -> tuple[str, Callable[[str], str]]:
        """Return how the keys of plain RDNs begin that are of attribute *kind*, and what makes the rest of a value."""
        ((name, _),) = self._schema.normal_dn(DN((RDN.of(kind, "x"),)))[0]
        rule = self._schema.normaliser[kind]
        normal = _NORMAL_FORMS.get(rule) or (lambda value: _escaped(rule(value.encode()).decode()))
        found = self._rules[kind] = _key((name, "")), normal
        return found

    def _level(self, text: str) -> _Level | None:
        """Return the level below the DN *text*, made if it is not there; None where its parts cannot simply be cut."""
        parts = []
        while (level := self._levels.get(text)) is None:
            rdn, comma, above = text.partition(",")
            plain = _plain_rdn(rdn)
            if not plain or (comma and not above):
                return None
            kind, value = plain.groups()
            start, normal = self._rules.get(kind) or self._rule(kind)
            parts.append((text, start + normal(value)))
            text = above
        for text, key in reversed(parts):
            level = self._levels[text] = level.below.setdefault(key, _Level(level, key))
        return level

    def _parsed(self, dn: str) -> tuple[_Level, Key, str]:
        """Return where the record of the entry *dn* belongs, and the line with its name, for any form of DN."""
        parsed = DN.parse(dn)
        key, *above = [_key(*rdn) for rdn in self._schema.normal_dn(parsed)] or [""]
        level = self._top
        for part in reversed(above):
            level = level.below.setdefault(part, _Level(level, part))
        return level, key, format_name(parsed)

    def _text(self, piece: bytes) -> _Text:
        """Return the text of the attribute in *piece*, which is remembered by its octets."""
        begin = _HEADERS + piece[3] if len(piece) > _HEADERS else 0
        head = self._heads.get(piece[:begin])
        text: _Text
        if head and _harmless(value := piece[begin:]):
            text = head.order, f"{head.start}{value.decode()}\n"
            head.different += 1
            if head.different > _MOST_DIFFERENT:
                return text
        else:
            text = self._attribute(piece)
        if len(piece) <= _LONGEST_REMEMBERED:
            if len(self._texts) >= _MOST_REMEMBERED:
                self._texts.clear()
            self._texts[piece] = text
        return text

    def _attribute(self, piece: bytes) -> _Text:
        """Return the text of any attribute.

        What stands before its only value tells all lengths, so octets that begin the same are of the same form: with
        a value that may fit in a line, that beginning is remembered.
        """
        name, values = split_attribute(piece)
        order, start, room = self._names.get(name) or self._name(name)
        if len(values) == 1 and len(values[0]) <= room and len(piece) == _HEADERS + len(name) + len(values[0]):
            self._heads[piece[: _HEADERS + len(name)]] = _Head(order, start)
        return order, self._format(name.decode("utf-8", "surrogateescape"), values)

    def _name(self, octets: bytes) -> tuple[str, str, int]:
        """Return what attribute *octets* is sorted by, what its lines begin with, and how long a plain value may be.

        No value is plain where it may be a secret for its name, or say that this entry is the root.
        """
        name = octets.decode("utf-8", "surrogateescape")
        order, start = attribute_order(name), f"{name}: "
        watched = not order or is_secret(name, _SECRET_BY_ITS_KEY)
        format_attribute(name, ())  # refuses a name that has no place in LDIF
        known = self._names[octets] = order, start, 0 if watched else MAXIMUM_LINE - len(start)
        return known

    def _format(self, name: str, values: list[bytes]) -> str | None:
        if name.lower() == "objectclass" and not self._root_came:
            self._root_came = any(value.lower() == _ROOT_CLASS for value in values)
        if not self._with_secrets and any(is_secret(name, value) for value in values):
            return None
        return format_attribute(name, sorted(values))

    def _by_definition(self, dn: str, pieces: Iterable[bytes]) -> str:
        attributes = (split_attribute(piece) for piece in pieces)
        held = (Attribute(name.decode("utf-8", "surrogateescape"), tuple(values)) for name, values in attributes)
        entry = Entry(DN.parse(dn), tuple(held))
        return export_record(entry, with_secrets=self._with_secrets)

    def text(self, *, version: bool = True) -> Iterator[str]:
        """Yield the LDIF of what an export holds, some records at a time.

        Raises :class:`~dcmcfg.errors.NotFound` when no entry was a configuration root.
        """
        if version:
            yield VERSION_LINE + "\n"
        records = self._records()
        for start in range(0, len(records), _BATCH):
            yield "".join(records[start : start + _BATCH])

    def _records(self) -> list[str]:
        if self._root is None:
            raise no_configuration()
        level, key = self._root
        records = [level.records[key]]
        while level.above is not None and (record := level.above.records.get(level.key)) is not None:
            records.append(record)
            level = level.above
        records.reverse()
        level, key = self._root
        if key in level.below:
            level.below[key].put_in_order(records)
        return records
