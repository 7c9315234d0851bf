"""All checks of ``dcmcfg check`` with their findings in one list: schema, formats, references and rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from dcmcfg.changes import Add
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.lint.catalogue import ARCHIVE_TOPICS, CHECK_RULES, RULES, RULES_BY_NAME, RULES_BY_TOPIC
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.linter import find_violations
from dcmcfg.lint.rule import LintRule
from dcmcfg.model.tree import Tree, add_naming_values
from dcmcfg.plan.attribute_names import canonicalise_names
from dcmcfg.schema.check import LocatedEntry, check_entries
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import RULES as SCHEMA_RULES
from dcmcfg.schema.findings import SEVERITIES, TLS, VALUE_NOT_OFFERED, CheckRule, EntryFinding
from dcmcfg.schema.structure import OPERATIONAL_ATTRIBUTES
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    DICOM_CONFIGURATION_ROOT_OBJECT_CLASS,
    DICOM_DEVICE_OBJECT_CLASS,
)

#: Rule for entries → less specific rules for the same defect. Lint rules use ``LintRule.supersedes`` instead.
_SUPERSEDED = {TLS.name: (VALUE_NOT_OFFERED,)}
#: Two findings are one defect if these are equal: rule, entry, attribute, value.
_DefectKey = tuple[str, DN, str, bytes | None]


@dataclass(frozen=True, kw_only=True)
class CheckSubject:
    """The entries to check: ``entries`` as read, and the same in ``tree``, as a server would hold them.

    Entries are checked by ``schema``. With ``live``, a server holds nothing else below its base DN. With
    ``server_is_newer``, that server may know more than the schema.
    """

    entries: tuple[LocatedEntry, ...]
    tree: Tree
    schema: Schema
    live: bool = False
    server_is_newer: bool = False

    @staticmethod
    def from_tree(tree: Tree, server_schema: Schema | None = None) -> CheckSubject:
        """Return the live *tree*, checked by *server_schema*; without it, the server may know more than the tree's."""
        return CheckSubject(
            entries=tuple(map(LocatedEntry, tree.sorted_entries())),
            tree=tree,
            schema=server_schema or tree.schema,
            live=True,
            server_is_newer=server_schema is None,
        )

    @staticmethod
    def from_entries(entries: Iterable[LocatedEntry], schema: Schema) -> CheckSubject:
        """Return *entries* that come from files; of several with the same name, the tree has the last."""
        located = tuple(entries)
        with pause_garbage_collection():
            tree = Tree.from_entries(schema, _complete_entries((each.entry for each in located), schema))
        return CheckSubject(entries=located, tree=tree, schema=schema)

    @cached_property
    def is_whole(self) -> bool:
        """Whether it is a whole configuration: a live tree, or files with the configuration root and a device.

        In a part, a missing entry may be in another part.
        """
        index = self.tree.index
        return self.live or all(
            index.find_by_class(name) for name in (DICOM_CONFIGURATION_ROOT_OBJECT_CLASS, DICOM_DEVICE_OBJECT_CLASS)
        )

    @property
    def has_archive(self) -> bool:
        """Whether the device of an archive is among the entries."""
        return bool(self.tree.index.find_by_class(ARCHIVE_DEVICE_OBJECT_CLASS))


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """The ``findings`` in ``entry_count`` entries, the worst first, in the order of the entries.

    ``rules`` were checked. ``rules_for_whole`` were skipped because the entries are only a part of a configuration.
    ``topics_for_archive`` were skipped because a whole configuration has no archive device.
    """

    findings: tuple[EntryFinding, ...]
    entry_count: int
    rules: tuple[CheckRule, ...]
    rules_for_whole: tuple[CheckRule, ...] = ()
    topics_for_archive: tuple[str, ...] = ()


def select_rules(only: Collection[str], names: Collection[str], skipped: Collection[str]) -> tuple[CheckRule, ...]:
    """Return the rules of the parts *only* and those called *names*, all if both are empty, without *skipped*.

    *skipped* are parts and names of rules.
    """
    return tuple(
        rule
        for rule in CHECK_RULES
        if (rule.part in only or rule.name in names or not (only or names))
        and rule.part not in skipped
        and rule.name not in skipped
    )


def check_configuration(
    subject: CheckSubject,
    now: datetime,
    rules: Sequence[CheckRule] = CHECK_RULES,
    *,
    more_findings: Iterable[EntryFinding] = (),
) -> CheckReport:
    """Return the findings of *rules* in *subject*. *now* has a time zone; certificates must be valid then.

    *more_findings* come from comparisons of the subject with other input; those of *rules* are in the report.

    A defect that two rules find is reported once, by the more specific rule. Rules that need a whole
    configuration are not checked in a part.
    """
    names = {rule.name for rule in rules}
    selected = [rule for rule in RULES if rule.name in names]
    checked = [rule for rule in selected if subject.is_whole or not rule.needs_whole_tree]
    left_out = {rule.name for rule in selected} - {rule.name for rule in checked} if subject.entries else set()
    with pause_garbage_collection():
        violations = find_violations(LintContext(subject.tree, now), checked)
        of_entries = _check_entries(subject, names) if any(rule.name in names for rule in SCHEMA_RULES) else ()
        found = (*of_entries, *violations, *(each for each in more_findings if each.rule.name in names))
        superseded = set(_find_superseded(found))
        remaining = (each for each in found if not superseded or _build_key(each.rule, each) not in superseded)
        # A dictionary removes duplicates and keeps the order.
        findings = _sort_findings(dict.fromkeys(remaining), subject)
    return CheckReport(
        findings=findings,
        entry_count=len(subject.entries),
        rules=tuple(rule for rule in rules if rule.name not in left_out),
        rules_for_whole=tuple(rule for rule in rules if rule.name in left_out),
        topics_for_archive=_find_archive_topics(checked) if subject.is_whole and not subject.has_archive else (),
    )


def add_findings(report: CheckReport, more_findings: Iterable[EntryFinding], rules: Sequence[CheckRule]) -> CheckReport:
    """Return *report* with those of *more_findings* that violate *rules*, after findings of the same severity."""
    names = {rule.name for rule in rules}
    found = (*report.findings, *(each for each in more_findings if each.rule.name in names))
    return replace(report, findings=tuple(sorted(found, key=lambda each: SEVERITIES.index(each.severity))))


def _check_entries(subject: CheckSubject, names: Collection[str]) -> Iterator[EntryFinding]:
    found = check_entries(subject.entries, subject.schema, live=subject.live, server_is_newer=subject.server_is_newer)
    return (each for each in found if each.rule.name in names)


def _find_archive_topics(rules: Collection[LintRule]) -> tuple[str, ...]:
    names = {rule.name for rule in rules}
    return tuple(topic for topic in ARCHIVE_TOPICS if any(rule.name in names for rule in RULES_BY_TOPIC[topic]))


def _find_superseded(findings: Iterable[EntryFinding]) -> Iterator[_DefectKey]:
    for finding in findings:
        rule = RULES_BY_NAME.get(finding.rule.name)
        for general in _SUPERSEDED.get(finding.rule.name, ()) if rule is None else rule.supersedes:
            yield _build_key(general, finding)


def _build_key(rule: CheckRule, finding: EntryFinding) -> _DefectKey:
    return rule.name, finding.dn, finding.attribute.lower(), finding.value


def _sort_findings(findings: Collection[EntryFinding], subject: CheckSubject) -> tuple[EntryFinding, ...]:
    """Return *findings* with the locations of their entries, the worst first, then in the order of the entries."""
    if not findings:
        return ()
    normalise = subject.schema.normalise_dn
    # A finding may concern an entry that was not read. It comes last.
    positions = {normalise(located.entry.dn): number for number, located in enumerate(subject.entries)}
    numbered = []
    for finding in findings:
        position = positions.get(normalise(finding.dn), len(positions))
        if finding.location is None and position < len(subject.entries):
            location = subject.entries[position].location
            finding = finding if location is None else replace(finding, location=location)
        numbered.append((SEVERITIES.index(finding.severity), position, finding))
    # Findings themselves have no order, so they must not become part of the key.
    numbered.sort(key=lambda each: each[:2])
    return tuple([finding for _, _, finding in numbered])


def _complete_entries(entries: Iterable[Entry], schema: Schema) -> Iterator[Entry]:
    """Yield *entries* as a server would hold them, as far as possible: names by the schema, values that the RDN names.

    An entry that cannot be completed stays unchanged: it has other findings.
    """
    known_names: set[str] = set()
    for entry in entries:
        completed: Entry | None = entry
        # Entries share a few names, so most need no conversion.
        if not all(attribute.name in known_names for attribute in entry.attributes):
            completed = _canonicalise_entry(entry, schema)
            if completed is not None:
                known_names.update(attribute.name for attribute in completed.attributes)
        yield add_naming_values(schema, completed or entry)


def _canonicalise_entry(entry: Entry, schema: Schema) -> Entry | None:
    """Return *entry* with the attribute names of the schema, None if that is impossible."""
    remaining = tuple(each for each in entry.attributes if each.name.lower() not in OPERATIONAL_ATTRIBUTES)
    try:
        change = canonicalise_names(schema, Add(Entry(entry.dn, remaining)))
    except DoesNotApply:
        return None
    if not isinstance(change, Add) or change.entry.attributes == entry.attributes:
        return entry
    return change.entry
