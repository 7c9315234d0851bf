"""The location of the record that causes a finding of a plan: its file and line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dcmcfg.dn import DN, NormalDN
from dcmcfg.errors import MalformedInput
from dcmcfg.plan.entry_names import EntryNames
from dcmcfg.plan.plan import Plan, PlanStep
from dcmcfg.schema.findings import EntryFinding, SourceLocation


@dataclass(frozen=True)
class StepLocations:
    """The locations of the steps of ``plan``, by the entries that they change."""

    plan: Plan

    def find(self, finding: EntryFinding, related_dns: Sequence[DN] = ()) -> SourceLocation | None:
        """Return the location of the change that causes *finding*, None if it comes from no file.

        *related_dns* are the other entries that the finding depends on.
        """
        tree = self.plan.after
        own_steps = self._find_steps(tree.key(finding.dn))
        related_steps = [
            step
            for dn in (*parse_dn_value(finding), *related_dns)
            for step in self._find_steps(tree.key(dn), nearest_ancestor=True)
        ]
        ancestor_steps = self._find_steps(tree.key(finding.dn), nearest_ancestor=True)
        # The most direct cause comes first.
        causes = (
            *(step for step in own_steps if _introduces_value(step, finding)),
            *related_steps,
            *own_steps,
            *ancestor_steps,
        )
        return next((step.location for step in causes if step.location is not None), None)

    def _find_steps(self, name: NormalDN, *, nearest_ancestor: bool = False) -> Sequence[PlanStep]:
        """Return the steps on the entry *name*, the last first.

        With *nearest_ancestor*, otherwise those on the nearest ancestor that has any.
        """
        names = (name[depth:] for depth in range(len(name) if nearest_ancestor else 1))
        return next((steps for each in names if (steps := self._steps.get(each))), ())

    @cached_property
    def _steps(self) -> Mapping[NormalDN, Sequence[PlanStep]]:
        """The steps on each entry, the last first, by the names of the entry after, before and in the step."""
        names = EntryNames(self.plan)
        found: dict[NormalDN, list[PlanStep]] = {}
        named_steps = zip(self.plan.steps, names.names_after, names.names_before, strict=True)
        for step, after, before in reversed(list(named_steps)):
            for name in {after, before, self.plan.before.key(step.change.dn)}:
                found.setdefault(name, []).append(step)
        return found


def parse_dn_value(finding: EntryFinding) -> tuple[DN, ...]:
    """Return the DN in the value of *finding*, if it holds one."""
    try:
        return (DN.parse((finding.value or b"").decode("utf-8", "surrogateescape")),) if finding.value else ()
    except MalformedInput:
        return ()


def _introduces_value(step: PlanStep, finding: EntryFinding) -> bool:
    """Return whether *step* gives its entry the value of *finding*."""
    if step.after is None or finding.value not in step.after.values(finding.attribute):
        return False
    return step.before is None or finding.value not in step.before.values(finding.attribute)
