"""Split changes into waves of changes that may be sent at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from dcmcfg.changes import Change, Modify, Rename
from dcmcfg.dn import DN, NormalDN


def split_into_waves(changes: Iterable[Change], key: Callable[[DN], NormalDN]) -> tuple[tuple[Change, ...], ...]:
    """Return *changes* in waves: the order inside a wave is not significant, and a wave depends on earlier ones only.

    A server may process the pending requests of one connection in any order (RFC 4511 §4.2.1 requires an order after a
    bind only), and slapd does so, also in a transaction. A change waits for earlier changes that

    - add, delete or rename its entry or an ancestor;
    - modify its entry;
    - change any entry at or below its entry, if the change itself is an add, delete or rename.
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
    """A name in the tree, with the first wave (from 0) for later changes that depend on earlier ones there."""

    next_wave_after_structure: int = 0
    next_wave_after_modify: int = 0
    next_wave_after_subtree: int = 0
    children: dict[tuple[tuple[str, str], ...], _NameNode] = field(default_factory=dict)


class _WaveOrder:
    """The names that earlier changes affect, with the waves of these changes."""

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
        """Return the nodes from the top to *name*; missing ones are created."""
        path = [self._top]
        for rdn in reversed(name):
            path.append(path[-1].children.setdefault(rdn, _NameNode()))
        return path
