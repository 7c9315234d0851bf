"""Judge the evidence of a verification."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dcmcfg.verify.advice.next_steps import suggest_next_steps
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.local_files import (
    FileLocality,
    count_recalled,
    has_complete_database_evidence,
    locate_files_before_move,
)
from dcmcfg.verify.receipt_assessment import judge_receipt
from dcmcfg.verify.report_assessment import CANCELLED_BY_YOU, judge_report
from dcmcfg.verify.route_assessment import judge_route
from dcmcfg.verify.store_legs import describe_transcoding
from dcmcfg.verify.verdict import (
    ReceiptAssessment,
    ReceiptFinding,
    ReportAssessment,
    RouteAssessment,
    RouteFinding,
    Verdict,
    format_instance_count,
)

SECOND_RUN_NOTE = "the archive retrieved the study into its own storage. To verify the route again, use another study"
LOCAL_STUDY_NOTE = (
    "route not tried: the study was still local, and a local study proves nothing about external retrieve"
)


def judge_evidence(evidence: Evidence, *, require_route: bool = False) -> Verdict:
    """Return the verdict on *evidence*; each part is judged separately, and ``is_accepted`` combines them.

    Accepted means: the archive reported success (status 0000, completed as expected, nothing failed). If dcmcfg was the
    receiver, every expected instance arrived and no other. The route is not contradicted. With ``require_route``, a
    success is accepted only if the route is shown.
    """
    reported = judge_report(evidence)
    received = judge_receipt(evidence)
    is_observed = received.finding is not ReceiptFinding.NOT_OBSERVED
    # What the receiver got outweighs the archive's report, because 0000 does not prove delivery.
    delivered = received.finding is ReceiptFinding.COMPLETE if is_observed else reported.is_success
    route = judge_route(evidence, delivered=delivered)
    accepted = (
        reported.is_success
        and (received.finding is ReceiptFinding.COMPLETE or not is_observed)
        and route.finding is not RouteFinding.CONTRADICTED
        and (route.finding is RouteFinding.SHOWN or not require_route)
    )
    return Verdict(
        headline=_format_headline(evidence, reported, received, route, accepted=accepted),
        is_accepted=accepted,
        report=reported,
        receipt=received,
        route=route,
        next_steps=suggest_next_steps(evidence, reported, received, route),
        notes=(
            *_list_notes(evidence, delivered=delivered),
            *_describe_ignored(evidence),
            *_describe_unrelated_senders(received),
            *describe_transcoding(evidence),
        ),
    )


def _format_headline(
    evidence: Evidence,
    reported: ReportAssessment,
    received: ReceiptAssessment,
    route: RouteAssessment,
    *,
    accepted: bool,
) -> str:
    if not accepted:
        return "NOT verified: " + "; ".join(_list_objections(reported, received, route))
    if received.finding is ReceiptFinding.NOT_OBSERVED:
        return (
            f"reported, not observed: the archive reports {reported.completed} of "
            f"{format_instance_count(reported.expected_count or 0)} as sent to "
            f"{evidence.request.destination_ae_title}; {_format_route(route, reported)}"
        )
    return (
        f"verified: {received.instance_count} of {format_instance_count(reported.expected_count or 0)} received by "
        f"{evidence.request.destination_ae_title}; {_format_route(route, reported)}"
    )


def _list_objections(reported: ReportAssessment, received: ReceiptAssessment, route: RouteAssessment) -> list[str]:
    """Return the reasons against acceptance, the most important first; never empty if it is not accepted."""
    objections = list(reported.reasons)
    # The first reason is the status, unless the user cancelled; its meaning follows it.
    if reported.status not in (None, 0) and reported.meaning and CANCELLED_BY_YOU not in objections:
        objections[0] = f"{objections[0]}, {reported.meaning}"
    objections += received.reasons
    if route.finding is RouteFinding.CONTRADICTED:
        objections.append(f"route contradicted, {route.reasons[0]}")
    if objections:
        return objections
    return [
        LOCAL_STUDY_NOTE
        if route.finding is RouteFinding.NOT_TRIED
        else f"route {route.finding.value}, but --require-route is set"
    ]


def _format_route(route: RouteAssessment, reported: ReportAssessment) -> str:
    if route.finding is RouteFinding.SHOWN and reported.expected_count and route.shown_count < reported.expected_count:
        return f"the evidence shows the route of only {route.shown_count} of these instances"
    if route.finding is RouteFinding.NOT_TRIED:
        return LOCAL_STUDY_NOTE
    return f"route {route.finding.value}"


def _describe_ignored(evidence: Evidence) -> Iterator[str]:
    for instances, reason in (
        (evidence.early_instances, "that began to arrive before the C-MOVE was sent"),
        (evidence.unrelated_instances, "from other senders, not for this C-MOVE"),
    ):
        senders = Counter((each.calling_ae_title, each.move_originator_ae_title or "none") for each in instances)
        for (caller, originator), number in senders.items():
            yield f"ignored {format_instance_count(number)} {reason} (caller {caller}, Move Originator {originator})"


def _describe_unrelated_senders(received: ReceiptAssessment) -> Iterator[str]:
    if received.unrelated_senders:
        yield f"{', '.join(received.unrelated_senders)} sent instances of other studies at the same time (ignored)"


def _is_stored_in_archive(evidence: Evidence) -> bool:
    """Return whether the study is now in the archive's own storage, as far as is known."""
    if has_complete_database_evidence(evidence):
        return bool(count_recalled(evidence))
    # Without the database, only the configured route shows whether the study came back to the archive.
    return evidence.route.external_retrieve_destination is not None


def _list_notes(evidence: Evidence, *, delivered: bool) -> tuple[str, ...]:
    notes = list(evidence.warnings)
    if (
        delivered
        and locate_files_before_move(evidence).locality is not FileLocality.LOCAL
        and _is_stored_in_archive(evidence)
    ):
        notes.append(SECOND_RUN_NOTE)
    return tuple(notes)
