"""References that a plan leaves without the entry that they lead to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property

from dcmcfg.changes import Delete, Rename
from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Plan

#: An attribute and the DN that stands there.
Reference = tuple[str, str]


def gone(plan: Plan) -> tuple[NormalDN, ...]:
    """Return the names that the tree before has and the tree after has not."""
    if _renames(plan):
        return tuple(key for key in plan.before.entries if key not in plan.after.entries)
    keys = (plan.before.key(step.change.dn) for step in plan.steps if isinstance(step.change, Delete))
    return tuple(key for key in keys if key in plan.before.entries and key not in plan.after.entries)


def new_dangling(plan: Plan) -> Iterator[tuple[DN, str, str]]:
    """Yield (entry, attribute, DN) of each reference that leads to no entry after *plan* and did not do so before."""
    before, after = _Before(plan), _References(plan.after)
    for key in _to_look_at(plan):
        entry = plan.after.entries[key]
        if dangling := after.to_nothing(entry):
            known = before.known(key)
            yield from ((entry.dn, name, text) for name, text in dangling if (name, text) not in known)


def _renames(plan: Plan) -> bool:
    return any(isinstance(step.change, Rename) for step in plan.steps)


def _to_look_at(plan: Plan) -> Iterable[NormalDN]:
    """Return the names of the entries that may have come to dangle: all when a name went, else those written to."""
    if _renames(plan) or gone(plan):
        return plan.after.entries
    written = (plan.after.key(step.after.dn) for step in plan.steps if step.after is not None)
    return [key for key in dict.fromkeys(written) if key in plan.after.entries]


class _References:
    """The references in a tree: values of DN syntax. One that leads out of the tree is not known to dangle."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._top = min(tree.entries, key=len, default=())
        self._is_reference: dict[str, bool] = {}

    def to_nothing(self, entry: Entry) -> list[Reference]:
        """Return the references of *entry* that lead to no entry."""
        held = (attribute for attribute in entry.attributes if self._holds_references(attribute))
        return [
            (attribute.name, text)
            for attribute in held
            for text in (value.decode("utf-8", "surrogateescape") for value in attribute.values)
            if self._leads_to_nothing(text)
        ]

    def _holds_references(self, attribute: Attribute) -> bool:
        known = self._is_reference.get(attribute.name)
        if known is None:
            definition = self._tree.schema.attribute(attribute.name)
            known = self._is_reference[attribute.name] = definition is not None and definition.syntax == "DN"
        return known

    def _leads_to_nothing(self, text: str) -> bool:
        try:
            key = self._tree.key(DN.parse(text))
        except MalformedInput:
            return False  # no name at all: the server will say so
        return key not in self._tree.entries and is_at_or_below(key, self._top)


class _Before:
    """What dangled before the plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._references = _References(plan.before)

    def known(self, key: NormalDN) -> Collection[Reference]:
        """Return what dangled in the entry at *key*; of one that may have had another name, all that dangled."""
        held = self._plan.before.entries.get(key)
        if held is not None:
            return self._references.to_nothing(held)
        return self._all if _renames(self._plan) else ()

    @cached_property
    def _all(self) -> frozenset[Reference]:
        entries = self._plan.before.entries.values()
        return frozenset(each for entry in entries for each in self._references.to_nothing(entry))
