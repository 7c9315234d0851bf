"""What a directory lacks of a snapshot, as a plan."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import read_subschema_entry
from dcmcfg.directory.tree_reader import read_tree_or_empty
from dcmcfg.dn import DN
from dcmcfg.errors import Refused
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.plan.restoration import compute_restoration, find_entries_below_referrals
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.subschema import SchemaDescriptions, parse_description
from dcmcfg.snapshot.file import Snapshot
from dcmcfg.suggestions import join_limited

_MAX_SHOWN = 5


def require_base_dn(snapshot: Snapshot, base_dn: DN, file_name: str) -> None:
    """Raise :class:`Refused` unless *snapshot*, the file *file_name*, was taken at *base_dn*."""
    taken_at = snapshot.facts.base_dn
    if load_bundled_schema().normalise_dn(taken_at) != load_bundled_schema().normalise_dn(base_dn):
        raise Refused(
            f"the snapshot was taken at the base DN {taken_at}, and this site's is {base_dn}",
            subject=file_name,
            next_step="a snapshot goes back to where it was taken: is this the right site and --base-dn? To move it to "
            f"another base on purpose: dcmcfg apply --map-base auto {shlex.quote(file_name)} (docs/another-base.md)",
        )


def make_restore_plan(directory: Directory, snapshot: Snapshot) -> Plan:
    """Return the plan that makes the configuration in *directory* equal to *snapshot*, octet for octet.

    A value that the server keeps in a form of its own is equal (:mod:`dcmcfg.plan.stored_form`).

    An empty directory gets all of it. What other servers hold now is left out.

    Raises what :func:`make_plan` and :func:`read_tree_or_empty` raise.
    """
    live = read_tree_or_empty(directory)
    return make_plan(live, (DesiredChange(change) for change in compute_restoration(live, snapshot.tree)))


def find_restore_warnings(directory: Directory, live: Tree, snapshot: Snapshot, file_name: str) -> Iterator[str]:
    """Yield a sentence where *directory* is not the server, or has not the schema, that *snapshot* was taken from.

    Another one is for entries of the snapshot, the file *file_name*, that other servers hold now: not in *live*, the
    tree there.
    """
    if held_elsewhere := find_entries_below_referrals(live, snapshot.tree):
        count_text = f"{len(held_elsewhere)} {'entry' if len(held_elsewhere) == 1 else 'entries'} of {file_name}"
        yield (
            f"other servers hold {count_text} now, which cannot be restored here: "
            f"{join_limited([str(e.dn) for e in held_elsewhere], 1)}."
        )
    facts = snapshot.facts
    if facts.server != directory.server.url:
        yield f"{file_name} was taken from {facts.server}, and this is {directory.server.url}."
    published = read_subschema_entry(directory)
    for kind, used_definitions in (("attributeTypes", facts.attribute_types), ("objectClasses", facts.object_classes)):
        known = SchemaDescriptions(published.values(kind))
        missing = [each.names[0] for each in map(parse_description, used_definitions) if each.oid not in known]
        if missing and published.values(kind):
            yield f"the server's schema does not define {join_limited(missing, _MAX_SHOWN)}, as it did at the snapshot."
