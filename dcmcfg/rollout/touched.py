"""The entries that changes touch: their names, and what the directory holds there now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dcmcfg.changes import Change, Rename
from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound
from dcmcfg.model.tree import Tree

#: An entry costs so many times more by a request of its own than among the others of its subtree.
_DEARER_ALONE = 20
#: So few are not worth the counting.
_FEW = 20


def touched(changes: Iterable[Change]) -> tuple[DN, ...]:
    """Return the DNs that *changes* name, each once in their order."""
    names: dict[DN, None] = {}
    for change in changes:
        names[change.dn] = None
        if isinstance(change, Rename):
            names[change.new_dn] = None
    return tuple(names)


def read_entries(
    directory: Directory, tree: Tree, names: Iterable[DN], attributes: Sequence[str] = ("*",)
) -> Mapping[NormalDN, Entry]:
    """Return by the keys of *tree* those of the entries called *names* that exist, with *attributes*.

    They are read one by one, or where that is quicker by one search of the subtree that holds them all; *tree*, in
    which most of them are, tells how large it is. Raises :class:`~dcmcfg.errors.DirectoryError`.
    """
    wanted = {tree.key(dn): dn for dn in names}
    base = _base(tree, wanted) if len(wanted) > _FEW else None
    if base is None:
        single = {key: directory.read_entry(dn, attributes) for key, dn in wanted.items()}
        return {key: entry for key, entry in single.items() if entry is not None}
    try:
        found = directory.read(base, "subtree", attributes)
    except NotFound:
        return {}
    keyed = ((tree.key(entry.dn), entry) for entry in found)
    return {key: entry for key, entry in keyed if key in wanted}


def _base(tree: Tree, wanted: Iterable[NormalDN]) -> DN | None:
    """Return the entry of *tree* below which all *wanted* ones are, or None where too much else is there too."""
    keys = list(wanted)
    shortest = min(keys, key=len)
    common = next(end for end in _endings(shortest) if all(key[len(key) - len(end) :] == end for key in keys))
    base = next((end for end in _endings(common) if end in tree.entries), None)
    if base is None:
        return None
    size = sum(key[len(key) - len(base) :] == base for key in tree.entries)
    return tree.entries[base].dn if size <= _DEARER_ALONE * len(keys) else None


def _endings(key: NormalDN) -> Iterable[NormalDN]:
    return (key[depth:] for depth in range(len(key) + 1))
