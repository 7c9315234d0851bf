"""Whether the directory holds what was planned."""

from __future__ import annotations

from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.plan import difference
from dcmcfg.plan.plan import Plan
from dcmcfg.rollout.settling import touched
from dcmcfg.rollout.touched import read_entries


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
        elif not difference.same(found, planned, tree.schema):
            return dn
    return None
