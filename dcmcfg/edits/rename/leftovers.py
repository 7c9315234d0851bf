"""Where a name still stands once everything that refers to the thing was rewritten, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import Kind
from dcmcfg.model.references.rewriting import names
from dcmcfg.model.registries import REGISTRIES
from dcmcfg.model.tree import Tree
from dcmcfg.schema.archive_values import value_kinds

_TEXT = ("IA5String", "DirectoryString")
_WORD = "A-Za-z0-9_"
_CONDITIONS = "dcmproperty"
_OTHER_TITLE = "dcmotheraetitle"


@dataclass(frozen=True)
class Left:
    """A value in which the old name stands, and the reason for which it was left."""

    dn: DN
    attribute: str
    value: bytes
    reason: str


@dataclass(frozen=True)
class Leftovers:
    """What is ``left``, what to look at first; and in how many values the name is part of each longer word."""

    left: tuple[Left, ...]
    longer: Mapping[str, int]


NOTHING_LEFT = Leftovers((), {})


def leftovers(references: References, kind: Kind, old: str, new: str, *, kept: bool = False) -> Leftovers:
    """Return where *old* still stands in a tree in which a thing of *kind* is called *new* now.

    *references* are those of that tree, in which *old* is *kept* as a title or not. Besides words, patterns are found
    that *old* matches and *new* does not.
    """
    tree = references.tree
    holding = _words(kind, old)
    by_value: dict[tuple[DN, str, bytes], list[Reference]] = {}
    for reference in references.all:
        by_value.setdefault((reference.dn, reference.attribute, reference.value), []).append(reference)
    judge = _Judge(references, kind, old, new, kept)
    urgent: list[Left] = []
    left: list[Left] = []
    longer: Counter[str] = Counter()
    for entry, attribute, value, text in _texts(tree):
        if judge.is_missed_pattern(attribute, value, text):
            urgent.append(Left(entry.dn, attribute, value, f"a pattern that {old} matches and {new} does not"))
            continue
        words = holding.findall(text)
        if not words:
            continue
        if not any(kind.same(word, old) for word in words):
            longer.update(set(words))
            continue
        known = by_value.get((entry.dn, attribute, value), [])
        reason, look = judge.reason(entry, attribute, text, known)
        (urgent if look else left).append(Left(entry.dn, attribute, value, reason))
    return Leftovers((*urgent, *left), dict(longer.most_common()))


def _texts(tree: Tree) -> Iterator[tuple[Entry, str, bytes, str]]:
    """Yield the values that are text: (entry, attribute, value, its text)."""
    for entry in tree.ordered():
        for attribute in entry.attributes:
            definition = tree.schema.attribute(attribute.name)
            if definition is not None and definition.syntax not in _TEXT:
                continue
            for value in attribute.values:
                try:
                    text = value.decode("utf-8")
                except UnicodeDecodeError:
                    continue
                yield entry, attribute.name, value, text


@dataclass(frozen=True)
class _Judge:
    references: References
    kind: Kind
    old: str
    new: str
    kept: bool

    def reason(self, entry: Entry, attribute: str, text: str, known: list[Reference]) -> tuple[str, bool]:
        """Return why the value was left, and whether somebody has to look at it."""
        if _names_itself(entry, attribute, text):
            return f"the name of {_a(_word(entry))}", False
        for reference in known:
            if reference.kind is self.kind and self.kind.same(reference.name, self.old):
                return self._other(reference)
        for reference in known:
            if _words(self.kind, self.old).search(reference.name):
                return f"names the {reference.kind.value.word} {reference.name}", False
        if attribute.lower() == _OTHER_TITLE:
            return "another title that an AE is called by", False
        if self._pattern(attribute, text) is not None:
            return f"a pattern that names are not told apart in: is {self.new} meant?", True
        return _kind_of_text(attribute, text), False

    def _other(self, reference: Reference) -> tuple[str, bool]:
        word = self.kind.value.word
        if self.kept:
            return "kept with the old title", False
        meant = self.references.meant(reference)
        if meant:
            device = self.references.device_of(meant[0].dn)
            name = self.references.tree.entries[device].text("dicomDeviceName") if device else None
            return f"means the {word} of {name}" if name else f"means another {word}", False
        return f"there is no {word} of that name for it", True

    def is_missed_pattern(self, attribute: str, value: bytes, text: str) -> bool:
        pattern = self._pattern(attribute, text)
        if pattern is None or any(self.kind.same(each.text, self.new) for each in names(attribute, value)):
            return False
        try:  # Java's patterns are Python's, but for what is rare
            matches = re.compile(pattern).fullmatch
        except re.error:
            return False
        return matches(self.old) is not None and matches(self.new) is None and self.old not in pattern

    def _pattern(self, attribute: str, text: str) -> str | None:
        """Return the pattern in a condition that compares names of the kind, else None."""
        key, equals, pattern = text.partition("=")
        if attribute.partition(";")[0].lower() != _CONDITIONS or not equals:
            return None
        probe = names(attribute, f"{key}=X".encode())
        return pattern if any(each.kind is self.kind and each.pattern for each in probe) else None


def _words(kind: Kind, name: str) -> re.Pattern[str]:
    """Return the pattern of the words that *name* of *kind* is, or is part of."""
    flags = re.NOFLAG if kind.value.case_exact else re.IGNORECASE
    return re.compile(rf"[{_WORD}]*{re.escape(name)}[{_WORD}]*", flags)


def _names_itself(entry: Entry, attribute: str, text: str) -> bool:
    parts = entry.dn.rdn.parts if entry.dn.rdns else ()
    return any(kind.lower() == attribute.lower() and value == text for kind, value in parts)


def _word(entry: Entry) -> str:
    for kind in Kind:
        if kind is not Kind.ENTRY and entry.is_a(kind.value.object_class):
            return str(kind.value.word)
    registered = next((registry.kind for registry in REGISTRIES if entry.is_a(registry.entry)), None)
    return f"registered {registered.value.word}" if registered else "entry"


def _a(word: str) -> str:
    return f"an {word}" if word[0].lower() in "aei" else f"a {word}"


def _kind_of_text(attribute: str, text: str) -> str:
    """Return what *text*, which refers to nothing, is."""
    if any(kind.name == "code" for kind in value_kinds(attribute).values()):
        return "a code"
    if "/" in text and " " not in text:
        return "a path or address"
    return "a template" if "{" in text and "}" in text else "free text"
