"""The plan: ordered steps from the current tree to the desired one, each with the entry before and after."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.dn import DN, AncestorIndex, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.model.tree import Tree, TreeDraft, add_naming_values
from dcmcfg.plan import assertions, content_records, entry_diff, preconditions
from dcmcfg.plan.assertions import Equals, Filter
from dcmcfg.plan.attribute_names import canonicalise_names
from dcmcfg.plan.entry_comparison import EntryComparison, MissingSecretsPolicy
from dcmcfg.plan.remaining_changes import compute_remaining
from dcmcfg.printable import format_count
from dcmcfg.schema.findings import SourceLocation

_VERSION = "entryCSN"
#: LDAP results: noSuchObject (RFC 4511 appendix A.1) and assertionFailed (RFC 4528).
_NO_SUCH_ENTRY = 32
_ASSERTION_FAILED = 122
#: The beginning of the message that an assertion of a change fails.
CHANGED_SINCE_PLANNED = "the configuration has changed since this change was planned: "
#: The end of the message that the entry of a planned change is missing.
UNKNOWN_REMOVER = "; the directory does not show who deleted or renamed the entry"
#: LDAP results of a planned change whose entry has changed since: no such value, a second value of a single-valued
#: attribute, an existing value or entry, a failed assertion.
_RESULTS_OF_CHANGED_ENTRY = (16, 19, 20, 68, _ASSERTION_FAILED)
#: The maximum number of problems that a message lists.
_MAX_LISTED = 20


@dataclass(frozen=True)
class DesiredChange:
    """A change that the user requests.

    A ``strict`` change is applied exactly as written, or refused. Of any other change, only the part that is not yet
    set is applied. With ``is_content_record``, the change is an Add of the desired entry (created or updated).
    ``location`` is its place in a file, None if it does not come from a file.
    """

    change: Change
    strict: bool = False
    location: SourceLocation | None = None
    is_content_record: bool = False


@dataclass(frozen=True)
class InapplicableChange:
    """A change that the tree does not allow, with the reason."""

    desired: DesiredChange
    problem: DoesNotApply


class DependsOnInapplicable(DoesNotApply):
    """A change that cannot be applied because another change, on which it depends, cannot be applied."""


class ValueRefused(DoesNotApply):
    """A change that cannot be applied because of one value or attribute.

    ``location`` is its line in the file of the change, None if it is unknown.
    """

    location: SourceLocation | None = None


class ChangesDoNotApply(DoesNotApply):
    """Several of *count* changes cannot be applied; ``problems`` has the reason for each.

    Of many problems, the message lists the first causes, and counts the changes that depend on other changes.
    """

    def __init__(self, problems: Sequence[DoesNotApply], count: int) -> None:
        causes = [each for each in problems if not isinstance(each, DependsOnInapplicable)]
        dependent_count = len(problems) - len(causes)
        # A next step that all causes share is shown once, at the end.
        steps = {problem.next_step for problem in causes}
        shared = steps.pop() if len(steps) == 1 else ""
        listed, more = problems, []
        if len(problems) > _MAX_LISTED:
            listed = causes[:_MAX_LISTED]
            if len(causes) > _MAX_LISTED:
                more.append(f"… and {len(causes) - _MAX_LISTED} more")
            if dependent_count:
                dependents = format_count(dependent_count, "change that depends", "changes that depend")
                more.append(f"… and {dependents} on these changes")
        lines = [f"{each.subject}: {each.full_message}" if shared else str(each) for each in listed]
        super().__init__(
            f"{len(problems)} of {count} changes cannot be applied:",
            next_step=shared,
            result_code=problems[0].result_code,
            details=[*lines, *more],
        )
        self.problems = tuple(problems)
        self.count = count


@dataclass(frozen=True)
class PlanStep:
    """One change with the entry before (None for an Add) and after (None for a Delete).

    ``location`` is the place of the change in a file, None if it does not come from a file.
    """

    change: Change
    before: Entry | None
    after: Entry | None
    location: SourceLocation | None = None


@dataclass(frozen=True)
class UnchangedItem:
    """A desired change that is already set.

    ``missing_items`` are phrases for the values that the change removes, but that do not exist. With
    ``is_content_record``, the entry is equal to a content record. With ``is_in_warnings``, the typo warnings of the
    plan name all that does not exist.
    """

    change: Change
    missing_items: tuple[str, ...] = ()
    is_content_record: bool = False
    is_in_warnings: bool = False


@dataclass(frozen=True)
class Plan:
    """Ordered steps from tree ``before`` to tree ``after``; ``unchanged`` lists what is already set.

    ``typo_warnings`` are sentences about values or entries that should be removed, but do not exist, although something
    with a similar name does.
    """

    before: Tree
    after: Tree
    steps: tuple[PlanStep, ...]
    _: KW_ONLY
    unchanged: tuple[UnchangedItem, ...] = ()
    typo_warnings: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes of the steps, in order."""
        return tuple(step.change for step in self.steps)

    def undo(self, applied: int | None = None) -> Plan:
        """Return the plan that reverts the first *applied* steps (None: all), starting from the tree after them.

        Values that a rename removed are restored, and deleted entries are added again unchanged.
        """
        applied_steps = self.steps[:applied]
        # The tree after all steps is known already; only an incomplete roll-out is replayed.
        tree = (
            self.after
            if len(applied_steps) == len(self.steps)
            else self.before.with_changes(step.change for step in applied_steps)
        )
        # The entryCSNs after the roll-out are unknown until the undo is planned on a tree from the server.
        builder = _PlanBuilder(tree, is_from_server=False)
        for step in reversed(applied_steps):
            builder.add_undo(step)
        return builder.build()

    def make_undo_per_step(self) -> tuple[tuple[Change, ...], ...]:
        """Return the changes that revert each step.

        The undo of the first steps consists of their changes, in reverse order of the steps.
        """
        builder = _PlanBuilder(self.after, is_from_server=False)
        pieces = [tuple(undo_step.change for undo_step in builder.add_undo(step)) for step in reversed(self.steps)]
        return tuple(reversed(pieces))


#: A check that returns the reason to refuse a step that the tree allows, or None.
StepCheck = Callable[[PlanStep], DoesNotApply | None]


def make_plan(tree: Tree, desired: Iterable[DesiredChange], check_step: StepCheck | None = None) -> Plan:
    """Return the plan that makes all *desired* changes to *tree*, in order.

    Raises :class:`DoesNotApply` (:class:`ChangesDoNotApply` for several) if the tree or *check_step* refuses a change.
    The error lists every refused change with its location.
    """
    changes = tuple(desired)
    plan, inapplicable = plan_applicable(tree, changes, check_step)
    if inapplicable:
        raise combine_inapplicable_changes(inapplicable, len(changes))
    return plan


def combine_inapplicable_changes(inapplicable: Sequence[InapplicableChange], count: int) -> DoesNotApply:
    """Return the error that reports *inapplicable* (one or more) of *count* changes."""
    first, *others = [each.problem for each in inapplicable]
    return ChangesDoNotApply((first, *others), count) if others else first


def plan_applicable(
    tree: Tree, desired: Iterable[DesiredChange], check_step: StepCheck | None = None
) -> tuple[Plan, tuple[InapplicableChange, ...]]:
    """Return the plan of the applicable changes of *desired*, in order, and the inapplicable ones.

    A change is inapplicable if the tree or *check_step* refuses it, or if it depends on an inapplicable add, delete or
    rename: it changes the same entry or a descendant of it. The content record of an existing entry is no add.
    """
    changes = tuple(desired)
    known: dict[int, DoesNotApply] = {}
    while True:
        plan, inapplicable, desired_indexes = _plan_without_known(tree, changes, known)
        problems = zip(desired_indexes, map(check_step, plan.steps), strict=True) if check_step is not None else ()
        found = {index: problem for index, problem in problems if problem is not None}
        # Other changes may depend on a refused step, so plan again without it, until no further step is refused.
        if not found:
            return plan, inapplicable
        known |= found


def _plan_without_known(
    tree: Tree, desired: Sequence[DesiredChange], known: Mapping[int, DoesNotApply]
) -> tuple[Plan, tuple[InapplicableChange, ...], list[int]]:
    """Return the result of :func:`plan_applicable`, and for each step the index of its change in *desired*.

    *known* has the known problems by index in *desired*; these changes are not planned.
    """
    builder = _PlanBuilder(tree)
    inapplicable: list[InapplicableChange] = []
    inapplicable_locations: dict[NormalDN, SourceLocation | None] = {}
    desired_indexes: list[int] = []
    inapplicable_names = AncestorIndex()
    for index, each in enumerate(desired):
        try:
            # The change is handled like any other refused one, so that the changes that depend on it are refused too.
            if index in known:
                raise known[index]
            _require_applied_parent(
                inapplicable_names.find_nearest(tree.key(each.change.dn)), each.change, inapplicable_locations
            )
            desired_indexes += [index] * builder.add(each)
        except DoesNotApply as problem:
            inapplicable.append(InapplicableChange(each, add_location(problem, each.location)))
            # A content record does not create an entry that exists, so the entries below do not depend on the record.
            is_update = each.is_content_record and builder.has_entry(each.change.dn)
            for dn in () if is_update else _created_or_removed_dns(each.change):
                inapplicable_locations.setdefault(tree.key(dn), each.location)
                inapplicable_names.add(tree.key(dn))
    return builder.build(), tuple(inapplicable), desired_indexes


def _require_applied_parent(
    nearest: NormalDN | None, change: Change, inapplicable_locations: Mapping[NormalDN, SourceLocation | None]
) -> None:
    """Raise :class:`DoesNotApply` if *change* depends on *nearest*, an entry with an inapplicable change."""
    if nearest is not None:
        raise DependsOnInapplicable(
            f"this change depends on {inapplicable_locations[nearest] or 'a change'}, which cannot be applied",
            subject=str(change.dn),
        )


def _created_or_removed_dns(change: Change) -> tuple[DN, ...]:
    match change:
        case Modify():
            return ()
        case Rename():
            return change.dn, change.new_dn
        case Add() | Delete():
            return (change.dn,)


class _PlanBuilder:
    """Builds a plan step by step on a draft of the tree.

    If the tree is not ``is_from_server``, it is the result of a plan, so that the exact values on the server are not
    known yet.
    """

    def __init__(self, tree: Tree, *, is_from_server: bool = True) -> None:
        self._before = tree
        self._is_from_server = is_from_server
        self._first_step_of: dict[NormalDN, int] = {}
        self._draft = TreeDraft(tree)
        self._steps: list[PlanStep] = []
        self._unchanged: list[UnchangedItem] = []
        self._typo_warnings: dict[str, None] = {}
        self._content_entries: dict[NormalDN, Entry] = {}
        self._comparison = EntryComparison(tree.schema, missing_secrets=MissingSecretsPolicy.KEEP)
        depth = min(map(len, tree.entries), default=0)
        # A tree with several top entries has no single base DN, so no DN counts as outside.
        top_keys = [key for key in tree.entries if len(key) == depth]
        self._top = top_keys[0] if len(top_keys) == 1 else ()

    def build(self) -> Plan:
        return Plan(
            self._before,
            self._draft.build_tree(),
            tuple(self._steps),
            unchanged=tuple(self._unchanged),
            typo_warnings=tuple(self._typo_warnings),
        )

    def has_entry(self, dn: DN) -> bool:
        """Return whether the entry *dn* exists after the planned steps."""
        return self._draft.get(dn) is not None

    def add(self, desired: DesiredChange) -> int:
        """Plan *desired*, and return the number of its steps: 0 or 1."""
        count_before = len(self._steps)
        self._add(desired)
        return len(self._steps) - count_before

    def _add(self, desired: DesiredChange) -> None:
        # All checks below look up attributes by their canonical names.
        requested = canonicalise_names(self._draft.schema, desired.change, self._draft.get(desired.change.dn))
        self._require_below_base(requested.dn)
        self._draft.refuse_referrals(requested)
        if isinstance(requested, Rename) and requested.new_superior is not None:
            self._require_below_base(requested.new_superior)
        # A server that renames only a part of a subtree leaves such entries (389 Directory Server 2.3.1).
        if isinstance(requested, Delete):
            self._require_parent(requested.dn)
        if desired.is_content_record and isinstance(requested, Add):
            self._add_content(requested, desired.location)
            return
        # Content records before and after a change record may differ, because the change record may change the entry.
        self._content_entries.clear()
        if desired.strict:
            self._add_strict(requested, desired.location)
            return
        remaining = compute_remaining(self._draft, requested)
        self._typo_warnings.update(dict.fromkeys(remaining.warnings))
        if remaining.change is None:
            self._unchanged.append(
                UnchangedItem(desired.change, remaining.missing_items, is_in_warnings=remaining.is_in_warnings)
            )
            return
        self._add_resolved(remaining.change, desired.location)

    def _require_below_base(self, dn: DN) -> None:
        """Refuse a *dn* outside the tree: entries there were not read and are unknown."""
        key = self._draft.key(dn)
        if key[len(key) - len(self._top) :] == self._top and len(key) >= len(self._top):
            return
        if self._draft.get(dn) is None and self._draft.get(dn.parent) is None:
            raise DoesNotApply(
                "the entry is not below the base DN",
                subject=str(dn),
                next_step="set another base DN with --base-dn (DCMCFG_BASE_DN), "
                "or apply the file with the base DN of this site: dcmcfg apply --map-base auto FILE",
            )

    def _require_parent(self, dn: DN) -> None:
        """Refuse the delete of an entry whose parent is missing, because no undo could add it again."""
        if self._top and len(dn.rdns) > len(self._top) and self._draft.get(dn) and not self._draft.get(dn.parent):
            raise DoesNotApply(
                f"the parent entry {dn.parent} is missing, so after the delete, an undo cannot add the entry again",
                subject=str(dn),
                next_step=f"to delete the entry without an undo: ldapdelete {shlex.quote(str(dn))}",
                result_code=_NO_SUCH_ENTRY,
            )

    def _add_content(self, requested: Add, location: SourceLocation | None) -> None:
        """Plan the change from the current entry to *requested*; missing secrets and vendor data are kept."""
        schema = self._draft.schema
        content_records.check_naming_values(schema, requested.entry)
        desired, current = add_naming_values(schema, requested.entry), self._draft.get(requested.dn)
        earlier_record = self._content_entries.setdefault(self._draft.key(requested.dn), desired)
        if earlier_record is not desired and (
            names := entry_diff.find_differing_attributes(earlier_record, desired, schema)
        ):
            raise DoesNotApply(
                f"two records of this entry have different values of {', '.join(names)}", subject=str(requested.dn)
            )
        if current is None:
            self._add_resolved(requested, location)
            return
        target = self._comparison.compute_target(current, desired)
        if target is current:
            self._unchanged.append(UnchangedItem(requested, is_content_record=True))
            return
        content_records.check_structural_class(schema, current, target)
        self._add_resolved(Modify(current.dn, entry_diff.compute_modifications(current, target, schema)), location)

    def add_undo(self, step: PlanStep) -> list[PlanStep]:
        """Plan the undo of *step*, and return its steps."""
        count_before = len(self._steps)
        for change in _invert_step(step):
            self.add(DesiredChange(change))
        # A rename can remove a value that a rename back does not restore (one of ``cn: a`` and ``cn: b``).
        if isinstance(step.change, Modify | Rename) and step.before is not None:
            self._restore(step.before)
        return self._steps[count_before:]

    def _restore(self, entry: Entry) -> None:
        """Plan the change that gives the entry exactly the values of *entry* again."""
        current = self._draft.get(entry.dn)
        if current is not None and (
            modifications := entry_diff.compute_modifications(current, entry, self._draft.schema)
        ):
            self._add_resolved(Modify(entry.dn, modifications))

    def _add_strict(self, change: Change, location: SourceLocation | None) -> None:
        before, origin = self._draft.get(change.dn), self._draft.find_original_key(change.dn)
        try:
            # The draft reports an entry that does not exist.
            if before is not None:
                self._check_assertions(change, before)
            self._draft.apply(change)
        except DoesNotApply as problem:
            raise _mark_as_changed(problem) from problem
        self._append_step(PlanStep(change, before, self._draft.get(_get_dn_after(change)), location), origin)

    def _check_assertions(self, change: Change, before: Entry) -> None:
        version = self._draft.get_version(change.dn)
        for control in change.controls:
            # Only the server can check a filter that dcmcfg does not write itself.
            assertion_filter = assertions.decode_control(control) if control.oid == assertions.OID else None
            if assertion_filter is not None and (
                failures := assertions.describe_failures(assertion_filter, before, self._draft.schema, version)
            ):
                raise DoesNotApply(
                    f"{CHANGED_SINCE_PLANNED}somebody has changed {assertions.summarize_failures(failures)}",
                    subject=str(change.dn),
                    next_step="plan again from the current configuration",
                    result_code=_ASSERTION_FAILED,
                )

    def _add_resolved(self, change: Change, location: SourceLocation | None = None) -> None:
        before, version = self._draft.get(change.dn), self._draft.get_version(change.dn)
        origin = self._draft.find_original_key(change.dn)
        self._draft.apply(change)
        after = self._draft.get(_get_dn_after(change))
        match change:
            case Modify() if before is not None and after is not None:
                # A replace becomes deletes and adds of single values: the plan shows them, and the assertions cover
                # what it removes.
                modifications = entry_diff.compute_modifications(before, after, self._draft.schema)
                # A replace with the current values changes nothing.
                if not modifications:
                    self._unchanged.append(UnchangedItem(change))
                    return
                filters = preconditions.derive_modify_preconditions(before, modifications, self._draft.schema, version)
                change = preconditions.add_default_assertions(replace(change, modifications=modifications), filters)
            case Delete() if before is not None:
                filters = preconditions.derive_delete_preconditions(before, self._draft.schema, version)
                change = preconditions.add_default_assertions(change, filters)
            case Add() if after is not None:
                # The draft has added the naming values of the RDN, which the entry in the step must have too.
                change = replace(change, entry=after)
            case _:
                pass
        self._append_step(PlanStep(change, before, after, location), origin)

    def _append_step(self, step: PlanStep, origin: NormalDN | None) -> None:
        """Add *step*, whose entry had the name *origin* before the plan (None: it is new).

        If the step removes values that it does not assert, the first step of the entry asserts the values that were
        read.
        """
        number = len(self._steps)
        self._steps.append(step)
        # Without a tree from the server, and for a new entry, there are no values or entryCSN to assert.
        if not self._is_from_server or origin is None or step.before is None:
            return
        # Only the first step can assert the entryCSN that was read, because each step changes it.
        first = self._first_step_of.setdefault(origin, number)
        schema, version = self._draft.schema, self._before.versions.get(origin)
        asserted = assertions.extract_assertions(step.change) or ()
        misjudged = [part for part in asserted if preconditions.is_misjudged_by_server(part, step.before)]
        if not misjudged and preconditions.asserts_all_removed_values(step.change, asserted, step.before, schema):
            return
        # The entryCSN replaces these filters: the server would refuse the unchanged entry because of them.
        if misjudged and version is not None:
            self._set_assertions(number, [part for part in asserted if part not in misjudged])
        if version is not None:
            self._add_assertions(first, [Equals(_VERSION, version.encode())])
        elif (original := self._before.entries.get(origin)) is not None:
            self._add_assertions(first, preconditions.build_value_assertions(step.change, asserted, original, schema))

    def _add_assertions(self, number: int, filters: Sequence[Filter]) -> None:
        asserted = assertions.extract_assertions(self._steps[number].change) or ()
        if not all(each in asserted for each in filters):
            self._set_assertions(number, [*asserted, *filters])

    def _set_assertions(self, number: int, filters: Sequence[Filter]) -> None:
        """Replace the assertions of the step *number* with *filters*, unless only a server understands its own ones."""
        step = self._steps[number]
        if assertions.extract_assertions(step.change) is not None:
            self._steps[number] = replace(step, change=assertions.replace_assertions(step.change, filters))


def _get_dn_after(change: Change) -> DN:
    return change.new_dn if isinstance(change, Rename) else change.dn


def _invert_step(step: PlanStep) -> tuple[Change, ...]:
    match step.change:
        case Add(entry):
            return (Delete(entry.dn),)
        case Delete():
            return (Add(step.before),) if step.before is not None else ()
        # The caller, add_undo, restores all values of a modified entry.
        case Modify():
            return ()
        case Rename(dn, new_superior=new_superior) as rename:
            # The change may spell the name differently, so the undo uses the spelling of the entry.
            old = step.before.dn if step.before is not None else dn
            # A rename in place stays one: a new superior is not possible in a transaction (:mod:`dcmcfg.plan.batches`).
            parent = old.parent if new_superior is not None else None
            return (Rename(rename.new_dn, old.rdn, delete_old_rdn=True, new_superior=parent),)


def _mark_as_changed(problem: DoesNotApply) -> DoesNotApply:
    """Return *problem* of a strict change, marked as caused by a change of the entry since, if that is the reason."""
    if problem.result_code == _NO_SUCH_ENTRY:
        return DoesNotApply(
            f"{problem.message}{UNKNOWN_REMOVER}",
            subject=problem.subject,
            next_step=problem.next_step,
            result_code=problem.result_code,
        )
    if problem.result_code in _RESULTS_OF_CHANGED_ENTRY:
        problem.changed_dn = problem.subject
    return problem


def add_location(problem: DoesNotApply, location: SourceLocation | None) -> DoesNotApply:
    """Return *problem* with the *location* of its change, or of the refused value, if that is known."""
    if isinstance(problem, ValueRefused):
        location = problem.location or location
    if location is None:
        return problem
    return type(problem)(
        problem.message,
        subject=f"{location}: {problem.subject}",
        next_step=problem.next_step,
        result_code=problem.result_code,
        changed_dn=problem.changed_dn,
    )
