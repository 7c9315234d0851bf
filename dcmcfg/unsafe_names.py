"""Names that the archive cannot handle, because it builds DNs and search filters from them without escaping.

Kept apart: edits and lint use it and do not import each other.
"""

from __future__ import annotations

#: These characters require escaping in a DN (RFC 4514 §2.4), which the archive does not do (LdapDicomConfiguration).
SPECIAL_IN_DN = ',+"\\<>;'
_SPECIAL_IN_DN = frozenset(SPECIAL_IN_DN)
#: This character does not require escaping, but OpenLDAP returns it as ``\3D`` in a DN that is a value. The archive
#: compares references to connections as text with the DNs that it builds.
SPECIAL_IN_REFERENCE = "="
#: These characters require escaping in a search filter (RFC 4515 §3). The archive looks up an AE with a filter that
#: contains the unescaped title.
SPECIAL_IN_FILTER = "()*\\"


def needs_escaping_in_dn(name: str) -> bool:
    """Return whether *name* requires escaping in a DN."""
    return not _SPECIAL_IN_DN.isdisjoint(name)


def is_changed_in_reference(name: str) -> bool:
    """Return whether a server may change the spelling of a reference to a connection with *name* in its DN."""
    return SPECIAL_IN_REFERENCE in name


def needs_escaping_in_filter(name: str) -> bool:
    """Return whether *name* requires escaping in a search filter."""
    return any(character in SPECIAL_IN_FILTER for character in name)
