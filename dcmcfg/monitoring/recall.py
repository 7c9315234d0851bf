"""The part ``recall``: a C-MOVE of a purged study, at most once in an interval.

A recall may load a tape, and the archive keeps the recalled files. So a run that comes before the end of the interval
reports the stored result.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from dcmcfg.dicom.move import Cancellation
from dcmcfg.errors import DcmcfgError
from dcmcfg.model.devices import Configuration
from dcmcfg.monitoring.deadline import Deadline, Outcome, run_all
from dcmcfg.monitoring.metrics import RECALL_AGE, RECALL_DURATION, RECALL_SUCCESS
from dcmcfg.monitoring.nodes import describe_error
from dcmcfg.monitoring.parts import Part
from dcmcfg.monitoring.recall_record import RecallFile, RecallRecord, RecallResult
from dcmcfg.monitoring.recall_request import RecallRequest
from dcmcfg.monitoring.report import Figure, PartResult
from dcmcfg.monitoring.site import MonitoredSite, SharedTree
from dcmcfg.monitoring.state import Limit, State, find_worst
from dcmcfg.suggestions import suggest_names
from dcmcfg.verify.addresses import VerificationAddresses, extract_hosts, find_addresses
from dcmcfg.verify.evidence import VerificationRequest
from dcmcfg.verify.judgement import judge_evidence
from dcmcfg.verify.recall import RecallSearch, find_purged_study
from dcmcfg.verify.run import VerificationCallbacks, gather_evidence
from dcmcfg.verify.verdict import RouteFinding

#: Seconds before the deadline at which the C-MOVE is cancelled, and at which the part ends.
_CANCEL_MARGIN_S, _END_MARGIN_S = 1.5, 0.5
_HOUR_S = 3600.0


def check_recall(
    site: MonitoredSite, shared: SharedTree, request: RecallRequest, limit: Limit, *, deadline: Deadline
) -> PartResult:
    """Return the result of the last recall, after a new one if it is due; *limit* is that of its age in hours.

    A recall that is due is not started, and the result is UNKNOWN, if the tree has no AE with the title of the
    destination. Raises :class:`DcmcfgError` if the record of the last recall cannot be read or written; then no recall
    is started.
    """
    file = RecallFile(
        site.get_state_folder(), site.ldap_url, site.device, request.destination_ae_title, request.study_uid
    )
    with file.lock() as is_locked:
        record = file.read()
        if is_locked and request.is_due(record, datetime.now(UTC)):
            if unknown := _report_unknown_destination(shared, request.destination_ae_title):
                return unknown
            record = _recall_and_record(site, shared, request, file=file, record=record, deadline=deadline)
    return _report(record, limit, now=datetime.now(UTC), is_in_progress=not is_locked)


def _report_unknown_destination(shared: SharedTree, ae_title: str) -> PartResult | None:
    """Return an UNKNOWN result if the tree has no AE *ae_title*; the archive would refuse the C-MOVE."""
    configuration = shared.wait().configuration
    if configuration.find_network_ae(ae_title) is not None:
        return None
    similar = suggest_names(ae_title, (each.title for each in configuration.network_aes()))
    return PartResult(
        part=Part.RECALL,
        state=State.UNKNOWN,
        summary=f"the tree has no AE {ae_title}, so no recall was started",
        details=(f"did you mean {', '.join(similar)}?",) if similar else ("to list the AEs: dcmcfg ae list",),
    )


def _recall_and_record(
    site: MonitoredSite,
    shared: SharedTree,
    request: RecallRequest,
    *,
    file: RecallFile,
    record: RecallRecord,
    deadline: Deadline,
) -> RecallRecord:
    """Run a recall, and return the new record; the start is on the disk before anything is sent."""
    configuration = shared.wait().configuration
    started = datetime.now(UTC).isoformat(timespec="seconds")
    begun = time.monotonic()
    file.write(RecallRecord(unfinished_since=started, result=record.result))
    recall = _Recall(site, configuration, request, deadline)
    outcome = run_all({"": recall.run}, deadline.shorten(_CANCEL_MARGIN_S))[""]
    if outcome.is_timeout:
        recall.cancellation.request()
    finding = outcome.value or _describe_failure(outcome, deadline)
    result = RecallResult(
        started=started,
        duration_seconds=round(time.monotonic() - begun, 3),
        study_instance_uid=recall.study_uid,
        is_sent=recall.is_sent,
        is_successful=finding.is_successful,
        is_local=finding.is_local,
        message=finding.message,
        next_steps=finding.next_steps,
    )
    finished = RecallRecord(result=result)
    file.write(finished)
    return finished


@dataclass(frozen=True, kw_only=True)
class _Finding:
    """The finding of one verification: the same fields as in :class:`RecallResult`."""

    is_successful: bool = False
    is_local: bool = False
    message: str
    next_steps: tuple[str, ...] = ()


def _describe_failure(outcome: Outcome[_Finding], deadline: Deadline) -> _Finding:
    """Return the finding of a verification that ended without a verdict."""
    if outcome.is_timeout:
        return _Finding(message=f"no result within {deadline.seconds:g} s; to wait longer: --timeout-s")
    next_step = outcome.error.next_step if isinstance(outcome.error, DcmcfgError) else ""
    return _Finding(message=describe_error(outcome.error), next_steps=(next_step,) if next_step else ())


class _Recall:
    """One verification with the limits of a run; ``is_sent`` from the moment at which the C-MOVE is sent."""

    def __init__(
        self, site: MonitoredSite, configuration: Configuration, request: RecallRequest, deadline: Deadline
    ) -> None:
        self._site, self._configuration, self._request, self._deadline = site, configuration, request, deadline
        self.cancellation = Cancellation()
        self.study_uid = request.study_uid
        self.is_sent = False

    def run(self) -> _Finding:
        """Return the finding: the headline of the verdict, and the next steps after a failure."""
        addresses = find_addresses(
            self._configuration,
            self._site.device,
            self._request.destination_ae_title,
            calling_ae_title=self._request.calling_ae_title,
            timeout_s=max(self._deadline.remaining_s, _END_MARGIN_S),
            other_hosts=extract_hosts(self._site.ldap_url, *(each.archive_url for each in self._site.nodes)),
        )
        sources = self._request.open_evidence_sources(addresses.archive.ae_title)
        tls = self._site.make_tls_context() if addresses.tls else None
        if not self.study_uid:
            self.study_uid = find_purged_study(
                RecallSearch(
                    device=self._configuration.get_device(self._site.device),
                    addresses=addresses,
                    calling_ae_title=self._request.calling_ae_title,
                    keys={},
                    database=sources.database,
                    tls=tls,
                ),
                lambda _step: None,
            ).study_uid
        evidence = gather_evidence(
            self._make_request(addresses),
            addresses,
            tls=tls,
            evidence_sources=sources,
            cancellation=self.cancellation,
            callbacks=VerificationCallbacks(on_sending=self._note_sending),
        )
        verdict = judge_evidence(evidence, require_route=False)
        return _Finding(
            is_successful=verdict.is_accepted,
            is_local=verdict.route.finding is RouteFinding.NOT_TRIED,
            message=verdict.headline,
            next_steps=() if verdict.is_accepted else verdict.next_steps,
        )

    def _make_request(self, addresses: VerificationAddresses) -> VerificationRequest:
        return VerificationRequest(
            self.study_uid, addresses.archive, self._request.destination_ae_title, self._request.calling_ae_title
        )

    def _note_sending(self) -> None:
        if self.cancellation.is_requested:
            raise DcmcfgError("the time limit of this run is reached")
        self.is_sent = True


def _report(record: RecallRecord, limit: Limit, *, now: datetime, is_in_progress: bool) -> PartResult:
    result = record.result
    if result is None:
        return _report_without_result(record, is_in_progress=is_in_progress)
    age_s = max(0.0, (now - datetime.fromisoformat(result.started)).total_seconds())
    states, details = [limit.judge(age_s / _HOUR_S)], []
    if not result.is_successful:
        states.append(State.CRITICAL if result.is_sent else State.UNKNOWN)
        details += [result.message, *(f"next: {each}" for each in result.next_steps)]
    elif result.is_local:
        states.append(State.WARNING)
        details.append("the archive already had the files, so nothing was recalled")
    if is_in_progress:
        details.append("a recall is in progress")
    elif record.unfinished_since:
        states.append(State.UNKNOWN)
        details.append(f"the recall that started at {record.unfinished_since} did not end")
    if result.study_instance_uid:
        details.append(f"study {result.study_instance_uid}")
    outcome = "was successful" if result.is_successful else "failed"
    return PartResult(
        part=Part.RECALL,
        state=find_worst(states),
        summary=f"the last recall {outcome}, {_format_age(age_s)} ago",
        details=tuple(details),
        figures=(
            Figure(metric=RECALL_SUCCESS, value=int(result.is_successful)),
            Figure(metric=RECALL_AGE, value=age_s, limit=limit.multiply(_HOUR_S)),
            Figure(metric=RECALL_DURATION, value=result.duration_seconds),
        ),
    )


def _report_without_result(record: RecallRecord, *, is_in_progress: bool) -> PartResult:
    if is_in_progress:
        return PartResult(part=Part.RECALL, state=State.OK, summary="the first recall is in progress")
    reason = (
        f"the recall that started at {record.unfinished_since} did not end"
        if record.unfinished_since
        else "no recall yet"
    )
    return PartResult(part=Part.RECALL, state=State.UNKNOWN, summary=reason)


def _format_age(seconds: float) -> str:
    """Return an age with one unit: ``12 s``, ``5 min``, ``3.2 h``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < _HOUR_S else f"{seconds / _HOUR_S:.1f} h"
