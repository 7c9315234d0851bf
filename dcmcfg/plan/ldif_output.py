"""Write a plan as an LDIF change file that any LDIF client can apply.

Also writes rejected changes as an LDIF file, to be corrected and applied again.

Plans, undo files and rejects have their format number in a comment at the start, and a comment as their last line.
Other LDIF tools ignore both. Without the last line, a file that was cut off, for example by a full disk, would be
applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dcmcfg.changes import Add, Change
from dcmcfg.format_number import FileFormat
from dcmcfg.ldif.writer import VERSION_LINE, format_change, format_entry
from dcmcfg.plan.plan import DesiredChange, InapplicableChange, Plan

#: The format of plans, undo files and rejects.
LDIF_FORMAT = FileFormat("the LDIF file", 2)
#: The last line of a file in format 2, without its line feed.
END_COMMENT = "# dcmcfg-end"
#: The first format with :data:`END_COMMENT`.
_END_SINCE = 2
_FORMAT_COMMENT = "# dcmcfg-format:"
#: The comment with the format number. Other comments at the start of the file may precede it.
_FORMAT_LINE = re.compile(
    rb"\A(?:version:[^\n]*\n)?(?:#[^\n]*\n)*?(%b[ \t]*([^\r\n]*)(?:\r?\n|\Z))" % _FORMAT_COMMENT.encode()
)
#: The comment with the site in files that dcmcfg writes.
_WRITTEN_FOR = re.compile(rb"^# dcmcfg (?:plan for|undo of|rejects for) .* @ (\S+)", re.MULTILINE)


def format_plan(plan: Plan, *, comments: Iterable[str] = ()) -> str:
    """Return *plan* as LDIF with assertions and secrets; *comments* are the first lines, one line each."""
    return _format_file(comments, map(format_change, plan.changes))


def parse_directory_url(head: bytes) -> str | None:
    """Return the LDAP URL for which dcmcfg wrote a file, from its *head* (first octets); None for other files."""
    match = _WRITTEN_FOR.search(head)
    return match.group(1).decode("utf-8", "replace") if match else None


def parse_format_number(head: bytes) -> str | None:
    """Return the text of the format number in the *head* (first octets) of an LDIF file; None without one."""
    found = _FORMAT_LINE.match(head)
    return found[2].decode("ascii", "replace").strip() if found else None


def requires_end(head: bytes) -> bool:
    """Return whether a file with this *head* (first octets) is incomplete without the line :data:`END_COMMENT`."""
    number = parse_format_number(head) or ""
    return number.isdecimal() and int(number) >= _END_SINCE


def remove_format_line(text: bytes) -> bytes:
    """Return the LDIF *text* without the comment with its format number."""
    found = _FORMAT_LINE.match(text)
    return text[: found.start(1)] + text[found.end(1) :] if found else text


def format_undo(changes: Iterable[Change], *, comments: Iterable[str] = ()) -> str:
    """Return *changes*, which revert a roll-out, as LDIF; *comments* are the first lines, one line each."""
    return _format_file(comments, map(format_change, changes))


def format_changes(changes: Iterable[Change]) -> str:
    """Return *changes* as an LDIF change file for other programs, without a format number."""
    return f"{VERSION_LINE}\n" + "".join(map(format_change, changes))


def format_rejects(inapplicable: Iterable[InapplicableChange], *, comments: Iterable[str] = ()) -> str:
    """Return the original records of *inapplicable*, with secrets, each below a comment with its reason.

    *comments* are the first lines, one line each.
    """
    return _format_file(comments, (_format_record(each.desired, str(each.problem)) for each in inapplicable))


def _format_file(comments: Iterable[str], records: Iterable[str]) -> str:
    # The second line of a comment with a line break would be read as LDIF.
    lines = "".join(f"# {' '.join(comment.split())}\n" for comment in comments)
    head = f"{VERSION_LINE}{_FORMAT_COMMENT} {LDIF_FORMAT.number}\n{lines}\n"
    return f"{head}{''.join(records)}{END_COMMENT}\n"


def _format_record(desired: DesiredChange, reason: str) -> str:
    if desired.is_content_record and isinstance(desired.change, Add):
        return format_entry(desired.change.entry, comments=[reason])
    return format_change(desired.change, comments=[reason])
