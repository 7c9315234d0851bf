"""The names of entries before and after a plan, whose renames move entries with all their descendants."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from dcmcfg.changes import Rename
from dcmcfg.dn import NormalDN
from dcmcfg.model.devices import find_enclosing_device
from dcmcfg.plan.plan import Plan


@dataclass(frozen=True)
class EntryNames:
    """The names of the entries of ``plan`` before it and after it."""

    plan: Plan

    @cached_property
    def has_renames(self) -> bool:
        """Whether the plan renames an entry."""
        return any(old != new for old, new in self._renamings)

    @cached_property
    def names_before(self) -> tuple[NormalDN, ...]:
        """For each step, the name of its entry before the plan; for a new entry, its own name."""
        return self._history[0]

    @cached_property
    def names_after(self) -> tuple[NormalDN, ...]:
        """For each step, the name of its entry after the plan, or the name without the delete of the entry."""
        if not self.has_renames:
            return self.names_before
        # From the last step to the first, each rename leads from a name to the one that its entry has at the end.
        later, names = _RenameIndex(), []
        for old, new in reversed(self._renamings):
            names.append(later.find_original_name(new) or new)
            later.move(new, old)
        return tuple(reversed(names))

    @cached_property
    def affected_devices(self) -> frozenset[NormalDN]:
        """The names, before and after the plan, of the devices that the plan changes."""
        devices = map(find_enclosing_device, (*self.names_before, *self.names_after))
        return frozenset(device for device in devices if device is not None)

    def find_original_name(self, name: NormalDN) -> NormalDN | None:
        """Return the name before the plan of the entry that has *name* after the plan.

        Returns None for a new entry that gets the old name of a moved entry.
        """
        return self._history[1].find_original_name(name) if self.has_renames else name

    @cached_property
    def _history(self) -> tuple[tuple[NormalDN, ...], _RenameIndex]:
        """The names before the plan, one per step, and an index from the names after the plan to those before it."""
        earlier, names = _RenameIndex(), []
        for old, new in self._renamings:
            names.append(earlier.find_original_name(old) or old)
            earlier.move(old, new)
        return tuple(names), earlier

    @cached_property
    def _renamings(self) -> list[tuple[NormalDN, NormalDN]]:
        """The name of each step's entry directly before and directly after the step."""
        key = self.plan.before.key
        pairs = []
        for step in self.plan.steps:
            name = key(step.change.dn)
            pairs.append((name, key(step.change.new_dn) if isinstance(step.change, Rename) else name))
        return pairs


@dataclass
class _NameNode:
    """A place in the tree at or above a moved entry: the entry's first name if it moved here, or vacated if it left."""

    original_name: NormalDN | None = None
    is_vacated: bool = False
    children: dict[tuple[tuple[str, str], ...], _NameNode] = field(default_factory=dict)


class _RenameIndex:
    """The first names of moved entries; the time of a move does not depend on the number of earlier moves."""

    def __init__(self) -> None:
        self._top = _NameNode()

    def find_original_name(self, name: NormalDN) -> NormalDN | None:
        """Return the first name of the entry that now has *name*; None if the entry with that name moved away."""
        node: _NameNode | None = self._top
        first: NormalDN = ()
        for rdn in reversed(name):
            node = node.children.get(rdn) if node is not None else None
            if node is not None and node.is_vacated:
                return None
            first = node.original_name if node is not None and node.original_name is not None else (rdn, *first)
        return first

    def move(self, old: NormalDN, new: NormalDN) -> None:
        """Move the entry *old*, with its descendants, to the name *new*."""
        if old == new:
            return
        original_name = self.find_original_name(old) or old
        parent = self._get_or_create_node(old[1:])
        # The node moves with its children, so that earlier moves of entries below it stay known.
        node = parent.children.get(old[0]) or _NameNode()
        parent.children[old[0]] = _NameNode(is_vacated=True)
        node.original_name, node.is_vacated = original_name, False
        self._get_or_create_node(new[1:]).children[new[0]] = node

    def _get_or_create_node(self, name: NormalDN) -> _NameNode:
        node = self._top
        for rdn in reversed(name):
            node = node.children.setdefault(rdn, _NameNode())
        return node
