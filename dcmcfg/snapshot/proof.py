"""Whether a snapshot would load into an empty server of the schema that it was taken from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dcmcfg.schema.check import Subject, check
from dcmcfg.schema.definitions import bundled
from dcmcfg.schema.findings import AE_TITLE, Finding
from dcmcfg.schema.subschema import with_descriptions
from dcmcfg.snapshot.file import Snapshot


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
