"""What a plan adds to a configuration that the archive cannot load, that stops it at its next start, or cannot work.

Judged is the tree after all steps of the plan: values in the entries that the plan writes, and what entries mean
together in each device that the plan touches, both by the rules of ``dcmcfg check`` and by :data:`JUDGES`. A finding
that was there before the plan is not new, whatever name its entry has now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.lint.context import Survey
from dcmcfg.lint.rule import LintRule, finding_of
from dcmcfg.lint.rules import external_retrieve, listening
from dcmcfg.model.devices import device_of
from dcmcfg.model.tree import Tree
from dcmcfg.plan.entry_names import NamesThrough
from dcmcfg.plan.loadability import REFUSED
from dcmcfg.plan.plan import Plan, Step
from dcmcfg.plan.risk_checks import NewFinding, new_dangling
from dcmcfg.schema.device_rules import DeviceRules
from dcmcfg.schema.findings import KEY_STORE, PROTOCOL, REQUIRED_REFERENCE, Finding, Place
from dcmcfg.schema.values import ValueRules

#: The rules that judge what entries of a device mean together. They judge :attr:`Survey.judged` only.
JUDGES: tuple[LintRule, ...] = listening.RULES
#: The rules for references that are refused although the archive loads them: the AE exists and can play its role. They
#: judge :attr:`Survey.judged_archives` only. ``check`` leaves them out: a file may hold a part of a tree.
REFERENCES: tuple[LintRule, ...] = external_retrieve.OF_THE_AE
#: Rule → fix; for any other rule of ``check`` it is another value.
_FIXES = {
    REQUIRED_REFERENCE: "Remove the reference, or add the entry that it names.",
    PROTOCOL: "Refer to a connection of the right protocol, or correct its dcmProtocol.",
    KEY_STORE: "Set the missing attribute.",
}

#: What makes two findings the same one: entry, attribute, value (or else the message), and whether it is a reason to
#: refuse. A value that is a DN is compared by its entry.
_Key = tuple[NormalDN, str, bytes | NormalDN, bool]

_FILE_LINE = re.compile(r"(.+):([0-9]+)(?: \(AE [0-9]+\))?", re.DOTALL)


@dataclass(frozen=True)
class _Found:
    """A finding with its fix, and the entries besides its own that it depends on."""

    finding: Finding
    fix: str
    related: tuple[DN, ...] = ()


def newly_unloadable(plan: Plan, now: datetime) -> tuple[NewFinding, ...]:
    """Return what :data:`JUDGES`, :data:`REFERENCES` and the rules for values newly find in the tree after *plan*.

    First come the findings of the kinds in :data:`REFUSED`; the others are references and warnings. *now* has a time
    zone.
    """
    if not plan.steps:
        return ()
    found = _Comparison(plan, now).new()
    return tuple(sorted(found, key=lambda each: each.finding.kind not in REFUSED))


@dataclass(frozen=True)
class _Comparison:
    """The findings in what a plan touches, after the plan and before it."""

    plan: Plan
    now: datetime

    def new(self) -> Iterator[NewFinding]:
        """Yield each finding after the plan that was not there before it, once."""
        found: dict[_Key, _Found] = {}
        for each in self._after():
            found.setdefault(_key(self.plan.after, each.finding), each)
        known = {_key(self.plan.before, each.finding) for each in self._before()} if found else ()
        for key, each in found.items():
            if self._origin(key) not in known and not self._is_of_the_ae(each.finding):
                yield NewFinding(replace(each.finding, place=self._place(each)), each.fix)

    def _is_of_the_ae(self, finding: Finding) -> bool:
        """Return whether a reference that is there already only names an AE that *finding* says cannot work now.

        A plan that switches an AE off, or removes its capabilities, is not refused for that.
        """
        if finding.rule.name != external_retrieve.CANNOT_STORE:
            return False
        origin = self._names.origin(self.plan.after.key(finding.dn))
        held = self.plan.before.entries.get(origin) if origin is not None else None
        return held is not None and finding.value in held.values(finding.attribute)

    def _before(self) -> Iterator[_Found]:
        origins = {self._names.origin(name) for name in self._devices}
        yield from self._judged(self.plan.before, self._devices | origins, self._names.before, lambda name: name)

    def _after(self) -> Iterator[_Found]:
        tree = self.plan.after
        yield from self._judged(tree, self._devices, self._names.after, lambda name: self._names.origin(name) or name)
        rules = _value_rules(tree)
        for dn, attribute, text in new_dangling(self.plan):
            held = tree.get(dn)
            if held is not None:
                yield from _of_values(rules, held, [Attribute(attribute, (_octets(text),))])

    def _judged(
        self,
        tree: Tree,
        devices: Collection[NormalDN | None],
        written: Collection[NormalDN],
        origin: Callable[[NormalDN], NormalDN],
    ) -> Iterator[_Found]:
        """Yield what is found in *devices* of *tree*, and in the values of the *written* entries.

        Both trees are judged in the same order, entries that the plan writes last: of two that are in each other's way,
        the rules name the later one.
        """
        touched = frozenset(written)
        depths = {len(name) for name in devices if name is not None}
        held = [name for name in tree.entries if any(name[-depth:] in devices for depth in depths)]
        if self._names.moves:  # which puts entries at the end of the tree
            held.sort(key=origin)
        held = [*(name for name in held if name not in touched), *(name for name in held if name in touched)]
        scope = tuple(tree.entries[name] for name in held)
        together = DeviceRules(tree.get)
        for entry in scope:
            yield from map(_of_check, together.findings(entry))
        survey = Survey(tree, self.now, scope)
        for rule in (*JUDGES, *REFERENCES) if scope else ():
            for breach in rule.find(survey):
                yield _Found(finding_of(rule, breach), rule.fix, breach.related)
        rules = _value_rules(tree)
        for name in dict.fromkeys(written):
            if device_of(name) is not None and name in tree.entries:
                yield from _of_values(rules, tree.entries[name], tree.entries[name].attributes)

    @cached_property
    def _names(self) -> NamesThrough:
        return NamesThrough(self.plan)

    @cached_property
    def _devices(self) -> frozenset[NormalDN]:
        """The names of the devices that the plan touches."""
        found = (device_of(name) for name in (*self._names.after, *self._names.before))
        return frozenset(name for name in found if name is not None)

    def _origin(self, key: _Key) -> _Key | None:
        """Return *key* with the names from before the plan, None for that of a new entry."""
        name, attribute, value, refused = key
        was = self._names.origin(name)
        if isinstance(value, tuple):
            value = self._names.origin(value) or value
        return None if was is None else (was, attribute, value, refused)

    def _place(self, found: _Found) -> Place | None:
        """Return where the change that causes a finding was written, None if no file holds it."""
        finding, tree = found.finding, self.plan.after
        own = self._steps_of(tree.key(finding.dn))
        meant = _meant(finding)
        others = [step for dn in (*meant, *found.related) for step in self._steps_of(tree.key(dn), above=True)]
        above = self._steps_of(tree.key(finding.dn), above=True)
        causes = (*(step for step in own if _brings(step, finding)), *others, *own, *above)
        return next((_parsed(step.place) for step in causes if step.place), None)

    def _steps_of(self, name: NormalDN, *, above: bool = False) -> Sequence[Step]:
        """Return the steps on the entry *name*, the last first; with *above* else those on the nearest entry above."""
        names = (name[at:] for at in range(len(name) if above else 1))
        return next((steps for each in names if (steps := self._steps.get(each))), ())

    @cached_property
    def _steps(self) -> Mapping[NormalDN, Sequence[Step]]:
        """The steps on each entry, the last first, by the names that the entry has after, before and in the step."""
        found: dict[NormalDN, list[Step]] = {}
        named = zip(self.plan.steps, self._names.after, self._names.before, strict=True)
        for step, after, before in reversed(list(named)):
            for name in {after, before, self.plan.before.key(step.change.dn)}:
                found.setdefault(name, []).append(step)
        return found


def _of_values(rules: ValueRules, entry: Entry, attributes: Iterable[Attribute]) -> Iterator[_Found]:
    for attribute in attributes:
        for finding in rules.findings(entry, attribute.name, attribute.values):
            if finding.kind in REFUSED:
                yield _of_check(finding)


def _of_check(finding: Finding) -> _Found:
    other_value = f"Correct the value. dcmcfg explain {finding.attribute} shows its form."
    return _Found(finding, _FIXES.get(finding.rule, other_value))


def _value_rules(tree: Tree) -> ValueRules:
    """Return the rules for values in *tree*; a reference that leads out of it leads to an entry, as far as is known."""
    top = min(tree.entries, key=len, default=())

    def exists(dn: DN) -> bool:
        name = tree.key(dn)
        return name in tree.entries or not is_at_or_below(name, top)

    return ValueRules(tree.schema, exists)


def _key(tree: Tree, finding: Finding) -> _Key:
    definition = tree.schema.attribute(finding.attribute)
    attribute = definition.name if definition is not None else finding.attribute
    value: bytes | NormalDN = finding.message.encode()
    if finding.value is not None:
        meant = _meant(finding) if definition is not None and definition.syntax == "DN" else ()
        value = tree.key(meant[0]) if meant else tree.schema.normal_value(attribute, finding.value)
    return tree.key(finding.dn), attribute.lower(), value, finding.kind in REFUSED


def _meant(finding: Finding) -> tuple[DN, ...]:
    """Return the DN in the value of *finding*, if it holds one."""
    try:
        return (DN.parse((finding.value or b"").decode("utf-8", "surrogateescape")),) if finding.value else ()
    except MalformedInput:
        return ()


def _brings(step: Step, finding: Finding) -> bool:
    """Return whether *step* gives its entry the value of *finding*."""
    if step.after is None or finding.value not in step.after.values(finding.attribute):
        return False
    return step.before is None or finding.value not in step.before.values(finding.attribute)


def _parsed(place: str) -> Place | None:
    """Return the file and line of *place*, which may name one of several AEs on the line too; None of any other."""
    found = _FILE_LINE.fullmatch(place)
    return Place(found[1], int(found[2])) if found is not None else None


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
