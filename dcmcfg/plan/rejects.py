"""What did not fit a tree, as an LDIF file that can be mended and applied."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.changes import Add
from dcmcfg.ldif.writer import VERSION_LINE, format_change, format_entry
from dcmcfg.plan.plan import Misfit, Wanted


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
