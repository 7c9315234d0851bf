"""By which way the instances came: shown, not shown or contradicted.

Weigh the C-MOVEs in the log of the external archive, or of the archive itself.

Whether the files after the move, and the callers of the receiver, agree with the route that the tree configures.
"""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.verify.called_ae import NOT_ALLOWED, refused_by_the_archive
from dcmcfg.verify.evidence import Evidence, MoveRecord
from dcmcfg.verify.file_evidence import (
    Files,
    database_tells_after,
    external_archives,
    files_before,
    recalled,
    weigh_files,
)
from dcmcfg.verify.route_reasons import Findings
from dcmcfg.verify.verdict import Route, RouteFinding, counted

_OWN_RECORD = "the external archive's own record"


def of_this_run(evidence: Evidence) -> tuple[MoveRecord, ...]:
    """Return the records of the study that can be this run's."""
    return tuple(record for record in evidence.records or () if record.study_uid and _may_be_ours(evidence, record))


def _may_be_ours(evidence: Evidence, record: MoveRecord) -> bool:
    """Return whether the caller can be the archive: it calls with our title, one of its own or one it is set.

    The archive's own log shows whether it is. A caller that the log does not name can be any AE.
    """
    titles = {evidence.question.calling} | evidence.route.archive_titles | evidence.route.asks_as
    return record.by_archive or record.calling in titles


def witnessing(evidence: Evidence, recalled: Iterable[MoveRecord]) -> list[MoveRecord]:
    """Return those of *recalled* that show the route; *recalled* are the records of this run with something sent."""
    return [record for record in recalled if not _why_no_witness(evidence, record)]


def _why_no_witness(evidence: Evidence, record: MoveRecord) -> str:
    """Return why *record*, with which something was sent, does not show the route; "" where it does."""
    if record.by_archive and record.forwarded is None and evidence.received is None:
        return "the archive only relays this answer of the external archive (--receive shows what arrives)"
    if _is_elsewhere(evidence, record):
        return "called by the archive's own title, it may be another retrieve of the archive"
    if counts_local_ones(evidence, record):
        return "called by the archive's own title, it counts local instances as well"
    return "" if record.destination else "the log does not show the Move Destination"


def _is_elsewhere(evidence: Evidence, record: MoveRecord) -> bool:
    """Return whether *record* is of the archive itself, with another Move Destination than the configured ones."""
    return (
        counts_local_ones(evidence, record)
        and bool(record.destination)
        and record.destination not in evidence.route.destinations_of(record.called, evidence.question.destination)
    )


def weigh_record(
    evidence: Evidence, findings: Findings, recalled: list[MoveRecord], *, purged: int, delivered: bool
) -> None:
    """Weigh the record: *recalled* are the entries of this run with which something was sent.

    *purged* counts the instances without a file before the move, according to the archive's database.
    """
    if evidence.records is None:
        findings.neutral.append("the external archive's own record was not read")
        return
    ours = of_this_run(evidence)
    for record in ours:
        if not _is_elsewhere(evidence, record):
            _weigh_destination(evidence, findings, record)
    for record in recalled:
        _weigh_sent(evidence, findings, record)
    unnamed = [record for record in evidence.records if record.study_uid and not _names_caller(record)]
    hidden = [
        record
        for record in evidence.records
        if not record.study_uid and (not _names_caller(record) or _may_be_ours(evidence, record))
    ]
    is_known = not ours and not unnamed and not any(map(_may_have_sent, hidden))
    if not recalled and ours:
        findings.neutral.append(_nothing_sent(evidence, ours[-1]))
    elif evidence.log_is_silent:
        findings.neutral.append(
            "nothing was written to the external archive's log since the C-MOVE was sent: nobody asked that archive, "
            "or the file is a copy or another AE's log"
        )
    elif is_known and delivered and purged and evidence.outcome.status is not None:
        # Without its answer it may still be at it.
        findings.contradicted.append(
            f"{_no_move(evidence)}, although before it {counted(purged)} had to come from elsewhere"
        )
    elif is_known and not hidden:
        findings.neutral.append(_no_move(evidence))
    findings.neutral += [f"{_OWN_RECORD} has a C-MOVE of this study whose caller the log does not name"] * bool(unnamed)
    findings.neutral += map(_hidden, hidden)
    _name_strangers(evidence, findings)


def _names_caller(record: MoveRecord) -> bool:
    return record.by_archive or bool(record.calling)


def _may_have_sent(record: MoveRecord) -> bool:
    """Return whether *record*, of an unknown study, may have sent anything."""
    return record.status is None or record.completed is None or record.completed > 0


def _name_strangers(evidence: Evidence, findings: Findings) -> None:
    studys = [record for record in evidence.records or () if record.study_uid and _names_caller(record)]
    strangers = {record.calling for record in studys if not _may_be_ours(evidence, record)}
    if strangers:
        others = ", ".join(sorted(strangers))
        findings.neutral.append(f"others moved the study from the external archive meanwhile: {others}")


def _weigh_sent(evidence: Evidence, findings: Findings, record: MoveRecord) -> None:
    """Weigh a record of a C-MOVE with which something was sent."""
    if record.by_archive:
        words = _by_archive(evidence, record)
    else:
        number = "how many it does not say" if record.completed is None else _completed(record)
        to = f" to {record.destination}" if record.destination else ""
        words = f"{_OWN_RECORD}: {_asked(record)} to send{to}, {number}"
    if why := _why_no_witness(evidence, record):
        findings.neutral.append(f"{words}; {why}")
    else:
        findings.shown.append(words)


def counts_local_ones(evidence: Evidence, record: MoveRecord) -> bool:
    """Return whether *record* may count instances that the archive had itself.

    For a study that is partly local the archive asks for the whole study, under its own AE title and not under that of
    the requester (``CommonCMoveSCP``). The archive's own log tells them apart.
    """
    return not record.by_archive and record.calling not in ("", evidence.question.calling)


def instances_shown(evidence: Evidence, recalled: Iterable[MoveRecord]) -> int:
    """Return for how many instances *recalled* show that they came from the external archive and were sent on."""
    witnesses = witnessing(evidence, recalled)
    if any(record.completed is None and record.forwarded is None for record in witnesses):
        return len(evidence.expected)
    return sum(record.completed or 0 if record.forwarded is None else record.forwarded for record in witnesses)


def _no_move(evidence: Evidence) -> str:
    if evidence.log_is_archives:
        return "per the archive's log, the archive asked no other AE for this study in this run"
    return f"{_OWN_RECORD} shows no C-MOVE of this study in this run"


def _nothing_sent(evidence: Evidence, record: MoveRecord) -> str:
    """Return what the log shows of a C-MOVE of this run with which nothing is known to have been sent."""
    if record.by_archive:
        return _by_archive(evidence, record)
    if record.status is None and not record.failure:
        return "the external archive was asked, and its log shows no final response"
    if record.reported:
        nothing = f"it counted {record.reported} completed, but its log shows no C-STORE for it that stored any of them"
    elif record.completed is None and record.status is not None and not _is_failure(record.status):
        nothing = "its log gives no count of this study's instances"
    else:
        return f"the external archive was asked and answered {_answer(record)}, nothing completed"
    return f"the external archive was asked and answered {_answer(record)}; {nothing}"


def _is_failure(status: int) -> bool:
    """Return whether *status* is neither success, a warning nor a cancel (PS3.4 Table C.4-2)."""
    return status not in (0x0000, 0xFE00) and status >> 12 != 0xB


def _by_archive(evidence: Evidence, record: MoveRecord) -> str:
    """Return what the archive's log says of the C-MOVE that the archive sent."""
    words = f"per the archive's log, {record.calling} asked {record.called} to send to {record.destination}: "
    words += "no final response" if record.status is None else f"{record.status:04X}"
    if record.failure:
        words += f" ({record.failure})"
    if record.completed is not None:
        words += f", {record.completed} completed"
    if record.forwarded is None:
        return words
    forwarded = f"{record.forwarded} of them" if record.forwarded else "none of them"
    return f"{words}; the archive forwarded {forwarded} to {evidence.question.destination}"


def _asked(record: MoveRecord) -> str:
    return f"{record.calling or 'a caller that the log does not name'} asked it"


def _completed(record: MoveRecord) -> str:
    """Return how many instances are completed, and how many the final response counts where that is more."""
    more = f" of the {record.reported} that it counted, per the C-STOREs in the log" if record.reported else ""
    return f"{record.completed} completed{more}"


def _hidden(record: MoveRecord) -> str:
    """Return what the log shows of a C-MOVE of which it does not show the study."""
    asked = f"{_OWN_RECORD}: {_asked(record)} to send something"
    to = f" to {record.destination}" if record.destination else ""
    results = ["" if record.status is None else f"{record.status:04X}"]
    results += [f"failed ({record.failure})" if record.failure else ""]
    results += ["" if record.status is None or record.completed is None else _completed(record)]
    result = ", ".join(each for each in results if each) or "the log does not show the result"
    return f"{asked}{to}: {result}" + (f"; {record.why_hidden}" if record.why_hidden else "")


def _weigh_destination(evidence: Evidence, findings: Findings, record: MoveRecord) -> None:
    route = evidence.route
    configured = route.destinations_of(record.called, evidence.question.destination)
    if not record.destination or record.destination in configured:
        return
    asked = f"the external archive was asked to send to {record.destination}, although the tree"
    if route.destination is None:
        findings.contradicted.append(f"{asked} sets no dcmExternalRetrieveAEDestination")
    elif route.destination in configured:
        words = f"sets dcmExternalRetrieveAEDestination {route.destination} on {route.source}"
        findings.contradicted.append(f"{asked} {words}")
    else:
        findings.contradicted.append(f"{asked} has {record.called} asked to send to {' or '.join(sorted(configured))}")


def _answer(record: MoveRecord) -> str:
    if record.failure:
        return f"with a failure ({record.failure})"
    return "" if record.status is None else f"{record.status:04X}"


def weigh_way(evidence: Evidence, findings: Findings) -> None:
    """Weigh which way the instances took that were delivered without a file here: back to the archive, or past it.

    With the route back, each of them must have a file here afterwards. With the route past the archive, none may; and
    only our own receiver sees them, because the archive relays the external archive's answer unchecked.
    """
    away = files_before(evidence).away
    if not away:
        return
    came, destination = recalled(evidence), evidence.question.destination
    if not database_tells_after(evidence):
        findings.doubted.append(
            "where the files are after the move is not known, so neither is the way that the instances took"
        )
        return
    match _comes_back(evidence):
        case True if came < away:
            findings.disproved.append(
                f"after the move, the archive has no file of {counted(away - came)} of these, although the tree has "
                f"them sent to {evidence.route.destination or 'the archive'}"
            )
        case False if came:
            findings.contradicted.append(
                f"after the move, {counted(came)} {'is' if came == 1 else 'are'} in the archive's own storage, "
                f"although the tree has the external archive send straight to {destination}"
            )
        case False if evidence.received is None:
            findings.doubted.append(
                f"the archive relays the external archive's answer, and nobody saw what arrived at {destination} "
                "(--receive does)"
            )
        case False if callers := _callers(evidence) & (evidence.route.archive_titles | evidence.route.sends_as):
            findings.doubted.append(
                f"{', '.join(sorted(callers))} called the receiver, although the tree has the external archive send "
                f"straight to {destination}"
            )
        case False if strangers := _callers(evidence) - set(external_archives(evidence)):
            findings.doubted.append(
                f"{', '.join(sorted(strangers))} called the receiver, which the archive's database does not record as "
                "the external archive"
            )
        case True if strangers := _callers(evidence) - evidence.route.archive_titles - evidence.route.sends_as:
            findings.doubted.append(
                f"{', '.join(sorted(strangers))} called the receiver, although the tree has the archive forward the "
                "instances"
            )
        case None if came < away and evidence.received is None:
            findings.doubted.append(
                "the tree has several ways for it, and nobody saw which of them the instances took (--receive does)"
            )


def _comes_back(evidence: Evidence) -> bool | None:
    """Return whether each way that the tree has for the study leads back to the archive, or none; None for some."""
    route, requested = evidence.route, evidence.question.destination
    if requested in route.archive_titles:
        return None
    listed = {title for instance in evidence.expected for title in instance.retrieve_ae_titles}
    holders = {title for title in external_archives(evidence) if title} or listed - route.archive_titles
    asked = {each for title in holders or {""} for each in route.destinations_of(title, requested)}
    back = asked & route.archive_titles
    return None if back and back != asked else bool(back)


def _callers(evidence: Evidence) -> frozenset[str]:
    """Return the AE titles that called the receiver, as they gave them."""
    return frozenset(each.calling_ae_title for each in evidence.received or () if each.calling_ae_title)


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
