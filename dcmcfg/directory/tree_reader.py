"""Read the whole tree at and below the base DN with one search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError, NotFound
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.structure import OPERATIONAL_ATTRIBUTES

_VERSION_ATTRIBUTE = "entryCSN"
_SERVER_ATTRIBUTES = OPERATIONAL_ATTRIBUTES - {_VERSION_ATTRIBUTE.lower()}


def read_tree(directory: Directory) -> Tree:
    """Return the tree at and below the server's base DN, with the entryCSN of each entry as its version.

    The tree uses the bundled schema to compare values. Parts of the tree on other servers are not included. Raises
    :class:`~dcmcfg.errors.NotFound` if the base DN does not exist, and :class:`~dcmcfg.errors.DirectoryError`, also for
    a truncated result.
    """
    with pause_garbage_collection(), explain_missing_base_dn(directory):
        # Operational attributes are only returned on request (RFC 4511 §4.5.1.8), and ``*`` does not include them.
        entries = directory.read(directory.server.base_dn, "subtree", ("*", _VERSION_ATTRIBUTE))
        tree = Tree.from_entries(load_bundled_schema(), remove_operational_attributes(entries))
        referrals = {tree.key(each.dn): each.urls_text for each in directory.referrals if each.dn is not None}
        return replace(tree, referrals=referrals) if referrals else tree


def remove_operational_attributes(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return *entries* without operational attributes, except the entryCSN.

    A server without definitions of its operational attributes (UnboundID's in-memory server without a schema) returns
    them for ``*`` too. Then all entries have them, so a check of the first entry is enough.
    """
    first = entries[0].attributes if entries else ()
    if not any(attribute.name.lower() in _SERVER_ATTRIBUTES for attribute in first):
        return entries
    remaining = (
        Entry(
            each.dn,
            tuple(attribute for attribute in each.attributes if attribute.name.lower() not in _SERVER_ATTRIBUTES),
        )
        for each in entries
    )
    return tuple(remaining)


def read_tree_or_empty(directory: Directory) -> Tree:
    """Return the tree of :func:`read_tree`, or an empty tree if the server has no entry at the base DN yet."""
    try:
        return read_tree(directory)
    except NotFound:
        return Tree(load_bundled_schema(), {})


@contextmanager
def explain_missing_base_dn(directory: Directory) -> Iterator[None]:
    """Add the naming contexts of the server to the next step of a :class:`NotFound` for the base DN."""
    try:
        yield
    except NotFound as missing:
        try:
            root = directory.read_entry(DN(), ("namingContexts",))
        except DirectoryError:  # the missing base DN is the more useful error
            root = None
        contexts = ", ".join(root.texts("namingContexts")) if root else ""
        steps = (
            "check --base-dn (DCMCFG_BASE_DN)",
            f"the server has {contexts}" if contexts else "",
            missing.next_step,
        )
        raise NotFound(missing.message, subject=missing.subject, next_step="; ".join(filter(None, steps))) from missing
