"""A snapshot taken of a directory.

Whether a snapshot would load into an empty server of the schema that it was taken from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from dcmcfg import __version__
from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import published_schema
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.plan.tree_diff import configuration
from dcmcfg.schema.check import Subject, check
from dcmcfg.schema.definitions import bundled
from dcmcfg.schema.findings import AE_TITLE, Finding
from dcmcfg.schema.subschema import Descriptions, with_descriptions
from dcmcfg.snapshot.file import Facts, Snapshot
from dcmcfg.timestamps import iso

_ROOT_DSE = ("structuralObjectClass", "vendorName", "vendorVersion", "namingContexts")


def take(directory: Directory) -> Snapshot:
    """Return the configuration that *directory* holds, secrets included, with what the server says of itself.

    Raises :class:`~dcmcfg.errors.NotFound` without a configuration, and :class:`~dcmcfg.errors.DirectoryError`.
    """
    tree = read_tree(directory)
    held = configuration(tree, Configuration(tree).root)
    root_dse = directory.read_entry(DN(), _ROOT_DSE) or Entry(DN())
    subschema = published_schema(directory)
    digest = hashlib.sha256(
        b"\n".join(sorted((*subschema.values("attributeTypes"), *subschema.values("objectClasses"))))
    )
    attributes, classes = _used(held)
    facts = Facts(
        directory.server.base_dn,
        taken=iso(datetime.now(UTC)),
        program=f"dcmcfg {__version__}",
        server=directory.server.url,
        vendor_name=_vendor(root_dse),
        vendor_version=root_dse.text("vendorVersion") or "",
        naming_contexts=root_dse.values("namingContexts"),
        subschema_sha256=digest.hexdigest() if subschema.attributes else "",
        attribute_types=_published(subschema, "attributeTypes", attributes),
        object_classes=_published(subschema, "objectClasses", classes),
    )
    return Snapshot(facts, held)


def _vendor(root_dse: Entry) -> str:
    """OpenLDAP names itself by the class of its root DSE only."""
    named = root_dse.text("vendorName")
    return named or ("OpenLDAP" if root_dse.text("structuralObjectClass") == "OpenLDAProotDSE" else "")


def _used(tree: Tree) -> tuple[set[str], set[str]]:
    """Return the names of attributes, and of object classes, that the entries of *tree* have."""
    attributes: set[str] = set()
    classes: set[str] = set()
    for entry in tree.entries.values():
        attributes |= {attribute.name.partition(";")[0] for attribute in entry.attributes}
        classes |= set(entry.texts("objectClass"))
    return attributes, classes


def _published(subschema: Entry, kind: str, names: set[str]) -> tuple[bytes, ...]:
    return tuple(each.text for each in Descriptions(subschema.values(kind)).with_superiors(names))


def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return what is wrong with the entries of *snapshot*: an error where a server would not load the entry.

    The definitions are those that the snapshot brings, and for what it does not define those that come with dcmcfg.
    What only the archive would stumble over (a reference to nothing, a format) is a warning: it was so when the
    snapshot was taken.
    """
    facts = snapshot.facts
    schema = with_descriptions(bundled(), facts.attribute_types, facts.object_classes)
    found = check(map(Subject, snapshot.tree.ordered()), schema, live=False)
    return tuple(replace(each, severity="warning") if _is_the_archives(each) else each for each in found)


def loadable(found: Iterable[Finding]) -> bool:
    """Tell whether none of *found* keeps a server from loading the snapshot."""
    return all(finding.severity != "error" for finding in found)


def _is_the_archives(finding: Finding) -> bool:
    """Return whether only the archive objects: a directory server loads the entry all the same."""
    return finding.kind != "rule" or finding.rule is AE_TITLE
