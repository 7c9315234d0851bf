"""Whether the directory still is as a plan takes it for granted.

Who changed an entry last, told with the refusal of a plan that the entry no longer fits.
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
from dcmcfg.errors import DcmcfgError, DirectoryError, DoesNotFit
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions, entry_diff, preconditions
from dcmcfg.plan.plan import Misfit, Misfits, Plan, Refusal, Step, Wanted, plan_fitting, refused
from dcmcfg.plan.rename_hints import PastRename, names_an_absent_entry, with_new_names
from dcmcfg.rollout.reconciliation import as_said, read_entries
from dcmcfg.schema.definitions import Schema
from dcmcfg.timestamps import readable

_VERSION = "entryCSN"
_GONE = "somebody has deleted or renamed the entry meanwhile; a directory does not say who"


def check_unmoved(directory: Directory, plan: Plan) -> None:
    """Read what *plan* touches, directly before writing, so that an abort at the server is rare.

    An entry with the entryCSN that it had when the plan was made is as it was then. Raises :class:`DoesNotFit` naming
    what has moved since.
    """
    first = _first_steps(plan)
    versions = plan.before.versions
    names = [step.change.dn for step in first.values()]
    found = read_entries(directory, plan.before, names, (_VERSION,) if versions else ("*",))
    for key, step in first.items():
        entry = found.get(key)
        if entry is not None and versions:
            if entry.text(_VERSION) == versions.get(key, ""):
                continue
            entry = directory.read_entry(step.change.dn, ("*", _VERSION))
        _check(step, entry, plan.before)


def _first_steps(plan: Plan) -> dict[NormalDN, Step]:
    """Return by entry the first step that touches it, for the entries of which the directory can tell beforehand."""
    first: dict[NormalDN, Step] = {}
    moved: set[NormalDN] = set()
    for step in plan.steps:
        key = plan.before.key(step.change.dn)
        stale = bool(moved) and any(key[depth:] in moved for depth in range(len(key)))
        if isinstance(step.change, Rename):
            moved |= {key, plan.before.key(step.change.new_dn)}
        if not stale and not _inside_the_plan(plan.before, step):
            first.setdefault(key, step)
    return first


def _inside_the_plan(before: Tree, step: Step) -> bool:
    """An entry that an earlier step made is not there yet to be read (nor is what a rename brings to a name)."""
    return not isinstance(step.change, Add) and step.change.dn not in before


def as_sent(step: Step, before: Tree) -> tuple[Change, bool]:
    """Return the change of *step* as a server with assertion control gets it, and whether it needs a read before it.

    It does where the control does not hold every value that the change takes away: an entry without entryCSN, which
    the server keeps not at all or hides for this entry, or one that an earlier step has changed. Of an entry without
    entryCSN a server gets only what any server judges alike.
    """
    if step.before is None:
        return step.change, False
    asserted = assertions.parts(step.change)
    exact = preconditions.is_exact(step.change, asserted or (), step.before, before.schema)
    if asserted is None or before.key(step.change.dn) in before.versions or any(map(_is_version, asserted)):
        return step.change, not exact
    judged = preconditions.judged_by_server(asserted, step.before, before.schema)
    if judged == asserted:
        return step.change, not exact
    return assertions.asserting(step.change, judged), True


def _is_version(part: assertions.Filter) -> bool:
    return isinstance(part, assertions.Equals) and part.name.lower() == _VERSION.lower()


def check_step(directory: Directory, step: Step, schema: Schema, *, asserting: bool = False) -> None:
    """Read what *step* touches and check its preconditions, where the server does not, or not all of them.

    Raises :class:`DoesNotFit`, also for an assertion that is not understood here unless the server is *asserting*.
    """
    found = directory.read_entry(step.change.dn, ("*", _VERSION))
    if found is None:
        if not isinstance(step.change, Add):
            raise _moved(_GONE, step)
        return
    _check_assertions(step, found, schema, understood_only=not asserting)
    _check_taken_away(step, found, schema)


def _check(step: Step, found: Entry | None, before: Tree) -> None:
    match step.change:
        case Add(entry):
            if found is not None and entry.dn not in before:
                raise _moved("somebody has added the entry meanwhile", step, there=True)
        case Modify() | Delete() | Rename():
            if found is None:
                raise _moved(_GONE, step)
            _check_assertions(step, found, before.schema)
            _check_taken_away(step, found, before.schema)


def _check_assertions(step: Step, found: Entry, schema: Schema, *, understood_only: bool = False) -> None:
    version, held = found.text(_VERSION), found.with_values(_VERSION, ())
    for control in step.change.controls:
        if control.oid != assertions.OID:
            continue
        wanted = assertions.of_control(control)
        if wanted is None:
            if understood_only:
                raise _moved("the assertion is one that neither this server nor dcmcfg can check", step)
        elif moved := assertions.broken(wanted, held, schema, version):
            raise _moved(f"somebody has changed {assertions.listed(moved)} meanwhile", step, there=True)


def _check_taken_away(step: Step, found: Entry, schema: Schema) -> None:
    """Raise :class:`DoesNotFit` where *step* would take away other values than those that it was planned for."""
    asserted = assertions.parts(step.change) or ()
    if step.before is None or preconditions.is_exact(step.change, asserted, step.before, schema):
        return
    names = preconditions.taken_away(step.change, asserted, step.before, schema)
    held = as_said(found.with_values(_VERSION, ()), step.before)
    moved = entry_diff.differing(held, step.before, schema)
    if names is not None:
        moved = tuple(name for name in moved if name.lower() in names)
    if moved:
        raise _moved(f"somebody has changed {', '.join(moved)} meanwhile", step, there=True)


def _moved(what: str, step: Step, *, there: bool = False) -> DoesNotFit:
    dn = str(step.change.dn)
    return DoesNotFit(what, on=dn, next_step="plan again", result_code=122, moved=dn if there else "")


_WHO, _WHEN = "modifiersName", "modifyTimestamp"
#: Of many refusals, so many are asked about; a message lists no more.
_ASKED = 20


def planned_telling_who(
    directory: Directory,
    tree: Tree,
    wanted: Sequence[Wanted],
    refusal: Refusal | None = None,
    *,
    go_on: bool,
    past: Callable[[], Sequence[PastRename]],
) -> tuple[Plan, tuple[Misfit, ...]]:
    """Return the plan of *wanted*, and with *go_on* what does not fit; without it that raises :class:`DoesNotFit`.

    *refusal* has a say in what fits. *past* returns the renames, the oldest first, that may have moved what is not
    there.
    """
    plan, misfits = plan_fitting(tree, wanted, refusal)
    if any(map(names_an_absent_entry, misfits)):
        misfits = with_new_names(misfits, tree, past())
    if misfits and not go_on:
        raise told(directory, refused(misfits, len(wanted)))
    return plan, told_who(directory, misfits)


def told_who(directory: Directory, misfits: Sequence[Misfit]) -> tuple[Misfit, ...]:
    """Return *misfits* with who changed the entry last; of many, the first ones."""
    asked = (replace(misfit, problem=told(directory, misfit.problem)) for misfit in misfits[:_ASKED])
    return (*asked, *misfits[_ASKED:])


@contextmanager
def telling_who(directory: Directory, plan: Plan | None = None) -> Iterator[None]:
    """Add who changed the entry last, and when, to a refusal of the block that has this reason.

    An assertion that broke at the server is told as one of *plan* that broke before it was sent: with the attribute
    and the values.
    """
    try:
        yield
    except DoesNotFit as refusal:
        raise told(directory, refusal) from refusal
    except DirectoryError as refusal:
        if refusal.result_code == ASSERTION_FAILED and plan is not None:
            _tell_what_moved(directory, plan)
        raise


def _tell_what_moved(directory: Directory, plan: Plan) -> None:
    """Raise :class:`DoesNotFit` for what *plan* no longer fits; return when that cannot be found out."""
    try:
        check_unmoved(directory, plan)
    except DoesNotFit as moved:
        raise told(directory, moved) from moved
    except DcmcfgError:  # the refusal itself says more
        return


def told(directory: Directory, refusal: DoesNotFit) -> DoesNotFit:
    """Return *refusal* with who changed the entry last and when, as far as the server says; times are UTC."""
    if isinstance(refusal, Misfits):
        asked = [told(directory, each) for each in refusal.problems[:_ASKED]]
        return Misfits((*asked, *refusal.problems[_ASKED:]), refusal.count)
    if not refusal.moved:
        return refusal
    what = f"{refusal.what}; {_last_change(directory, refusal.moved)}"
    return DoesNotFit(what, on=refusal.on, next_step=refusal.next_step, result_code=refusal.result_code)


def _last_change(directory: Directory, dn: str) -> str:
    try:
        entry = directory.read_entry(DN.parse(dn), (_WHO, _WHEN))
    except DcmcfgError as error:
        return f"who changed the entry last could not be read ({error.what})"
    if entry is None:
        return "the entry is gone, and a directory does not say who deleted or renamed it"
    who, when = entry.text(_WHO), entry.text(_WHEN)
    if who is None or when is None:
        return "the server does not say who changed the entry last"
    return f"{who} changed the entry last, {_told_time(when)}"


def _told_time(when: str) -> str:
    """Return a GeneralizedTime (RFC 4517 §3.3.13) as people write it; as it is when it is of a rarer form."""
    try:
        return readable(datetime.strptime(when, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC))
    except ValueError:
        return when
