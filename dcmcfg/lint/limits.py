"""What the rules cannot say of a tree, so that no findings are not taken for all is well."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dcmcfg.lint.catalogue import OF_ARCHIVES, TOPICS
from dcmcfg.lint.rule import LintRule
from dcmcfg.schema.check import Subject, check
from dcmcfg.schema.definitions import Schema
from dcmcfg.tree import Tree


@dataclass(frozen=True)
class Limits:
    """The topics that were ``not_tried``, as no archive's device is there, and the errors that ``check`` finds."""

    not_tried: tuple[str, ...] = ()
    check_errors: int = 0


def limits(tree: Tree, rules: Collection[LintRule], schema: Schema, *, live: bool, newer: bool = False) -> Limits:
    """Return what *rules* cannot say of *tree*; *schema*, *live* and *newer* are as for ``check``."""
    archive = any(entry.is_a("dcmArchiveDevice") for entry in tree.entries.values())
    topics = () if archive else tuple(topic for topic in OF_ARCHIVES if set(TOPICS[topic]) & set(rules))
    found = check(map(Subject, tree.entries.values()), schema, live=live, newer=newer)
    return Limits(topics, sum(finding.severity == "error" for finding in found))
