"""Requirements of a run, applied to results when they are reported; the store keeps the plain facts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dcmcfg.bulk.study_result import AttemptResult, StudyResult, VerificationOutcome
from dcmcfg.verify.verdict import RouteFinding

_ROUTE_NOT_SHOWN = "to verify the route of a purged study, run the same command with --again"
_MISSING_SOURCES = (
    " and one of these sources: --archive-url for the archive's database, or --external-log FILE for the external "
    "archive's log"
)
_LOCAL_STUDY = "a local study does not prove external retrieve. "
#: The same for every local study, so that they are one group: remarks such as the availability differ.
_LOCAL_STUDY_FINDING = " from the archive's own storage: route not tried, but --require-route is set"
_CONFIGURATION_CHANGED = "the relevant configuration has changed since this result"
_CONFIGURATION_UNKNOWN = "the result comes from a dcmcfg version that did not record the configuration"


@dataclass(frozen=True)
class ResultRequirements:
    """The requirements for a success: the route must be shown, the configuration must have a certain checksum.

    ``configuration_checksum`` None accepts every configuration. ``recall_command`` is the command that finds a study
    for which the route can be shown. With ``has_route_source``, the run uses a source of evidence that can show the
    route.
    """

    require_route: bool = False
    configuration_checksum: str | None = None
    recall_command: str = "dcmcfg verify --recall"
    has_route_source: bool = False

    def apply_to_result(self, result: AttemptResult) -> AttemptResult:
        """Return *result*; a success that does not meet the requirements fails, with reason and next step."""
        if not result.outcome.is_success:
            return result
        if self.configuration_checksum is not None and result.configuration_checksum != self.configuration_checksum:
            reason = _CONFIGURATION_CHANGED if result.configuration_checksum else _CONFIGURATION_UNKNOWN
            headline = f'{reason}. Stored result: "{result.headline}"'
            return replace(result, outcome=VerificationOutcome.OUTDATED, headline=headline, next_step="")
        if not self.require_route or result.route_finding == RouteFinding.SHOWN.value:
            return result
        is_local = result.route_finding == RouteFinding.NOT_TRIED.value
        source = "" if result.outcome is VerificationOutcome.VERIFIED else " (according to the archive)"
        headline = (
            f"NOT verified: delivered{source}{_LOCAL_STUDY_FINDING if is_local else _describe_missing_route(result)}"
        )
        local_step = f"{_LOCAL_STUDY}To verify a purged study: {self.recall_command}"
        # The C-MOVE of this result has recalled the study, unless the archive deletes its files again.
        not_shown_step = (
            f"{_ROUTE_NOT_SHOWN}{'' if self.has_route_source else _MISSING_SOURCES}. If the study is local now, it "
            f"shows no route any more: specify another purged study, or run {self.recall_command}"
        )
        next_step = local_step if is_local else not_shown_step
        return replace(result, outcome=VerificationOutcome.NOT_VERIFIED, headline=headline, next_step=next_step)

    def apply_to_study(self, result: StudyResult) -> StudyResult:
        """Return *result* with the requirements applied to its final attempt."""
        attempts = (
            replace(each, result=self.apply_to_result(each.result)) if each.is_final and each.result else each
            for each in result.attempts
        )
        return replace(result, attempts=tuple(attempts))


def is_fixable(result: AttemptResult) -> bool:
    """Return whether another attempt may succeed; it cannot if only the route is not shown."""
    return not (result.outcome.is_success or result.outcome is VerificationOutcome.OUTDATED or lacks_only_route(result))


def lacks_only_route(result: AttemptResult) -> bool:
    """Return whether the study was delivered, and only the required route is not shown."""
    # Only a missing route leads to these next steps, so they identify it without another field.
    return result.next_step.startswith((_LOCAL_STUDY, _ROUTE_NOT_SHOWN))


def _describe_missing_route(result: AttemptResult) -> str:
    finding = f": route {result.route_finding or RouteFinding.NOT_SHOWN.value}, but --require-route is set"
    return f"{finding}. Reasons: {result.route_reasons}" if result.route_reasons else finding


NO_REQUIREMENTS = ResultRequirements()
