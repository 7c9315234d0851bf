"""What a server will probably refuse in a plan, or what is probably misspelt in it."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.changes import Add, Modify
from dcmcfg.entry import Entry
from dcmcfg.plan.plan import Plan, Step
from dcmcfg.schema.definitions import ObjectClass, Schema
from dcmcfg.spelling import near_misses


def doubts(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each attribute or class that the bundled schema does not know or does not allow.

    Doubts and no refusals: the server's schema may be newer than the one that comes with dcmcfg.
    """
    schema = plan.before.schema
    for step in plan.steps:
        if step.after is not None:
            for doubt in _of_entry(schema, step, step.after):
                yield f"{step.after.dn}: {doubt}"


def _of_entry(schema: Schema, step: Step, after: Entry) -> Iterator[str]:
    touched = _touched(step)
    for name in touched:
        if name in after and schema.attribute(name) is None:
            near = near_misses(name, (attribute.name for attribute in schema.attributes))
            yield f"no attribute {name} is known" + (f"; near misses: {', '.join(near)}" if near else "")
    classes = [schema.object_class(name) for name in after.texts("objectClass")]
    unknown = [name for name, known in zip(after.texts("objectClass"), classes, strict=True) if known is None]
    if "objectclass" in {name.lower() for name in touched}:
        for name in unknown:
            near = near_misses(name, (known.name for known in schema.object_classes))
            yield f"no object class {name} is known" + (f"; near misses: {', '.join(near)}" if near else "")
    if not unknown:
        yield from _breaches(schema, touched, after, _with_superiors(schema, [known for known in classes if known]))


def _breaches(
    schema: Schema, touched: tuple[str, ...], after: Entry, classes: tuple[ObjectClass, ...]
) -> Iterator[str]:
    for known in classes:
        for name in known.must:
            if name not in after:
                yield f"{known.name} requires {name}"
    allowed = {name.lower() for known in classes for name in (*known.must, *known.may)} | {"objectclass"}
    for name in touched:
        definition = schema.attribute(name)
        if name in after and definition is not None and definition.name.lower() not in allowed:
            yield f"none of its object classes allows {name}"


def _touched(step: Step) -> tuple[str, ...]:
    match step.change:
        case Add(entry):
            return tuple(attribute.name for attribute in entry.attributes)
        case Modify(_, modifications):
            return tuple(dict.fromkeys(modification.name for modification in modifications))
        case _:
            return ()


def _with_superiors(schema: Schema, classes: list[ObjectClass]) -> tuple[ObjectClass, ...]:
    found: dict[str, ObjectClass] = {}
    left = list(classes)
    while left:
        known = left.pop()
        if known.name not in found:
            found[known.name] = known
            left += [above for above in map(schema.object_class, known.superiors) if above is not None]
    return tuple(found.values())
