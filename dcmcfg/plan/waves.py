"""Which changes may be under way at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

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


@dataclass
class _Place:
    """A name in the tree: the first wave, counted from 0, that is free for what touches its entry."""

    after_structure: int = 0
    after_modify: int = 0
    after_all_below: int = 0
    below: dict[tuple[tuple[str, str], ...], _Place] = field(default_factory=dict)


class _Order:
    """The places that the changes so far have touched."""

    def __init__(self) -> None:
        self._top = _Place()

    def wave_of(self, change: Change, key: Callable[[DN], NormalDN]) -> int:
        paths = [self._path(key(change.dn))]
        if isinstance(change, Rename):
            paths.append(self._path(key(change.new_dn)))
        structure = max(each.after_structure for path in paths for each in path)
        if isinstance(change, Modify):
            wave = max(structure, paths[0][-1].after_modify)
            paths[0][-1].after_modify = wave + 1
        else:
            wave = max(structure, *(path[-1].after_all_below for path in paths))
            for path in paths:
                path[-1].after_structure = wave + 1
        for path in paths:
            for each in path:
                each.after_all_below = max(wave + 1, each.after_all_below)
        return wave

    def _path(self, name: NormalDN) -> list[_Place]:
        """Return the places from the top to *name*, made where they are not there yet."""
        path = [self._top]
        for rdn in reversed(name):
            path.append(path[-1].below.setdefault(rdn, _Place()))
        return path
