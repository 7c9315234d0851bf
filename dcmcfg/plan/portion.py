"""The portion of a tree that two trees are compared in."""

from __future__ import annotations

from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree


def subtree(tree: Tree, dn: DN) -> Tree:
    """Return the entry at *dn* and all below it; empty when the tree has nothing there."""
    base = tree.key(dn)
    return _kept(tree, {key for key in tree.entries if is_at_or_below(key, base)})


def configuration(tree: Tree, root: DN) -> Tree:
    """Return what an export holds: the entries from the top down to the configuration *root*, and all below it."""
    base = tree.key(root)
    return _kept(tree, {key for key in tree.entries if is_at_or_below(key, base) or is_at_or_below(base, key)})


def device_dn(name: str, *trees: Tree) -> DN:
    """Return the DN of device *name* in the first of *trees* that has it, a file of that device alone included.

    The case of the name is not significant. Raises :class:`NotFound`.
    """
    for tree in trees:
        for entry in tree.entries.values():
            if (entry.text("dicomDeviceName") or "").lower() == name.lower() and entry.is_a("dicomDevice"):
                return entry.dn
    raise NotFound(f"neither side has a device {name}")


def beside_live(live: Tree, name: str, file: Tree) -> tuple[Tree, Tree]:
    """Return the portions of the *live* tree and of *file* (called *name*) that are compared where nobody said which.

    That is what an export holds. Raises :class:`NotFound` when *file* holds less: all else would seem to be deleted.
    """
    try:
        root = Configuration(live).root
    except NotFound:
        return live, file
    if root not in file:
        top = min(file.entries.values(), key=lambda entry: len(entry.dn.rdns)).dn
        part = f'to compare a part: --only "{top}"'
        step = part if top.is_below(root.parent) else "it is at another base DN: --map-base auto"
        raise NotFound(f"{root} is not in it", on=name, next_step=step)
    return configuration(live, root), configuration(file, root)


def _kept(tree: Tree, keys: set[NormalDN]) -> Tree:
    entries = {key: entry for key, entry in tree.entries.items() if key in keys}
    return Tree(tree.schema, entries, {key: version for key, version in tree.versions.items() if key in keys})
