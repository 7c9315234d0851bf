"""References that the archive follows when it loads a device; if the entry is missing, loading fails.

Kept apart: each kind of value is a module of its own (catalogue.py lists them).
"""

from __future__ import annotations

from dcmcfg.schema.value_kinds.kind import ValueKind


def build_connection_kind(*protocols: str) -> ValueKind:
    """Return the kind of references to a connection of the same device with one of *protocols*."""
    description = f"the DN of a connection of the same device ({' or '.join(protocols)})"
    return ValueKind("connection", description, lambda _: "", protocols)


CERTIFICATES = ValueKind("certificates", "the DN of an entry with certificates", lambda _: "")
