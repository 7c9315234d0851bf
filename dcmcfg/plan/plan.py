"""Plan: the steps from the tree as it is to the tree as it is wanted, each with what was before."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.dn import DN, NamesAbove, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotFit
from dcmcfg.model.tree import Draft, Tree, with_naming_values
from dcmcfg.plan import assertions, content_records, entry_diff, preconditions
from dcmcfg.plan.assertions import Equals, Filter
from dcmcfg.plan.attribute_names import with_canonical_names
from dcmcfg.plan.entry_comparison import Comparison, Lacking
from dcmcfg.plan.remaining_changes import outstanding

_VERSION = "entryCSN"
_NO_SUCH_ENTRY = 32
_ASSERTION_FAILED = 122
#: Results that a change made for the tree as it was ends in once the entry is another: no such value, a second value
#: of a single-valued attribute, a value or an entry that is there already, a broken assertion.
_SIGNS_OF_MOVING = (16, 19, 20, 68, _ASSERTION_FAILED)
#: Of many problems, a message lists so many.
_LISTED = 20


@dataclass(frozen=True)
class Wanted:
    """A change that somebody wants.

    A *strict* one fits exactly as it is written or is refused; any other counts as done where it is so already.
    With *content* the change is an Add that tells how the entry is wanted, whether it exists or not.
    ``place`` is where it was written (``file:line``), for messages.
    """

    change: Change
    strict: bool = False
    place: str = ""
    content: bool = False


@dataclass(frozen=True)
class Misfit:
    """A change that the tree does not allow, with the reason."""

    wanted: Wanted
    problem: DoesNotFit


class Misfits(DoesNotFit):
    """Several of *count* changes do not fit; ``problems`` has the reason of each."""

    def __init__(self, problems: Sequence[DoesNotFit], count: int) -> None:
        steps = {problem.next_step for problem in problems}
        shared = steps.pop() if len(steps) == 1 else ""
        told = [f"{each.on}: {each.whole}" if shared else str(each) for each in problems[:_LISTED]]
        more = [f"… and {len(problems) - _LISTED} more"] if len(problems) > _LISTED else []
        super().__init__(
            f"{len(problems)} of {count} changes do not fit the tree:",
            next_step=shared,
            result_code=problems[0].result_code,
            details=[*told, *more],
        )
        self.problems = tuple(problems)
        self.count = count


@dataclass(frozen=True)
class Step:
    """One change with the entry before (None for an Add) and after (None for a Delete).

    ``place`` is where the change was written (``file:line``), empty if no file holds it.
    """

    change: Change
    before: Entry | None
    after: Entry | None
    place: str = ""


@dataclass(frozen=True)
class Already:
    """A change that was wanted and is so.

    ``absent`` says, a phrase each, what it takes away that is not there. With *content* the entry is as a content
    record wants it.
    """

    change: Change
    absent: tuple[str, ...] = ()
    content: bool = False


@dataclass(frozen=True)
class Plan:
    """Ordered steps from tree ``before`` to tree ``after``; ``already`` lists what was wanted and is so.

    ``misspelt`` are sentences on what was to be taken away, is not there, and is spelt almost like what is.
    """

    before: Tree
    after: Tree
    steps: tuple[Step, ...]
    already: tuple[Already, ...] = ()
    misspelt: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes of the steps, in order."""
        return tuple(step.change for step in self.steps)

    def undo(self, applied: int | None = None) -> Plan:
        """Return the plan that takes back the first *applied* steps (all when None), from the tree after them.

        Values that a rename dropped come back, and entries deleted are added as they were.
        """
        done = self.steps[:applied]
        tree = self.after if len(done) == len(self.steps) else self.before.after(step.change for step in done)
        undoing = _Planning(tree, read=False)
        for step in reversed(done):
            undoing.take_back(step)
        return undoing.plan()

    def undo_pieces(self) -> tuple[tuple[Change, ...], ...]:
        """Return for each step what takes it back; those of the first steps, the last first, are the undo of these."""
        undoing = _Planning(self.after, read=False)
        pieces = [tuple(taken.change for taken in undoing.take_back(step)) for step in reversed(self.steps)]
        return tuple(reversed(pieces))


#: Return why a step is refused although the tree allows it, or None.
Refusal = Callable[[Step], DoesNotFit | None]


def make_plan(tree: Tree, wanted: Iterable[Wanted], refusal: Refusal | None = None) -> Plan:
    """Return the plan that makes each *wanted* change of *tree*, in order.

    Raises :class:`DoesNotFit` (:class:`Misfits` for several) with every change that the tree or *refusal* refuses, and
    its place; nothing is planned then.
    """
    every = tuple(wanted)
    plan, misfits = plan_fitting(tree, every, refusal)
    if misfits:
        raise refused(misfits, len(every))
    return plan


def refused(misfits: Sequence[Misfit], count: int) -> DoesNotFit:
    """Return the error that tells *misfits*, of which there is at least one, among *count* changes."""
    first, *others = [misfit.problem for misfit in misfits]
    return Misfits((first, *others), count) if others else first


def plan_fitting(
    tree: Tree, wanted: Iterable[Wanted], refusal: Refusal | None = None
) -> tuple[Plan, tuple[Misfit, ...]]:
    """Return the plan of what fits of *wanted*, in order, and what does not, which *refusal* has a say in.

    Nor does what builds on an add, a delete or a rename that did not fit: changes of that entry and of those below.
    """
    every = tuple(wanted)
    known: dict[int, DoesNotFit] = {}
    while True:
        plan, misfits, takers = _fitting(tree, every, known)
        problems = zip(takers, map(refusal, plan.steps), strict=True) if refusal is not None else ()
        found = {index: problem for index, problem in problems if problem is not None}
        if not found:
            return plan, misfits
        known |= found


def _fitting(
    tree: Tree, wanted: Sequence[Wanted], known: Mapping[int, DoesNotFit]
) -> tuple[Plan, tuple[Misfit, ...], list[int]]:
    """Return plan and misfits as :func:`plan_fitting` does, and for each step which of *wanted* it is for.

    *known* are problems of some of *wanted*, which are left out.
    """
    planning = _Planning(tree)
    misfits: list[Misfit] = []
    without: dict[NormalDN, str] = {}
    takers: list[int] = []
    above = NamesAbove()
    for index, each in enumerate(wanted):
        try:
            if index in known:
                raise known[index]
            _require_ground(above.lowest(tree.key(each.change.dn)), each.change, without)
            takers += [index] * planning.take(each)
        except DoesNotFit as problem:
            misfits.append(Misfit(each, placed(problem, each.place)))
            for dn in _made_or_gone(each.change):
                without.setdefault(tree.key(dn), each.place)
                above.add(tree.key(dn))
    return planning.plan(), tuple(misfits), takers


def _require_ground(above: NormalDN | None, change: Change, without: Mapping[NormalDN, str]) -> None:
    """Raise :class:`DoesNotFit` when *change* is of, or below, the entry *above*, which is in *without* (→ place)."""
    if above is not None:
        raise DoesNotFit(f"it builds on {without[above] or 'a change'}, which does not fit", on=str(change.dn))


def _made_or_gone(change: Change) -> tuple[DN, ...]:
    match change:
        case Modify():
            return ()
        case Rename():
            return change.dn, change.new_dn
        case Add() | Delete():
            return (change.dn,)


class _Planning:
    """A plan in the making: a draft of the tree, with what led to it.

    The tree was *read* from a server, or is what a plan makes of one: then what the server will hold is not known.
    """

    def __init__(self, tree: Tree, *, read: bool = True) -> None:
        self._before = tree
        self._read = read
        self._first: dict[NormalDN, int] = {}
        self._draft = Draft(tree)
        self._steps: list[Step] = []
        self._already: list[Already] = []
        self._misspelt: dict[str, None] = {}
        self._content: dict[NormalDN, Entry] = {}
        self._comparison = Comparison(tree.schema, lacking=Lacking.UNSAID)
        depth = min(map(len, tree.entries), default=0)
        tops = [key for key in tree.entries if len(key) == depth]
        self._top = tops[0] if len(tops) == 1 else ()

    def plan(self) -> Plan:
        return Plan(self._before, self._draft.tree(), tuple(self._steps), tuple(self._already), tuple(self._misspelt))

    def take(self, wanted: Wanted) -> int:
        """Plan *wanted*, and return how many steps it takes: one or none."""
        known = len(self._steps)
        self._take(wanted)
        return len(self._steps) - known

    def _take(self, wanted: Wanted) -> None:
        asked = with_canonical_names(self._draft.schema, wanted.change, self._draft.get(wanted.change.dn))
        self._require_known_place(asked.dn)
        self._draft.require_held_here(asked)
        if isinstance(asked, Rename) and asked.new_superior is not None:
            self._require_known_place(asked.new_superior)
        if isinstance(asked, Delete):
            self._require_parent(asked.dn)
        if wanted.content and isinstance(asked, Add):
            self._take_content(asked, wanted.place)
            return
        self._content.clear()
        if wanted.strict:
            self._take_as_written(asked, wanted.place)
            return
        left = outstanding(self._draft, asked)
        self._misspelt.update(dict.fromkeys(left.doubts))
        if left.change is None:
            self._already.append(Already(wanted.change, left.absent))
            return
        self._take_resolved(left.change, wanted.place)

    def _require_known_place(self, dn: DN) -> None:
        """Refuse *dn* outside the tree: what is there was not read, so nothing may be said about it."""
        key = self._draft.key(dn)
        if key[len(key) - len(self._top) :] == self._top and len(key) >= len(self._top):
            return
        if self._draft.get(dn) is None and self._draft.get(dn.parent) is None:
            raise DoesNotFit(
                "it is not below the base DN",
                on=str(dn),
                next_step="--base-dn (DCMCFG_BASE_DN) names what to read; dcmcfg apply --map-base takes files along",
            )

    def _require_parent(self, dn: DN) -> None:
        """Refuse to delete an entry whose parent is missing: no undo could add it again."""
        if self._top and len(dn.rdns) > len(self._top) and self._draft.get(dn) and not self._draft.get(dn.parent):
            raise DoesNotFit(
                f"its parent is missing, so that no undo could add it again: {dn.parent}",
                on=str(dn),
                next_step=f"to delete it without an undo: ldapdelete {shlex.quote(str(dn))}",
                result_code=_NO_SUCH_ENTRY,
            )

    def _take_content(self, asked: Add, place: str) -> None:
        """Bring the entry to what *asked* says of it: values that it lacks go, but for secrets and vendor data."""
        schema = self._draft.schema
        content_records.check_name(schema, asked.entry)
        wanted, held = with_naming_values(schema, asked.entry), self._draft.get(asked.dn)
        said = self._content.setdefault(self._draft.key(asked.dn), wanted)
        if said is not wanted and (names := entry_diff.differing(said, wanted, schema)):
            raise DoesNotFit(f"a record before this one says otherwise of {', '.join(names)}", on=str(asked.dn))
        if held is None:
            self._take_resolved(asked, place)
            return
        target = self._comparison.target(held, wanted)
        if target is held:
            self._already.append(Already(asked, content=True))
            return
        content_records.check_class(schema, held, target)
        self._take_resolved(Modify(held.dn, entry_diff.between(held, target, schema)), place)

    def take_back(self, step: Step) -> list[Step]:
        """Return the steps that undo *step*, taken here."""
        known = len(self._steps)
        for change in _inverse(step):
            self.take(Wanted(change))
        if isinstance(step.change, Modify | Rename) and step.before is not None:
            self._restore(step.before)
        return self._steps[known:]

    def _restore(self, entry: Entry) -> None:
        """Bring the entry of that DN back to exactly the values of *entry*."""
        held = self._draft.get(entry.dn)
        if held is not None and (modifications := entry_diff.between(held, entry, self._draft.schema)):
            self._take_resolved(Modify(entry.dn, modifications))

    def _take_as_written(self, change: Change, place: str) -> None:
        before, origin = self._draft.get(change.dn), self._draft.origin(change.dn)
        try:
            if before is not None:
                self._check_assertions(change, before)
            self._draft.apply(change)
        except DoesNotFit as problem:
            raise _told_as_moved(problem) from problem
        self._take_step(Step(change, before, self._draft.get(_dn_after(change)), place), origin)

    def _check_assertions(self, change: Change, before: Entry) -> None:
        version = self._draft.version(change.dn)
        for control in change.controls:
            wanted = assertions.of_control(control) if control.oid == assertions.OID else None
            if wanted is not None and (moved := assertions.broken(wanted, before, self._draft.schema, version)):
                raise DoesNotFit(
                    "the tree is no longer as it was when this was planned: "
                    f"somebody has changed {assertions.listed(moved)}",
                    on=str(change.dn),
                    next_step="plan again from the tree as it is now",
                    result_code=_ASSERTION_FAILED,
                )

    def _take_resolved(self, change: Change, place: str = "") -> None:
        before, version = self._draft.get(change.dn), self._draft.version(change.dn)
        origin = self._draft.origin(change.dn)
        self._draft.apply(change)
        after = self._draft.get(_dn_after(change))
        match change:
            case Modify() if before is not None and after is not None:
                modifications = entry_diff.between(before, after, self._draft.schema)
                if not modifications:
                    self._already.append(Already(change))
                    return
                granted = preconditions.of_modifications(before, modifications, self._draft.schema, version)
                change = preconditions.asserting(replace(change, modifications=modifications), granted)
            case Delete() if before is not None:
                granted = preconditions.of_entry(before, self._draft.schema, version)
                change = preconditions.asserting(change, granted)
            case Add() if after is not None:
                change = replace(change, entry=after)
            case _:
                pass
        self._take_step(Step(change, before, after, place), origin)

    def _take_step(self, step: Step, origin: NormalDN | None) -> None:
        """Add *step*, of the entry that was called *origin* before the plan (None: it is new).

        Where the step takes away values that it does not assert, the first step of that entry asserts what was read.
        """
        number = len(self._steps)
        self._steps.append(step)
        if not self._read or origin is None or step.before is None:
            return
        first = self._first.setdefault(origin, number)
        schema, version = self._draft.schema, self._before.versions.get(origin)
        asserted = assertions.parts(step.change) or ()
        misjudged = [part for part in asserted if preconditions.is_misjudged(part, step.before)]
        if not misjudged and preconditions.is_exact(step.change, asserted, step.before, schema):
            return
        if misjudged and version is not None:
            self._assert(number, [part for part in asserted if part not in misjudged])
        if version is not None:
            self._assert_too(first, [Equals(_VERSION, version.encode())])
        elif (held := self._before.entries.get(origin)) is not None:
            self._assert_too(first, preconditions.by_value(step.change, asserted, held, schema))

    def _assert_too(self, number: int, wanted: Sequence[Filter]) -> None:
        asserted = assertions.parts(self._steps[number].change) or ()
        if not all(each in asserted for each in wanted):
            self._assert(number, [*asserted, *wanted])

    def _assert(self, number: int, wanted: Sequence[Filter]) -> None:
        """Have the step of *number* assert *wanted*, unless it asserts what only a server understands."""
        step = self._steps[number]
        if assertions.parts(step.change) is not None:
            self._steps[number] = replace(step, change=assertions.asserting(step.change, wanted))


def _dn_after(change: Change) -> DN:
    return change.new_dn if isinstance(change, Rename) else change.dn


def _inverse(step: Step) -> tuple[Change, ...]:
    match step.change:
        case Add(entry):
            return (Delete(entry.dn),)
        case Delete():
            return (Add(step.before),) if step.before is not None else ()
        case Modify():
            return ()
        case Rename(dn, _, _, new_superior) as rename:
            # The entry's own spelling of its name, which the change need not share.
            old = step.before.dn if step.before is not None else dn
            parent = old.parent if new_superior is not None else None
            return (Rename(rename.new_dn, old.rdn, delete_old_rdn=True, new_superior=parent),)


def _told_as_moved(problem: DoesNotFit) -> DoesNotFit:
    """Return *problem* of a strict change as one of an entry that has moved since, where that is the reason."""
    if problem.result_code == _NO_SUCH_ENTRY:
        what = f"{problem.what}; a directory does not say who deleted or renamed it"
        return DoesNotFit(what, on=problem.on, next_step=problem.next_step, result_code=problem.result_code)
    if problem.result_code in _SIGNS_OF_MOVING:
        problem.moved = problem.on
    return problem


def placed(problem: DoesNotFit, place: str) -> DoesNotFit:
    """Return *problem* with the *place* of the change, if it has one."""
    if not place:
        return problem
    return DoesNotFit(
        problem.what,
        on=f"{place}: {problem.on}",
        next_step=problem.next_step,
        result_code=problem.result_code,
        moved=problem.moved,
    )
