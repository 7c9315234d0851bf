"""Find values that still contain the old name after a rename, with the reason for each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.references.rewriting import find_names
from dcmcfg.model.registries import REGISTRIES
from dcmcfg.model.tree import Tree
from dcmcfg.schema.archive_values import get_value_kinds
from dcmcfg.schema_names import DCM_PROPERTY, DICOM_DEVICE_NAME, OTHER_AE_TITLE

_TEXT = ("IA5String", "DirectoryString")
_WORD = "A-Za-z0-9_"
_CONDITIONS = DCM_PROPERTY.lower()
_OTHER_TITLE = OTHER_AE_TITLE.lower()


@dataclass(frozen=True)
class LeftoverName:
    """A value that still contains the old name, and the reason why it was not rewritten."""

    dn: DN
    attribute: str
    value: bytes
    reason: str


@dataclass(frozen=True)
class LeftoverNames:
    """The ``items``, those to review first, and ``longer_words``: word with the name inside → number of values."""

    items: tuple[LeftoverName, ...]
    longer_words: Mapping[str, int]


NO_LEFTOVERS = LeftoverNames((), {})


def find_leftover_names(
    references: References, kind: EntityKind, old: str, new: str, *, keeps_old_name: bool = False
) -> LeftoverNames:
    """Return the values that still contain *old* after an object of *kind* was renamed to *new*.

    *references* are those of the tree after the rename. With *keeps_old_name*, the object keeps *old* as a title.
    Patterns that match *old*, but not *new*, are returned too.
    """
    tree = references.tree
    word_pattern = _compile_word_pattern(kind, old)
    by_value: dict[tuple[DN, str, bytes], list[Reference]] = {}
    for reference in references.all:
        by_value.setdefault((reference.dn, reference.attribute, reference.value), []).append(reference)
    classifier = _LeftoverClassifier(references=references, kind=kind, old=old, new=new, keeps_old_name=keeps_old_name)
    urgent: list[LeftoverName] = []
    others: list[LeftoverName] = []
    longer_words: Counter[str] = Counter()
    for entry, attribute, value, text in _iterate_texts(tree):
        if classifier.is_missed_pattern(attribute, value, text):
            urgent.append(LeftoverName(entry.dn, attribute, value, f"a pattern that matches {old} but not {new}"))
            continue
        words = word_pattern.findall(text)
        if not words:
            continue
        if not any(kind.are_same_name(word, old) for word in words):
            longer_words.update(set(words))
            continue
        value_references = by_value.get((entry.dn, attribute, value), [])
        reason, needs_review = classifier.explain(entry, attribute, text, value_references)
        (urgent if needs_review else others).append(LeftoverName(entry.dn, attribute, value, reason))
    return LeftoverNames((*urgent, *others), dict(longer_words.most_common()))


def _iterate_texts(tree: Tree) -> Iterator[tuple[Entry, str, bytes, str]]:
    """Yield (entry, attribute, value, text) for all values that are text."""
    for entry in tree.sorted_entries():
        for attribute in entry.attributes:
            definition = tree.schema.attribute(attribute.name)
            # The values of an attribute that the schema does not define may be text.
            if definition is not None and definition.syntax not in _TEXT:
                continue
            for value in attribute.values:
                try:
                    text = value.decode("utf-8")
                except UnicodeDecodeError:
                    continue
                yield entry, attribute.name, value, text


@dataclass(frozen=True, kw_only=True)
class _LeftoverClassifier:
    references: References
    kind: EntityKind
    old: str
    new: str
    keeps_old_name: bool

    def explain(self, entry: Entry, attribute: str, text: str, value_references: list[Reference]) -> tuple[str, bool]:
        """Return the reason why the value was not rewritten, and whether the user must review it."""
        if _names_itself(entry, attribute, text):
            return f"the name of {_add_article(_get_entry_label(entry))}", False
        for reference in value_references:
            if reference.kind is self.kind and self.kind.are_same_name(reference.name, self.old):
                return self._explain_reference(reference)
        for reference in value_references:
            if _compile_word_pattern(self.kind, self.old).search(reference.name):
                return f"refers to the {reference.kind.value.label} {reference.name}", False
        if attribute.lower() == _OTHER_TITLE:
            return "an additional title of an AE", False
        if self._find_pattern(attribute, text) is not None:
            return (
                "a pattern: dcmcfg does not recognise names in patterns, so check whether the pattern must match "
                f"{self.new}",
                True,
            )
        return _classify_text(attribute, text), False

    def _explain_reference(self, reference: Reference) -> tuple[str, bool]:
        word = self.kind.value.label
        if self.keeps_old_name:
            return "unchanged, because the old title is also kept", False
        candidates = self.references.find_candidates(reference)
        if candidates:
            device = self.references.find_device_key(candidates[0].dn)
            name = self.references.tree.entries[device].text(DICOM_DEVICE_NAME) if device else None
            return f"means the {word} of {name}" if name else f"means another {word}", False
        return f"no {word} with that name exists", True

    def is_missed_pattern(self, attribute: str, value: bytes, text: str) -> bool:
        pattern = self._find_pattern(attribute, text)
        if pattern is None or any(
            self.kind.are_same_name(each.text, self.new) for each in find_names(attribute, value)
        ):
            return False
        try:  # Java's patterns are the same as Python's, except for rare features
            matches = re.compile(pattern).fullmatch
        except re.error:
            return False
        return matches(self.old) is not None and matches(self.new) is None and self.old not in pattern

    def _find_pattern(self, attribute: str, text: str) -> str | None:
        """Return the pattern of a condition that compares names of this kind, or None."""
        key, equals, pattern = text.partition("=")
        if attribute.partition(";")[0].lower() != _CONDITIONS or not equals:
            return None
        # The key alone decides which kind of name the condition compares, so any pattern will do.
        probe = find_names(attribute, f"{key}=X".encode())
        return pattern if any(each.kind is self.kind and each.is_pattern for each in probe) else None


def _compile_word_pattern(kind: EntityKind, name: str) -> re.Pattern[str]:
    """Return a pattern for words that are *name* (of *kind*) or contain it."""
    flags = re.NOFLAG if kind.value.case_exact else re.IGNORECASE
    return re.compile(rf"[{_WORD}]*{re.escape(name)}[{_WORD}]*", flags)


def _names_itself(entry: Entry, attribute: str, text: str) -> bool:
    parts = entry.dn.rdn.parts if entry.dn.rdns else ()
    return any(kind.lower() == attribute.lower() and value == text for kind, value in parts)


def _get_entry_label(entry: Entry) -> str:
    for kind in EntityKind:
        if kind is not EntityKind.ENTRY and entry.is_a(kind.value.object_class):
            return str(kind.value.label)
    registered = next((registry.kind for registry in REGISTRIES if entry.is_a(registry.entry_class)), None)
    return f"registered {registered.value.label}" if registered else "entry"


def _add_article(word: str) -> str:
    return f"an {word}" if word[0].lower() in "aei" else f"a {word}"


def _classify_text(attribute: str, text: str) -> str:
    """Return the kind of *text*, which is not a reference."""
    if any(kind.name == "code" for kind in get_value_kinds(attribute).values()):
        return "a code"
    if "/" in text and " " not in text:
        return "a path or address"
    return "a template" if "{" in text and "}" in text else "free text"
