"""Plan the restore of a snapshot, and warn about differences between the servers."""

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
    """Raise :class:`Refused` unless *snapshot* (the file *file_name*) was taken at *base_dn*."""
    taken_at = snapshot.facts.base_dn
    if load_bundled_schema().normalise_dn(taken_at) != load_bundled_schema().normalise_dn(base_dn):
        raise Refused(
            f"the snapshot was taken at the base DN {taken_at}, but the base DN of this site is {base_dn}",
            subject=file_name,
            next_step="check the site and --base-dn. To move the configuration to "
            f"another base DN: dcmcfg apply --map-base auto {shlex.quote(file_name)} (dcmcfg help another-base)",
        )


def make_restore_plan(directory: Directory, snapshot: Snapshot) -> Plan:
    """Return the plan that makes the configuration in *directory* equal to *snapshot*, octet for octet.

    Values that the server stores in another form are treated as equal (:mod:`dcmcfg.plan.stored_form`). An empty
    directory gets the whole snapshot. Entries that are now on other servers are omitted.

    Raises the errors of :func:`make_plan` and :func:`read_tree_or_empty`.
    """
    live = read_tree_or_empty(directory)
    return make_plan(live, (DesiredChange(change) for change in compute_restoration(live, snapshot.tree)))


def find_restore_warnings(directory: Directory, live: Tree, snapshot: Snapshot, file_name: str) -> Iterator[str]:
    """Yield warnings if *directory* has another URL or another schema than the server of *snapshot*.

    Another warning lists entries of the snapshot (the file *file_name*) that are now on other servers, and therefore
    not in *live*, the current tree.
    """
    if held_elsewhere := find_entries_below_referrals(live, snapshot.tree):
        count_text = f"{len(held_elsewhere)} {'entry' if len(held_elsewhere) == 1 else 'entries'} of {file_name}"
        yield (
            f"a part of the configuration is now on other servers, so dcmcfg cannot restore {count_text}: "
            f"{join_limited([str(e.dn) for e in held_elsewhere], 1)}."
        )
    facts = snapshot.facts
    if facts.server != directory.server.url:
        yield f"the snapshot {file_name} is from {facts.server}, but this server is {directory.server.url}."
    published = read_subschema_entry(directory)
    for kind, used_definitions in (("attributeTypes", facts.attribute_types), ("objectClasses", facts.object_classes)):
        known = SchemaDescriptions(published.values(kind))
        missing = [each.names[0] for each in map(parse_description, used_definitions) if each.oid not in known]
        # A server that shows no schema may define everything.
        if missing and published.values(kind):
            yield (
                f"the snapshot uses {join_limited(missing, _MAX_SHOWN)}, but the server's schema no longer contains "
                "these definitions."
            )
