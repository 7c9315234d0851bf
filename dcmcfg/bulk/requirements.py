"""What a run takes for enough, applied to answers when they are told: what is kept are facts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dcmcfg.bulk.study_result import AttemptResult, StudyResult, VerificationOutcome
from dcmcfg.verify.verdict import RouteFinding

_ROUTE_NOT_SHOWN = (
    "the archive's database (--archive-url) or the external archive's log (--external-log FILE) can show the route of "
    "a purged study: run the same command again with one of them and --again"
)
_LOCAL_STUDY = "a local study proves nothing about external retrieve, however often it is sent: "
_CONFIGURATION_CHANGED = "answered before the tree was changed in what decides about it"
_CONFIGURATION_UNKNOWN = "answered by a dcmcfg that did not keep under which tree"


@dataclass(frozen=True)
class ResultRequirements:
    """Whether a yes takes the route shown, and under which ``configuration_checksum`` it must have been given.

    None is any. ``recall_command`` is the command that looks for a study with which the route can be shown.
    """

    require_route: bool = False
    configuration_checksum: str | None = None
    recall_command: str = "dcmcfg verify --recall"

    def apply_to_result(self, result: AttemptResult) -> AttemptResult:
        """Return *result*, a yes being none where it lacks what is required, with why and what to do."""
        if not result.outcome.is_success:
            return result
        if self.configuration_checksum is not None and result.configuration_checksum != self.configuration_checksum:
            reason = _CONFIGURATION_CHANGED if result.configuration_checksum else _CONFIGURATION_UNKNOWN
            return replace(
                result, outcome=VerificationOutcome.OUTDATED, headline=f"{reason}: {result.headline}", next_step=""
            )
        if not self.require_route or result.route_finding == RouteFinding.SHOWN.value:
            return result
        reason = f" ({result.route_reasons})" if result.route_reasons else ""
        headline = f"NOT verified: route {result.route_finding or 'not shown'}, and it is required{reason}"
        local_step = f"{_LOCAL_STUDY}{self.recall_command} finds a purged one"
        next_step = local_step if result.route_finding == RouteFinding.NOT_TRIED.value else _ROUTE_NOT_SHOWN
        return replace(result, outcome=VerificationOutcome.NOT_VERIFIED, headline=headline, next_step=next_step)

    def apply_to_study(self, result: StudyResult) -> StudyResult:
        """Return *result* with the answer that stands judged."""
        attempts = (
            replace(each, result=self.apply_to_result(each.result)) if each.is_final and each.result else each
            for each in result.attempts
        )
        return replace(result, attempts=tuple(attempts))


def is_fixable(result: AttemptResult) -> bool:
    """Tell whether asking for it once more may make a yes of a no: not where only the route is not shown."""
    if result.outcome.is_success or result.outcome is VerificationOutcome.OUTDATED:
        return False
    return not result.next_step.startswith((_LOCAL_STUDY, _ROUTE_NOT_SHOWN))


NO_REQUIREMENTS = ResultRequirements()
