"""Check whether the directory still meets the preconditions of a plan.

If an entry does not, the error also names the last modifier of that entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.directory.failures import ASSERTION_FAILED
from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError, DirectoryError, DoesNotApply
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions, entry_diff, preconditions
from dcmcfg.plan.plan import (
    ChangesDoNotApply,
    DesiredChange,
    InapplicableChange,
    Plan,
    PlanStep,
    StepCheck,
    combine_inapplicable_changes,
    plan_applicable,
)
from dcmcfg.plan.rename_hints import PastRename, add_rename_hints, concerns_missing_entry
from dcmcfg.rollout.reconciliation import read_entries, substitute_planned_passwords
from dcmcfg.schema.definitions import Schema
from dcmcfg.timestamps import format_timestamp

_VERSION = "entryCSN"
_ENTRY_GONE = "somebody has deleted or renamed the entry in the meantime; the directory does not show who did this"


def check_unchanged(directory: Directory, plan: Plan) -> None:
    """Check the entries that *plan* changes directly before writing, so that an abort on the server is rare.

    An entry with the same entryCSN as in the plan is unchanged. Raises :class:`DoesNotApply` with the changed entry and
    attributes.
    """
    first_steps = _find_first_steps(plan)
    versions = plan.before.versions
    names = [step.change.dn for step in first_steps.values()]
    # The entryCSN is enough to recognise an unchanged entry; only changed ones are read with their values.
    found = read_entries(directory, plan.before, names, (_VERSION,) if versions else ("*",))
    for key, step in first_steps.items():
        entry = found.get(key)
        if entry is not None and versions:
            if entry.text(_VERSION) == versions.get(key, ""):
                continue
            # The archive itself writes to its device entry, so another entryCSN alone is no conflict.
            entry = directory.read_entry(step.change.dn, ("*", _VERSION))
        _check(step, entry, plan.before)


def _find_first_steps(plan: Plan) -> dict[NormalDN, PlanStep]:
    """Return the first step for each entry that can be checked before the plan is applied."""
    first_steps: dict[NormalDN, PlanStep] = {}
    renamed: set[NormalDN] = set()
    for step in plan.steps:
        key = plan.before.key(step.change.dn)
        is_renamed = bool(renamed) and any(key[depth:] in renamed for depth in range(len(key)))
        if isinstance(step.change, Rename):
            renamed |= {key, plan.before.key(step.change.new_dn)}
        if not is_renamed and not _is_created_by_plan(plan.before, step):
            first_steps.setdefault(key, step)
    return first_steps


def _is_created_by_plan(before: Tree, step: PlanStep) -> bool:
    """Return whether an earlier step creates the entry of *step*, by add or rename: it cannot be read yet."""
    return not isinstance(step.change, Add) and step.change.dn not in before


def prepare_change(step: PlanStep, before: Tree) -> tuple[Change, bool]:
    """Return the change of *step* for a server with the assertion control, and whether a read is required before it.

    A read is required if the control does not assert every value that the change removes. This happens for an entry
    without entryCSN (the server has none, or hides it), and for an entry that an earlier step has changed. For an entry
    without entryCSN, the control contains only filters that all servers evaluate in the same way.
    """
    if step.before is None:
        return step.change, False
    asserted = assertions.extract_assertions(step.change)
    asserts_all = preconditions.asserts_all_removed_values(step.change, asserted or (), step.before, before.schema)
    if asserted is None or before.key(step.change.dn) in before.versions or any(map(_is_version, asserted)):
        return step.change, not asserts_all
    checkable = preconditions.select_server_checkable(asserted, step.before, before.schema)
    if checkable == asserted:
        return step.change, not asserts_all
    return assertions.replace_assertions(step.change, checkable), True


def _is_version(part: assertions.Filter) -> bool:
    return isinstance(part, assertions.Equals) and part.name.lower() == _VERSION.lower()


def check_step_preconditions(
    directory: Directory, step: PlanStep, schema: Schema, *, has_server_assertions: bool = False
) -> None:
    """Read the entry of *step* and check its preconditions, if the server cannot check all of them.

    Raises :class:`DoesNotApply`, also for an assertion that dcmcfg does not support, unless the server checks it
    (*has_server_assertions*).
    """
    found = directory.read_entry(step.change.dn, ("*", _VERSION))
    if found is None:
        if not isinstance(step.change, Add):
            raise _build_changed_error(_ENTRY_GONE, step)
        return
    _check_assertions(step, found, schema, understood_only=not has_server_assertions)
    _check_removed_values(step, found, schema)


def _check(step: PlanStep, found: Entry | None, before: Tree) -> None:
    match step.change:
        case Add(entry):
            # An entry that the plan deletes and adds again existed before the plan.
            if found is not None and entry.dn not in before:
                raise _build_changed_error("somebody has added the entry in the meantime", step, exists=True)
        case Modify() | Delete() | Rename():
            if found is None:
                raise _build_changed_error(_ENTRY_GONE, step)
            _check_assertions(step, found, before.schema)
            _check_removed_values(step, found, before.schema)


def _check_assertions(step: PlanStep, found: Entry, schema: Schema, *, understood_only: bool = False) -> None:
    # The entryCSN was read with the user attributes, but filters check it separately.
    version, entry = found.text(_VERSION), found.with_values(_VERSION, ())
    for control in step.change.controls:
        if control.oid != assertions.OID:
            continue
        assertion_filter = assertions.decode_control(control)
        if assertion_filter is None:
            if understood_only:
                raise _build_changed_error(
                    "the assertion cannot be checked: this server and dcmcfg do not support its filter", step
                )
        elif failures := assertions.describe_failures(assertion_filter, entry, schema, version):
            raise _build_changed_error(
                f"somebody has changed {assertions.summarize_failures(failures)} in the meantime", step, exists=True
            )


def _check_removed_values(step: PlanStep, found: Entry, schema: Schema) -> None:
    """Raise :class:`DoesNotApply` if *step* would remove other values than the planned ones."""
    asserted = assertions.extract_assertions(step.change) or ()
    if step.before is None or preconditions.asserts_all_removed_values(step.change, asserted, step.before, schema):
        return
    names = preconditions.find_unasserted_removals(step.change, asserted, step.before, schema)
    entry = substitute_planned_passwords(found.with_values(_VERSION, ()), step.before)
    changed_names = entry_diff.find_differing_attributes(entry, step.before, schema)
    if names is not None:
        changed_names = tuple(name for name in changed_names if name.lower() in names)
    if changed_names:
        raise _build_changed_error(
            f"somebody has changed {', '.join(changed_names)} in the meantime", step, exists=True
        )


def _build_changed_error(message: str, step: PlanStep, *, exists: bool = False) -> DoesNotApply:
    dn = str(step.change.dn)
    return DoesNotApply(message, subject=dn, next_step="plan again", result_code=122, changed_dn=dn if exists else "")


_MODIFIERS_NAME, _MODIFY_TIMESTAMP = "modifiersName", "modifyTimestamp"
#: The maximum number of refusals for which the last change is queried; a message does not list more.
_MAX_QUERIED = 20


def plan_with_last_changes(
    directory: Directory,
    tree: Tree,
    desired: Sequence[DesiredChange],
    check_step: StepCheck | None = None,
    *,
    skip_inapplicable: bool,
    load_past_renames: Callable[[], Sequence[PastRename]],
) -> tuple[Plan, tuple[InapplicableChange, ...]]:
    """Return the plan of *desired*, and the inapplicable changes.

    Inapplicable changes raise :class:`DoesNotApply`, unless *skip_inapplicable*. *check_step* may refuse steps too.
    *load_past_renames* returns renames, the oldest first, that may have moved missing entries.
    """
    plan, inapplicable = plan_applicable(tree, desired, check_step)
    if any(map(concerns_missing_entry, inapplicable)):
        inapplicable = add_rename_hints(inapplicable, tree, load_past_renames())
    if inapplicable and not skip_inapplicable:
        raise add_last_change(directory, combine_inapplicable_changes(inapplicable, len(desired)))
    return plan, add_last_changes(directory, inapplicable)


def add_last_changes(
    directory: Directory, inapplicable: Sequence[InapplicableChange]
) -> tuple[InapplicableChange, ...]:
    """Return *inapplicable* with the last change of each entry in its message; of many, only for the first ones."""
    queried = (replace(each, problem=add_last_change(directory, each.problem)) for each in inapplicable[:_MAX_QUERIED])
    return (*queried, *inapplicable[_MAX_QUERIED:])


@contextmanager
def add_last_change_on_refusal(directory: Directory, plan: Plan | None = None) -> Iterator[None]:
    """Add the last modifier of the entry, and the time, to an error of the block that a changed entry has caused.

    An assertion of *plan* that failed on the server is reported like one that failed before sending, with the attribute
    and the values.
    """
    try:
        yield
    except DoesNotApply as refusal:
        raise add_last_change(directory, refusal) from refusal
    except DirectoryError as refusal:
        if refusal.result_code == ASSERTION_FAILED and plan is not None:
            _raise_changed_since_plan(directory, plan)
        raise


def _raise_changed_since_plan(directory: Directory, plan: Plan) -> None:
    """Raise :class:`DoesNotApply` for the changed entry of *plan*; return if it cannot be determined."""
    try:
        check_unchanged(directory, plan)
    except DoesNotApply as changed:
        raise add_last_change(directory, changed) from changed
    except DcmcfgError:  # the original error is more useful
        return


def add_last_change(directory: Directory, refusal: DoesNotApply) -> DoesNotApply:
    """Return *refusal* with the last modifier of the entry and the time (UTC), if the server shows them."""
    if isinstance(refusal, ChangesDoNotApply):
        queried = [add_last_change(directory, each) for each in refusal.problems[:_MAX_QUERIED]]
        return ChangesDoNotApply((*queried, *refusal.problems[_MAX_QUERIED:]), refusal.count)
    if not refusal.changed_dn:
        return refusal
    message = f"{refusal.message}; {_describe_last_change(directory, refusal.changed_dn)}"
    return DoesNotApply(message, subject=refusal.subject, next_step=refusal.next_step, result_code=refusal.result_code)


def _describe_last_change(directory: Directory, dn: str) -> str:
    try:
        entry = directory.read_entry(DN.parse(dn), (_MODIFIERS_NAME, _MODIFY_TIMESTAMP))
    except DcmcfgError as error:
        return f"dcmcfg could not read who changed the entry last ({error.message})"
    if entry is None:
        return "the entry no longer exists, and the directory does not show who deleted or renamed the entry"
    modifier, timestamp = entry.text(_MODIFIERS_NAME), entry.text(_MODIFY_TIMESTAMP)
    if modifier is None or timestamp is None:
        return "the server does not show who changed the entry last"
    return f"{modifier} changed the entry last, {_format_generalized_time(timestamp)}"


def _format_generalized_time(text: str) -> str:
    """Return a GeneralizedTime (RFC 4517 §3.3.13) for output; unchanged if it has a rare form."""
    try:
        return format_timestamp(datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC))
    except ValueError:
        return text
