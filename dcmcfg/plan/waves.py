"""Which changes may be under way at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dcmcfg.changes import Change, Modify, Rename
from dcmcfg.dn import DN, NormalDN


def waves(changes: Iterable[Change], key: Callable[[DN], NormalDN]) -> tuple[tuple[Change, ...], ...]:
    """Return *changes* in waves: within one the order does not matter, and each builds on those before it only.

    A server may carry out requests of one connection in any order as long as they are unanswered (RFC 4511 §4.2.1
    asks for order after a bind only), and slapd does, in a transaction too. A change waits for those before it that

    - add, delete or rename its entry, or one above it;
    - modify its entry;
    - do anything at or below it, if it adds, deletes or renames itself.
    """
    found: list[list[Change]] = []
    order = _Order()
    for change in changes:
        number = order.wave_of(change, key)
        if number == len(found):
            found.append([])
        found[number].append(change)
    return tuple(map(tuple, found))


class _Order:
    """The first wave that is free for each place in the tree, counted from 0."""

    def __init__(self) -> None:
        self._after_structure: dict[NormalDN, int] = {}
        self._after_modify: dict[NormalDN, int] = {}
        self._after_all_below: dict[NormalDN, int] = {}

    def wave_of(self, change: Change, key: Callable[[DN], NormalDN]) -> int:
        names = [key(change.dn)]
        if isinstance(change, Modify):
            (name,) = names
            wave = max(self._after_modify.get(name, 0), self._structure_at_or_above(name))
            self._after_modify[name] = wave + 1
        else:
            if isinstance(change, Rename):
                names.append(key(change.new_dn))
            wave = max(max(self._after_all_below.get(name, 0), self._structure_at_or_above(name)) for name in names)
            self._after_structure |= dict.fromkeys(names, wave + 1)
        for name in names:
            for above in _at_and_above(name):
                self._after_all_below[above] = max(wave + 1, self._after_all_below.get(above, 0))
        return wave

    def _structure_at_or_above(self, name: NormalDN) -> int:
        return max(self._after_structure.get(above, 0) for above in _at_and_above(name))


def _at_and_above(name: NormalDN) -> Iterator[NormalDN]:
    return (name[depth:] for depth in range(len(name) + 1))
