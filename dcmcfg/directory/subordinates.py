"""Read the number of children of each entry as the server knows it, also of those that the bind DN may not see.

Kept apart: only an upgrade needs to know that it has read the whole tree.
"""

from __future__ import annotations

from dcmcfg.directory.server import Directory
from dcmcfg.dn import NormalDN
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.schema.definitions import load_bundled_schema

_COUNT, _ANY = "numSubordinates", "hasSubordinates"


def read_child_counts(directory: Directory) -> dict[NormalDN, int | bool]:
    """Return the number of children of each entry at and below the base DN, or whether it has any.

    Servers that show neither are left out. Raises :class:`~dcmcfg.errors.DirectoryError`.
    """
    schema, found = load_bundled_schema(), dict[NormalDN, int | bool]()
    with pause_garbage_collection():
        for entry in directory.read(directory.server.base_dn, "subtree", (_COUNT, _ANY)):
            count, has_any = entry.text(_COUNT), entry.text(_ANY)
            if count is not None and count.isdecimal():
                found[schema.normalise_dn(entry.dn)] = int(count)
            elif has_any is not None:
                found[schema.normalise_dn(entry.dn)] = has_any.upper() == "TRUE"
    return found
