"""The parts ``check``, ``drift`` and ``certificates``: the tree in the directory."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from dcmcfg.changes import Add, Delete
from dcmcfg.errors import LdifError
from dcmcfg.file_kinds import HEADER_LENGTH, SNAPSHOT, detect_file_kind
from dcmcfg.files.read_failures import build_read_failure
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.lint.certificates import TreeCertificate, Validity, find_certificates
from dcmcfg.lint.checker import CheckSubject, check_configuration
from dcmcfg.model.tree import Tree
from dcmcfg.monitoring.metrics import (
    CERTIFICATE_NOT_AFTER,
    CERTIFICATE_REMAINING,
    CHECK_FINDINGS,
    CHECK_UNLOADABLE,
    DRIFT_CHANGES,
)
from dcmcfg.monitoring.parts import Part
from dcmcfg.monitoring.report import Figure, PartResult
from dcmcfg.monitoring.site import SharedTree
from dcmcfg.monitoring.state import NO_LIMIT, Limit, State, find_worst
from dcmcfg.plan.archive_writes import accept_archive_writes, find_archive_writes
from dcmcfg.plan.loadability import prevents_loading
from dcmcfg.plan.plan import PlanStep
from dcmcfg.plan.tree_diff import diff_trees, select_comparable
from dcmcfg.printable import format_count
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.findings import SEVERITIES, EntryFinding
from dcmcfg.snapshot.file import read_snapshot

#: The number of findings, entries or certificates that the details name.
_MAX_NAMED = 5
_DAY_S = 86_400


def check_rules(shared: SharedTree, limit: Limit) -> PartResult:
    """Return the errors of ``dcmcfg check``; *limit* is that of their number.

    A finding because of which the archive cannot load its configuration, or cannot start again, is critical.
    """
    live = shared.wait()
    report = check_configuration(CheckSubject.from_tree(live.tree, live.server_schema), datetime.now(UTC))
    counts = Counter(each.severity for each in report.findings)
    unloadable = [each for each in report.findings if prevents_loading(each, live.tree.schema)]
    shown = unloadable or [each for each in report.findings if each.severity == "error"]
    states = [limit.judge(counts["error"]), *([State.CRITICAL] if unloadable else [])]
    return PartResult(
        part=Part.CHECK,
        state=find_worst(states),
        summary=", ".join(format_count(counts[each], each) for each in ("error", "warning"))
        + (f", {len(unloadable)} of them unloadable" if unloadable else ""),
        details=_shorten([_describe_finding(each) for each in shown], "dcmcfg check"),
        figures=(
            *(
                Figure(
                    metric=CHECK_FINDINGS,
                    value=counts[each],
                    label_values=(each,),
                    limit=limit if each == "error" else NO_LIMIT,
                )
                for each in SEVERITIES
            ),
            Figure(metric=CHECK_UNLOADABLE, value=len(unloadable), limit=Limit(critical=0)),
        ),
    )


def _describe_finding(finding: EntryFinding) -> str:
    attribute = f" {finding.attribute}" if finding.attribute else ""
    return f"{finding.dn}{attribute}: {finding.message} [{finding.rule.name}]"


def check_drift(shared: SharedTree, file: Path, limit: Limit) -> PartResult:
    """Return the entries that differ from *file*, an export or a snapshot; *limit* is that of their number.

    Values that the archive itself may have written do not count. Values are not shown, because they may be secret.
    Raises :class:`LdifError` or :class:`~dcmcfg.errors.Refused` if *file* cannot be read.
    """
    expected, with_secrets = _read_expected(file)
    live, expected = select_comparable(shared.wait().tree, str(file), expected)
    difference = diff_trees(expected, live, with_secrets=with_secrets)
    writes = find_archive_writes(difference, 1)
    if writes:
        difference = diff_trees(accept_archive_writes(expected, live, writes), live, with_secrets=with_secrets)
    steps = difference.plan.steps
    count = len(steps)
    return PartResult(
        part=Part.DRIFT,
        state=limit.judge(count),
        summary=f"{format_count(count, 'entry', 'entries')} {'differs' if count == 1 else 'differ'} from {file.name}",
        details=_shorten([_describe_step(each) for each in steps], f"dcmcfg diff {shlex.quote(str(file))} live"),
        figures=(Figure(metric=DRIFT_CHANGES, value=count, limit=limit),),
    )


def _read_expected(file: Path) -> tuple[Tree, bool]:
    """Return the tree in *file*, and whether it has all secrets: a snapshot has them, an export does not."""
    try:
        with file.open("rb") as source:
            is_snapshot = detect_file_kind(source.read(HEADER_LENGTH)) is SNAPSHOT
    except OSError as error:
        raise build_read_failure(error, file, LdifError) from error
    if is_snapshot:
        return read_snapshot(file).tree, True
    return read_ldif_tree(file, load_bundled_schema()), False


def _describe_step(step: PlanStep) -> str:
    match step.change:
        case Add(entry):
            return f"added: {entry.dn}"
        case Delete(dn):
            return f"removed: {dn}"
        case change:
            # A replaced value has two modifications, one that deletes and one that adds.
            names = ", ".join(dict.fromkeys(each.name for each in getattr(change, "modifications", ())))
            return f"changed: {change.dn}{f' ({names})' if names else ''}"


def check_certificates(shared: SharedTree, limit: Limit) -> PartResult:
    """Return when the certificates in the tree expire; *limit* is that of the days until the first one expires."""
    now = datetime.now(UTC)
    found = tuple(find_certificates(shared.wait().tree))
    readable = [(each, each.validity) for each in found if each.validity is not None]
    readable.sort(key=lambda each: each[1].not_after)
    problems = [f"{each.dn}: {each.attribute} is not an X.509 certificate" for each in found if each.validity is None]
    states = [State.WARNING for _ in problems]
    for certificate, validity in readable:
        state, reason = _judge_validity(validity, now, limit)
        states.append(state)
        if state is not State.OK:
            problems.append(f"{certificate.dn}: {validity.subject} {reason}")
    return PartResult(
        part=Part.CERTIFICATES,
        state=find_worst(states),
        summary=_summarize_certificates(readable, now) if readable else format_count(len(found), "certificate"),
        details=_shorten(problems, "dcmcfg check --rule certificate-expires"),
        figures=tuple(_list_certificate_figures(readable, now, limit)),
    )


def _judge_validity(validity: Validity, now: datetime, limit: Limit) -> tuple[State, str]:
    if validity.not_before > now:
        return State.CRITICAL, f"is not valid before {validity.not_before:%Y-%m-%d}"
    if validity.not_after <= now:
        return State.CRITICAL, f"expired on {validity.not_after:%Y-%m-%d}"
    days = (validity.not_after - now).total_seconds() / _DAY_S
    return limit.judge(days), f"expires on {validity.not_after:%Y-%m-%d}, in {int(days)} days"


def _summarize_certificates(readable: Sequence[tuple[TreeCertificate, Validity]], now: datetime) -> str:
    count, first = format_count(len(readable), "certificate"), readable[0][1].not_after
    if first <= now:
        return f"{count}, the first expired on {first:%Y-%m-%d}"
    return f"{count}, the first expires in {(first - now).days} days"


def _list_certificate_figures(
    readable: Sequence[tuple[TreeCertificate, Validity]], now: datetime, limit: Limit
) -> list[Figure]:
    # One certificate may have several places in an entry, but a metric has each label once.
    ends = {
        (str(certificate.dn), validity.subject): validity.not_after.timestamp()
        for certificate, validity in reversed(readable)
    }
    figures = [
        Figure(metric=CERTIFICATE_NOT_AFTER, value=value, label_values=labels) for labels, value in sorted(ends.items())
    ]
    if readable:
        remaining_s = (readable[0][1].not_after - now).total_seconds()
        figures.append(Figure(metric=CERTIFICATE_REMAINING, value=remaining_s, limit=limit.multiply(_DAY_S)))
    return figures


def _shorten(lines: Sequence[str], command: str) -> tuple[str, ...]:
    """Return the first of *lines*, and a line with the number of the others and the *command* that shows all."""
    more = len(lines) - _MAX_NAMED
    return tuple(lines) if more <= 0 else (*lines[:_MAX_NAMED], f"{more} more. To see all: {command}")
