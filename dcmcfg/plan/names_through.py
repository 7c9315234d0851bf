"""The names that entries have before and after a plan, whose renames move entries and what is below them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from dcmcfg.changes import Rename
from dcmcfg.dn import NormalDN
from dcmcfg.plan.plan import Plan


@dataclass(frozen=True)
class NamesThrough:
    """The names that the entries of ``plan`` have before it and after it."""

    plan: Plan

    @cached_property
    def moves(self) -> bool:
        """Whether the plan gives an entry another name."""
        return any(old != new for old, new in self._named)

    @cached_property
    def before(self) -> tuple[NormalDN, ...]:
        """For each step, the name that its entry had before the plan."""
        return tuple(self._history[0])

    @cached_property
    def after(self) -> tuple[NormalDN, ...]:
        """For each step, the name that its entry has after the plan, or would have if no step deleted it."""
        if not self.moves:
            return self.before
        later: dict[NormalDN, NormalDN] = {}
        names = []
        for old, new in reversed(self._named):
            names.append(finally_ := _moved(new, later))
            if new != old:
                later.pop(new, None)
                later[old] = finally_
        return tuple(reversed(names))

    def origin(self, name: NormalDN) -> NormalDN | None:
        """Return the name before the plan of the entry that has *name* after it.

        It is None for a new entry that takes the name of one that the plan moved away.
        """
        moves = self._history[1]
        if not moves:
            return name
        was = _moved(name, moves)
        if was == name and any(name[at:] in self._moved_away for at in range(len(name))):
            return None
        return was

    @cached_property
    def _moved_away(self) -> frozenset[NormalDN]:
        return frozenset(self._history[1].values())

    @cached_property
    def _history(self) -> tuple[list[NormalDN], Mapping[NormalDN, NormalDN]]:
        """The names before, and the names after that differ from them: new name → old name."""
        earlier: dict[NormalDN, NormalDN] = {}
        names = []
        for old, new in self._named:
            names.append(was := _moved(old, earlier))
            if new != old:
                earlier.pop(old, None)
                earlier[new] = was
        return names, earlier

    @cached_property
    def _named(self) -> list[tuple[NormalDN, NormalDN]]:
        """Return for each step the name of its entry just before the step and just after it."""
        key = self.plan.before.key
        named = []
        for step in self.plan.steps:
            name = key(step.change.dn)
            named.append((name, key(step.change.new_dn) if isinstance(step.change, Rename) else name))
        return named


def _moved(name: NormalDN, moves: Mapping[NormalDN, NormalDN]) -> NormalDN:
    """Return *name* with the longest part at its end that *moves* has replaced."""
    if not moves:
        return name
    return next((name[:at] + moves[name[at:]] for at in range(len(name)) if name[at:] in moves), name)
