"""Whether the directory holds what was planned."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.changes import Rename
from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.plan import difference
from dcmcfg.plan.hashed_passwords import PASSWORD, as_given
from dcmcfg.plan.plan import Plan
from dcmcfg.rollout.touched import read_entries, touched

_PASSWORD = "userPassword"  # noqa: S105 — the attribute's name


def differing(directory: Directory, plan: Plan) -> DN | None:
    """Return the first DN that *plan* touches at which *directory* is not as planned, by the rules of the schema.

    Of a rename that is every entry below as well, and the spelling of the new name in each DN. None is everything as
    planned. Raises :class:`~dcmcfg.errors.DirectoryError`.
    """
    tree = plan.after
    renamed = _renamed(plan)
    names = tuple(dict.fromkeys((*touched(plan.changes), *_moved(plan, renamed))))
    now = read_entries(directory, tree, names)
    for dn in names:
        key = tree.key(dn)
        found, planned = now.get(key), tree.get(dn)
        if found is None or planned is None:
            if found is not planned:
                return dn
        elif not difference.same(as_said(found, planned), planned, tree.schema):
            return dn
        elif not all(_is_spelt_alike(found.dn, planned.dn, depth) for depth in _depths(key, renamed)):
            return planned.dn
    return None


def _renamed(plan: Plan) -> frozenset[NormalDN]:
    """Return the names, old and new, of the entries that *plan* renames."""
    renames = (change for change in plan.changes if isinstance(change, Rename))
    return frozenset(plan.after.key(dn) for change in renames for dn in (change.dn, change.new_dn))


def _moved(plan: Plan, renamed: frozenset[NormalDN]) -> Iterator[DN]:
    """Yield the names that the entries below those *renamed* have after *plan*, and those that they had before it."""
    for tree in (plan.after, plan.before) if renamed else ():
        for key, entry in tree.entries.items():
            if next(_depths(key, renamed), None) is not None:
                yield entry.dn


def _depths(key: NormalDN, renamed: frozenset[NormalDN]) -> Iterator[int]:
    """Yield where in the name *key* the names stand of those *renamed* that it is at or below."""
    return (depth for depth in range(len(key)) if key[depth:] in renamed)


def _is_spelt_alike(found: DN, planned: DN, depth: int) -> bool:
    """Return whether the RDN at *depth* has the same values, case included; servers may fold the blanks in a name."""
    one, other = (sorted(" ".join(text.split()) for _, text in dn.rdns[depth].parts) for dn in (found, planned))
    return one == other


def as_said(found: Entry, planned: Entry) -> Entry:
    """Return *found* with the passwords of *planned* where the server has hashed them (RFC 3112: ``{SCHEME}…``)."""
    held, said = found.values(PASSWORD), planned.values(PASSWORD)
    as_planned = as_given(held, said)
    return found if as_planned == held else found.with_values(_PASSWORD, as_planned)
