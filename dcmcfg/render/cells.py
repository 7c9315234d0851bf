"""DNs and values as they fit into a table's cell."""

from __future__ import annotations

from dcmcfg.dn import DN
from dcmcfg.secret_values import is_secret

_LONGEST_SHOWN = 200
#: What stands in the place of a secret.
SECRET = "(secret)"  # noqa: S105 — what stands in its place


def shown_value(name: str, value: bytes, *, with_secrets: bool = False) -> str:
    """Return *value* of attribute *name* as text, or in its place that it is a secret or how many octets it has."""
    if is_secret(name, value) and not with_secrets:
        return SECRET
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return f"({len(value)} octets)"
    return text if text.isprintable() and len(text) <= _LONGEST_SHOWN else f"({len(value)} octets)"


def relative_dn(dn: DN, base: DN) -> str:
    """Return *dn* without its ending *base*, or whole where it is not below that."""
    return str(dn.relative_to(base))
