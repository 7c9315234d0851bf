"""What the rules cannot say of a tree, so that no findings are not taken for all is well."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.lint.catalogue import ARCHIVE_TOPICS, RULES_BY_TOPIC
from dcmcfg.lint.rule import LintRule
from dcmcfg.model.tree import Tree
from dcmcfg.schema.check import LocatedEntry, check_entries
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.schema_names import ARCHIVE_DEVICE_OBJECT_CLASS


@dataclass(frozen=True)
class LintCoverage:
    """The topics skipped without an archive device, and the number of errors that only ``check_entries`` finds."""

    skipped_topics: tuple[str, ...] = ()
    check_error_count: int = 0


def assess_coverage(
    tree: Tree,
    rules: Collection[LintRule],
    schema: Schema,
    findings: Iterable[EntryFinding],
    *,
    live: bool,
    server_is_newer: bool = False,
) -> LintCoverage:
    """Return what *rules*, which found *findings*, cannot say of *tree*.

    *schema*, *live* and *server_is_newer* are as for ``check_entries``. An error of ``check_entries`` on a value in
    *findings* is not counted.
    """
    has_archive = any(entry.is_a(ARCHIVE_DEVICE_OBJECT_CLASS) for entry in tree.entries.values())
    topics = () if has_archive else tuple(topic for topic in ARCHIVE_TOPICS if set(RULES_BY_TOPIC[topic]) & set(rules))
    known = set(map(_build_finding_key, findings))
    checked = check_entries(
        map(LocatedEntry, tree.entries.values()), schema, live=live, server_is_newer=server_is_newer
    )
    return LintCoverage(
        topics, sum(each.severity == "error" and _build_finding_key(each) not in known for each in checked)
    )


def _build_finding_key(finding: EntryFinding) -> tuple[DN, str, bytes | None]:
    return finding.dn, finding.attribute.lower(), finding.value
