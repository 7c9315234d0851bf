"""What the user is shown of a plan before it is applied: its risks, and what it makes wrong or needs."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from dcmcfg.archive.record_search import Recorded
from dcmcfg.cli.lazy_import import loaded
from dcmcfg.cli.options.change_options import Choices, risk_lines
from dcmcfg.cli.session.archive_database import recorded_under
from dcmcfg.dn import DN
from dcmcfg.files.locations import at_values
from dcmcfg.lint.new_violations import changes_certificates, newly_wrong
from dcmcfg.lint.plan_risks import plan_risks
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.risk_checks import UNLOADABLE, UNUSABLE_REFERENCE, Risk, record_risks
from dcmcfg.plan.taking_effect import delayed, loaded_unasked
from dcmcfg.plan.warnings import doubts
from dcmcfg.rollout.record import Record
from dcmcfg.settings import Settings


@dataclass(frozen=True)
class Purpose:
    """Which plan it is: an ordinary one, the undo of roll-out *undoes*, the rest of *resuming*, or a restoration.

    With *in_part*, a part of what was asked for is left out. *stood* says that the roll-out which an undo reverts was
    complete, so that the archive may have recorded something under its names.
    """

    undoes: int | None = None
    resuming: Record | None = None
    restoring: bool = False
    in_part: bool = False
    stood: bool = False

    @property
    def of(self) -> int | None:
        """The number of the roll-out that the plan reverts or completes."""
        return self.undoes if self.resuming is None else self.resuming.number

    @property
    def reverts(self) -> int | None:
        """The number of the roll-out that is reverted when the plan is applied."""
        return self.undoes if self.resuming is None else self.resuming.head.undoes

    def forced(self, named: frozenset[str], risks: tuple[Risk, ...]) -> frozenset[str]:
        """Return the names of the *risks* that need not be named, with those that were *named*.

        An undo leads back to an earlier state, but reverts nothing that the archive's database has recorded since, or
        may have recorded while the roll-out stood. A part of an undo leads to a state that never was, so its risks are
        named like those of any plan. Of the rest of a plan and of a restoration, settings that the archive cannot load,
        and AEs that cannot play their role, are a warning and no reason to refuse.
        """
        if self.undoes is not None and not self.in_part:
            return named.union(
                risk.name for risk in risks if not (risk.is_recorded or (self.stood and risk.is_unknown))
            )
        if self.restoring or self.resuming is not None:
            return named | {UNLOADABLE, UNUSABLE_REFERENCE}
        return named


@dataclass(frozen=True)
class Judgement:
    """The *risks* of a plan, the names of those that are *forced*, and warnings as they are shown, in order."""

    risks: tuple[Risk, ...]
    forced: frozenset[str]
    warnings: tuple[str, ...]


def judge(
    settings: Settings, plan: Plan, choices: Choices, purpose: Purpose, *, under: DN | None, structural: bool
) -> Judgement:
    """Return what is to be shown of *plan*.

    Risks are measured by the entries at and below *under* (else the configuration root). With *structural*, classes and
    attributes that the bundled schema does not know are warned of. The archive's database is asked where the plan takes
    away names that it may have recorded.
    """
    now, resuming = datetime.now(UTC), purpose.resuming is not None
    locate = functools.partial(at_values, schema=plan.after.schema)
    judged = plan_risks(plan, now, device=settings.device, under=under, locate=locate)
    recorded = Recorded() if resuming else recorded_under(settings, plan)
    risks = (*judged.risks, *record_risks(recorded.records))
    forced = purpose.forced(choices.forced, risks)

    def warnings() -> Iterator[str]:
        yield from doubts(plan, structural=structural)
        more = loaded("lint", "RULES") if changes_certificates(plan) else ()  # those for certificates are slow to load
        yield from newly_wrong(plan, now, more, but=[new.finding for risk in risks for new in risk.findings])
        yield from judged.warnings
        yield from recorded.warnings
        yield from delayed(plan)
        if choices.no_reload and plan.steps:
            yield from loaded_unasked(plan.after)
        yield from risk_lines(risks, forced, refused=choices.dry_run and not resuming)

    return Judgement(risks, forced, tuple(warnings()))
