"""Assess the route of the instances: shown, not shown or contradicted.

It weighs the C-MOVEs in the log of the external archive, or of the archive itself. It also compares the files after the
move, and the callers of the receiver, with the route that the tree configures.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dcmcfg.dicom.status import MOVE_DESTINATION_NOT_ALLOWED, get_category
from dcmcfg.verify.called_ae import is_refused_by_archive
from dcmcfg.verify.evidence import Evidence, MoveRecord
from dcmcfg.verify.local_files import (
    FileLocality,
    FilesBeforeMove,
    RouteReasons,
    count_recalled,
    find_recorded_archives,
    has_complete_database_evidence,
    locate_files_before_move,
    weigh_files,
)
from dcmcfg.verify.verdict import RouteAssessment, RouteFinding, format_instance_count

_OWN_RECORD = "the external archive's log"


def select_records_of_run(evidence: Evidence) -> tuple[MoveRecord, ...]:
    """Return the records of the study that may belong to this run."""
    return tuple(
        record for record in evidence.move_records or () if record.study_uid and _may_be_from_this_run(evidence, record)
    )


def _may_be_from_this_run(evidence: Evidence, record: MoveRecord) -> bool:
    """Return whether the caller may be the archive: it uses the calling title of dcmcfg, its own, or a configured one.

    The archive's own log shows the sender. A caller without a name in the log can be any AE.
    """
    titles = {evidence.request.calling_ae_title} | evidence.route.archive_ae_titles | evidence.route.calling_ae_titles
    return record.is_from_archive_log or record.calling_ae_title in titles


def select_conclusive_records(evidence: Evidence, sending_records: Iterable[MoveRecord]) -> list[MoveRecord]:
    """Return those of *sending_records* that show the route.

    *sending_records* are the records of this run with something sent.
    """
    return [record for record in sending_records if not _explain_inconclusive(evidence, record)]


def _explain_inconclusive(evidence: Evidence, record: MoveRecord) -> str:
    """Return why *record*, with which something was sent, does not show the route; "" if it does."""
    if record.is_from_archive_log and record.forwarded_count is None and evidence.received is None:
        return (
            "the archive only passes on this response from the external archive (to observe the delivery, use "
            "--receive)"
        )
    if _has_other_destination(evidence, record):
        return "the archive sent this C-MOVE under its own AE title, possibly for another retrieve"
    if may_count_local_instances(evidence, record):
        return (
            "the archive sent this C-MOVE under its own AE title, so the counters of the response also include local "
            "instances"
        )
    return "" if record.destination_ae_title else "the log does not show the Move Destination"


def _has_other_destination(evidence: Evidence, record: MoveRecord) -> bool:
    """Return whether the archive sent *record* under its own title with a Move Destination that is not configured."""
    return (
        may_count_local_instances(evidence, record)
        and bool(record.destination_ae_title)
        and record.destination_ae_title
        not in evidence.route.get_destinations_for(record.called_ae_title, evidence.request.destination_ae_title)
    )


def weigh_move_records(
    evidence: Evidence,
    findings: RouteReasons,
    sending_records: list[MoveRecord],
    *,
    files: FilesBeforeMove,
    delivered: bool,
) -> None:
    """Weigh the log: *sending_records* are the records of this run with which something was sent.

    *files* are the files before the C-MOVE: for a local study, the archive sends no C-MOVE to the external archive.
    """
    not_local_count = files.not_local_count
    if evidence.move_records is None:
        findings.remarks.append("the external archive's log was not read")
        return
    records_of_run = select_records_of_run(evidence)
    for record in records_of_run:
        # Another retrieve of the archive itself does not contradict the tree.
        if not _has_other_destination(evidence, record):
            _weigh_destination(evidence, findings, record)
    for record in sending_records:
        _weigh_sent(evidence, findings, record)
    without_caller = [record for record in evidence.move_records if record.study_uid and not _names_caller(record)]
    without_study = [
        record
        for record in evidence.move_records
        if not record.study_uid and (not _names_caller(record) or _may_be_from_this_run(evidence, record))
    ]
    is_excluded = not records_of_run and not without_caller and not any(map(_may_have_sent, without_study))
    if not sending_records and records_of_run:
        findings.remarks.append(_describe_nothing_sent(evidence, records_of_run[-1]))
    elif evidence.unchanged_log is not None:
        if files.locality is not FileLocality.LOCAL:
            findings.remarks.append(_describe_unchanged_log(evidence, evidence.unchanged_log))
    elif is_excluded and delivered and not_local_count and evidence.outcome.status is not None:
        # Without a final response, the C-MOVE may still be running.
        findings.contradictions.append(
            f"{_describe_missing_move(evidence)}, although {format_instance_count(not_local_count)} had no local "
            "file before the C-MOVE"
        )
    # Other studies may have changed the log. A local study has the same reasons with an unchanged log.
    elif is_excluded and not without_study and files.locality is not FileLocality.LOCAL:
        findings.remarks.append(_describe_missing_move(evidence))
    findings.remarks += [f"{_OWN_RECORD} has a C-MOVE for this study without a calling AE title"] * bool(without_caller)
    findings.remarks += map(_describe_unidentified_move, without_study)
    _note_other_callers(evidence, findings)


def _names_caller(record: MoveRecord) -> bool:
    return record.is_from_archive_log or bool(record.calling_ae_title)


def _may_have_sent(record: MoveRecord) -> bool:
    """Return whether *record*, for an unknown study, may have sent anything."""
    return record.status is None or record.completed is None or record.completed > 0


def _note_other_callers(evidence: Evidence, findings: RouteReasons) -> None:
    study_records = [record for record in evidence.move_records or () if record.study_uid and _names_caller(record)]
    other_callers = {record.calling_ae_title for record in study_records if not _may_be_from_this_run(evidence, record)}
    if other_callers:
        titles = ", ".join(sorted(other_callers))
        findings.remarks.append(
            f"other callers retrieved the study from the external archive at the same time: {titles}"
        )


def _weigh_sent(evidence: Evidence, findings: RouteReasons, record: MoveRecord) -> None:
    """Weigh the record of a C-MOVE with which something was sent."""
    if record.is_from_archive_log:
        description = _describe_archive_move(evidence, record)
    else:
        count = "number of instances unknown" if record.completed is None else _describe_completed(record)
        destination = f", Move Destination {record.destination_ae_title}" if record.destination_ae_title else ""
        description = f"{_OWN_RECORD}: {_describe_caller(record)}{destination}, {count}"
    if objection := _explain_inconclusive(evidence, record):
        findings.remarks.append(f"{description}; {objection}")
    else:
        findings.supporting.append(description)


def may_count_local_instances(evidence: Evidence, record: MoveRecord) -> bool:
    """Return whether *record* may count instances that the archive had itself.

    For a partly local study, the archive requests the whole study under its own AE title, not under that of the
    requester (``CommonCMoveSCP``). The archive's own log distinguishes them.
    """
    return not record.is_from_archive_log and record.calling_ae_title not in ("", evidence.request.calling_ae_title)


def count_shown_instances(evidence: Evidence, sending_records: Iterable[MoveRecord]) -> int:
    """Return how many instances came from the external archive and were forwarded, per *sending_records*."""
    conclusive_records = select_conclusive_records(evidence, sending_records)
    # An Orthanc logs numbers with --trace-dicom only. Without them, all instances count as shown.
    if any(record.completed is None and record.forwarded_count is None for record in conclusive_records):
        return len(evidence.instances_before)
    return sum(
        record.completed or 0 if record.forwarded_count is None else record.forwarded_count
        for record in conclusive_records
    )


def _describe_unchanged_log(evidence: Evidence, log: Path) -> str:
    # A log that other studies changed would have the same meaning for this study.
    if evidence.log_is_shared:
        return _describe_missing_move(evidence)
    return (
        f"the log {log} did not change after the C-MOVE was sent. Either the external archive received no request, or "
        f"{log.name} is a copy or the log of another AE"
    )


def _describe_missing_move(evidence: Evidence) -> str:
    if evidence.log_is_from_archive:
        return "per the archive's log, the archive sent no C-MOVE for this study to another AE in this run"
    return f"{_OWN_RECORD} shows no C-MOVE for this study in this run"


def _describe_nothing_sent(evidence: Evidence, record: MoveRecord) -> str:
    """Return the result of a C-MOVE of this run without any known C-STORE, in words."""
    if record.is_from_archive_log:
        return _describe_archive_move(evidence, record)
    if record.status is None and not record.failure:
        return "the external archive received a request, but its log shows no final response"
    if record.reported_completed:
        nothing = (
            f"the external archive reported {record.reported_completed} completed, but its log shows no successful "
            "C-STORE for this request"
        )
    elif record.completed is None and record.status is not None and get_category(record.status) != "failure":
        nothing = "the external archive's log does not show the number of instances of this study"
    else:
        return f"the external archive answered {_describe_response(record)} and completed no instance"
    return f"the external archive answered {_describe_response(record)}; {nothing}"


def _describe_archive_move(evidence: Evidence, record: MoveRecord) -> str:
    """Return the C-MOVE that the archive sent, as in the archive's log, in words."""
    description = (
        f"per the archive's log, the archive sent a C-MOVE to {record.called_ae_title} (calling AE title "
        f"{record.calling_ae_title}, Move Destination {record.destination_ae_title}): "
    )
    description += "no final response" if record.status is None else f"{record.status:04X}"
    if record.failure:
        description += f" ({record.failure})"
    if record.completed is not None:
        description += f", {record.completed} completed"
    if record.forwarded_count is None:
        return description
    forwarded = f"{record.forwarded_count} of these instances" if record.forwarded_count else "none of these instances"
    return f"{description}; the archive forwarded {forwarded} to {evidence.request.destination_ae_title}"


def _describe_caller(record: MoveRecord) -> str:
    return f"C-MOVE from {record.calling_ae_title or 'an unknown caller'}"


def _describe_completed(record: MoveRecord) -> str:
    """Return the number of completed instances, and that of the final response if it is larger."""
    more = (
        f" (per the C-STOREs in the log; the external archive reported {record.reported_completed})"
        if record.reported_completed
        else ""
    )
    return f"{record.completed} completed{more}"


def _describe_unidentified_move(record: MoveRecord) -> str:
    """Return a C-MOVE without a known study, as in the log, in words."""
    request = f"{_OWN_RECORD}: {_describe_caller(record)} for an unknown study"
    destination = f", Move Destination {record.destination_ae_title}" if record.destination_ae_title else ""
    results = ["" if record.status is None else f"{record.status:04X}"]
    results += [f"failed ({record.failure})" if record.failure else ""]
    results += ["" if record.status is None or record.completed is None else _describe_completed(record)]
    result = ", ".join(each for each in results if each) or "the log does not show the result"
    return f"{request}{destination}: {result}" + (
        f"; {record.missing_study_reason}" if record.missing_study_reason else ""
    )


def _weigh_destination(evidence: Evidence, findings: RouteReasons, record: MoveRecord) -> None:
    route = evidence.route
    configured = route.get_destinations_for(record.called_ae_title, evidence.request.destination_ae_title)
    if not record.destination_ae_title or record.destination_ae_title in configured:
        return
    request = f"the external archive received the Move Destination {record.destination_ae_title}"
    if route.external_retrieve_destination is None:
        findings.contradictions.append(f"{request}, but the tree sets no dcmExternalRetrieveAEDestination")
    elif route.external_retrieve_destination in configured:
        findings.contradictions.append(
            f"{request}, but the tree sets dcmExternalRetrieveAEDestination {route.external_retrieve_destination} on "
            f"{route.destination_source}"
        )
    else:
        findings.contradictions.append(
            f"{request}, but according to the tree, {record.called_ae_title} must receive the Move Destination "
            f"{' or '.join(sorted(configured))}"
        )


def _describe_response(record: MoveRecord) -> str:
    if record.failure:
        return f"with a failure ({record.failure})"
    return "" if record.status is None else f"{record.status:04X}"


def weigh_actual_path(evidence: Evidence, findings: RouteReasons) -> None:
    """Weigh the path of delivered instances that had no local file: through the archive, or past it.

    With a route through the archive, each of them must have a local file afterwards. With a route past the archive,
    none may. Then only the receiver of dcmcfg observes them, because the archive relays the external archive's response
    unchecked.
    """
    not_local_count = locate_files_before_move(evidence).not_local_count
    if not not_local_count:
        return
    recalled_count, destination = count_recalled(evidence), evidence.request.destination_ae_title
    if not has_complete_database_evidence(evidence):
        findings.weak_objections.append(
            "the location of the files after the C-MOVE is unknown, so the path of the instances is unknown too"
        )
        return
    match _leads_back_to_archive(evidence):
        case True if recalled_count < not_local_count:
            findings.strong_objections.append(
                "according to the configuration, the study goes through "
                f"{evidence.route.external_retrieve_destination or 'the archive'}, but after the C-MOVE, the archive "
                f"still has no local file for {format_instance_count(not_local_count - recalled_count)}"
            )
        case False if recalled_count:
            findings.contradictions.append(
                f"according to the configuration, the external archive sends straight to {destination}, but after the "
                f"C-MOVE, {format_instance_count(recalled_count)} {'is' if recalled_count == 1 else 'are'} in the "
                "archive's own storage"
            )
        case False if evidence.received is None:
            findings.weak_objections.append(
                "the archive only passes on the external archive's response, so dcmcfg did not observe the delivery "
                f"to {destination} (use --receive)"
            )
        case False if callers := _get_callers(evidence) & (
            evidence.route.archive_ae_titles | evidence.route.sending_ae_titles
        ):
            findings.weak_objections.append(
                f"the receiver got instances from {', '.join(sorted(callers))}, but according to the configuration, "
                f"the external archive sends straight to {destination}"
            )
        case False if unexpected_callers := _get_callers(evidence) - set(find_recorded_archives(evidence)):
            titles, verb = ", ".join(sorted(unexpected_callers)), "is" if len(unexpected_callers) == 1 else "are"
            findings.weak_objections.append(
                f"the receiver got instances from {titles}, but according to the archive's database, {titles} {verb} "
                "not the external archive of the study"
            )
        case True if (
            unexpected_callers := _get_callers(evidence)
            - evidence.route.archive_ae_titles
            - evidence.route.sending_ae_titles
        ):
            findings.weak_objections.append(
                f"the receiver got instances from {', '.join(sorted(unexpected_callers))}, but according to the "
                "configuration, the archive forwards the instances"
            )
        case None if recalled_count < not_local_count and evidence.received is None:
            findings.weak_objections.append(
                "according to the configuration, several paths are possible for this study, and dcmcfg did not observe "
                "the path of the instances (use --receive)"
            )


def _leads_back_to_archive(evidence: Evidence) -> bool | None:
    """Return whether all configured paths of the study lead back to the archive, or none does; None if some do."""
    route, requested = evidence.route, evidence.request.destination_ae_title
    # If the archive itself is the destination, paths of both kinds end there.
    if requested in route.archive_ae_titles:
        return None
    listed = {title for instance in evidence.instances_before for title in instance.retrieve_ae_titles}
    holders = {title for title in find_recorded_archives(evidence) if title} or listed - route.archive_ae_titles
    # For a title that the tree does not call, get_destinations_for returns the value for an external archive.
    destinations = {each for title in holders or {""} for each in route.get_destinations_for(title, requested)}
    archive_destinations = destinations & route.archive_ae_titles
    return None if archive_destinations and archive_destinations != destinations else bool(archive_destinations)


def _get_callers(evidence: Evidence) -> frozenset[str]:
    """Return the AE titles that called the receiver, as reported by the callers."""
    return frozenset(each.calling_ae_title for each in evidence.received or () if each.calling_ae_title)


_REFUSED_BEFORE_LOOKUP = (
    "the archive refused this destination before it looked up the study. The archive opened no association and sent "
    "nothing"
)


def judge_route(evidence: Evidence, *, delivered: bool) -> RouteAssessment:
    """Return whether the instances came from the external archive by the route that the tree configures.

    ``delivered`` is True if the receiver of dcmcfg got the instances, or, without a receiver, if the archive reported
    success.

    *Shown* requires one of two sources: the archive's database, which had no file of the instances before the C-MOVE
    and the right ones after it; or the external archive's own log. Instance Availability alone is not enough
    (``local_files.py``). *Not tried*: the archive had all files itself. *Contradicted*: the evidence contradicts
    itself, or the log shows another route than the configured one. The caller of the receiver alone proves nothing,
    because it can use any AE title.
    """
    if is_refused_by_archive(evidence):
        return RouteAssessment(
            RouteFinding.NOT_SHOWN, _explain_missing_path(evidence), reasons=(_REFUSED_BEFORE_LOOKUP,)
        )
    findings = RouteReasons()
    sending_records = [record for record in select_records_of_run(evidence) if record.has_sent]
    conclusive_records = select_conclusive_records(evidence, sending_records)
    recorded_count = count_shown_instances(evidence, conclusive_records)
    files = locate_files_before_move(evidence)
    weigh_move_records(evidence, findings, sending_records, files=files, delivered=delivered)
    weigh_files(evidence, findings, files, delivered=delivered)
    _weigh_callers(evidence, findings)
    if delivered:
        weigh_actual_path(evidence, findings)
    shown_count = files.not_local_count if files.is_from_database and files.not_local_count else recorded_count
    if evidence.expected_count is not None:
        # An external archive may count an instance twice.
        shown_count = min(shown_count, evidence.expected_count)
    # The order decides: a contradiction outweighs every reason, and a local study proves nothing.
    match findings:
        case RouteReasons(contradictions=[_, *_]):
            finding, reasons, shown_count = RouteFinding.CONTRADICTED, findings.contradictions, 0
        case _ if files.locality is FileLocality.LOCAL:
            finding, reasons, shown_count = RouteFinding.NOT_TRIED, findings.supporting, 0
        case RouteReasons(supporting=[_, *_], strong_objections=[]) if delivered and (
            conclusive_records or not findings.weak_objections
        ):
            finding, reasons = RouteFinding.SHOWN, findings.supporting
        case _:
            finding, reasons, shown_count = RouteFinding.NOT_SHOWN, findings.supporting, 0
    objections = (*findings.strong_objections, *findings.weak_objections)
    return RouteAssessment(finding, _describe_path(evidence), shown_count, (*reasons, *objections, *findings.remarks))


def _explain_missing_path(evidence: Evidence) -> str:
    """Return why there is no path: the archive does not know the destination, or does not accept it."""
    destination, route = evidence.request.destination_ae_title, evidence.route
    if evidence.outcome.status == MOVE_DESTINATION_NOT_ALLOWED:
        return f"none: {evidence.request.archive.ae_title} does not accept {destination} (dcmAcceptedMoveDestination)"
    if route.move_destination_known:
        return f"none: the archive does not know {destination}, although the tree has this AE"
    if destination in route.ae_titles:
        return f"none: the AE {destination} is not installed"
    suggestion = f"; did you mean {', '.join(route.similar_ae_titles)}?" if route.similar_ae_titles else ""
    return f"none: the tree has no AE {destination}{suggestion}"


def _describe_path(evidence: Evidence) -> str:
    request, route = evidence.request, evidence.route
    if evidence.database.before is not None and not evidence.database.before.is_known and route.fallback_move_scp:
        if route.fallback_misrouting is not None:
            return (
                f"fallback archive {route.fallback_move_scp} → {route.fallback_destination}, not to "
                f"{request.destination_ae_title}: {route.fallback_misrouting.reason}"
            )
        forwarding = f" → {route.fallback_destination}" if route.fallback_destination else ""
        return (
            f"fallback archive {route.fallback_move_scp}{forwarding} → {request.destination_ae_title} "
            "(dcmFallbackCMoveSCP)"
        )
    if route.external_retrieve_destination is None:
        return f"external archive → {request.destination_ae_title}: dcmExternalRetrieveAEDestination is not set"
    if route.misrouting is not None:
        return (
            f"external archive → {route.external_retrieve_destination}, not to {request.destination_ae_title}: "
            f"{route.misrouting.reason}"
        )
    return (
        f"external archive → {route.external_retrieve_destination} → {request.destination_ae_title} "
        f"(dcmExternalRetrieveAEDestination on {route.destination_source})"
    )


def _weigh_callers(evidence: Evidence, findings: RouteReasons) -> None:
    """Weigh the callers of the receiver: only as contradiction, with a second sign of their identity."""
    callers = {instance.calling_ae_title for instance in evidence.received or () if instance.calling_ae_title}
    if not callers:
        return
    findings.remarks.append(f"callers of the receiver: {', '.join(sorted(callers))} (as reported by the caller)")
    external = {record.called_ae_title for record in select_records_of_run(evidence)}
    external |= {title for instance in evidence.instances_before for title in instance.retrieve_ae_titles}
    requested = evidence.request.destination_ae_title
    direct = sorted(
        title
        for title in (callers & external) - evidence.route.archive_ae_titles
        if requested not in evidence.route.get_destinations_for(title, requested)
    )
    if direct and evidence.route.external_retrieve_destination is not None:
        findings.contradictions.append(
            f"the receiver got instances directly from {', '.join(direct)}, although the tree sets "
            f"dcmExternalRetrieveAEDestination {evidence.route.external_retrieve_destination} on "
            f"{evidence.route.destination_source}"
        )
