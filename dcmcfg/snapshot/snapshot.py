"""Take a snapshot of a directory, and check whether an empty server with the same schema could load it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from dcmcfg import __version__
from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import read_subschema_entry
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.plan.tree_diff import select_configuration
from dcmcfg.schema.check import LocatedEntry, check_entries
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.findings import AE_TITLE, EntryFinding
from dcmcfg.schema.subschema import SchemaDescriptions, merge_descriptions
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.snapshot.file import Snapshot, SnapshotFacts
from dcmcfg.timestamps import format_iso

_ROOT_DSE = ("structuralObjectClass", "vendorName", "vendorVersion", "namingContexts")


def take_snapshot(directory: Directory) -> Snapshot:
    """Return a snapshot of the configuration in *directory*, with secrets and with metadata of the server.

    Raises :class:`~dcmcfg.errors.NotFound` without a configuration, and :class:`~dcmcfg.errors.DirectoryError`.
    """
    tree = read_tree(directory)
    # The part includes the ancestors of the root, so that an empty server can load the file.
    tree_part = select_configuration(tree, Configuration(tree).root)
    # A server may hide its root DSE from this bind DN; the snapshot then has less metadata.
    root_dse = directory.read_entry(DN(), _ROOT_DSE) or Entry(DN())
    subschema = read_subschema_entry(directory)
    # The order of definitions is not significant, so they are sorted for the digest.
    digest = hashlib.sha256(
        b"\n".join(sorted((*subschema.values("attributeTypes"), *subschema.values("objectClasses"))))
    )
    attributes, classes = _find_used_names(tree_part)
    facts = SnapshotFacts(
        directory.server.base_dn,
        taken=format_iso(datetime.now(UTC)),
        program=f"dcmcfg {__version__}",
        server=directory.server.url,
        vendor_name=_get_vendor_name(root_dse),
        vendor_version=root_dse.text("vendorVersion") or "",
        naming_contexts=root_dse.values("namingContexts"),
        subschema_sha256=digest.hexdigest() if subschema.attributes else "",
        attribute_types=_get_definitions(subschema, "attributeTypes", attributes),
        object_classes=_get_definitions(subschema, "objectClasses", classes),
    )
    return Snapshot(facts, tree_part)


def _get_vendor_name(root_dse: Entry) -> str:
    """Return the name of the server's vendor; OpenLDAP shows it only as the class of its root DSE."""
    vendor_name = root_dse.text("vendorName")
    return vendor_name or ("OpenLDAP" if root_dse.text("structuralObjectClass") == "OpenLDAProotDSE" else "")


def _find_used_names(tree: Tree) -> tuple[set[str], set[str]]:
    """Return the names of the attributes and of the object classes in *tree*."""
    attributes: set[str] = set()
    classes: set[str] = set()
    for entry in tree.entries.values():
        attributes |= {attribute.name.partition(";")[0] for attribute in entry.attributes}
        classes |= set(entry.texts(OBJECT_CLASS))
    return attributes, classes


def _get_definitions(subschema: Entry, kind: str, names: set[str]) -> tuple[bytes, ...]:
    return tuple(each.text for each in SchemaDescriptions(subschema.values(kind)).with_superiors(names))


def find_snapshot_problems(snapshot: Snapshot) -> tuple[EntryFinding, ...]:
    """Return the findings for the entries of *snapshot*; an error means that a server would not load the entry.

    The definitions come from the snapshot; missing ones come from the bundled schema. Problems that affect only the
    archive (a dangling reference, a format) are warnings, because they existed when the snapshot was taken.
    """
    facts = snapshot.facts
    schema = merge_descriptions(load_bundled_schema(), facts.attribute_types, facts.object_classes)
    found = check_entries(map(LocatedEntry, snapshot.tree.sorted_entries()), schema, live=False)
    return tuple(replace(each, severity="warning") if _concerns_archive_only(each) else each for each in found)


def is_loadable(found: Iterable[EntryFinding]) -> bool:
    """Return whether none of *found* prevents a server from loading the snapshot."""
    return all(finding.severity != "error" for finding in found)


def _concerns_archive_only(finding: EntryFinding) -> bool:
    """Return whether *finding* affects only the archive, so that a directory server loads the entry anyway."""
    return finding.impact != "rule" or finding.rule is AE_TITLE
