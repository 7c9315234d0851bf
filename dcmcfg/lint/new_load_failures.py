"""Problems that a plan introduces: the archive cannot load a value, cannot start again, or cannot use an AE.

The rules check the tree after all steps of the plan: the values of entries that the plan writes, and the combination of
entries in each device that the plan touches. They are the rules of ``dcmcfg check`` and :data:`DEVICE_RULES`. A finding
that existed before the plan is not new, even if its entry has another name now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.entry import Attribute, Entry
from dcmcfg.lint.context import LintContext
from dcmcfg.lint.rule import LintRule, build_finding
from dcmcfg.lint.rules import archive_ports, external_retrieve
from dcmcfg.lint.step_locations import StepLocations, parse_dn_value
from dcmcfg.model.devices import find_enclosing_device
from dcmcfg.model.tree import Tree
from dcmcfg.plan.entry_names import EntryNames
from dcmcfg.plan.loadability import REFUSED_KINDS
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.risk_checks import NewFinding, find_new_dangling_references
from dcmcfg.schema.device_rules import DeviceRules
from dcmcfg.schema.findings import EntryFinding, format_fix
from dcmcfg.schema.values import ValueRules

#: The rules for several entries of a device. They check :attr:`LintContext.entries_to_check` only.
DEVICE_RULES: tuple[LintRule, ...] = archive_ports.RULES
#: The rules for references that refuse a plan although the archive loads them: the AE exists and is suitable for its
#: use. They check :attr:`LintContext.archives_to_check` only. ``check`` skips them for a file with only a part of a
#: tree.
REFERENCE_RULES: tuple[LintRule, ...] = external_retrieve.AE_RULES
#: Two findings are the same if these are equal: entry, attribute, value (or else the message), and whether the plan is
#: refused for it. DN values are compared by their normal forms.
_FindingKey = tuple[NormalDN, str, bytes | NormalDN, bool]


@dataclass(frozen=True)
class _FixableFinding:
    """A finding with its fix, and the other entries that it depends on."""

    finding: EntryFinding
    fix: str
    related: tuple[DN, ...] = ()


def find_new_load_failures(plan: Plan, now: datetime) -> tuple[NewFinding, ...]:
    """Return the new findings of the rules for devices, references and values in the tree after *plan*.

    First come the findings of the kinds in :data:`REFUSED_KINDS`; the others are references and warnings. *now* has a
    time zone.
    """
    if not plan.steps:
        return ()
    found = _FindingComparison(plan, now).find_new()
    return tuple(sorted(found, key=lambda each: each.finding.impact not in REFUSED_KINDS))


@dataclass(frozen=True)
class _FindingComparison:
    """The findings in the entries that a plan touches, after the plan and before it."""

    plan: Plan
    now: datetime

    def find_new(self) -> Iterator[NewFinding]:
        """Yield each finding after the plan that did not exist before it, once."""
        found: dict[_FindingKey, _FixableFinding] = {}
        for each in self._find_after():
            found.setdefault(_build_key(self.plan.after, each.finding), each)
        # Most plans introduce no finding, so the tree before the plan need not be checked.
        known = {_build_key(self.plan.before, each.finding) for each in self._find_before()} if found else ()
        locations = StepLocations(self.plan)
        for key, each in found.items():
            if self._find_original_key(key) not in known and not self._is_existing_reference(each.finding):
                location = locations.find(each.finding, each.related)
                yield NewFinding(replace(each.finding, location=location), each.fix)

    def _is_existing_reference(self, finding: EntryFinding) -> bool:
        """Return whether the reference of *finding* existed before the plan, and only its AE became unusable.

        A plan that disables an AE, or removes its capabilities, is not refused because of existing references.
        """
        if finding.rule.name != external_retrieve.CANNOT_STORE_RULE:
            return False
        origin = self._names.find_original_name(self.plan.after.key(finding.dn))
        entry = self.plan.before.entries.get(origin) if origin is not None else None
        return entry is not None and finding.value in entry.values(finding.attribute)

    def _find_before(self) -> Iterator[_FixableFinding]:
        origins = {self._names.find_original_name(name) for name in self._names.affected_devices}
        yield from self._check_tree(
            self.plan.before, self._names.affected_devices | origins, self._names.names_before, lambda name: name
        )

    def _find_after(self) -> Iterator[_FixableFinding]:
        tree = self.plan.after
        yield from self._check_tree(
            tree,
            self._names.affected_devices,
            self._names.names_after,
            lambda name: self._names.find_original_name(name) or name,
        )
        rules = _build_value_rules(tree)
        for dn, attribute, text in find_new_dangling_references(self.plan):
            entry = tree.get(dn)
            if entry is not None:
                yield from _check_values(rules, entry, [Attribute(attribute, (_encode(text),))])

    def _check_tree(
        self,
        tree: Tree,
        devices: Collection[NormalDN | None],
        written: Collection[NormalDN],
        origin: Callable[[NormalDN], NormalDN],
    ) -> Iterator[_FixableFinding]:
        """Yield the findings in *devices* of *tree*, and in the values of the *written* entries.

        Both trees are checked in the same order, with the entries that the plan writes last: of two conflicting
        entries, the rules name the later one.
        """
        written_names = frozenset(written)
        depths = {len(name) for name in devices if name is not None}
        names = [name for name in tree.entries if any(name[-depth:] in devices for depth in depths)]
        if self._names.has_renames:  # a rename moves entries to the end of the tree
            names.sort(key=origin)
        names = [
            *(name for name in names if name not in written_names),
            *(name for name in names if name in written_names),
        ]
        scope = tuple(tree.entries[name] for name in names)
        device_rules = DeviceRules(tree.get)
        for entry in scope:
            yield from map(_add_fix, device_rules.find_problems(entry))
        context = LintContext(tree, self.now, scope)
        for rule in (*DEVICE_RULES, *REFERENCE_RULES) if scope else ():
            for violation in rule.find_violations(context):
                yield _FixableFinding(build_finding(rule, violation), rule.fix, violation.related_dns)
        rules = _build_value_rules(tree)
        for name in dict.fromkeys(written):
            if find_enclosing_device(name) is not None and name in tree.entries:
                yield from _check_values(rules, tree.entries[name], tree.entries[name].attributes)

    @cached_property
    def _names(self) -> EntryNames:
        return EntryNames(self.plan)

    def _find_original_key(self, key: _FindingKey) -> _FindingKey | None:
        """Return *key* with the names before the plan, None for a new entry."""
        name, attribute, value, refused = key
        original_name = self._names.find_original_name(name)
        if isinstance(value, tuple):
            value = self._names.find_original_name(value) or value
        return None if original_name is None else (original_name, attribute, value, refused)


def _check_values(rules: ValueRules, entry: Entry, attributes: Iterable[Attribute]) -> Iterator[_FixableFinding]:
    for attribute in attributes:
        for finding in rules.find_problems(entry, attribute.name, attribute.values):
            if finding.impact in REFUSED_KINDS:
                yield _add_fix(finding)


def _add_fix(finding: EntryFinding) -> _FixableFinding:
    return _FixableFinding(finding, format_fix(finding))


def _build_value_rules(tree: Tree) -> ValueRules:
    """Return the rules for values in *tree*; a reference to an entry outside the tree counts as valid."""
    top = min(tree.entries, key=len, default=())

    def exists(dn: DN) -> bool:
        name = tree.key(dn)
        return name in tree.entries or not is_at_or_below(name, top)

    return ValueRules(tree.schema, exists)


def _build_key(tree: Tree, finding: EntryFinding) -> _FindingKey:
    definition = tree.schema.attribute(finding.attribute)
    attribute = definition.name if definition is not None else finding.attribute
    value: bytes | NormalDN = finding.message.encode()
    if finding.value is not None:
        referenced_dns = parse_dn_value(finding) if definition is not None and definition.syntax == "DN" else ()
        value = tree.key(referenced_dns[0]) if referenced_dns else tree.schema.normalise_value(attribute, finding.value)
    return tree.key(finding.dn), attribute.lower(), value, finding.impact in REFUSED_KINDS


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
