"""The whole tree below the base DN, read in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError, NotFound
from dcmcfg.garbage_collection import collector_paused
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import bundled
from dcmcfg.schema.structure import OPERATIONAL

_VERSION = "entryCSN"
_KEPT_BY_THE_SERVER = OPERATIONAL - {_VERSION.lower()}


def read_tree(directory: Directory) -> Tree:
    """Return the entries at and below the server's base DN, with their entryCSN as versions.

    Values compare by the schema that comes with dcmcfg. What other servers hold is not in the tree. Raises
    :class:`~dcmcfg.errors.NotFound` when the base DN does not exist and :class:`~dcmcfg.errors.DirectoryError`, also
    when the server cut the answer short.
    """
    with collector_paused(), base_dn_told(directory):
        entries = directory.read(directory.server.base_dn, "subtree", ("*", _VERSION))
        tree = Tree.of(bundled(), user_attributes(entries))
        elsewhere = {tree.key(each.dn): each.where for each in directory.referrals if each.dn is not None}
        return replace(tree, elsewhere=elsewhere) if elsewhere else tree


def user_attributes(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return *entries* without what the server keeps itself, but for the entryCSN.

    A server that has no definitions of its operational attributes (UnboundID's in-memory server without a schema) gives
    them for ``*`` too: then the first entry has them, as every other.
    """
    first = entries[0].attributes if entries else ()
    if not any(attribute.name.lower() in _KEPT_BY_THE_SERVER for attribute in first):
        return entries
    kept = (
        Entry(each.dn, tuple(one for one in each.attributes if one.name.lower() not in _KEPT_BY_THE_SERVER))
        for each in entries
    )
    return tuple(kept)


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
