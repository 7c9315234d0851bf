"""The judge: evidence in, verdict out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dcmcfg.verify.advice.next_steps import next_steps
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.file_evidence import Files, database_tells_after, files_before, recalled
from dcmcfg.verify.receipt_assessment import judge_received
from dcmcfg.verify.report_assessment import CANCELLED_BY_YOU, judge_report
from dcmcfg.verify.route_assessment import judge_route
from dcmcfg.verify.store_legs import transcoded
from dcmcfg.verify.verdict import Received, Reported, Route, RouteFinding, Verdict, Witness, counted

SECOND_RUN = "a verify recalls the study into the archive's own storage, so a second run proves less about the route"
LOCAL = "route not tried: the study was still local, which proves nothing about external retrieve"


def judge(evidence: Evidence, *, require_route: bool = False) -> Verdict:
    """Return the verdict on *evidence*; the parts are judged each by itself, ``accepted`` takes all of them.

    Accepted: the archive reported success (status 0000, completed as expected, nothing failed); where our receiver
    listened, every expected instance arrived and no other; and the route is not contradicted. With
    ``require_route`` a success without its route shown is not accepted.
    """
    reported = judge_report(evidence)
    received = judge_received(evidence)
    witnessed = received.finding is not Witness.NOT_WITNESSED
    delivered = received.finding is Witness.COMPLETE if witnessed else reported.ok
    route = judge_route(evidence, delivered=delivered)
    accepted = (
        reported.ok
        and (received.finding is Witness.COMPLETE or not witnessed)
        and route.finding is not RouteFinding.CONTRADICTED
        and (route.finding is RouteFinding.SHOWN or not require_route)
    )
    return Verdict(
        headline=_headline(evidence, reported, received, route, accepted=accepted),
        accepted=accepted,
        reported=reported,
        received=received,
        route=route,
        next_steps=next_steps(evidence, reported, received, route),
        notes=(
            *_notes(evidence, delivered=delivered),
            *_ignored(evidence),
            *_meanwhile(received),
            *transcoded(evidence),
        ),
    )


def _headline(evidence: Evidence, reported: Reported, received: Received, route: Route, *, accepted: bool) -> str:
    if not accepted:
        return "NOT verified: " + "; ".join(_against(reported, received, route))
    if received.finding is Witness.NOT_WITNESSED:
        return (
            f"reported, not witnessed: {reported.completed} of {counted(reported.expected or 0)} sent to "
            f"{evidence.question.destination}, says the archive; {_route_words(route, reported)}"
        )
    return (
        f"verified: {received.number} of {counted(reported.expected or 0)} received by "
        f"{evidence.question.destination}; {_route_words(route, reported)}"
    )


def _against(reported: Reported, received: Received, route: Route) -> list[str]:
    """Return what speaks against it, the heaviest first; never empty for what is not verified."""
    against = list(reported.reasons)
    if reported.status not in (None, 0) and reported.meaning and CANCELLED_BY_YOU not in against:
        against[0] = f"{against[0]}, {reported.meaning}"
    against += received.reasons
    if route.finding is RouteFinding.CONTRADICTED:
        against.append(f"route contradicted, {route.reasons[0]}")
    if against:
        return against
    return [LOCAL if route.finding is RouteFinding.NOT_TRIED else f"route {route.finding.value}, and it is required"]


def _route_words(route: Route, reported: Reported) -> str:
    if route.finding is RouteFinding.SHOWN and reported.expected and route.instances < reported.expected:
        return f"route shown for {route.instances} of them"
    if route.finding is RouteFinding.NOT_TRIED:
        return LOCAL
    return f"route {route.finding.value}"


def _ignored(evidence: Evidence) -> Iterator[str]:
    for ignored, why in (
        (evidence.early, "that began to arrive before the C-MOVE was sent"),
        (evidence.uninvited, "that others had sent, not this C-MOVE"),
    ):
        senders = Counter((each.calling_ae_title, each.move_originator_ae_title or "none") for each in ignored)
        for (caller, originator), number in senders.items():
            yield f"ignored {counted(number)} {why} (caller {caller}, Move Originator {originator})"


def _meanwhile(received: Received) -> Iterator[str]:
    if received.meanwhile:
        yield f"{', '.join(received.meanwhile)} sent something else meanwhile, which counts for nothing"


def _comes_back(evidence: Evidence) -> bool:
    """Return whether the study is in the archive's own storage now, as far as is known."""
    if database_tells_after(evidence):
        return bool(recalled(evidence))
    return evidence.route.destination is not None


def _notes(evidence: Evidence, *, delivered: bool) -> tuple[str, ...]:
    notes = list(evidence.warnings)
    if delivered and files_before(evidence).finding is not Files.HERE and _comes_back(evidence):
        notes.append(SECOND_RUN)
    return tuple(notes)
