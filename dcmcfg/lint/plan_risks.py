"""The risks of a plan: those of its steps, settings that the archive cannot load, and unsuitable AEs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from dcmcfg.dn import DN
from dcmcfg.lint.new_load_failures import REFERENCE_RULES, find_new_load_failures
from dcmcfg.lint.new_violations import UNKNOWN_AE_RULES, NewViolation
from dcmcfg.lint.rule import build_finding
from dcmcfg.lint.step_locations import StepLocations
from dcmcfg.plan.loadability import REFUSED_KINDS
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.risk_checks import (
    DANGLING_REFERENCE,
    UNLOADABLE,
    UNUSABLE_REFERENCE,
    NewFinding,
    Risk,
    find_new_dangling_references,
    find_risks,
)
from dcmcfg.schema.findings import EntryFinding

_REFERENCES = frozenset(rule.check_rule for rule in (*REFERENCE_RULES, *UNKNOWN_AE_RULES))


@dataclass(frozen=True)
class PlanRisks:
    """The ``risks`` of a plan, and ``warnings`` (sentences) about problems that do not refuse the plan."""

    risks: tuple[Risk, ...]
    warnings: tuple[str, ...] = ()


def _keep_locations(findings: Iterable[EntryFinding]) -> Iterator[EntryFinding]:
    return iter(findings)


def assess_plan_risks(
    plan: Plan,
    now: datetime,
    *,
    device: str,
    subtree_dn: DN | None = None,
    violations: Iterable[NewViolation] = (),
    locate: Callable[[Iterable[EntryFinding]], Iterator[EntryFinding]] = _keep_locations,
) -> PlanRisks:
    """Return the risks of *plan* for the archive *device*, see :func:`~dcmcfg.plan.risk_checks.find_risks`.

    Of *violations*, those that *plan* introduces, only misspelt AE titles are a risk. A reference that makes a device
    unloadable is reported as that risk only, not as a dangling reference too. If the archive can load everything else,
    the name of the risk "dangling reference" allows it as well. *now* has a time zone. *locate* yields each finding at
    a record with a more exact location.
    """
    new_findings = (*find_new_load_failures(plan, now), *_find_misspelt_aes(plan, violations))
    located = locate(new.finding for new in new_findings)
    found = tuple(replace(new, finding=finding) for new, finding in zip(new_findings, located, strict=True))
    refused = tuple(each for each in found if each.finding.impact in REFUSED_KINDS)
    # A reference that the archive cannot load must not be reported as a dangling reference too.
    step_risks = find_risks(
        plan, device=device, subtree=subtree_dn, ignored_references=frozenset(map(_build_reference_key, refused))
    )
    dangling = {(dn, name.lower(), text) for dn, name, text in find_new_dangling_references(plan)} if refused else set()
    alternative_name = DANGLING_REFERENCE if all(_build_reference_key(each) in dangling for each in refused) else ""
    references = tuple(each for each in found if each.finding.rule in _REFERENCES)
    remaining = (each for each in found if each not in refused and each not in references)
    warnings = tuple(f"{each} (rule: {each.finding.rule.name})" for each in remaining)
    return PlanRisks(
        (*step_risks, *_build_load_risk(refused, alternative_name), *_build_reference_risk(references)), warnings
    )


def _find_misspelt_aes(plan: Plan, violations: Iterable[NewViolation]) -> Iterator[NewFinding]:
    locations = StepLocations(plan)
    for each in violations:
        if each.is_misspelt_ae:
            finding = build_finding(each.rule, each.violation)
            yield NewFinding(replace(finding, location=locations.find(finding)), each.rule.fix)


def _build_load_risk(found: tuple[NewFinding, ...], alternative_name: str) -> tuple[Risk, ...]:
    if not found:
        return ()
    settings = "1 setting" if len(found) == 1 else f"{len(found)} settings"
    kinds = {each.finding.impact for each in found}
    if kinds == {"stops-next-start"}:
        description = f"because of {settings}, the archive cannot start again"
    elif "stops-next-start" in kinds:
        description = f"the archive cannot load {settings}, or cannot start again with these settings"
    else:
        description = f"the archive cannot load {settings}"
    entries = dict.fromkeys(str(each.finding.dn) for each in found)
    return (Risk(UNLOADABLE, description, tuple(entries), found, alternative_name=alternative_name),)


def _build_reference_risk(found: tuple[NewFinding, ...]) -> tuple[Risk, ...]:
    if not found:
        return ()
    settings = "1 setting refers" if len(found) == 1 else f"{len(found)} settings refer"
    description = f"{settings} to an AE that is missing or not suitable"
    entries = dict.fromkeys(str(each.finding.dn) for each in found)
    return (Risk(UNUSABLE_REFERENCE, description, tuple(entries), found),)


def _build_reference_key(new: NewFinding) -> tuple[DN, str, str]:
    value = new.finding.value or b""
    return new.finding.dn, new.finding.attribute.lower(), value.decode("utf-8", "surrogateescape")
