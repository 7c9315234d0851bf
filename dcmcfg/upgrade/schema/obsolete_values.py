"""Plan the deletion of attribute values and object classes that an upgrade of the schema removes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dcmcfg.changes import Change, Modification, Modify, Operation
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.schema.comparable import Definition, DefinitionKind
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.upgrade.schema.usage import DataUse

_MAX_LISTED = 20


def plan_deletion(tree: Tree, uses: Sequence[DataUse], definitions: Iterable[Definition]) -> Plan:
    """Return the plan that deletes the values of *uses* from *tree*; *definitions* are those of the server.

    Raises :class:`Refused` for uses that no deletion of values can end: in entries outside the tree, in names of
    entries, as a structural object class, or as an attribute that an object class requires.
    """
    classes = {name: each for each in definitions if each.kind is DefinitionKind.CLASS for name in each.keys}
    problems: list[str] = []
    changes: list[Change] = []
    for use in uses:
        entry = tree.get(use.dn)
        found = list(_find_problems(use, entry, classes))
        problems += (f"{use.dn}: {each}" for each in found)
        if entry is not None and not found:
            modifications = [Modification(Operation.DELETE, name, entry.values(name)) for name in use.attributes]
            values = tuple(
                each for each in entry.values(OBJECT_CLASS) if each.decode("utf-8", "replace") in use.classes
            )
            if values:
                modifications.append(Modification(Operation.DELETE, OBJECT_CLASS, values))
            changes.append(Modify(use.dn, tuple(modifications)))
    if problems:
        more = len(problems) - _MAX_LISTED
        raise Refused(
            "dcmcfg cannot delete all values whose attributes or object classes the new schema no longer defines",
            next_step="change or delete these entries first",
            details=(*problems[:_MAX_LISTED], *((f"and {more} more",) if more > 0 else ())),
        )
    return make_plan(tree, [DesiredChange(each, strict=True) for each in changes])


def _find_problems(use: DataUse, entry: Entry | None, classes: dict[str, Definition]) -> Iterator[str]:
    if entry is None:
        yield "the entry is not below the base DN of the site"
        return
    naming = {kind.lower() for kind, _ in use.dn.rdn.parts}
    required = _list_required(entry, classes)
    for name in use.attributes:
        if name.lower() in naming:
            yield f"{name} is part of the name of the entry"
        elif name.partition(";")[0].lower() in required:
            yield f"an object class requires {name}"
    for name in use.classes:
        definition = classes.get(name.lower())
        if definition is None or not definition.is_auxiliary:
            yield f"{name} is the structural object class of the entry"


def _list_required(entry: Entry, classes: dict[str, Definition]) -> set[str]:
    required: set[str] = set()
    pending = [each.lower() for each in entry.texts(OBJECT_CLASS)]
    seen: set[str] = set()
    while pending:
        definition = classes.get(pending.pop())
        if definition is not None and definition.oid not in seen:
            seen.add(definition.oid)
            required |= definition.required
            pending += definition.superiors
    return required
