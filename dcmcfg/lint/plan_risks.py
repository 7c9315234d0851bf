"""The risks of a plan: those of its steps, settings that the archive cannot load, and AEs that cannot play a role."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from dcmcfg.dn import DN
from dcmcfg.lint.new_load_failures import REFERENCES, newly_unloadable
from dcmcfg.lint.rule import as_rule
from dcmcfg.plan.loadability import REFUSED
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.risk_checks import (
    DANGLING_REFERENCE,
    UNLOADABLE,
    UNUSABLE_REFERENCE,
    NewFinding,
    Risk,
    new_dangling,
    risks,
)
from dcmcfg.schema.findings import Finding

_REFERENCES = frozenset(map(as_rule, REFERENCES))


@dataclass(frozen=True)
class PlanRisks:
    """The ``risks`` of a plan, and ``warnings``, a sentence each, on what is no reason to refuse it."""

    risks: tuple[Risk, ...]
    warnings: tuple[str, ...] = ()


def _unchanged(findings: Iterable[Finding]) -> Iterator[Finding]:
    return iter(findings)


def plan_risks(
    plan: Plan,
    now: datetime,
    *,
    device: str,
    under: DN | None = None,
    locate: Callable[[Iterable[Finding]], Iterator[Finding]] = _unchanged,
) -> PlanRisks:
    """Return the risks of *plan* for the archive *device*, see :func:`~dcmcfg.plan.risk_checks.risks`.

    A reference that makes a device unloadable is that risk, and not a dangling reference too. The name of the latter
    takes it as well, if there is nothing else that the archive cannot load. *now* has a time zone. *locate* yields each
    finding, placed at a record, with a more exact place.
    """
    placed = newly_unloadable(plan, now)
    located = locate(new.finding for new in placed)
    found = tuple(replace(new, finding=finding) for new, finding in zip(placed, located, strict=True))
    refused = tuple(each for each in found if each.finding.kind in REFUSED)
    others = risks(plan, device=device, under=under, but=frozenset(map(_reference, refused)))
    dangling = {(dn, name.lower(), text) for dn, name, text in new_dangling(plan)} if refused else set()
    also = DANGLING_REFERENCE if all(_reference(each) in dangling for each in refused) else ""
    references = tuple(each for each in found if each.finding.rule in _REFERENCES)
    left = (each for each in found if each not in refused and each not in references)
    warnings = tuple(f"{each} (lint: {each.finding.rule.name})" for each in left)
    return PlanRisks((*others, *_unloadable(refused, also), *_unusable(references)), warnings)


def _unloadable(found: tuple[NewFinding, ...], also: str) -> tuple[Risk, ...]:
    if not found:
        return ()
    settings = "1 setting" if len(found) == 1 else f"{len(found)} settings"
    kinds = {each.finding.kind for each in found}
    if kinds == {"stops-next-start"}:
        what = f"with {settings} the archive cannot start again"
    elif "stops-next-start" in kinds:
        what = f"the archive cannot load {settings}, or cannot start again with them"
    else:
        what = f"the archive cannot load {settings}"
    entries = dict.fromkeys(str(each.finding.dn) for each in found)
    return (Risk(UNLOADABLE, what, tuple(entries), found, also),)


def _unusable(found: tuple[NewFinding, ...]) -> tuple[Risk, ...]:
    if not found:
        return ()
    settings = "1 setting names" if len(found) == 1 else f"{len(found)} settings name"
    what = f"{settings} an AE that does not exist or cannot play its role"
    entries = dict.fromkeys(str(each.finding.dn) for each in found)
    return (Risk(UNUSABLE_REFERENCE, what, tuple(entries), found),)


def _reference(new: NewFinding) -> tuple[DN, str, str]:
    value = new.finding.value or b""
    return new.finding.dn, new.finding.attribute.lower(), value.decode("utf-8", "surrogateescape")
