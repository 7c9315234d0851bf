"""A diff as unified text, of what ``export-ldif`` writes for the two trees."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from dcmcfg.entry import Entry
from dcmcfg.model.export import export_ldif
from dcmcfg.plan.diff import Diff
from dcmcfg.render.console import visible
from dcmcfg.secret_values import is_secret

_CONTEXT = 3


def unified(diff: Diff, names: tuple[str, str], *, with_secrets: bool) -> Iterator[str]:
    """Yield the lines of a unified diff between the exports of both trees, with line ends; none for no difference.

    Values that are equal by the schema, or were not compared, stand on both sides as the first has them. Line numbers
    are those of the exports, and each hunk tells its entry. Entries are compared one by one, so the time grows with
    the text and not with its square.
    """
    before, after = diff.plan.before.entries, diff.plan.after.entries
    if not diff.plan.steps:
        return
    yield f"--- {visible(names[0])}\n"
    yield f"+++ {visible(names[1])}\n"
    old_line = new_line = 3  # after "version: 1" with its empty line
    for key in sorted(before.keys() | after.keys(), key=lambda key: key[::-1]):
        held, wanted = before.get(key), after.get(key)
        old = _lines(held, with_secrets=with_secrets)
        new = old if wanted is held else _lines(wanted, with_secrets=with_secrets)
        if wanted is not held:
            if held is not None and wanted is not None and not with_secrets:
                new = _with_changed_secrets_told(new, held, wanted)
            named = held or wanted
            yield from _hunks(old, new, old_line, new_line, str(named.dn) if named else "")
        old_line += len(old)
        new_line += len(new)


def _lines(entry: Entry | None, *, with_secrets: bool) -> list[str]:
    if entry is None:
        return []
    _, record = export_ldif((entry,), with_secrets=with_secrets)
    return record.splitlines(keepends=True)


def _with_changed_secrets_told(lines: list[str], held: Entry, wanted: Entry) -> list[str]:
    """Return *lines* with other comments for the secrets that differ, which otherwise would not be seen to."""
    other = {
        f"# left out, a secret: {each.name}\n": f"# left out, another secret: {each.name}\n"
        for each in wanted.attributes
        if _secrets(held, each.name) != _secrets(wanted, each.name)
    }
    return [other.get(line, line) for line in lines]


def _secrets(entry: Entry, name: str) -> set[bytes]:
    return {value for value in entry.values(name) if is_secret(name, value)}


def _hunks(old: list[str], new: list[str], old_line: int, new_line: int, heading: str) -> Iterator[str]:
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        old_range = _range(old_line + group[0][1], group[-1][2] - group[0][1])
        new_range = _range(new_line + group[0][3], group[-1][4] - group[0][3])
        yield f"@@ -{old_range} +{new_range} @@ {visible(heading)}\n"
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                yield from (" " + line for line in old[old_from:old_to])
            else:
                yield from ("-" + line for line in old[old_from:old_to])
                yield from ("+" + line for line in new[new_from:new_to])


def _range(start: int, length: int) -> str:
    """Return lines as ``start,length``; no lines are told by the line before them (POSIX diff)."""
    return f"{start if length else start - 1},{length}"
