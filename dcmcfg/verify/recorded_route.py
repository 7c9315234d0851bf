"""Weigh the C-MOVEs in the log of the external archive, or of the archive itself."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.verify.evidence import Evidence, MoveRecord
from dcmcfg.verify.findings import Findings
from dcmcfg.verify.verdict import counted

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
