"""A plan as an LDIF change file that any LDIF client applies.

Also the changes that do not apply, as an LDIF file to fix and apply again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dcmcfg.changes import Add, Change
from dcmcfg.ldif.writer import VERSION_LINE, format_change, format_entry
from dcmcfg.plan.plan import DesiredChange, InapplicableChange, Plan

#: The first comment of the files that dcmcfg writes, which names the site.
_WRITTEN_FOR = re.compile(rb"^# dcmcfg (?:plan for|undo of|rejects for) .* @ (\S+)", re.MULTILINE)


def format_plan(plan: Plan, *, comments: Iterable[str] = ()) -> str:
    """Return *plan* as LDIF, assertions and secrets included; *comments* head it, a line each."""
    return format_changes(plan.changes, comments=comments)


def parse_directory_url(head: bytes) -> str | None:
    """Return the LDAP URL that a file of dcmcfg's was written for, from the *head* of it; None for other files."""
    match = _WRITTEN_FOR.search(head)
    return match.group(1).decode("utf-8", "replace") if match else None


def format_changes(changes: Iterable[Change], *, comments: Iterable[str] = ()) -> str:
    """Return *changes* as an LDIF change file; *comments* head it, a line each."""
    head = "".join(f"# {' '.join(comment.split())}\n" for comment in comments)
    return VERSION_LINE + head + "\n" + "".join(format_change(change) for change in changes)


def format_rejects(inapplicable: Iterable[InapplicableChange], *, comments: Iterable[str] = ()) -> str:
    """Return the records of *inapplicable* as they were written, secrets included, each under its reason.

    *comments* head the text, a line each.
    """
    head = "".join(f"# {' '.join(comment.split())}\n" for comment in comments)
    return (
        VERSION_LINE + head + "\n" + "".join(_format_record(each.desired, str(each.problem)) for each in inapplicable)
    )


def _format_record(desired: DesiredChange, reason: str) -> str:
    if desired.is_content_record and isinstance(desired.change, Add):
        return format_entry(desired.change.entry, comments=[reason])
    return format_change(desired.change, comments=[reason])
