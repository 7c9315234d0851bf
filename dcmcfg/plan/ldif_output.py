"""A plan as an LDIF change file that any LDIF client carries out.

What did not fit a tree, as an LDIF file that can be mended and applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dcmcfg.changes import Add, Change
from dcmcfg.ldif.writer import VERSION_LINE, format_change, format_entry
from dcmcfg.plan.plan import Misfit, Plan, Wanted

#: The first comment of the files that dcmcfg writes, which tells the site by its headline.
_WRITTEN_FOR = re.compile(rb"^# dcmcfg (?:plan for|undo of|rejects for) .* @ (\S+)", re.MULTILINE)


def plan_ldif(plan: Plan, *, comments: Iterable[str] = ()) -> str:
    """Return *plan* as LDIF, assertions and secrets included; *comments* head it, a line each."""
    return change_ldif(plan.changes, comments=comments)


def directory_of(head: bytes) -> str | None:
    """Return the LDAP URL that a file of dcmcfg's was written for, from the *head* of it; None for other files."""
    found = _WRITTEN_FOR.search(head)
    return found.group(1).decode("utf-8", "replace") if found else None


def change_ldif(changes: Iterable[Change], *, comments: Iterable[str] = ()) -> str:
    """Return *changes* as an LDIF change file; *comments* head it, a line each."""
    head = "".join(f"# {' '.join(comment.split())}\n" for comment in comments)
    return VERSION_LINE + head + "\n" + "".join(format_change(change) for change in changes)


def rejects_ldif(misfits: Iterable[Misfit], *, comments: Iterable[str] = ()) -> str:
    """Return the records of *misfits* as they were written, secrets included, each under its reason.

    *comments* head the text, a line each.
    """
    head = "".join(f"# {' '.join(comment.split())}\n" for comment in comments)
    return VERSION_LINE + head + "\n" + "".join(_record(each.wanted, str(each.problem)) for each in misfits)


def _record(wanted: Wanted, reason: str) -> str:
    if wanted.content and isinstance(wanted.change, Add):
        return format_entry(wanted.change.entry, comments=[reason])
    return format_change(wanted.change, comments=[reason])
