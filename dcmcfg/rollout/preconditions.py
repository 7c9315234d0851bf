"""Whether the directory still is as a plan takes it for granted."""

from __future__ import annotations

from dcmcfg.changes import Add, Delete, Modify, Rename
from dcmcfg.directory.server import Directory
from dcmcfg.dn import NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotFit
from dcmcfg.plan import assertion
from dcmcfg.plan.plan import Plan, Step
from dcmcfg.tree import Tree

_VERSION = "entryCSN"


def check_unmoved(directory: Directory, plan: Plan) -> None:
    """Read what *plan* touches, directly before writing, so that an abort at the server is rare.

    Raises :class:`DoesNotFit` naming what has moved since the plan was made.
    """
    seen: set[NormalDN] = set()
    for step in plan.steps:
        key = plan.before.key(step.change.dn)
        if key in seen or _inside_the_plan(plan.before, step):
            continue
        seen.add(key)
        _check(step, _read(directory, step), plan.before)


def _inside_the_plan(before: Tree, step: Step) -> bool:
    """An entry that an earlier step made, or renamed, is not there yet to be read."""
    return not isinstance(step.change, Add) and step.change.dn not in before


def _read(directory: Directory, step: Step) -> Entry | None:
    return directory.read_entry(step.change.dn, ("*", _VERSION))


def _check(step: Step, found: Entry | None, before: Tree) -> None:
    match step.change:
        case Add(entry):
            if found is not None and entry.dn not in before:
                raise _moved("somebody has added the entry meanwhile", step)
        case Modify() | Delete() | Rename():
            if found is None:
                raise _moved("somebody has deleted or renamed the entry meanwhile", step)
            _check_assertions(step, found, before)


def _check_assertions(step: Step, found: Entry, before: Tree) -> None:
    version, held = found.text(_VERSION), found.with_values(_VERSION, ())
    for control in step.change.controls:
        wanted = assertion.of_control(control) if control.oid == assertion.OID else None
        if wanted is not None and (moved := assertion.broken(wanted, held, before.schema, version)):
            raise _moved(f"somebody has changed {', '.join(moved)} meanwhile", step)


def _moved(what: str, step: Step) -> DoesNotFit:
    return DoesNotFit(what, on=str(step.change.dn), next_step="nothing was changed; plan again", result_code=122)
