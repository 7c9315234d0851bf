"""Whether the directory still is as a plan takes it for granted."""

from __future__ import annotations

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.directory.server import Directory
from dcmcfg.dn import NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotFit
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions, difference, taken_for_granted
from dcmcfg.plan.plan import Plan, Step
from dcmcfg.rollout.read_back import as_said
from dcmcfg.rollout.touched import read_entries
from dcmcfg.schema.definitions import Schema

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
    exact = taken_for_granted.is_exact(step.change, asserted or (), step.before, before.schema)
    if asserted is None or before.key(step.change.dn) in before.versions or any(map(_is_version, asserted)):
        return step.change, not exact
    judged = taken_for_granted.judged_by_server(asserted, step.before, before.schema)
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
    if step.before is None or taken_for_granted.is_exact(step.change, asserted, step.before, schema):
        return
    names = taken_for_granted.taken_away(step.change, asserted, step.before, schema)
    held = as_said(found.with_values(_VERSION, ()), step.before)
    moved = difference.differing(held, step.before, schema)
    if names is not None:
        moved = tuple(name for name in moved if name.lower() in names)
    if moved:
        raise _moved(f"somebody has changed {', '.join(moved)} meanwhile", step, there=True)


def _moved(what: str, step: Step, *, there: bool = False) -> DoesNotFit:
    dn = str(step.change.dn)
    return DoesNotFit(what, on=dn, next_step="plan again", result_code=122, moved=dn if there else "")
