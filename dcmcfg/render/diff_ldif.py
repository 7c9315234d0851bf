"""A diff as LDIF change records that can be applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dcmcfg.changes import Change, Modification, Modify, Operation
from dcmcfg.ldif.writer import VERSION_LINE, format_change
from dcmcfg.plan.diff import Diff
from dcmcfg.render.diff import one_line
from dcmcfg.schema.definitions import Schema
from dcmcfg.secret_values import change_without_secrets, is_secret


def diff_ldif(diff: Diff, names: tuple[str, str], *, with_secrets: bool) -> Iterator[str]:
    """Yield the changes as LDIF that any LDIF client carries out, a record at a time.

    Without secrets a change that has some is written without them, or not at all, where the rest alone would not lead
    to what is wanted; a comment names the attributes.
    """
    yield f"{VERSION_LINE}# dcmcfg diff: from {one_line(names[0])} to {one_line(names[1])}\n\n"
    for change in diff.plan.changes:
        if with_secrets:
            yield format_change(change)
            continue
        shown, omitted = shareable(change, diff.plan.before.schema)
        comments = [f"left out, a secret: {name}" for name in omitted]
        yield format_change(shown, comments=comments) if shown else _only_comments(change, comments)


def shareable(change: Change, schema: Schema) -> tuple[Change | None, tuple[str, ...]]:
    """Return *change* with nothing secret in it, or None when nothing is left, with the attributes that lost some.

    The result can be applied: of an attribute that holds one value, or is replaced whole, all is left out.
    """
    if not isinstance(change, Modify):
        return change_without_secrets(change)
    omitted = dict.fromkeys(each.name for each in change.modifications if _without_secrets(each) != each.values)
    left = []
    for each in change.modifications:
        if each.name not in omitted:
            left.append(each)
        elif not _whole(each, schema) and (values := _without_secrets(each)):
            left.append(replace(each, values=values))
    return (replace(change, modifications=tuple(left)) if left else None), tuple(omitted)


def _without_secrets(modification: Modification) -> tuple[bytes, ...]:
    return tuple(value for value in modification.values if not is_secret(modification.name, value))


def _whole(modification: Modification, schema: Schema) -> bool:
    definition = schema.attribute(modification.name)
    return modification.operation is Operation.REPLACE or (definition is not None and definition.single_valued)


def _only_comments(change: Change, comments: list[str]) -> str:
    return "".join(f"# {line}\n" for line in [one_line(str(change.dn)), *comments]) + "\n"
