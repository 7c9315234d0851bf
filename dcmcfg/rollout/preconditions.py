"""Whether the directory still meets the preconditions of a plan.

If an entry does not, the refusal also names who changed that entry last.
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
_ENTRY_GONE = "somebody has deleted or renamed the entry meanwhile; a directory does not say who"


def check_unchanged(directory: Directory, plan: Plan) -> None:
    """Read what *plan* touches, directly before writing, so that an abort at the server is rare.

    An entry with the entryCSN that it had when the plan was made is as it was then. Raises :class:`DoesNotApply` naming
    what has changed since.
    """
    first_steps = _find_first_steps(plan)
    versions = plan.before.versions
    names = [step.change.dn for step in first_steps.values()]
    found = read_entries(directory, plan.before, names, (_VERSION,) if versions else ("*",))
    for key, step in first_steps.items():
        entry = found.get(key)
        if entry is not None and versions:
            if entry.text(_VERSION) == versions.get(key, ""):
                continue
            entry = directory.read_entry(step.change.dn, ("*", _VERSION))
        _check(step, entry, plan.before)


def _find_first_steps(plan: Plan) -> dict[NormalDN, PlanStep]:
    """Return by entry the first step that touches it, for the entries of which the directory can tell beforehand."""
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
    """An entry that an earlier step made is not there yet to be read (nor is what a rename brings to a name)."""
    return not isinstance(step.change, Add) and step.change.dn not in before


def prepare_change(step: PlanStep, before: Tree) -> tuple[Change, bool]:
    """Return the change of *step* as a server with assertion control gets it, and whether it needs a read before it.

    It does where the control does not hold every value that the change takes away: an entry without entryCSN, which
    the server keeps not at all or hides for this entry, or one that an earlier step has changed. Of an entry without
    entryCSN a server gets only what any server judges alike.
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
    """Read what *step* touches and check its preconditions, where the server does not, or not all of them.

    Raises :class:`DoesNotApply`, also for an assertion that is not understood here, unless the server checks
    it (*has_server_assertions*).
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
            if found is not None and entry.dn not in before:
                raise _build_changed_error("somebody has added the entry meanwhile", step, exists=True)
        case Modify() | Delete() | Rename():
            if found is None:
                raise _build_changed_error(_ENTRY_GONE, step)
            _check_assertions(step, found, before.schema)
            _check_removed_values(step, found, before.schema)


def _check_assertions(step: PlanStep, found: Entry, schema: Schema, *, understood_only: bool = False) -> None:
    version, entry = found.text(_VERSION), found.with_values(_VERSION, ())
    for control in step.change.controls:
        if control.oid != assertions.OID:
            continue
        assertion_filter = assertions.decode_control(control)
        if assertion_filter is None:
            if understood_only:
                raise _build_changed_error("the assertion is one that neither this server nor dcmcfg can check", step)
        elif failures := assertions.describe_failures(assertion_filter, entry, schema, version):
            raise _build_changed_error(
                f"somebody has changed {assertions.summarize_failures(failures)} meanwhile", step, exists=True
            )


def _check_removed_values(step: PlanStep, found: Entry, schema: Schema) -> None:
    """Raise :class:`DoesNotApply` where *step* would take away other values than those that it was planned for."""
    asserted = assertions.extract_assertions(step.change) or ()
    if step.before is None or preconditions.asserts_all_removed_values(step.change, asserted, step.before, schema):
        return
    names = preconditions.find_unasserted_removals(step.change, asserted, step.before, schema)
    entry = substitute_planned_passwords(found.with_values(_VERSION, ()), step.before)
    changed_names = entry_diff.find_differing_attributes(entry, step.before, schema)
    if names is not None:
        changed_names = tuple(name for name in changed_names if name.lower() in names)
    if changed_names:
        raise _build_changed_error(f"somebody has changed {', '.join(changed_names)} meanwhile", step, exists=True)


def _build_changed_error(message: str, step: PlanStep, *, exists: bool = False) -> DoesNotApply:
    dn = str(step.change.dn)
    return DoesNotApply(message, subject=dn, next_step="plan again", result_code=122, changed_dn=dn if exists else "")


_MODIFIERS_NAME, _MODIFY_TIMESTAMP = "modifiersName", "modifyTimestamp"
#: Of many refusals, so many are asked about; a message lists no more.
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
    """Return the plan of *desired*, and with *skip_inapplicable* what does not fit.

    Without it that raises :class:`DoesNotApply`.
    *check_step* has a say in what fits. *load_past_renames* returns the renames, the oldest first, that may have moved
    what is not there.
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
    """Return *inapplicable* with who changed the entry last; of many, the first ones."""
    queried = (replace(each, problem=add_last_change(directory, each.problem)) for each in inapplicable[:_MAX_QUERIED])
    return (*queried, *inapplicable[_MAX_QUERIED:])


@contextmanager
def add_last_change_on_refusal(directory: Directory, plan: Plan | None = None) -> Iterator[None]:
    """Add who changed the entry last, and when, to a refusal of the block that has this reason.

    An assertion that failed at the server is reported as one of *plan* that failed before it was sent: with the
    attribute and the values.
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
    """Raise :class:`DoesNotApply` for what *plan* no longer fits; return when that cannot be found out."""
    try:
        check_unchanged(directory, plan)
    except DoesNotApply as changed:
        raise add_last_change(directory, changed) from changed
    except DcmcfgError:  # the refusal itself says more
        return


def add_last_change(directory: Directory, refusal: DoesNotApply) -> DoesNotApply:
    """Return *refusal* with who changed the entry last and when, as far as the server says; times are UTC."""
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
        return f"who changed the entry last could not be read ({error.message})"
    if entry is None:
        return "the entry is gone, and a directory does not say who deleted or renamed it"
    modifier, timestamp = entry.text(_MODIFIERS_NAME), entry.text(_MODIFY_TIMESTAMP)
    if modifier is None or timestamp is None:
        return "the server does not say who changed the entry last"
    return f"{modifier} changed the entry last, {_format_generalized_time(timestamp)}"


def _format_generalized_time(text: str) -> str:
    """Return a GeneralizedTime (RFC 4517 §3.3.13) as people write it; unchanged if it is of a rarer form."""
    try:
        return format_timestamp(datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC))
    except ValueError:
        return text
