"""Whether the directory holds what was planned."""

from __future__ import annotations

import re

from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.plan import difference
from dcmcfg.plan.plan import Plan
from dcmcfg.rollout.touched import read_entries, touched

_PASSWORD = "userPassword"  # noqa: S105 — the attribute's name
_HASHED = re.compile(rb"\{[A-Za-z0-9._/+-]+\}").match


def differing(directory: Directory, plan: Plan) -> DN | None:
    """Return the first DN that *plan* touches at which *directory* is not as planned, by the rules of the schema.

    None is everything as planned. Raises :class:`~dcmcfg.errors.DirectoryError`.
    """
    tree = plan.after
    names = touched(plan.changes)
    now = read_entries(directory, tree, names)
    for dn in names:
        found, planned = now.get(tree.key(dn)), tree.get(dn)
        if found is None or planned is None:
            if found is not planned:
                return dn
        elif not difference.same(as_said(found, planned), planned, tree.schema):
            return dn
    return None


def as_said(found: Entry, planned: Entry) -> Entry:
    """Return *found* with the passwords of *planned* where the server has hashed them (RFC 3112: ``{SCHEME}…``)."""
    held, said = found.values(_PASSWORD), planned.values(_PASSWORD)
    if all(map(_HASHED, said)) or len(held) != len(said) or not all(map(_HASHED, held)):
        return found
    return found.with_values(_PASSWORD, said)
