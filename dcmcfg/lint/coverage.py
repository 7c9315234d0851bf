"""What the rules cannot say of a tree, so that no findings are not taken for all is well."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.lint.catalogue import OF_ARCHIVES, TOPICS
from dcmcfg.lint.rule import LintRule
from dcmcfg.model.tree import Tree
from dcmcfg.schema.check import Subject, check
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import Finding


@dataclass(frozen=True)
class Limits:
    """The topics that were ``not_tried``, as no archive's device is there, and how many errors only ``check`` finds."""

    not_tried: tuple[str, ...] = ()
    check_errors: int = 0


def limits(
    tree: Tree,
    rules: Collection[LintRule],
    schema: Schema,
    found: Iterable[Finding],
    *,
    live: bool,
    newer: bool = False,
) -> Limits:
    """Return what *rules*, which have *found* this, cannot say of *tree*.

    *schema*, *live* and *newer* are as for ``check``. An error of ``check`` on a value in *found* is not counted.
    """
    archive = any(entry.is_a("dcmArchiveDevice") for entry in tree.entries.values())
    topics = () if archive else tuple(topic for topic in OF_ARCHIVES if set(TOPICS[topic]) & set(rules))
    known = set(map(_about, found))
    checked = check(map(Subject, tree.entries.values()), schema, live=live, newer=newer)
    return Limits(topics, sum(each.severity == "error" and _about(each) not in known for each in checked))


def _about(finding: Finding) -> tuple[DN, str, bytes | None]:
    return finding.dn, finding.attribute.lower(), finding.value
