"""The errors of lint that a plan brings about.

Judged is what touches the changed entries: the devices of the plan, the archives, and the devices whose AEs an archive
names, in the sight of all names in the tree. So the cost follows the archives and the plan, and no size is too large.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice

from dcmcfg.dn import NormalDN
from dcmcfg.entry import Entry
from dcmcfg.lint.context import Survey
from dcmcfg.lint.rule import Breach, LintRule
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
from dcmcfg.model.devices import device_of
from dcmcfg.model.references.kinds import Kind
from dcmcfg.model.references.rewriting import may_name, names
from dcmcfg.model.tree import Tree
from dcmcfg.plan.entry_names import NamesThrough
from dcmcfg.plan.loadability import REFUSED
from dcmcfg.plan.plan import Plan
from dcmcfg.schema.findings import Finding

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
#: Warnings that are reported too: who adds a title to the list means it to be found.
_ALSO = frozenset({"accepted-destination-unknown"})
_TOLD = 40
_CERTIFICATES = ("usercertificate", "cacertificate")


def _reported(rules: Iterable[LintRule]) -> tuple[LintRule, ...]:
    """Return the errors of *rules*, but for what the archive cannot load, which is judged elsewhere."""
    found = (rule for rule in rules if rule.severity == "error" or rule.name in _ALSO)
    return tuple(rule for rule in found if rule.kind not in REFUSED)


#: All of lint but for certificates, which take a library that is slow to load.
RULES = _reported(rule for rules in _TOPICS for rule in rules)


def changes_certificates(plan: Plan) -> bool:
    """Return whether *plan* writes a certificate, so that the rules for certificates are to be asked too."""
    return any(
        attribute.name.partition(";")[0].lower() in _CERTIFICATES
        and (step.before is None or step.before.values(attribute.name) != attribute.values)
        for step in plan.steps
        if step.after is not None
        for attribute in step.after.attributes
    )


def newly_wrong(
    plan: Plan, now: datetime, more: Sequence[LintRule] = (), *, but: Iterable[Finding] = ()
) -> Iterator[str]:
    """Yield a sentence for each breach of :data:`RULES` and the errors of *more* that *plan* brings about.

    *now* has a time zone. Findings in *but* are left out: the plan is refused for them. Of many breaches, the first are
    told, and how many there are.
    """
    if not plan.steps:
        return
    known = {(finding.rule.name, finding.dn, finding.value) for finding in but}
    found = _Comparison(plan, now, tuple(dict.fromkeys((*RULES, *_reported(more))))).new()
    found = ((rule, each) for rule, each in found if (rule.name, each.dn, each.value) not in known)
    yield from (f"{breach.dn}: {rule.told(breach)} (lint: {rule.name})" for rule, breach in islice(found, _TOLD))
    if left := sum(1 for _ in found):
        yield f"and {left} more that dcmcfg lint would tell"


@dataclass(frozen=True)
class _Comparison:
    """The breaches after a plan and before it."""

    plan: Plan
    now: datetime
    rules: tuple[LintRule, ...]

    def new(self) -> Iterator[tuple[LintRule, Breach]]:
        """Yield each breach after the plan that was not there before it."""
        after = self._breaches(self.plan.after, self.rules)
        broken = dict.fromkeys(rule.name for rule, _ in after)
        again = [rule for rule in self.rules if rule.name in broken]
        before = {self._key(self.plan.before, *each) for each in self._breaches(self.plan.before, again)}
        origin = self._names.origin
        for each in after:
            rule, name, *what = self._key(self.plan.after, *each)
            if (rule, origin(name), *what) not in before:
                yield each

    def _breaches(self, tree: Tree, rules: Sequence[LintRule]) -> list[tuple[LintRule, Breach]]:
        survey = Survey(self._sight(tree), self.now) if rules else None
        return [(rule, breach) for rule in rules for breach in rule.find(survey)] if survey is not None else []

    def _key(self, tree: Tree, rule: LintRule, breach: Breach) -> tuple[str, NormalDN, str, bytes | None]:
        """Return what makes two breaches the same one; a rename changes the values that name the entry too."""
        value = None if self._names.moves else breach.value
        return rule.name, tree.key(breach.dn), breach.attribute.lower(), value

    def _sight(self, tree: Tree) -> Tree:
        """Return *tree* without what no rule would look at.

        These are capabilities of other devices than archives, and connections of those that have nothing to do with the
        plan.
        """
        archives, concerned = self._archives, self._concerned

        def is_seen(name: NormalDN, entry: Entry) -> bool:
            device = device_of(name)
            if device is None or len(name) == len(device) or device in archives:
                return True
            return not entry.is_a("dicomTransferCapability") and (
                device in concerned or not entry.is_a("dicomNetworkConnection")
            )

        return Tree(tree.schema, {name: entry for name, entry in tree.entries.items() if is_seen(name, entry)})

    @cached_property
    def _names(self) -> NamesThrough:
        return NamesThrough(self.plan)

    @cached_property
    def _archives(self) -> frozenset[NormalDN]:
        """The devices that are archives, before or after the plan."""
        return frozenset(name for name, entry in self._entries() if entry.is_a("dcmArchiveDevice"))

    @cached_property
    def _concerned(self) -> frozenset[NormalDN | None]:
        """The devices that the plan touches, and those whose AEs an archive names, before it or after it."""
        entries, archives = tuple(self._entries()), self._archives
        titles = {title for name, entry in entries if device_of(name) in archives for title in _titles_of(entry)}
        aes = ((name, entry.text("dicomAETitle")) for name, entry in entries if entry.is_a("dicomNetworkAE"))
        peers = (device_of(name) for name, title in aes if title in titles)
        return frozenset((*map(device_of, (*self._names.before, *self._names.after)), *peers))

    def _entries(self) -> Iterator[tuple[NormalDN, Entry]]:
        """Yield the entries before the plan, and those after it that are other ones."""
        before = self.plan.before.entries
        yield from before.items()
        yield from ((name, entry) for name, entry in self.plan.after.entries.items() if before.get(name) is not entry)


def _titles_of(entry: Entry) -> Iterator[str]:
    """Yield the AE titles that *entry* names."""
    for attribute in entry.attributes:
        for value in attribute.values if may_name(attribute.name) else ():
            yield from (each.text for each in names(attribute.name, value) if each.kind is Kind.AE)
