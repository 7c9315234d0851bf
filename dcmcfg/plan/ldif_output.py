"""A plan as an LDIF change file that any LDIF client applies.

Also the changes that do not apply, as an LDIF file to fix and apply again.

Plans, undo files and rejects have their format number in a comment at their head, which other LDIF tools ignore.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dcmcfg.changes import Add, Change
from dcmcfg.format_number import FileFormat
from dcmcfg.ldif.writer import VERSION_LINE, format_change, format_entry
from dcmcfg.plan.plan import DesiredChange, InapplicableChange, Plan

#: Of plans, undo files and rejects.
LDIF_FORMAT = FileFormat("the LDIF file", 1)
_FORMAT_COMMENT = "# dcmcfg-format:"
#: The comment in the comments at the head, wherever somebody has put another above it.
_FORMAT_LINE = re.compile(
    rb"\A(?:version:[^\n]*\n)?(?:#[^\n]*\n)*?(%b[ \t]*([^\r\n]*)(?:\r?\n|\Z))" % _FORMAT_COMMENT.encode()
)
#: The comment of the files that dcmcfg writes, which names the site.
_WRITTEN_FOR = re.compile(rb"^# dcmcfg (?:plan for|undo of|rejects for) .* @ (\S+)", re.MULTILINE)


def format_plan(plan: Plan, *, comments: Iterable[str] = ()) -> str:
    """Return *plan* as LDIF, assertions and secrets included; *comments* head it, a line each."""
    return _format_head(comments) + "".join(map(format_change, plan.changes))


def parse_directory_url(head: bytes) -> str | None:
    """Return the LDAP URL that a file of dcmcfg's was written for, from the *head* of it; None for other files."""
    match = _WRITTEN_FOR.search(head)
    return match.group(1).decode("utf-8", "replace") if match else None


def parse_format_number(head: bytes) -> str | None:
    """Return the text of the format number in the *head* of an LDIF file; None for a file without one."""
    found = _FORMAT_LINE.match(head)
    return found[2].decode("ascii", "replace").strip() if found else None


def remove_format_line(text: bytes) -> bytes:
    """Return the LDIF *text* without the comment that has its format number."""
    found = _FORMAT_LINE.match(text)
    return text[: found.start(1)] + text[found.end(1) :] if found else text


def format_undo(changes: Iterable[Change], *, comments: Iterable[str] = ()) -> str:
    """Return *changes*, which revert a roll-out, as LDIF; *comments* head it, a line each."""
    return _format_head(comments) + "".join(map(format_change, changes))


def format_changes(changes: Iterable[Change]) -> str:
    """Return *changes* as an LDIF change file for any program; it has no format number."""
    return f"{VERSION_LINE}\n" + "".join(map(format_change, changes))


def format_rejects(inapplicable: Iterable[InapplicableChange], *, comments: Iterable[str] = ()) -> str:
    """Return the records of *inapplicable* as they were written, secrets included, each under its reason.

    *comments* head the text, a line each.
    """
    return _format_head(comments) + "".join(_format_record(each.desired, str(each.problem)) for each in inapplicable)


def _format_head(comments: Iterable[str]) -> str:
    lines = "".join(f"# {' '.join(comment.split())}\n" for comment in comments)
    return f"{VERSION_LINE}{_FORMAT_COMMENT} {LDIF_FORMAT.number}\n{lines}\n"


def _format_record(desired: DesiredChange, reason: str) -> str:
    if desired.is_content_record and isinstance(desired.change, Add):
        return format_entry(desired.change.entry, comments=[reason])
    return format_change(desired.change, comments=[reason])
