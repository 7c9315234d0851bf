"""What the external archive's own record says about the route."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.verify.evidence import Evidence, MoveRecord
from dcmcfg.verify.findings import Findings
from dcmcfg.verify.verdict import counted

_OWN_RECORD = "the external archive's own record"


def of_this_run(evidence: Evidence) -> tuple[MoveRecord, ...]:
    """Return the records of the study that can be this run's."""
    return tuple(record for record in evidence.records or () if record.study_uid and _may_be_ours(evidence, record))


def _may_be_ours(evidence: Evidence, record: MoveRecord) -> bool:
    """Tell whether the caller can be the archive: it calls with our title, one of its own or one it is set.

    The archive's own log says so itself.
    """
    if record.by_archive:
        return True
    titles = {evidence.question.calling} | evidence.route.archive_titles | evidence.route.asks_as
    return not record.calling or record.calling in titles


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
        _weigh_destination(evidence, findings, record)
    hidden = [record for record in evidence.records if not record.study_uid and _may_be_ours(evidence, record)]
    for record in recalled:
        _weigh_sent(evidence, findings, record)
    if not recalled and ours and ours[-1].by_archive:
        findings.neutral.append(_by_archive(evidence, ours[-1]))
    elif not recalled and ours:
        findings.neutral.append(f"the external archive was asked and answered {_answer(ours[-1])}, nothing completed")
    elif evidence.log_is_silent:
        findings.neutral.append(
            "nothing was written to the external archive's log since the C-MOVE was sent: nobody asked that archive, "
            "or the file is a copy or another AE's log"
        )
    elif not ours and not hidden and delivered and purged and evidence.outcome.status is not None:
        # Without its answer it may still be at it.
        findings.contradicted.append(
            f"{_no_move(evidence)}, although before it {counted(purged)} had to come from elsewhere"
        )
    elif not ours and not hidden:
        findings.neutral.append(_no_move(evidence))
    findings.neutral += _hidden(hidden)
    strangers = {each.calling for each in evidence.records if each.study_uid and not _may_be_ours(evidence, each)}
    if strangers:
        others = ", ".join(sorted(strangers))
        findings.neutral.append(f"others moved the study from the external archive meanwhile: {others}")


def _weigh_sent(evidence: Evidence, findings: Findings, record: MoveRecord) -> None:
    """Weigh a record of a C-MOVE with which something was sent."""
    if record.by_archive:
        findings.shown.append(_by_archive(evidence, record))
        return
    number = "how many it does not say" if record.completed is None else f"{record.completed} completed"
    words = f"{_OWN_RECORD}: {_asked(record)} to send to {record.destination}, {number}"
    if counts_local_ones(evidence, record):
        findings.neutral.append(f"{words}; called by the archive's own title, it counts local instances as well")
    else:
        findings.shown.append(words)


def counts_local_ones(evidence: Evidence, record: MoveRecord) -> bool:
    """Return whether *record* may count instances that the archive had itself.

    For a study that is partly local the archive asks for the whole study, under its own AE title and not under that of
    the requester (``CommonCMoveSCP``). The archive's own log tells them apart.
    """
    return not record.by_archive and record.calling not in ("", evidence.question.calling)


def instances_shown(evidence: Evidence, recalled: list[MoveRecord]) -> int:
    """Return for how many instances *recalled* show that they came from the external archive and were sent on."""
    counted_alone = [record for record in recalled if not counts_local_ones(evidence, record)]
    if any(record.completed is None and record.forwarded is None for record in counted_alone):
        return len(evidence.expected)
    return sum(record.completed or 0 if record.forwarded is None else record.forwarded for record in counted_alone)


def _no_move(evidence: Evidence) -> str:
    if evidence.log_is_archives:
        return "per the archive's log, the archive asked no other AE for this study in this run"
    return f"{_OWN_RECORD} shows no C-MOVE of this study in this run"


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
    return f"{record.calling or 'somebody'} asked it"


def _hidden(records: list[MoveRecord]) -> Iterator[str]:
    for record in records:
        result = f"and failed ({record.failure})" if record.failure else "and did not say how it went"
        yield (
            f"{_OWN_RECORD}: {_asked(record)} to send something to {record.destination}, {result}; "
            'an Orthanc tells what with "DeidentifyLogs": false'
        )


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
    return "nothing" if record.status is None else f"{record.status:04X}"
