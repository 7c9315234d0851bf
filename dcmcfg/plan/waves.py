"""Which changes may be under way at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from dcmcfg.changes import Change, Modify, Rename
from dcmcfg.dn import DN, NormalDN


def split_into_waves(changes: Iterable[Change], key: Callable[[DN], NormalDN]) -> tuple[tuple[Change, ...], ...]:
    """Return *changes* in waves: within one the order does not matter, and each builds on those before it only.

    A server may carry out requests of one connection in any order as long as they are unanswered (RFC 4511 §4.2.1
    asks for order after a bind only), and slapd does, in a transaction too. A change waits for those before it that

    - add, delete or rename its entry, or one above it;
    - modify its entry;
    - do anything at or below it, if it adds, deletes or renames itself.
    """
    found: list[list[Change]] = []
    order = _WaveOrder()
    for change in changes:
        number = order.assign_wave(change, key)
        if number == len(found):
            found.append([])
        found[number].append(change)
    return tuple(map(tuple, found))


@dataclass
class _NameNode:
    """A name in the tree: the first wave, counted from 0, that is free for what touches its entry."""

    next_wave_after_structure: int = 0
    next_wave_after_modify: int = 0
    next_wave_after_subtree: int = 0
    children: dict[tuple[tuple[str, str], ...], _NameNode] = field(default_factory=dict)


class _WaveOrder:
    """The places that the changes so far have touched."""

    def __init__(self) -> None:
        self._top = _NameNode()

    def assign_wave(self, change: Change, key: Callable[[DN], NormalDN]) -> int:
        paths = [self._get_path(key(change.dn))]
        if isinstance(change, Rename):
            paths.append(self._get_path(key(change.new_dn)))
        structure = max(each.next_wave_after_structure for path in paths for each in path)
        if isinstance(change, Modify):
            wave = max(structure, paths[0][-1].next_wave_after_modify)
            paths[0][-1].next_wave_after_modify = wave + 1
        else:
            wave = max(structure, *(path[-1].next_wave_after_subtree for path in paths))
            for path in paths:
                path[-1].next_wave_after_structure = wave + 1
        for path in paths:
            for each in path:
                each.next_wave_after_subtree = max(wave + 1, each.next_wave_after_subtree)
        return wave

    def _get_path(self, name: NormalDN) -> list[_NameNode]:
        """Return the places from the top to *name*, made where they are not there yet."""
        path = [self._top]
        for rdn in reversed(name):
            path.append(path[-1].children.setdefault(rdn, _NameNode()))
        return path
