"""What a directory lacks of a snapshot, as a plan."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import published_schema
from dcmcfg.directory.tree_reader import read_tree_to_fill
from dcmcfg.dn import DN
from dcmcfg.errors import Refused
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Plan, Wanted, make_plan
from dcmcfg.plan.restoration import held_elsewhere, restoration
from dcmcfg.schema.definitions import bundled
from dcmcfg.schema.subschema import Descriptions, parse_description
from dcmcfg.snapshot.file import Snapshot
from dcmcfg.suggestions import first_of

_SHOWN = 5


def require_base_dn(snapshot: Snapshot, base_dn: DN, name: str) -> None:
    """Raise :class:`Refused` unless *snapshot*, the file *name*, was taken at *base_dn*."""
    taken_at = snapshot.facts.base_dn
    if bundled().normal_dn(taken_at) != bundled().normal_dn(base_dn):
        raise Refused(
            f"the snapshot was taken at the base DN {taken_at}, and this site's is {base_dn}",
            on=name,
            next_step="a snapshot goes back to where it was taken: is this the right site and --base-dn? To move it to "
            f"another base on purpose: dcmcfg apply --map-base auto {shlex.quote(name)} (docs/another-base.md)",
        )


def restore_plan(directory: Directory, snapshot: Snapshot) -> Plan:
    """Return the plan that makes the configuration in *directory* equal to *snapshot*, octet for octet.

    A value that the server keeps in a form of its own is equal (:mod:`dcmcfg.plan.stored_form`).

    An empty directory gets all of it. What other servers hold now is left out.

    Raises what :func:`make_plan` and :func:`read_tree_to_fill` raise.
    """
    live = read_tree_to_fill(directory)
    return make_plan(live, (Wanted(change) for change in restoration(live, snapshot.tree)))


def restore_doubts(directory: Directory, live: Tree, snapshot: Snapshot, name: str) -> Iterator[str]:
    """Yield a sentence where *directory* is not the server, or has not the schema, that *snapshot* was taken from.

    Another one is for entries of the snapshot, the file *name*, that other servers hold now: not in *live*, the tree
    there.
    """
    if left := held_elsewhere(live, snapshot.tree):
        told = f"{len(left)} {'entry' if len(left) == 1 else 'entries'} of {name}"
        yield f"other servers hold {told} now, which cannot be restored here: {first_of([str(e.dn) for e in left], 1)}."
    facts = snapshot.facts
    if facts.server != directory.server.url:
        yield f"{name} was taken from {facts.server}, and this is {directory.server.url}."
    published = published_schema(directory)
    for kind, used in (("attributeTypes", facts.attribute_types), ("objectClasses", facts.object_classes)):
        known = Descriptions(published.values(kind))
        missing = [each.names[0] for each in map(parse_description, used) if each.oid not in known]
        if missing and published.values(kind):
            yield f"the server's schema does not define {first_of(missing, _SHOWN)}, as it did at the snapshot."
