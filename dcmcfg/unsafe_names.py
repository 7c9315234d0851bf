"""Names that the archive cannot handle, because it builds DNs and search filters from them without escaping.

Kept apart: edits and lint use it and do not import each other.
"""

from __future__ import annotations

#: In a DN these need escaping (RFC 4514 §2.4), which the archive's Java does not do (LdapDicomConfiguration).
SPECIAL_IN_DN = ',+"\\<>;'
_SPECIAL_IN_DN = frozenset(SPECIAL_IN_DN)
#: This does not, but OpenLDAP hands it out as ``\3D`` in a DN that is a value, and the archive compares references to
#: connections as text with the DNs that it puts together.
SPECIAL_IN_REFERENCE = "="
#: In a search filter these do (RFC 4515 §3), and it looks an AE up by a filter with the bare title.
SPECIAL_IN_FILTER = "()*\\"


def needs_escaping_in_dn(name: str) -> bool:
    """Tell whether *name* in a DN would have to be escaped."""
    return not _SPECIAL_IN_DN.isdisjoint(name)


def is_changed_in_reference(name: str) -> bool:
    """Tell whether a reference to a connection with *name* in its DN may not read as it was written."""
    return SPECIAL_IN_REFERENCE in name


def needs_escaping_in_filter(name: str) -> bool:
    """Tell whether *name* in a search filter would have to be escaped."""
    return any(character in SPECIAL_IN_FILTER for character in name)
