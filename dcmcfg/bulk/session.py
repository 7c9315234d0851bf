"""A run on a store, from the list of studies to the report.

Also computes the checksum of the relevant configuration, and checks that the archive knows the destination.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from dcmcfg.bulk.attempt import StudyRequester
from dcmcfg.bulk.events import RunEvent, StudyFinished
from dcmcfg.bulk.report import BulkReport
from dcmcfg.bulk.requirements import NO_REQUIREMENTS, ResultRequirements
from dcmcfg.bulk.run import RunEnding, run
from dcmcfg.bulk.run_options import RunOptions
from dcmcfg.bulk.source import StudyQuery, StudySource
from dcmcfg.bulk.store import ResultStore
from dcmcfg.bulk.study_result import StudyResult, VerificationOutcome
from dcmcfg.edits.temporary_destination import TITLE_PREFIX
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import DcmcfgError, NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.model.export import format_record_for_checksum, select_entries
from dcmcfg.route.command import format_command
from dcmcfg.schema_names import ACCEPTED_MOVE_DESTINATION
from dcmcfg.suggestions import join_limited
from dcmcfg.timestamps import format_timestamp
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import VerificationRequest
from dcmcfg.verify.external_log import FilePosition, get_file_position
from dcmcfg.verify.receiver_options import format_receiver_problems
from dcmcfg.verify.verdict import RouteFinding, format_instance_count

_MAX_UIDS_SHOWN = 5
_MAX_WARNINGS_SHOWN = 5


class RepeatScope(Enum):
    """The studies of a store to request again."""

    NONE = "none"
    FAILED = "failed"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class SessionResult:
    """The result of a session; ``error`` is the error that ended it early.

    ``had_unfinished_studies`` is False if there was nothing to do.
    """

    report: BulkReport
    ending: RunEnding
    had_unfinished_studies: bool
    notes: tuple[str, ...] = ()
    error: DcmcfgError | None = None


#: Number of studies → a context manager that returns the function to report events to.
ShowProgress = Callable[[int], AbstractContextManager[Callable[[RunEvent], None]]]


@dataclass(frozen=True, kw_only=True)
class BulkSession:
    """The parameters of a run over many studies.

    A ``source`` that is a query has its matches already, unless the store contains them.
    """

    requester: StudyRequester
    source: StudySource
    options: RunOptions
    show_progress: ShowProgress
    repeat_scope: RepeatScope = RepeatScope.NONE
    requirements: ResultRequirements = NO_REQUIREMENTS

    def run(self) -> SessionResult:
        """List the studies, request those without a result, and return the report about all.

        Raises :class:`DcmcfgError` for an invalid list, and if the store fails.
        """
        store = self.requester.store
        notes = [*self.requester.addresses.warnings, *_describe_route_change(store), *self._store_study_list()]
        # Only listed studies are reopened, so the list is stored first.
        self._reopen_studies()
        uids = store.list_unfinished_studies()
        log = self.requester.evidence_sources.external_log
        log_position = get_file_position(log) if log else None
        notes += self._describe_earlier_results(uids)
        ending, error = RunEnding.COMPLETED, None
        if uids:
            try:
                with self.show_progress(len(uids)) as on_event:
                    ending = run(uids, self.requester, self.options, self._apply_requirements(on_event))
            except DcmcfgError as failure:
                # The results up to the error are reported too.
                error = failure
        else:
            notes.append(
                "every study already has a result, so dcmcfg sent no request. To request all studies again: --again"
            )
        results = self._read_results()
        now, checksum = datetime.now(UTC), self.requester.configuration_checksum
        report = BulkReport.create(
            store.run_parameters,
            store.path,
            results,
            now,
            has_new_results=bool(uids),
            configuration_checksum=checksum,
            reads_external_log=log is not None,
        )
        all_notes = (
            *notes,
            *_describe_other_configuration(report),
            *_describe_evidence_warnings(results),
            *(_describe_unchanged_log(log, log_position, results) if log and log_position and uids else ()),
            *self._describe_unclaimed_instances(),
        )
        return SessionResult(
            report=report, ending=ending, had_unfinished_studies=bool(uids), notes=all_notes, error=error
        )

    def _describe_earlier_results(self, uids: Sequence[str]) -> Iterator[str]:
        """Yield a note about existing results, if *uids* have none."""
        end_times = [
            each.decisive_attempt.ended
            for each in self.requester.store.read_results()
            if each.final_result and each.decisive_attempt
        ]
        first = min((each for each in end_times if each is not None), default=None)
        if uids and first is not None:
            yield (
                f"studies with an earlier result: {len(end_times):,} (the oldest from {format_timestamp(first)}). To "
                "request all studies again: --again"
            )

    def _reopen_studies(self) -> None:
        match self.repeat_scope:
            case RepeatScope.ALL:
                self.requester.store.reopen_studies()
            case RepeatScope.FAILED:
                final_results = ((each.study_uid, each.final_result) for each in self._read_results())
                self.requester.store.reopen_studies(
                    [uid for uid, result in final_results if result and not result.outcome.is_success]
                )
            case RepeatScope.NONE:
                pass

    def _read_results(self) -> tuple[StudyResult, ...]:
        return tuple(map(self.requirements.apply_to_study, self.requester.store.read_results()))

    def _apply_requirements(self, on_event: Callable[[RunEvent], None]) -> Callable[[RunEvent], None]:
        def handle(event: RunEvent) -> None:
            judged = (
                replace(event, result=self.requirements.apply_to_result(event.result))
                if isinstance(event, StudyFinished)
                else event
            )
            on_event(judged)

        return handle

    def _store_study_list(self) -> Iterator[str]:
        """Write the list of studies to the store; yield notes about the list."""
        store, source = self.requester.store, self.source
        # A continued run keeps its list of studies, so a query is not repeated.
        if isinstance(source, StudyQuery):
            listed_at = store.get_listing_time(source.source_id)
            if listed_at is not None and self.repeat_scope is not RepeatScope.ALL:
                yield (
                    f"using the list of studies from {format_timestamp(listed_at)}. To query the archive again: --again"
                )
                return
            if source.is_truncated:
                yield f"more than {source.limit} studies match; dcmcfg ignores the studies above this limit (--limit)"
        listed = source.read()
        if listed.duplicate_count:
            yield f"duplicate entries ignored: {listed.duplicate_count}"
        store.set_study_list(listed.uids, source.source_id)

    def _describe_unclaimed_instances(self) -> Iterator[str]:
        """Yield notes about received instances that no attempt collected."""
        receiver = self.requester.receiver
        if receiver is None:
            return
        yield from format_receiver_problems(receiver)
        listed = {each.study_uid for each in self.requester.store.read_results()}
        unclaimed = [(self.requester.move_tracker.find_study_uid(each), each.study_uid) for each in receiver.received]
        late = [study_uid for study_uid, _ in unclaimed if study_uid in listed]
        foreign = [own_uid for study_uid, own_uid in unclaimed if study_uid not in listed]
        if late:
            yield f"{format_instance_count(len(late))} arrived too late to be counted; studies: {_format_studies(late)}"
        if foreign:
            yield (
                f"received {format_instance_count(len(foreign))} of studies that are not in the list: "
                f"{_format_studies(foreign)}"
            )


def _describe_route_change(store: ResultStore) -> Iterator[str]:
    """Yield a note about results that were recorded with another dcmExternalRetrieveAEDestination."""
    if store.route_change:
        yield (
            f"using the results from before a configuration change ({'; '.join(store.route_change)}). dcmcfg keeps "
            "the results of successful studies"
        )


def _describe_other_configuration(report: BulkReport) -> Iterator[str]:
    """Yield notes about results with another configuration, except outdated ones."""
    outcomes = [
        each.final_result.outcome for each in report.results_from_other_configuration if each.final_result is not None
    ]
    accepted = sum(outcome.is_success for outcome in outcomes)
    failed = len(outcomes) - accepted - outcomes.count(VerificationOutcome.OUTDATED)
    if accepted:
        yield (
            f"{accepted:,} of {len(report.results):,} studies succeeded before a configuration change. "
            "--only-failed keeps the results of these studies. To request all studies again: --again"
        )
    if failed:
        yield (
            f"studies that failed before a configuration change: {failed:,}. To request these studies again: "
            "--only-failed"
        )


def _describe_evidence_warnings(results: Sequence[StudyResult]) -> Iterator[str]:
    """Yield the warnings about evidence, each once with the number of studies."""
    remarks = Counter(
        each.final_result.evidence_warnings
        for each in results
        if each.final_result is not None and each.final_result.evidence_warnings
    )
    for remark, number in remarks.most_common(_MAX_WARNINGS_SHOWN):
        yield f"{number:,} of {len(results):,} studies: {remark}"


def _describe_unchanged_log(log: Path, before: FilePosition, results: Sequence[StudyResult]) -> Iterator[str]:
    """Yield a note if nothing was written to *log* during the run, although the route of a study is not shown."""
    final_results = (each.final_result for each in results)
    is_missing = any(
        # A warning is about the log itself, for example about its format.
        each and each.route_finding == RouteFinding.NOT_SHOWN.value and not each.evidence_warnings
        for each in final_results
    )
    if is_missing and before.known and get_file_position(log) == before:
        yield (
            f"the log {log} did not change during the run. Either the external archive received no request, or "
            f"{log.name} is a copy, is the log of another AE, or does not show requests"
        )


def _format_studies(studies: Sequence[str | None]) -> str:
    return join_limited(list(dict.fromkeys(each or "unknown" for each in studies)), _MAX_UIDS_SHOWN)


def compute_configuration_checksum(
    configuration: Configuration, device: str, addresses: VerificationAddresses, request: VerificationRequest
) -> str:
    """Return the SHA-256 (hexadecimal) of the entries that affect the result, without their secrets.

    These are the entries of the archive's *device* and of each device with an AE that calls the archive, is a
    destination, or may be called by the archive. Other entries are excluded, because a hospital changes them every day.
    Entries that another run adds for its temporary destination are excluded too. Raises
    :class:`~dcmcfg.errors.NotFound` for an unknown *device*.
    """
    external_titles = (title for pair in addresses.route.external_requests for title in pair)
    titles = {request.destination_ae_title, request.calling_ae_title, *external_titles}
    other_devices = {ae.device.name for ae in configuration.network_aes() if ae.title in titles}
    archive = configuration.get_device(device).name
    digest = hashlib.sha256()
    # A set has no order, but equal configurations need equal checksums.
    for name in (archive, *sorted(other_devices - {archive})):
        for entry in select_entries(configuration.tree, name):
            permanent_entry = Entry(entry.dn, tuple(_drop_temporary_titles(entry)))
            digest.update(format_record_for_checksum(permanent_entry).encode())
    return digest.hexdigest()


def _drop_temporary_titles(entry: Entry) -> Iterator[Attribute]:
    """Yield the attributes of *entry* without the titles of temporary destinations."""
    for attribute in entry.attributes:
        values = attribute.values
        if attribute.name.lower() == ACCEPTED_MOVE_DESTINATION.lower():
            values = tuple(value for value in values if not value.startswith(TITLE_PREFIX.encode()))
        yield Attribute(attribute.name, values)


def require_known_destination(destination_ae_title: str, addresses: VerificationAddresses) -> None:
    """Raise :class:`NotFound` for a destination that the archive does not know, so that every study would fail."""
    route = addresses.route
    if route.move_destination_known:
        return
    if destination_ae_title in route.ae_titles:
        raise NotFound(
            f"{destination_ae_title} is not installed (dicomInstalled), so the archive would refuse every study",
            next_step=(
                "set dicomInstalled to TRUE (on the AE or on its device), then run dcmcfg reload; or specify another "
                "AE with --dest"
            ),
        )
    suggestion = f"did you mean {', '.join(route.similar_ae_titles)}? Otherwise " if route.similar_ae_titles else ""
    raise NotFound(
        f"the AE {destination_ae_title} does not exist in LDAP, so the archive would refuse every study",
        next_step=(
            f"{suggestion}specify another AE with --dest, or create the AE: "
            f"{format_command('ae', 'add', f'{destination_ae_title}@HOST:PORT')}"
        ),
    )
