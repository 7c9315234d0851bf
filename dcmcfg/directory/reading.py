"""The whole tree below the base DN, read in one go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from dcmcfg.collector import collector_paused
from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.errors import DirectoryError, NotFound
from dcmcfg.schema.definitions import bundled
from dcmcfg.tree import Tree


def read_tree(directory: Directory) -> Tree:
    """Return the entries at and below the server's base DN, with their entryCSN as versions.

    Values compare by the schema that comes with dcmcfg. What other servers hold is not in the tree. Raises
    :class:`~dcmcfg.errors.NotFound` when the base DN does not exist and :class:`~dcmcfg.errors.DirectoryError`, also
    when the server cut the answer short.
    """
    with collector_paused(), base_dn_told(directory):
        entries = directory.read(directory.server.base_dn, "subtree", ("*", "entryCSN"))
        tree = Tree.of(bundled(), entries)
        elsewhere = {tree.key(each.dn): each.where for each in directory.referrals if each.dn is not None}
        return replace(tree, elsewhere=elsewhere) if elsewhere else tree


def read_tree_to_fill(directory: Directory) -> Tree:
    """Return what :func:`read_tree` does, and the empty tree for a server that has no entry at the base DN yet."""
    try:
        return read_tree(directory)
    except NotFound:
        return Tree(bundled(), {})


@contextmanager
def base_dn_told(directory: Directory) -> Iterator[None]:
    """Have a base DN that does not exist told with what the server does hold."""
    try:
        yield
    except NotFound as missing:
        try:
            root = directory.read_entry(DN(), ("namingContexts",))
        except DirectoryError:  # what is missing is the better answer
            root = None
        held = ", ".join(root.texts("namingContexts")) if root else ""
        steps = ("check --base-dn (DCMCFG_BASE_DN)", f"the server holds {held}" if held else "", missing.next_step)
        raise NotFound(missing.what, on=missing.on, next_step="; ".join(filter(None, steps))) from missing
