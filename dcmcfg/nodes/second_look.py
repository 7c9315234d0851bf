"""Read the changed entries once more after the reload: the archive may have written its own values over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.tree import Tree
from dcmcfg.plan import entry_diff
from dcmcfg.plan.plan import Plan
from dcmcfg.rollout.reconciliation import collect_touched_dns, read_entries, substitute_planned_passwords

_MODIFIER, _MODIFIED_AT = "modifiersName", "modifyTimestamp"


class Writer(Enum):
    """Who has written an entry, as far as the directory shows it."""

    ARCHIVE = "by the archive"
    POSSIBLY_ARCHIVE = "possibly by the archive"
    OTHER = "by another account"


@dataclass(frozen=True, kw_only=True)
class Overwrite:
    """An entry that somebody has written after the plan.

    ``attributes`` differ from the plan; it is empty if the entry was deleted, or added again. ``planned`` are those of
    them that the plan itself changed. ``modifier`` and ``modified_at`` are the operational attributes of the entry,
    empty if the server does not show them.
    """

    dn: DN
    attributes: tuple[str, ...]
    planned: tuple[str, ...]
    writer: Writer
    modifier: str = ""
    modified_at: str = ""

    @property
    def loses_change(self) -> bool:
        """Whether a value of the plan is lost."""
        return bool(self.planned) or not self.attributes


def find_overwrites(directory: Directory, plan: Plan, *, own_dn: str, archive_dn: str) -> tuple[Overwrite, ...]:
    """Return the entries of *plan* that no longer have the planned content, in the order of the plan.

    *own_dn* and *archive_dn* are the bind DNs of dcmcfg and of the archive (empty: unknown). Raises
    :class:`~dcmcfg.errors.DirectoryError`.
    """
    tree = plan.after
    names = collect_touched_dns(plan.changes)
    entries = read_entries(directory, tree, names, ("*", _MODIFIER, _MODIFIED_AT))
    found = []
    for dn in names:
        planned, entry = tree.get(dn), entries.get(tree.key(dn))
        if planned is None and entry is None:
            continue
        attributes = _find_differing_attributes(entry, planned, tree)
        if attributes is None:
            continue
        modifier = (entry.text(_MODIFIER) or "") if entry is not None else ""
        found.append(
            Overwrite(
                dn=dn,
                attributes=attributes,
                planned=tuple(name for name in attributes if name.lower() in _list_planned_attributes(plan, dn)),
                writer=identify_writer(modifier, own_dn=own_dn, archive_dn=archive_dn),
                modifier=modifier,
                modified_at=(entry.text(_MODIFIED_AT) or "") if entry is not None else "",
            )
        )
    return tuple(found)


def identify_writer(modifier: str, *, own_dn: str, archive_dn: str) -> Writer:
    """Return who has written an entry with the modifiersName *modifier*.

    In a stock installation, the archive binds with the same DN as everybody else. Only a bind DN of its own identifies
    it.
    """
    if not modifier:
        return Writer.POSSIBLY_ARCHIVE
    if archive_dn and not _are_equal(archive_dn, own_dn):
        return Writer.ARCHIVE if _are_equal(modifier, archive_dn) else Writer.OTHER
    return Writer.POSSIBLY_ARCHIVE if not own_dn or _are_equal(modifier, own_dn) else Writer.OTHER


def _are_equal(one: str, other: str) -> bool:
    try:
        return DN.parse(one).normalised() == DN.parse(other).normalised()
    except MalformedInput:
        return False


def _find_differing_attributes(entry: Entry | None, planned: Entry | None, tree: Tree) -> tuple[str, ...] | None:
    """Return the attributes that differ; None if there are none, empty if only one of the entries exists."""
    if entry is None or planned is None:
        return ()
    content = entry.with_values(_MODIFIER, ()).with_values(_MODIFIED_AT, ())
    names = entry_diff.find_differing_attributes(substitute_planned_passwords(content, planned), planned, tree.schema)
    return tuple(names) or None


def _list_planned_attributes(plan: Plan, dn: DN) -> Iterable[str]:
    """Return the attributes (lower case) of the entry *dn* that *plan* changes."""
    before, after = plan.before.get(dn), plan.after.get(dn)
    names = {each.name.lower() for entry in (before, after) if entry is not None for each in entry.attributes}
    return {name for name in names if (before.values(name) if before else ()) != (after.values(name) if after else ())}
