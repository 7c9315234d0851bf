"""Assess a plan before it is applied: its risks, new problems, and warnings."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime

from dcmcfg.archive.record_search import RecordSearchResult
from dcmcfg.cli.options.change_options import ChangeOptions, format_risks
from dcmcfg.cli.session.archive_database import search_recorded_names
from dcmcfg.dn import DN
from dcmcfg.files.locations import locate_all_values
from dcmcfg.lint.new_violations import changes_certificates, describe_new_violations, find_new_violations
from dcmcfg.lint.plan_risks import assess_plan_risks
from dcmcfg.lint.rule import LintRule
from dcmcfg.plan.delayed_effects import describe_delayed_effects, warn_about_automatic_loading
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.risk_checks import UNLOADABLE, UNUSABLE_REFERENCE, Risk, find_record_risks
from dcmcfg.plan.step_effects import warn_about_port_binding, warn_about_write_back
from dcmcfg.plan.warnings import find_plan_warnings
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.settings import Settings


@dataclass(frozen=True)
class PlanPurpose:
    """The kind of plan: an ordinary one, an undo, the rest of an interrupted roll-out, or a restore.

    With ``undone_number`` the plan reverts that roll-out, with ``resumed_record`` it is the rest of that roll-out, with
    ``is_restore`` it restores a snapshot. With ``is_partial``, some of the requested changes are rejected.
    ``undone_was_complete`` is true if the reverted roll-out was complete, so that the archive may have recorded studies
    or objects under its names.
    """

    undone_number: int | None = None
    resumed_record: RolloutRecord | None = None
    is_restore: bool = False
    _: KW_ONLY
    is_partial: bool = False
    undone_was_complete: bool = False

    @property
    def rollout_number(self) -> int | None:
        """The number of the roll-out that the plan reverts or completes."""
        return self.undone_number if self.resumed_record is None else self.resumed_record.number

    @property
    def reverted_number(self) -> int | None:
        """The number of the roll-out that is reverted when the plan is applied."""
        return self.undone_number if self.resumed_record is None else self.resumed_record.header.undo_of

    def list_forced_risks(self, forced_risks: frozenset[str], risks: tuple[Risk, ...]) -> frozenset[str]:
        """Return *forced_risks* and the names of those *risks* that the user need not accept.

        An undo restores an earlier state, so its risks are accepted. An exception are records that the archive's
        database made since then, or may have made while the change was in effect: an undo does not revert those. A
        partial undo leads to a new state, so its risks must be accepted like those of any plan. For the rest of a plan
        and for a restore, settings that the archive cannot load, and AEs that cannot play their role, are warnings
        only.
        """
        if self.undone_number is not None and not self.is_partial:
            return forced_risks.union(
                risk.name
                for risk in risks
                if not (risk.has_recorded_studies or (self.undone_was_complete and risk.has_unknown_records))
            )
        if self.is_restore or self.resumed_record is not None:
            return forced_risks | {UNLOADABLE, UNUSABLE_REFERENCE}
        return forced_risks


@dataclass(frozen=True)
class PlanAssessment:
    """The ``risks`` of a plan, the names of the accepted ones, and the warnings in the order of printing."""

    risks: tuple[Risk, ...]
    forced_risks: frozenset[str]
    warnings: tuple[str, ...]


def assess_plan(
    settings: Settings,
    plan: Plan,
    options: ChangeOptions,
    purpose: PlanPurpose,
    *,
    scope_dn: DN | None,
    warn_unknown_schema: bool,
    reported_values: Collection[tuple[DN, str, bytes]] = (),
) -> PlanAssessment:
    """Return the risks and warnings of *plan*.

    Risks are measured by the entries at and below *scope_dn* (else the configuration root). With *warn_unknown_schema*,
    there is a warning for classes and attributes that the bundled schema does not have. *reported_values* (entry,
    attribute, value) have a warning already. If the plan removes names that the archive's database may have recorded,
    the database is queried.
    """
    now, is_resumed = datetime.now(UTC), purpose.resumed_record is not None
    locate = functools.partial(locate_all_values, schema=plan.after.schema)
    violations = find_new_violations(plan, now, _get_more_rules(plan))
    plan_risks = assess_plan_risks(
        plan, now, device=settings.device, subtree_dn=scope_dn, violations=violations, locate=locate
    )
    # The risks of a resumed change were accepted when it began, so the database is not queried again.
    recorded = RecordSearchResult() if is_resumed else search_recorded_names(settings, plan)
    risks = (*plan_risks.risks, *find_record_risks(recorded.records))
    forced = purpose.list_forced_risks(options.forced_risks, risks)

    def iterate_warnings() -> Iterator[str]:
        yield from find_plan_warnings(plan, check_structure=warn_unknown_schema)
        # Findings of a risk are printed with that risk, not again as a warning.
        yield from describe_new_violations(
            violations,
            excluded=[new.finding for risk in risks for new in risk.findings],
            reported_values=reported_values,
        )
        yield from plan_risks.warnings
        yield from recorded.warnings
        yield from describe_delayed_effects(plan)
        yield from warn_about_port_binding(plan)
        yield from warn_about_write_back(plan)
        if options.no_reload and plan.steps:
            yield from warn_about_automatic_loading(plan.after)
        yield from format_risks(risks, forced, include_refused=options.dry_run and not is_resumed)

    return PlanAssessment(risks, forced, tuple(iterate_warnings()))


def _get_more_rules(plan: Plan) -> tuple[LintRule, ...]:
    """Return all rules if *plan* changes certificates, else none: the rules for certificates are slow to load."""
    if not changes_certificates(plan):
        return ()
    from dcmcfg.lint.catalogue import RULES

    return RULES
