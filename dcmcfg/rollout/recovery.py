"""Recover from an interrupted roll-out: determine its state, and plan its rest or its undo."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from dcmcfg.changes import Change
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN, NormalDN
from dcmcfg.errors import DcmcfgError, DoesNotApply, Refused
from dcmcfg.model.tree import Tree, TreeDraft
from dcmcfg.plan import entry_diff
from dcmcfg.plan.plan import (
    CHANGED_SINCE_PLANNED,
    UNKNOWN_REMOVER,
    ChangesDoNotApply,
    DesiredChange,
    Plan,
    make_plan,
)
from dcmcfg.plan.server_schema import ServerSchemaRules, require_accepted
from dcmcfg.rollout.history import History, make_unfinished_error
from dcmcfg.rollout.later_changes import describe_removal, describe_writers, find_conflicting
from dcmcfg.rollout.lock import lock_directory
from dcmcfg.rollout.reconciliation import (
    collect_touched_dns,
    count_applied_steps,
    substitute_planned_passwords,
    wait_for_pending_writes,
)
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.suggestions import join_limited

#: The maximum number of roll-outs that a message shows.
_MAX_SHOWN = 3


def reconcile_interrupted(
    state: Path, directory: Directory, *, excluded_number: int | None = None, shared_folder: Path | None = None
) -> RolloutRecord | None:
    """Determine the state of each interrupted roll-out on *directory*; return the newest one that was unfinished.

    The state of steps in progress is determined by reading the directory, and noted in the journal. The returned
    roll-out may turn out to be complete, or to have changed nothing, and an older one may be unfinished
    (:meth:`History.find_unfinished`). The roll-out *excluded_number* is not reconciled. *shared_folder* has the lock of
    all accounts, as for :func:`lock_directory`. Raises :class:`Refused` while another roll-out is in progress, or if
    the directory matches neither the state before nor the planned state, and :class:`~dcmcfg.errors.DirectoryError`.
    """
    url = directory.server.url
    # Usually, there is nothing to reconcile, and no lock is required.
    if History(state).find_unfinished(url) is None:
        return None
    with lock_directory(state, url, shared_folder):
        # Another process may have reconciled the roll-out before this one got the lock.
        newest = found = History(state).find_unfinished(url)
        while found is not None and found.number != excluded_number and not found.read_progress().ended:
            _reconcile(found, directory)
            found = History(state).find_unfinished(url)
        return newest


def require_finished(
    state: Path, directory: Directory, *, excluded_number: int | None = None, shared_folder: Path | None = None
) -> None:
    """Raise :class:`Refused` if a roll-out on *directory* is unfinished.

    *excluded_number* is the number of the roll-out that will be reverted. *shared_folder* has the lock of all accounts.
    """
    reconcile_interrupted(state, directory, excluded_number=excluded_number, shared_folder=shared_folder)
    refuse_unfinished(state, directory.server.url, excluded_number=excluded_number)


def refuse_unfinished(state: Path, ldap_url: str, *, excluded_number: int | None = None) -> None:
    """Raise :class:`Refused` if a roll-out on the directory at *ldap_url* is unfinished according to its journal.

    *excluded_number* is the number of the roll-out that will be reverted or resumed.
    """
    history = History(state)
    found = (
        history.find_unfinished(ldap_url)
        if excluded_number is None
        else history.find_blocking(history.get_rollout(excluded_number))
    )
    if found is not None:
        raise make_unfinished_error(found)


def plan_resume(record: RolloutRecord, tree: Tree) -> Plan:
    """Return the plan from *tree* to the planned state of *record*.

    Raises :class:`DoesNotApply` if the tree has changed.
    """
    return _plan_strictly(record, tree, record.changes[record.read_progress().applied :])


def plan_undo(
    record: RolloutRecord,
    tree: Tree,
    later_rollouts: Sequence[RolloutRecord] = (),
    schema_rules: ServerSchemaRules | None = None,
) -> Plan:
    """Return the plan that reverts *record*.

    Raises :class:`DoesNotApply` if the tree has changed, if a later change by somebody would be lost, or if
    *schema_rules* refuse a step. The error names those of *later_rollouts* that have changed the entry or entries below
    it.
    """
    applied_count = record.read_progress().applied
    plan = _plan_strictly(record, tree, record.get_undo_changes(applied_count), later_rollouts)
    _refuse_loss(record, plan, record.changes[:applied_count])
    if schema_rules is not None:
        _refuse_unaccepted(record, plan, schema_rules)
    return plan


def _refuse_unaccepted(record: RolloutRecord, undo_plan: Plan, rules: ServerSchemaRules) -> None:
    try:
        require_accepted(undo_plan, rules)
    except DoesNotApply as refused:
        next_step = "; ".join(filter(None, (refused.next_step, _suggest_partial_undo(record))))
        raise DoesNotApply(
            refused.message,
            subject=refused.subject,
            next_step=next_step,
            result_code=refused.result_code,
            details=refused.details,
        ) from refused


def _plan_strictly(
    record: RolloutRecord, tree: Tree, changes: Sequence[Change], later_rollouts: Sequence[RolloutRecord] = ()
) -> Plan:
    try:
        return make_plan(tree, [DesiredChange(change, strict=True) for change in changes])
    except DoesNotApply as refusal:
        problem = _name_later_changes(refusal, tree, record, later_rollouts)
        finished = record.read_progress().applied == record.header.steps
        raise DoesNotApply(
            f"the configuration has changed since change {record.number} was made. Problem: {problem.message}",
            subject=problem.subject,
            next_step=f"{_suggest_later_undos(tree, problem, record, later_rollouts)}; {_suggest_partial_undo(record)}"
            if finished
            else _suggest_repair(record),
            result_code=problem.result_code,
            changed_dn=problem.changed_dn,
            details=problem.details,
        ) from refusal


def _name_later_changes(
    problem: DoesNotApply, tree: Tree, record: RolloutRecord, later_rollouts: Sequence[RolloutRecord]
) -> DoesNotApply:
    """Return *problem* with the *later_rollouts* that have caused it, and without the next step of another plan."""
    if isinstance(problem, ChangesDoNotApply):
        named = [_name_later_changes(each, tree, record, later_rollouts) for each in problem.problems]
        return ChangesDoNotApply(named, problem.count)
    message, key = problem.message.removeprefix(CHANGED_SINCE_PLANNED), _find_key(tree, problem)
    if key is not None and message.endswith(UNKNOWN_REMOVER):
        if removal := describe_removal(tree, key, later_rollouts):
            message = f"{message.removesuffix(UNKNOWN_REMOVER)}; {removal}"
    elif key is not None and problem.changed_dn:
        message = "; ".join((message, *describe_writers(tree, key, record, later_rollouts)))
    return type(problem)(
        message, subject=problem.subject, result_code=problem.result_code, changed_dn=problem.changed_dn
    )


def _find_key(tree: Tree, problem: DoesNotApply) -> NormalDN | None:
    """Return the key of the entry of *problem*, or None."""
    with suppress(DcmcfgError):  # it may have no entry
        return tree.key(DN.parse(problem.changed_dn or problem.subject))
    return None


def _suggest_later_undos(
    tree: Tree, problem: DoesNotApply, record: RolloutRecord, later_rollouts: Sequence[RolloutRecord]
) -> str:
    """Return the next step that makes the undo of *record* applicable, which *problem* prevents."""
    problems = problem.problems if isinstance(problem, ChangesDoNotApply) else (problem,)
    keys = [key for key in (_find_key(tree, each) for each in problems) if key is not None]
    conflicting = {each.number for key in keys for each in find_conflicting(tree, key, record, later_rollouts)}
    if not conflicting:
        return "revert the later changes first, or edit the entry manually"
    numbers = sorted(conflicting, reverse=True)
    commands = join_limited([f"dcmcfg undo {number}" for number in numbers], _MAX_SHOWN, ", then ")
    return f"revert the later changes first: {commands}; or edit the entry manually"


def check_overwrites(record: RolloutRecord, undo_plan: Plan, *, accepted: bool) -> tuple[str, ...]:
    """Return a warning for each entry in which *undo_plan*, from the undo file of *record*, overwrites later changes.

    Unless *accepted*, raises :class:`DoesNotApply` for the first one, and :class:`Refused` if the record cannot be
    read.
    """
    try:
        found = tuple(_find_overwrites(record, undo_plan))
    except DcmcfgError as damaged:
        if accepted:
            return ()
        raise Refused(
            f"dcmcfg cannot check whether the undo of change {record.number} overwrites later changes "
            f"({damaged.message})",
            subject=damaged.subject,
            next_step=f"compare {record.undo_file} with the configuration; to apply the file anyway: "
            f"{_format_forced_undo(record)}",
        ) from damaged
    if found and not accepted:
        raise _build_loss_error(record, *found[0])
    return tuple(
        f"{dn}: somebody has changed {', '.join(names)} since change {record.number}, and the undo overwrites "
        "the new values"
        for dn, names in found
    )


def _find_overwrites(record: RolloutRecord, undo_plan: Plan) -> Iterator[tuple[DN, tuple[str, ...]]]:
    """Yield the later changes that *undo_plan*, which may be a partial undo, would lose (:func:`find_lost_changes`)."""
    draft, reapplied_changes = TreeDraft(undo_plan.after), list[Change]()
    for change in record.changes if undo_plan.steps else ():
        with suppress(DoesNotApply):  # its undo was omitted, or it is no longer applicable
            draft.apply(change)
            reapplied_changes.append(change)
    written = set(map(undo_plan.before.key, collect_touched_dns(undo_plan.changes)))
    for dn, names in find_lost_changes(undo_plan.before, draft.build_tree(), reapplied_changes):
        if undo_plan.before.key(dn) in written:
            yield dn, names


def _refuse_loss(record: RolloutRecord, undo_plan: Plan, applied_changes: Sequence[Change]) -> None:
    """Refuse *undo_plan* unless applying *applied_changes* again restores exactly the current tree.

    Assertions do not cover everything. Values of attributes that are replaced as a whole (dicomVendorData, attributes
    of a newer schema) are not asserted. Of an entry that is deleted again, only its original values are asserted.
    """
    try:
        reapplied = undo_plan.after.with_changes(applied_changes)
    except DoesNotApply:  # the changes are no longer applicable, which does not affect the undo
        return
    for dn, names in find_lost_changes(undo_plan.before, reapplied, applied_changes):
        raise _build_loss_error(record, dn, names)


def _build_loss_error(record: RolloutRecord, dn: DN, names: Sequence[str]) -> DoesNotApply:
    return DoesNotApply(
        f"somebody has changed {', '.join(names)} since change {record.number}, and the undo would overwrite the "
        "new values",
        subject=str(dn),
        next_step=f"edit the entry manually; to revert anyway: {_format_forced_undo(record)}; "
        f"{_suggest_partial_undo(record)}",
        changed_dn=str(dn),
    )


def _format_forced_undo(record: RolloutRecord) -> str:
    return f"dcmcfg apply {shlex.quote(str(record.undo_file))} --force-overwrite"


def find_lost_changes(before: Tree, reapplied: Tree, changes: Sequence[Change]) -> Iterator[tuple[DN, tuple[str, ...]]]:
    """Yield the later changes in the tree *before* that reverting *changes* would lose.

    Each result is the DN of an entry, and the attributes that somebody has changed. *reapplied* is the tree after
    reverting *changes* and applying them again.
    """
    for dn in collect_touched_dns(changes):
        current, reapplied_entry = before.get(dn), reapplied.get(dn)
        if current is None or reapplied_entry is None:
            continue
        if names := entry_diff.find_differing_attributes(
            substitute_planned_passwords(current, reapplied_entry), reapplied_entry, reapplied.schema
        ):
            yield current.dn, tuple(names)


def _reconcile(record: RolloutRecord, directory: Directory) -> None:
    progress = record.read_progress()
    first, last = progress.applied + 1, progress.applied + progress.started
    applied_count: int | None = 0
    if progress.started:
        # The server may still commit the request of the interrupted process.
        wait_for_pending_writes(directory)
        applied_count = count_applied_steps(read_tree(directory), record, first, last)
    if applied_count is None:
        raise Refused(
            f"change {record.number} was interrupted at step {first}. The configuration differs from the state before "
            "this step, and also from the planned state",
            subject=str(record.changes[first - 1].dn),
            next_step=_suggest_repair(record),
        )
    with record.journal.open_for_writing() as journal_writer:
        journal_writer.write_ended(progress.applied + applied_count)


def format_manual_repair(record: RolloutRecord) -> str:
    """Return the steps of a manual repair, if *record* can neither be finished nor reverted, and how to close it."""
    comparison = f"compare the configuration (dcmcfg export-ldif) with {record.folder}/plan.ldif and undo.ldif"
    return (
        f"{comparison}, correct the configuration manually, then close the change: dcmcfg history "
        f"--mark-resolved {record.number}"
    )


def _suggest_repair(record: RolloutRecord) -> str:
    return f"{_suggest_partial_undo(record)}; or {format_manual_repair(record)}"


def _suggest_partial_undo(record: RolloutRecord) -> str:
    return f"to revert the steps that can still be reverted: dcmcfg undo {record.number} --partial"
