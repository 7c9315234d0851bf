"""The lint errors that a plan introduces.

The rules check the devices of the plan, the archives, and the devices whose AEs an archive names. They look up names in
the whole tree. The cost depends on the archives and the plan, so there is no limit for the size of a tree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, Violation
from dcmcfg.lint.rules import (
    archive_settings,
    capabilities,
    connections,
    exporting,
    external_retrieve,
    fallback,
    purging,
    recalling,
    registries,
    titles,
    transport,
    unknown_aes,
    unknown_parts,
)
from dcmcfg.model.devices import find_enclosing_device
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.references.rewriting import find_names, may_contain_names
from dcmcfg.model.tree import Tree
from dcmcfg.plan.entry_names import EntryNames
from dcmcfg.plan.loadability import REFUSED_KINDS
from dcmcfg.plan.plan import Plan
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    DICOM_AE_TITLE,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    USER_CERTIFICATE,
)

_TOPICS = (
    external_retrieve.RULES,
    recalling.RULES,
    unknown_aes.RULES,
    fallback.RULES,
    exporting.RULES,
    purging.RULES,
    unknown_parts.RULES,
    connections.RULES,
    transport.RULES,
    capabilities.RULES,
    titles.RULES,
    registries.RULES,
    archive_settings.RULES,
)
#: Warnings that are reported too: a title on this list has no effect if it is unknown.
_REPORTED_WARNINGS = frozenset({"accepted-destination-unknown"})
#: The errors about a title with which the archive finds no AE.
UNKNOWN_AE_RULES = tuple(rule for rule in unknown_aes.RULES if rule.severity == "error")
_MAXIMUM_REPORTED = 40
_CERTIFICATES = (USER_CERTIFICATE.lower(), "cacertificate")


def _select_reported(rules: Iterable[LintRule]) -> tuple[LintRule, ...]:
    """Return the errors among *rules*, without load failures: :mod:`dcmcfg.lint.new_load_failures` reports these."""
    found = (rule for rule in rules if rule.severity == "error" or rule.name in _REPORTED_WARNINGS)
    return tuple(rule for rule in found if rule.impact not in REFUSED_KINDS)


#: All lint errors except those for certificates, which require a library that loads slowly.
PLAN_RULES = _select_reported(rule for rules in _TOPICS for rule in rules)


def changes_certificates(plan: Plan) -> bool:
    """Return whether *plan* writes a certificate, so that the rules for certificates are necessary."""
    return any(
        attribute.name.partition(";")[0].lower() in _CERTIFICATES
        and (step.before is None or step.before.values(attribute.name) != attribute.values)
        for step in plan.steps
        if step.after is not None
        for attribute in step.after.attributes
    )


@dataclass(frozen=True)
class NewViolation:
    """A violation that a plan introduces; ``is_written`` is true if the plan writes the value with the problem."""

    rule: LintRule
    violation: Violation
    is_written: bool

    @property
    def is_misspelt_ae(self) -> bool:
        """Whether the plan writes a title that no AE has, although an AE has a similar title.

        Without a similar title, the plan is probably the first of several, and another one adds the AE.
        """
        return self.is_written and self.rule in UNKNOWN_AE_RULES and bool(self.violation.correction_commands)

    def __str__(self) -> str:
        violation = self.violation
        attribute = f"{violation.attribute}: " if violation.attribute else ""
        return f"{violation.dn}: {attribute}{self.rule.format_message(violation)} (rule: {self.rule.name})"


def find_new_violations(plan: Plan, now: datetime, extra_rules: Sequence[LintRule] = ()) -> tuple[NewViolation, ...]:
    """Return each violation of :data:`PLAN_RULES` and errors of *extra_rules* that *plan* introduces.

    *now* has a time zone.
    """
    if not plan.steps:
        return ()
    rules = tuple(dict.fromkeys((*PLAN_RULES, *_select_reported(extra_rules))))
    return tuple(_ViolationComparison(plan, now, rules).find_new())


def describe_new_violations(
    violations: Iterable[NewViolation],
    *,
    excluded: Iterable[EntryFinding] = (),
    reported_values: Collection[tuple[DN, str, bytes]] = (),
) -> Iterator[str]:
    """Yield a sentence for each of *violations*.

    Findings in *excluded* are omitted: the plan is refused because of them. Violations by *reported_values* (entry,
    attribute, value) are omitted too, because the user has seen them. Of many violations, the first are reported, with
    the number of the others.
    """
    known = {(finding.rule.name, finding.dn, finding.value) for finding in excluded}
    found = (
        each
        for each in violations
        if (each.rule.name, each.violation.dn, each.violation.value) not in known
        and (each.violation.dn, each.violation.attribute, each.violation.value) not in reported_values
    )
    yield from map(str, islice(found, _MAXIMUM_REPORTED))
    if more := sum(1 for _ in found):
        yield f"findings not shown: {more}. To list all findings after the change: dcmcfg check"


@dataclass(frozen=True)
class _ViolationComparison:
    """The violations after a plan and before it."""

    plan: Plan
    now: datetime
    rules: tuple[LintRule, ...]

    def find_new(self) -> Iterator[NewViolation]:
        """Yield each violation after the plan that did not exist before it."""
        after = self._find_violations(self.plan.after, self.rules)
        broken_rules = dict.fromkeys(rule.name for rule, _ in after)
        # A rule without violations after the plan cannot have new ones. This usually avoids checking the tree before
        # it.
        rules_to_repeat = [rule for rule in self.rules if rule.name in broken_rules]
        before = {
            self._build_key(self.plan.before, *each)
            for each in self._find_violations(self.plan.before, rules_to_repeat)
        }
        origin = self._names.find_original_name
        for each in after:
            rule, name, *rest = self._build_key(self.plan.after, *each)
            if (rule, origin(name), *rest) not in before:
                yield NewViolation(*each, self._is_written(origin(name), each[1]))

    def _is_written(self, original_name: NormalDN | None, violation: Violation) -> bool:
        """Return whether the entry, with the name *original_name* before the plan, did not have the value then."""
        entry = self.plan.before.entries.get(original_name) if original_name is not None else None
        return entry is None or violation.value not in entry.values(violation.attribute)

    def _find_violations(self, tree: Tree, rules: Sequence[LintRule]) -> list[tuple[LintRule, Violation]]:
        context = LintContext(self._reduce_tree(tree), self.now) if rules else None
        return (
            [(rule, violation) for rule in rules for violation in rule.find_violations(context)]
            if context is not None
            else []
        )

    def _build_key(self, tree: Tree, rule: LintRule, violation: Violation) -> tuple[str, NormalDN, str, bytes | None]:
        """Return the key of a violation for comparison; a rename also changes values that name the entry."""
        value = None if self._names.has_renames else violation.value
        return rule.name, tree.key(violation.dn), violation.attribute.lower(), value

    def _reduce_tree(self, tree: Tree) -> Tree:
        """Return *tree* without entries that no rule reads.

        These are capabilities of devices other than archives, and connections of devices unrelated to the plan.
        """
        archives, relevant = self._archives, self._relevant_devices

        def is_relevant(name: NormalDN, entry: Entry) -> bool:
            device = find_enclosing_device(name)
            if device is None or len(name) == len(device) or device in archives:
                return True
            return not entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS) and (
                device in relevant or not entry.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS)
            )

        return Tree(tree.schema, {name: entry for name, entry in tree.entries.items() if is_relevant(name, entry)})

    @cached_property
    def _names(self) -> EntryNames:
        return EntryNames(self.plan)

    @cached_property
    def _archives(self) -> frozenset[NormalDN]:
        """The devices that are archives, before or after the plan."""
        return frozenset(name for name, entry in self._iterate_entries() if entry.is_a(ARCHIVE_DEVICE_OBJECT_CLASS))

    @cached_property
    def _relevant_devices(self) -> frozenset[NormalDN | None]:
        """The devices that the plan touches, and those whose AEs an archive names, before or after the plan."""
        entries, archives = tuple(self._iterate_entries()), self._archives
        titles = {
            title
            for name, entry in entries
            if find_enclosing_device(name) in archives
            for title in _find_ae_titles(entry)
        }
        aes = (
            (name, entry.text(DICOM_AE_TITLE)) for name, entry in entries if entry.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)
        )
        peers = (find_enclosing_device(name) for name, title in aes if title in titles)
        return self._names.affected_devices.union(peers)

    def _iterate_entries(self) -> Iterator[tuple[NormalDN, Entry]]:
        """Yield the entries before the plan, and the changed entries after it."""
        before = self.plan.before.entries
        yield from before.items()
        # Both trees share the unchanged entries, so a comparison by identity is enough.
        yield from ((name, entry) for name, entry in self.plan.after.entries.items() if before.get(name) is not entry)


def _find_ae_titles(entry: Entry) -> Iterator[str]:
    """Yield the AE titles that *entry* names."""
    for attribute in entry.attributes:
        for value in attribute.values if may_contain_names(attribute.name) else ():
            yield from (each.text for each in find_names(attribute.name, value) if each.kind is EntityKind.AE)
