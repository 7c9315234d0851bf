"""The report about a result store: studies, counts and totals, independent of the output format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from dcmcfg.bulk.failure_groups import FailureGroup, group_failures
from dcmcfg.bulk.requirements import is_fixable, lacks_only_route
from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.study_result import AttemptResult, StudyResult, VerificationOutcome
from dcmcfg.timestamps import format_timestamp
from dcmcfg.verify.verdict import RouteFinding

_SLOWEST_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """Numbers of studies by outcome; ``unfinished_count`` is the number of studies without a final result."""

    study_count: int
    outcome_counts: dict[VerificationOutcome, int]
    unfinished_count: int
    attempt_count: int
    interrupted_count: int  # attempts whose run ended before the result
    retry_count: int  # attempts with a result that were followed by another attempt
    failure_groups: tuple[FailureGroup, ...]
    slowest: tuple[StudyResult, ...]
    started: datetime | None
    route_counts: dict[str, int]  # final results by route finding
    routes_not_shown: int  # successful results whose route is not shown
    delivered_without_route: int  # failed results that lack only the required route
    fixable_count: int  # failed results that another attempt may turn into a success
    can_require_route: bool  # whether --require-route would repeat failed studies only, and one has no shown route
    instance_count: int  # completed instances in final results, according to the archive

    @property
    def all_successful(self) -> bool:
        """Whether every study has a final result and all are successful."""
        return (
            self.study_count > 0 and self.unfinished_count == 0 and all(kind.is_success for kind in self.outcome_counts)
        )

    @property
    def all_observed(self) -> bool:
        """Whether every study has a final result and dcmcfg's own receiver observed each."""
        return self.all_successful and set(self.outcome_counts) == {VerificationOutcome.VERIFIED}

    @property
    def all_failed_alike(self) -> bool:
        """Whether there are several studies and all failed for similar reasons."""
        # Outdated results are in the failure groups, but they are not failures.
        if VerificationOutcome.OUTDATED in self.outcome_counts:
            return False
        return self.study_count > 1 and [len(group.studies) for group in self.failure_groups] == [self.study_count]


def make_summary(results: Sequence[StudyResult], slowest_count: int = _SLOWEST_SHOWN) -> RunSummary:
    """Return the summary of *results*, with the *slowest_count* slowest studies."""
    final_results = [(each, each.final_result) for each in results]
    answered = [(each, result) for each, result in final_results if result is not None]
    attempts = [attempt for each in results for attempt in each.attempts]
    counts = Counter(result.outcome for _, result in answered)
    by_time = sorted(answered, key=lambda pair: -pair[1].seconds)
    return RunSummary(
        study_count=len(results),
        outcome_counts={kind: counts[kind] for kind in VerificationOutcome if counts[kind]},
        unfinished_count=len(results) - len(answered),
        attempt_count=len(attempts),
        interrupted_count=sum(attempt.result is None for attempt in attempts),
        retry_count=sum(map(_count_retries, results)),
        failure_groups=group_failures(results),
        # Only a C-MOVE has a duration.
        slowest=tuple(each for each, result in by_time[:slowest_count] if result.seconds > 0),
        started=min((attempt.started for attempt in attempts), default=None),
        route_counts=dict(
            Counter(result.route_finding for _, result in answered if result.route_finding).most_common()
        ),
        routes_not_shown=sum(
            each.outcome.is_success and each.route_finding == RouteFinding.NOT_SHOWN.value for _, each in answered
        ),
        delivered_without_route=sum(lacks_only_route(result) for _, result in answered),
        fixable_count=sum(is_fixable(result) for _, result in answered),
        can_require_route=_can_require_route([result for _, result in answered]),
        instance_count=sum(result.completed or 0 for _, result in answered),
    )


def _can_require_route(results: Sequence[AttemptResult]) -> bool:
    """Return whether each success shows its route, and another attempt at a failed study may show it too."""
    return all(each.route_finding == RouteFinding.SHOWN.value for each in results if each.outcome.is_success) and any(
        is_fixable(each) and each.route_finding == RouteFinding.NOT_SHOWN.value for each in results
    )


def _count_retries(result: StudyResult) -> int:
    """Return the number of attempts with a result that were followed by another attempt."""
    # No other attempt follows the last one of an unfinished study yet.
    candidates = result.attempts if result.final_result else result.attempts[:-1]
    return sum(attempt.result is not None and not attempt.is_final for attempt in candidates)


_MAX_BINS = 60


@dataclass(frozen=True, kw_only=True)
class BulkReport:
    """The studies of a store with their results, and the parameters of the run.

    ``has_new_results`` is False if all results come from earlier runs. ``configuration_checksum`` identifies the
    relevant configuration now; :attr:`~dcmcfg.bulk.study_result.AttemptResult.configuration_checksum` identifies it at
    the time of an attempt. ``store`` is None for one study whose answer is not stored. ``reads_external_log`` is True
    if the run reads the external archive's log.
    """

    run_parameters: RunParameters
    store: Path | None
    created: datetime
    results: tuple[StudyResult, ...]
    summary: RunSummary
    has_new_results: bool = True
    configuration_checksum: str = ""
    reads_external_log: bool = False

    @staticmethod
    def create(
        run_parameters: RunParameters,
        store: Path | None,
        results: Sequence[StudyResult],
        created: datetime,
        *,
        has_new_results: bool = True,
        configuration_checksum: str = "",
        reads_external_log: bool = False,
    ) -> BulkReport:
        """Return the report about *results*."""
        return BulkReport(
            run_parameters=run_parameters,
            store=store,
            created=created,
            results=tuple(results),
            summary=make_summary(results),
            has_new_results=has_new_results,
            configuration_checksum=configuration_checksum,
            reads_external_log=reads_external_log,
        )

    def map_next_steps(self, transform: Callable[[str], str]) -> BulkReport:
        """Return the report with *transform* applied to each next step."""
        groups = tuple(replace(group, next_step=transform(group.next_step)) for group in self.summary.failure_groups)
        results = tuple(each.map_next_steps(transform) for each in self.results)
        return replace(self, results=results, summary=replace(self.summary, failure_groups=groups))

    @property
    def headline(self) -> str:
        """The summary in one line: the number of studies, in total and by outcome."""
        summary = self.summary
        parts = [f"{count:,} {self._format_outcome(kind)}" for kind, count in summary.outcome_counts.items()]
        if summary.unfinished_count:
            parts.append(f"{summary.unfinished_count:,} pending")
        studies = "1 study" if summary.study_count == 1 else f"{summary.study_count:,} studies"
        similarity = ", all for similar reasons" if summary.all_failed_alike else ""
        earlier = "" if self.has_new_results else self._describe_earlier_results()
        return f"{studies}: {', '.join(parts) or 'none requested'}{similarity}{earlier}"

    def _format_outcome(self, outcome: VerificationOutcome) -> str:
        delivered_count = self.summary.delivered_without_route
        if outcome is VerificationOutcome.REPORTED:
            return "reported as sent by the archive"
        if outcome is VerificationOutcome.NOT_VERIFIED and delivered_count:
            return f"{outcome.value} ({delivered_count:,} delivered, but the route is unproven)"
        return str(outcome.value)

    @property
    def results_from_other_configuration(self) -> tuple[StudyResult, ...]:
        """The studies whose final result was recorded with another configuration."""
        return tuple(
            each
            for each in self.results
            if each.final_result is not None and each.final_result.configuration_checksum != self.configuration_checksum
        )

    def _describe_earlier_results(self) -> str:
        return (
            f". dcmcfg sent no new requests. The latest stored result is from {format_timestamp(self.result_period[1])}"
            if self.result_period
            else ""
        )

    @property
    def result_period(self) -> tuple[datetime, datetime] | None:
        """The times of the first and last final result, None if there is none."""
        ends = [
            each.decisive_attempt.ended
            for each in self.results
            if each.final_result and each.decisive_attempt and each.decisive_attempt.ended
        ]
        return (min(ends), max(ends)) if ends else None


@dataclass(frozen=True)
class Throughput:
    """Numbers of results by outcome in time bins of ``bin_s`` seconds, beginning at ``started``."""

    started: datetime
    bin_s: float
    bins: tuple[dict[VerificationOutcome, int], ...]


def compute_throughput(results: Sequence[StudyResult]) -> Throughput | None:
    """Return the final results in at most sixty time bins, or None if there is none.

    Times between an interruption and the continuation of a run are included as empty bins.
    """
    attempts = [attempt for each in results for attempt in each.attempts]
    results_over_time = [
        (attempt.ended, attempt.result.outcome)
        for attempt in attempts
        if attempt.is_final and attempt.ended is not None and attempt.result is not None
    ]
    if not results_over_time:
        return None
    started = min(attempt.started for attempt in attempts)
    # A span of at least one second prevents bins of zero width.
    span = max((max(ended for ended, _ in results_over_time) - started).total_seconds(), 1.0)
    bin_s = _round_up(span / _MAX_BINS)
    bins: list[dict[VerificationOutcome, int]] = [{} for _ in range(int(span / bin_s) + 1)]
    for ended, outcome in results_over_time:
        counts = bins[min(int((ended - started).total_seconds() / bin_s), len(bins) - 1)]
        counts[outcome] = counts.get(outcome, 0) + 1
    return Throughput(started, bin_s, tuple(bins))


def _round_up(seconds: float) -> float:
    """Return the next larger round time."""
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    return next((step for step in steps if step >= seconds), seconds)
