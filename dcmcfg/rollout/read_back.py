"""Whether the directory holds what was planned."""

from __future__ import annotations

from dcmcfg.directory.server import Directory
from dcmcfg.dn import DN
from dcmcfg.plan import difference
from dcmcfg.plan.plan import Plan
from dcmcfg.rollout.settling import touched


def differing(directory: Directory, plan: Plan) -> DN | None:
    """Return the first DN that *plan* touches at which *directory* is not as planned, by the rules of the schema.

    None is everything as planned. Raises :class:`~dcmcfg.errors.DirectoryError`.
    """
    schema = plan.after.schema
    for dn in touched(plan.changes):
        found, planned = directory.read_entry(dn), plan.after.get(dn)
        if found is None or planned is None:
            if found is not planned:
                return dn
        elif not difference.same(found, planned, schema):
            return dn
    return None
