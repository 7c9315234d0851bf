"""By which way the instances came: shown, not shown or contradicted."""

from __future__ import annotations

from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.files import Files, files_before
from dcmcfg.verify.findings import Findings
from dcmcfg.verify.recorded_route import instances_shown, of_this_run, weigh_record, witnessing
from dcmcfg.verify.refusing import NOT_ALLOWED, refused_by_the_archive
from dcmcfg.verify.stored_route import weigh_files
from dcmcfg.verify.verdict import Route, RouteFinding
from dcmcfg.verify.way_taken import weigh_way

_ASKED_NOBODY = (
    "the archive refuses such a destination before it looks for the study: it asked nobody, and sent nothing"
)


def judge_route(evidence: Evidence, *, delivered: bool) -> Route:
    """Return whether the instances came from the external archive by the way that the tree configures.

    ``delivered`` says whether our receiver saw the instances, or, where none listened, the archive reported success.

    *Shown* requires one of two witnesses: the archive's database, which had no file of the instances before the move
    and the right ones after it; or the external archive's own record. Instance Availability alone is no witness
    (``files.py``). *Not tried*: the archive had all files itself. *Contradicted*: pieces of evidence exclude each
    other, or the record shows another way than the configured one. The caller of the receiver proves nothing by itself:
    it gives any AE title it likes.
    """
    if refused_by_the_archive(evidence):
        return Route(RouteFinding.NOT_SHOWN, _no_way(evidence), reasons=(_ASKED_NOBODY,))
    findings = Findings()
    recalled = [record for record in of_this_run(evidence) if record.has_sent]
    witnesses = witnessing(evidence, recalled)
    from_record = instances_shown(evidence, witnesses)
    files = files_before(evidence)
    weigh_record(evidence, findings, recalled, purged=files.away, delivered=delivered)
    weigh_files(evidence, findings, files, delivered=delivered)
    _weigh_callers(evidence, findings)
    if delivered:
        weigh_way(evidence, findings)
    instances = files.away if files.by_database and files.away else from_record
    if evidence.expected_number is not None:
        instances = min(instances, evidence.expected_number)
    match findings:
        case Findings(contradicted=[_, *_]):
            finding, reasons, instances = RouteFinding.CONTRADICTED, findings.contradicted, 0
        case _ if files.finding is Files.HERE:
            finding, reasons, instances = RouteFinding.NOT_TRIED, findings.shown, 0
        case Findings(shown=[_, *_], disproved=[]) if delivered and (witnesses or not findings.doubted):
            finding, reasons = RouteFinding.SHOWN, findings.shown
        case _:
            finding, reasons, instances = RouteFinding.NOT_SHOWN, findings.shown, 0
    against = (*findings.disproved, *findings.doubted)
    return Route(finding, _way(evidence), instances, (*reasons, *against, *findings.neutral))


def _no_way(evidence: Evidence) -> str:
    """Return why no way was gone: the archive does not know the destination, or does not take it."""
    destination, route = evidence.question.destination, evidence.route
    if evidence.outcome.status == NOT_ALLOWED:
        return f"none: {evidence.question.archive.ae_title} does not take {destination} (dcmAcceptedMoveDestination)"
    if route.destination_known:
        return f"none that the archive knows: it does not know {destination}, although the tree has it"
    if destination in route.titles:
        return f"none: the AE {destination} is not installed"
    near = f"; spelt almost like it: {', '.join(route.near_destination)}" if route.near_destination else ""
    return f"none: the tree has no AE {destination}{near}"


def _way(evidence: Evidence) -> str:
    question, route = evidence.question, evidence.route
    if evidence.stored.before is not None and not evidence.stored.before.known and route.fallback:
        back = f" → {route.fallback_destination}" if route.fallback_destination else ""
        return f"fallback archive {route.fallback}{back} → {question.destination} (dcmFallbackCMoveSCP)"
    if route.destination is None:
        return f"external archive → {question.destination} (dcmExternalRetrieveAEDestination is not set)"
    if route.astray:
        return f"external archive → {route.destination}, and not to {question.destination}: {route.astray}"
    return (
        f"external archive → {route.destination} → {question.destination} "
        f"(dcmExternalRetrieveAEDestination on {route.source})"
    )


def _weigh_callers(evidence: Evidence, findings: Findings) -> None:
    """Weigh who called the receiver: only against the configured way, with a second sign of who it is."""
    callers = {instance.calling_ae_title for instance in evidence.received or () if instance.calling_ae_title}
    if not callers:
        return
    findings.neutral.append(f"the receiver was called by {', '.join(sorted(callers))} (as reported by the caller)")
    external = {record.called for record in of_this_run(evidence)}
    external |= {title for instance in evidence.expected for title in instance.retrieve_ae_titles}
    requested = evidence.question.destination
    direct = sorted(
        title
        for title in (callers & external) - evidence.route.archive_titles
        if requested not in evidence.route.destinations_of(title, requested)
    )
    if direct and evidence.route.destination is not None:
        findings.contradicted.append(
            f"{', '.join(direct)} called the receiver directly, although the tree sets "
            f"dcmExternalRetrieveAEDestination {evidence.route.destination} on {evidence.route.source}"
        )
