"""Pair the entries of a device with the objects that the archive's JSON shows for them.

No name of an attribute or object class is known here. An object belongs to the entry whose RDN it contains. An entry
that only groups other entries has no object; the objects of the entries below it are in the object above.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lint.archive_view.shown_object import ShownObject
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import OBJECT_CLASS

#: With more pairs of unnamed objects and entries, only names are compared, because the time is quadratic.
_MAXIMUM_COMPARISONS = 10_000


@dataclass(frozen=True)
class Pair:
    """An entry with the attributes that its object shows: key → values as text."""

    entry: Entry
    shown: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class UnknownObject:
    """An object without an entry; ``parent`` is the entry that should have it, ``key`` the key of its list."""

    parent: Entry
    key: str
    shown: ShownObject


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """``pairs``, parents first; ``hidden`` entries without an object, without the entries below them.

    ``unknown`` are objects without an entry. ``dns_by_pointer`` has the name of the entry of each object.
    """

    pairs: tuple[Pair, ...]
    hidden: tuple[Entry, ...]
    unknown: tuple[UnknownObject, ...]
    dns_by_pointer: Mapping[str, DN]


def pair_entries(tree: Tree, device: Entry, shown: ShownObject) -> Pairing:
    """Return the pairs of *device* and the entries below it in *tree* with the objects of *shown*."""
    pairer = _Pairer(tree)
    pairer.pair(device, shown)
    return Pairing(
        pairs=tuple(pairer.pairs),
        hidden=tuple(pairer.hidden),
        unknown=tuple(pairer.unknown),
        dns_by_pointer=pairer.dns_by_pointer,
    )


class _Pairer:
    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.pairs: list[Pair] = []
        self.hidden: list[Entry] = []
        self.unknown: list[UnknownObject] = []
        self.dns_by_pointer: dict[str, DN] = {}

    def pair(self, entry: Entry, shown: ShownObject) -> None:
        """Pair *entry* with *shown*, and all entries below it with the objects in *shown*."""
        children = self._tree.children(entry.dn)
        attributes, lists = _merge_extensions(entry, shown, children)
        self.dns_by_pointer[shown.pointer] = entry.dn
        self.pairs.append(Pair(entry, attributes))
        groups = [each for each in children if not any(map(each.is_a, lists))]
        grouped = {id(each): self._tree.children(each.dn) for each in groups}
        remaining = {id(each): each for each in (*children, *(low for each in groups for low in grouped[id(each)]))}
        pairs_below: list[tuple[Entry, ShownObject]] = []
        for key, objects in lists.items():
            is_class = self._tree.schema.object_class(key) is not None
            # A list whose key is no object class may have entries of any class.
            candidates = [each for each in remaining.values() if not is_class or each.is_a(key)]
            matched = self._match(objects, candidates, by_content=is_class)
            for shown_object, found in matched:
                if found is None:
                    self.unknown.append(UnknownObject(entry, key, shown_object))
                else:
                    del remaining[id(found)]
                    pairs_below.append((found, shown_object))
        for group in groups:
            below = grouped[id(group)]
            if id(group) in remaining and len(below) > sum(id(each) in remaining for each in below):
                # Some of its entries are shown, so the group itself has its attributes in the object above.
                del remaining[id(group)]
                self.pairs.append(Pair(group, attributes | _get_naming_attributes(group)))
            elif id(group) in remaining:
                # The entries of a group that is not shown are hidden with the group.
                for each in below:
                    remaining.pop(id(each), None)
        self.hidden += remaining.values()
        for found, shown_object in pairs_below:
            self.pair(found, shown_object)

    def _match(
        self, objects: Sequence[ShownObject], candidates: Sequence[Entry], *, by_content: bool
    ) -> Iterator[tuple[ShownObject, Entry | None]]:
        """Yield each of *objects* with its entry among *candidates*, or None; names come first, then the content."""
        by_name: dict[tuple[str, ...], dict[tuple[str, ...], Entry]] = {}
        for entry in candidates:
            kinds = tuple(kind for kind, _ in entry.dn.rdn.parts)
            by_name.setdefault(kinds, {})[self._normalise_name(kinds, [v for _, v in entry.dn.rdn.parts])] = entry
        unused = {id(each): each for each in candidates}
        unnamed = []
        for shown in objects:
            found = next((each for each in self._find_by_name(shown, by_name) if id(each) in unused), None)
            if found is None:
                unnamed.append(shown)
            else:
                del unused[id(found)]
                yield shown, found
        yield from _match_by_content(unnamed, list(unused.values()) if by_content else [])

    def _find_by_name(
        self, shown: ShownObject, by_name: Mapping[tuple[str, ...], Mapping[tuple[str, ...], Entry]]
    ) -> Iterator[Entry]:
        for kinds, entries in by_name.items():
            values = [shown.attributes.get(kind, ()) for kind in kinds]
            if all(len(each) == 1 for each in values):
                found = entries.get(self._normalise_name(kinds, [each[0] for each in values]))
                if found is not None:
                    yield found

    def _normalise_name(self, kinds: Iterable[str], values: Iterable[str]) -> tuple[str, ...]:
        normalise = self._tree.schema.normalise_dn_value
        return tuple(normalise(kind, value) for kind, value in zip(kinds, values, strict=True))


def _merge_extensions(
    entry: Entry, shown: ShownObject, children: Sequence[Entry]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[ShownObject, ...]]]:
    """Return the attributes of *entry* in *shown* and in its extensions, and the objects of entries below it.

    An extension has attributes of the entry, unless its key is the class of an entry among *children* only.
    """
    attributes, lists = dict(shown.attributes), {key: objects for key, objects in shown.lists.items() if objects}
    for key, extension in shown.extensions.items():
        if not entry.is_a(key) and any(child.is_a(key) for child in children):
            lists[key] = (*lists.get(key, ()), extension)
        else:
            more_attributes, more_lists = _merge_extensions(entry, extension, children)
            attributes |= more_attributes
            for name, objects in more_lists.items():
                lists[name] = (*lists.get(name, ()), *objects)
    return attributes, lists


def _get_naming_attributes(entry: Entry) -> dict[str, tuple[str, ...]]:
    return {kind: entry.texts(kind) for kind, _ in entry.dn.rdn.parts}


def _match_by_content(
    objects: Sequence[ShownObject], entries: Sequence[Entry]
) -> Iterator[tuple[ShownObject, Entry | None]]:
    """Yield each of *objects* with the entry that has the most values in common with it.

    Only an object without the naming attribute of an entry can belong to that entry: another name is another entry.
    """
    unused = list(entries) if len(objects) * len(entries) <= _MAXIMUM_COMPARISONS else []
    contents = {id(entry): _list_content(entry) for entry in unused}
    for shown in objects:
        content = {(key, text.casefold()) for key, texts in shown.attributes.items() for text in texts}
        nameless = [entry for entry in unused if not all(kind in shown.attributes for kind, _ in entry.dn.rdn.parts)]
        best = max(nameless, key=lambda entry: len(content & contents[id(entry)]), default=None)
        if best is not None and (content & contents[id(best)] or len(unused) == len(objects) == 1):
            unused.remove(best)
            yield shown, best
        else:
            yield shown, None


def _list_content(entry: Entry) -> frozenset[tuple[str, str]]:
    return frozenset(
        (attribute.name, value.decode("utf-8", "replace").casefold())
        for attribute in entry.attributes
        if attribute.name != OBJECT_CLASS
        for value in attribute.values
    )
