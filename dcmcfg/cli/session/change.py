"""The common part of all changing commands: show the plan, confirm, apply it, reload the archive."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dcmcfg.cli import invocation
from dcmcfg.cli.options.change_options import ChangeOptions, describe_refusal, format_accepted_options, require_forced
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.change_report import ChangeReport, ReloadReport, rename_device_in_profile
from dcmcfg.cli.session.output import STDOUT, print_text
from dcmcfg.cli.session.plan_assessment import PlanPurpose, assess_plan
from dcmcfg.cli.session.rejects import RejectsFile
from dcmcfg.cli.session.shared_history import make_sharing, publish_pending
from dcmcfg.cli.terminal import confirm, require_terminal
from dcmcfg.directory.server import Directory
from dcmcfg.directory.subschema import read_unmapped_schema
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError, IncompleteChange, NegativeResult, Refused
from dcmcfg.files.locations import ValueLocator
from dcmcfg.files.private import write_private
from dcmcfg.nodes.marker import remove_marker
from dcmcfg.nodes.node_record import NodeRecorder
from dcmcfg.nodes.pending import PendingActivation, find_leftover_markers, rebuild_plan
from dcmcfg.plan.assertions import has_assertion
from dcmcfg.plan.ldif_output import format_plan
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.renamed_archives import find_renamed_archives
from dcmcfg.plan.server_schema import ServerSchemaRules, require_accepted
from dcmcfg.plan.step_effects import describe_required_actions, needs_reload
from dcmcfg.plan.versions import assert_versions
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.plan import format_plan_counts, format_unchanged_lines, print_plan
from dcmcfg.render.terminal.console import (
    ExtraOutput,
    make_console,
    print_line,
    print_prose,
    show_progress,
)
from dcmcfg.rollout import reload_result
from dcmcfg.rollout.execution import RolloutOutcome, resume_rollout, run_rollout
from dcmcfg.rollout.history import History, RolloutStatus, determine_status
from dcmcfg.rollout.preconditions import add_last_change_on_refusal
from dcmcfg.rollout.record import PRIVATE, RolloutContext, RolloutRecord, RolloutSharing
from dcmcfg.rollout.recovery import require_finished
from dcmcfg.rollout.reload_result import RecordedReload, RecordedReloadOutcome
from dcmcfg.rollout.strategy import RolloutStrategy, choose_resume_strategy, choose_strategy, has_assertions
from dcmcfg.settings import Settings, format_site_headline
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.settings.nodes import list_nodes

if TYPE_CHECKING:
    from dcmcfg.cli.session.node_run import SelectedNodes
    from dcmcfg.model.tree import Tree

_NO_EXTRA_OUTPUT = ExtraOutput()
_READ_CHECK_NOTE = (
    "Preconditions: dcmcfg reads each entry before the change, because the server does not support assertion controls"
)


def make_server_rules(directory: Directory, tree: Tree) -> ServerSchemaRules:
    """Return the rules of the server's own schema for changes to *tree*; the schema is read on first use.

    With ``--force-server-schema`` the rules refuse nothing: the server decides.
    """
    if invocation.current().skip_schema_check:
        return ServerSchemaRules(tree, lambda: None)
    read_schema = functools.partial(read_unmapped_schema, directory)
    return ServerSchemaRules(tree, read_schema, ValueLocator(tree.schema).find)


def apply_plan(
    settings: Settings,
    directory: Directory,
    plan: Plan,
    *,
    options: ChangeOptions,
    warnings: Sequence[str] = (),
    scope_dn: DN | None = None,
    rejects_file: RejectsFile | None = None,
    undone_number: int | None = None,
    resumed_record: RolloutRecord | None = None,
    extra_output: ExtraOutput = _NO_EXTRA_OUTPUT,
    is_restore: bool = False,
    rules: ServerSchemaRules | None = None,
    reported_values: Collection[tuple[DN, str, bytes]] = (),
    before_change: Callable[[], None] = lambda: None,
    plan_comments: Sequence[str] = (),
    after_change: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Show *plan*, confirm it, apply it and reload the archive, as far as *options* request that.

    With *undone_number*, the plan reverts the roll-out with that number. With *resumed_record*, it is the rest of that
    roll-out, whose risks were accepted when it began. With *is_restore*, it restores a snapshot (:class:`PlanPurpose`).
    Risks are measured by the entries at and below *scope_dn* (else the configuration root). The items of *rejects_file*
    are printed, and written to the file except in a dry run. *rules* are those of the server's own schema for the tree
    before *plan*; without them they are made here. *extra_output* is printed below the plan. If the archive's own
    device is renamed, the archive is not reloaded, because it would not find its device; the next step is printed, and
    a profile that names the device is updated. *warnings* name the *reported_values* (entry, attribute, value), so no
    rule repeats them. *before_change* is called after the confirmation, before anything is written. *plan_comments* are
    recorded with the plan. *after_change* is called after the change and the reload, for more keys of the JSON object.

    Raises :class:`NegativeResult` if the user declines or there is no terminal, and
    :class:`~dcmcfg.errors.DoesNotApply` for a change that the server's own schema does not allow. Nothing is changed
    either for :class:`~dcmcfg.errors.ArchiveError` (the archive does not respond) and
    :class:`~dcmcfg.errors.Refused` (a risk was not accepted, or another roll-out is unfinished). Raises
    :class:`IncompleteChange` if the directory was changed but the reload was not clean, and what :func:`run_rollout`
    raises.
    """
    if options.strict:
        plan = assert_versions(plan)
    rules = rules or make_server_rules(directory, plan.before)
    require_accepted(plan, rules)
    is_partial = rejects_file is not None and bool(rejects_file.items)
    undone_was_complete = (
        undone_number is not None
        and determine_status(History(get_state_folder()).get_rollout(undone_number)) is RolloutStatus.APPLIED
    )
    purpose = PlanPurpose(
        undone_number, resumed_record, is_restore, is_partial=is_partial, undone_was_complete=undone_was_complete
    )
    assessment = assess_plan(
        settings,
        plan,
        options,
        purpose,
        scope_dn=scope_dn,
        warn_unknown_schema=not rules.is_schema_read,
        reported_values=reported_values,
    )
    options = replace(options, forced_risks=assessment.forced_risks)
    # The rest of a resumed change may no longer contain the rename, so look at the whole change.
    renamed_archives = find_renamed_archives(
        plan.changes if resumed_record is None else resumed_record.changes, plan.after
    )
    all_warnings = (*warnings, *(rejects_file.format_messages() if rejects_file else ()), *assessment.warnings)
    report = ChangeReport(
        settings=settings,
        plan=plan,
        options=options,
        risks=assessment.risks,
        rejects_file=rejects_file,
        renamed_archives=renamed_archives,
        extra_json=extra_output.json_fields,
        warnings=all_warnings,
        resumes_without_reload=resumed_record is not None and resumed_record.header.reload_requested is False,
    )
    invocation.current().partial_result = report.to_json
    writes = bool(plan.steps) and not options.dry_run
    sharing = make_sharing(settings) if writes else PRIVATE
    # An unfinished change blocks only a run that writes.
    _check_unfinished(directory, purpose.rollout_number, warn_only=not writes, sharing=sharing)
    _print_plan_and_warnings(settings, plan, options, warnings=all_warnings, extra_output=extra_output)
    if not plan.steps:
        with _write_rejects(settings, options, rejects_file):
            report.print_result()
        return
    # The risks of a resumed change were accepted when it began.
    if resumed_record is None and not options.dry_run:
        require_forced(assessment.risks, assessment.forced_risks)
    strategy, condition = _choose_and_announce_strategy(directory, plan, options, resumed_record)
    report = replace(
        report,
        strategy=f"{strategy.value}{condition}",
        preconditions=_describe_preconditions(directory, plan),
        reverts=_describe_reverted(purpose),
        extra_output=extra_output,
    )
    # The plan is written before the confirmation, so a dry run and a declined plan leave it too.
    if options.plan_file is not None:
        write_plan(settings, plan, options.plan_file)
        if str(options.plan_file) != STDOUT:
            print_line(make_console(on_stderr=options.stdout_reserved), f"plan: {options.plan_file}")
    if options.dry_run:
        # As a file, an undo would be a change of its own, and an upgrade would lose its snapshot and its check.
        can_apply_file = undone_number is None and not plan_comments
        _print_dry_run(report, is_resumed=resumed_record is not None, can_apply_file=can_apply_file)
        return
    _require_ready(settings, options, rejects_file)
    # Reach the archive before anything is written, so that the reload after the change can succeed.
    # A reload would have no effect on a change that only a restart makes take effect.
    reloads = not options.no_reload and not renamed_archives and _requires_reload(plan, resumed_record)
    selected_nodes = _connect_nodes(settings, options) if reloads else None
    if selected_nodes is not None:
        selected_nodes.require_device(plan)
    if not options.yes and not confirm("Apply these changes?"):
        raise NegativeResult("declined; nothing was changed")
    before_change()
    with _write_rejects(settings, options, rejects_file):
        outcome = _run_rollout(
            directory,
            plan,
            strategy,
            rollout=resumed_record
            or replace(
                _make_rollout_context(settings, undone_number, rejects_file),
                reload_requested=selected_nodes is not None,
                sharing=sharing,
                plan_comments=tuple(plan_comments),
            ),
            report=report,
            sharing=sharing,
        )
    options.print_lines(f"Applied {outcome.strategy.value}.", f"To revert it: dcmcfg undo {outcome.number}")
    # Whether the reload succeeded is recorded with the change, so that `history` can show it later.
    reload: ReloadReport | None = None
    record_folder = outcome.undo_file.parent
    try:
        if selected_nodes is None:
            reload_result.write_reload(record_folder, RecordedReload(RecordedReloadOutcome.NOT_REQUESTED))
        else:
            with reload_result.record_reload(record_folder):
                reload = selected_nodes.activate(
                    directory,
                    plan,
                    rollout_number=outcome.number,
                    record_folder=record_folder,
                    is_undo=purpose.reverted_number is not None,
                    print_nodes=report.print_nodes,
                )
    finally:
        publish_pending(settings)
    profile = rename_device_in_profile(settings, renamed_archives)
    report = replace(report, extra_json={**report.extra_json, **after_change()})
    report.print_result(outcome, reload=reload, profile=profile)


def _requires_reload(plan: Plan, resumed_record: RolloutRecord | None) -> bool:
    """Return whether the nodes are to load *plan*; the rest of an interrupted change follows the request at its start.

    The steps that were applied before the interruption may require the reload, although the rest does not.
    """
    requested = resumed_record.header.reload_requested if resumed_record is not None else None
    return needs_reload(plan) if requested is None else requested


def _print_dry_run(report: ChangeReport, *, is_resumed: bool, can_apply_file: bool) -> None:
    """Print the result of a dry run; with *can_apply_file*, also the command that applies the written plan.

    Raises :class:`NegativeResult` if dcmcfg would refuse the plan. The risks of a resumed change were accepted when it
    began, and its rest cannot be applied as a plan of its own.
    """
    report.print_result()
    if is_resumed:
        return
    options = report.options
    if refusal := describe_refusal(report.risks, options.forced_risks):
        raise NegativeResult(refusal)
    if can_apply_file and options.plan_file is not None and str(options.plan_file) != STDOUT:
        accepted = format_accepted_options(report.risks, options.forced_risks)
        options.print_lines(f"To apply it: dcmcfg apply {shlex.quote(str(options.plan_file))}{accepted}")


def remove_leftover_markers(directory: Directory, history: History, options: ChangeOptions) -> bool:
    """Remove the markers that interrupted runs have left in *directory*; return whether there were any."""
    leftovers = tuple(find_leftover_markers(history, directory.server.url))
    for record, dn in leftovers:
        invocation.current().may_have_changed = True
        remove_marker(directory, dn, NodeRecorder(record.folder))
        options.print_lines(f"The marker of change {record.number} is removed from the directory: {dn}")
    return bool(leftovers)


def resume_nodes(
    settings: Settings, directory: Directory, pending: PendingActivation, *, options: ChangeOptions
) -> None:
    """Make the nodes that have not loaded the change of *pending* load it, and remove its marker, if one is left.

    Without ``--node``, these are the nodes that the record names; without such a record, all nodes. Raises as
    :func:`apply_plan` does after the change is written.
    """
    record = pending.record
    plan = rebuild_plan(record, read_tree(directory))
    known = {each.name for each in list_nodes(settings)}
    names = options.nodes.names or tuple(each for each in pending.pending_nodes if each in known and settings.nodes)
    options = replace(options, nodes=replace(options.nodes, names=names))
    report = ChangeReport(
        settings=settings,
        plan=Plan(plan.after, plan.after, ()),
        options=options,
        risks=(),
        rejects_file=None,
        extra_json={"resumed_rollout": record.number},
    )
    invocation.current().partial_result = report.to_json
    shown_names = ", ".join(names) or "all"
    options.print_lines(f"The change is in the directory. Nodes that have not loaded it: {shown_names}")
    if options.dry_run:
        report.print_result()
        return
    selected_nodes = _connect_nodes(settings, options)
    invocation.current().may_have_changed = True
    try:
        with reload_result.record_reload(record.folder):
            reload = selected_nodes.activate(
                directory,
                plan,
                rollout_number=record.number,
                record_folder=record.folder,
                is_undo=record.header.undo_of is not None,
                print_nodes=report.print_nodes,
            )
    finally:
        publish_pending(settings)
    if options.as_json:
        report.print_result(reload=reload)
    else:
        report.print_nodes(reload)


def _choose_and_announce_strategy(
    directory: Directory, plan: Plan, options: ChangeOptions, resumed_record: RolloutRecord | None
) -> tuple[RolloutStrategy, str]:
    """Choose the strategy for *plan*, print it, and return it with its condition, which may be empty.

    Raises what :func:`choose_strategy` raises.

    To find out whether the database supports transactions, one is begun and aborted. A dry run does this only with
    ``--transaction``.
    """
    choose = choose_strategy if resumed_record is None else choose_resume_strategy
    probes_database = not options.dry_run or options.in_transaction is True
    strategy = choose(directory, plan, options.in_transaction, probe_database=probes_database)
    condition = "" if probes_database or not strategy.has_transaction else ", if the database supports transactions"
    options.print_lines(f"{format_plan_counts(plan)}, {strategy.value}{condition}")
    if has_assertions(plan) and not directory.read_capabilities().assertions:
        options.print_lines(_READ_CHECK_NOTE)
    return strategy, condition


def _describe_preconditions(directory: Directory, plan: Plan) -> str:
    """Return how many steps have a precondition, and who checks it; empty if no step has one."""
    count = sum(map(has_assertion, plan.changes))
    if not count:
        return ""
    checker = (
        "the directory server changes an entry only if the entry still has the old values from this plan"
        if directory.read_capabilities().assertions
        else "dcmcfg reads the entry before the step, because the server does not support assertion controls"
    )
    return f"{count} of {format_count(len(plan.changes), 'step')}: {checker}"


def _describe_reverted(purpose: PlanPurpose) -> str:
    number = purpose.reverted_number
    return f"change {number}" if number is not None else ""


def _check_unfinished(
    directory: Directory, except_number: int | None, *, warn_only: bool, sharing: RolloutSharing
) -> None:
    """Raise :class:`Refused` while a roll-out other than *except_number* is unfinished, or only warn of it."""
    try:
        require_finished(
            get_state_folder(), directory, excluded_number=except_number, shared_folder=sharing.lock_folder
        )
    except Refused as refusal:
        if not warn_only:
            raise
        message = f"{refusal.message}; {refusal.next_step}"
        print_message(f"warning: {escape_unprintable(invocation.current().insert_site_options(message))}")


def _require_ready(settings: Settings, options: ChangeOptions, rejects_file: RejectsFile | None) -> None:
    """Raise now the errors that would otherwise occur only after the user has confirmed."""
    if rejects_file is not None:
        rejects_file.require_unused_path(settings)
    if not options.yes:
        require_terminal()


def _write_rejects(
    settings: Settings, options: ChangeOptions, rejects_file: RejectsFile | None
) -> AbstractContextManager[None]:
    if rejects_file is None or options.dry_run:
        return nullcontext()
    return rejects_file.write_for_change(settings)


def _connect_nodes(settings: Settings, options: ChangeOptions) -> SelectedNodes:
    # A change without a reload does not need the HTTP client.
    from dcmcfg.cli.session.node_run import connect_nodes

    return connect_nodes(settings, options.nodes)


def _print_plan_and_warnings(
    settings: Settings, plan: Plan, options: ChangeOptions, *, warnings: Sequence[str], extra_output: ExtraOutput
) -> None:
    console = make_console(on_stderr=options.stdout_reserved)
    for line in (format_site_headline(settings), *format_unchanged_lines(plan)):
        print_prose(console, line)
    if plan.steps:
        print_plan(console, plan, show_ldif=options.show_ldif, show_short_ldif=extra_output.show_short_ldif)
        extra_output.print_below_plan(console)
        if required_actions := describe_required_actions(plan):
            print_prose(console, required_actions)
    for warning in warnings:
        print_message(f"warning: {escape_unprintable(warning)}")


def write_plan(settings: Settings, plan: Plan, path: Path, *, comments: Sequence[str] = ()) -> None:
    """Write *plan* to the new file *path*, readable by its owner only, or to standard output for ``-``.

    *comments* are more lines at the start of the file.

    Raises :class:`~dcmcfg.errors.DcmcfgError` if the file exists or cannot be written.
    """
    head = (
        f"dcmcfg plan for {format_site_headline(settings)}",
        "Apply this file with dcmcfg apply or ldapmodify. The file may contain secrets.",
        *comments,
    )
    if str(path) == STDOUT:
        print_text([format_plan(plan, comments=head)])
        return
    try:
        write_private(path, format_plan(plan, comments=head))
    except FileExistsError:
        raise DcmcfgError("the file exists", subject=str(path), next_step="specify a new file with --output") from None
    except OSError as error:
        raise DcmcfgError(f"the plan cannot be written ({error.strerror})", subject=str(path)) from error


def _make_rollout_context(
    settings: Settings, undone_number: int | None, rejects_file: RejectsFile | None
) -> RolloutContext:
    rejected_count = len(rejects_file.items) if rejects_file is not None else 0
    rejects_path = str(rejects_file.path.absolute()) if rejects_file is not None and rejected_count else ""
    command = invocation.current().command_line
    return RolloutContext(
        get_state_folder(),
        format_site_headline(settings),
        command,
        undone_number,
        rejected_count=rejected_count,
        rejects=rejects_path,
    )


def _run_rollout(
    directory: Directory,
    plan: Plan,
    strategy: RolloutStrategy,
    *,
    rollout: RolloutContext | RolloutRecord,
    report: ChangeReport,
    sharing: RolloutSharing,
) -> RolloutOutcome:
    """Apply *plan*; a later failure is reported with the JSON that *report* makes of the outcome."""
    run = invocation.current()
    # A new change marks the run when its record is on the disk (make_sharing). A resumed change has a record.
    if isinstance(rollout, RolloutRecord):
        run.may_have_changed = True
    # An unexpected error cannot know what was changed, so its JSON must not claim anything about it.
    run.partial_result = None
    try:
        outcome = _start_or_resume(directory, plan, strategy, rollout=rollout, sharing=sharing)
    except IncompleteChange as error:
        if error.rollout_number is not None and error.undo_file is not None:
            run.partial_result = functools.partial(
                report.to_json, RolloutOutcome(strategy, error.rollout_number, error.undo_file)
            )
        raise
    except DcmcfgError:
        run.partial_result = report.to_json
        raise
    run.partial_result = functools.partial(report.to_json, outcome)
    return outcome


def _start_or_resume(
    directory: Directory,
    plan: Plan,
    strategy: RolloutStrategy,
    *,
    rollout: RolloutContext | RolloutRecord,
    sharing: RolloutSharing,
) -> RolloutOutcome:
    with add_last_change_on_refusal(directory, plan), show_progress("writing", len(plan.steps)) as on_step:
        match rollout:
            case RolloutContext():
                return run_rollout(directory, plan, strategy=strategy, context=rollout, on_step=on_step)
            case RolloutRecord():
                return resume_rollout(
                    directory,
                    plan,
                    rollout,
                    strategy=strategy,
                    state_folder=get_state_folder(),
                    on_step=on_step,
                    sharing=sharing,
                )
