"""DNs and values as they fit into a table's cell."""

from __future__ import annotations

from collections.abc import Sequence

from dcmcfg.dn import DN
from dcmcfg.secret_values import is_secret
from dcmcfg.zip_members import ZipMember, find_changed_members

_MAX_VALUE_LENGTH = 200
#: What stands in the place of a secret.
SECRET_PLACEHOLDER = "(secret)"  # noqa: S105 — what stands in its place


def format_cell_value(name: str, value: bytes, *, with_secrets: bool = False) -> str:
    """Return *value* of attribute *name* as text, or in its place that it is a secret or how many octets it has."""
    if is_secret(name, value) and not with_secrets:
        return SECRET_PLACEHOLDER
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return f"({len(value)} octets)"
    return text if text.isprintable() and len(text) <= _MAX_VALUE_LENGTH else f"({len(value)} octets)"


def format_relative_dn(dn: DN, base: DN) -> str:
    """Return *dn* without its ending *base*, or whole where it is not below that."""
    return str(dn.relative_to(base))


def diff_zip_members(
    removed: Sequence[bytes], added: Sequence[bytes]
) -> tuple[tuple[str, ZipMember | None, ZipMember | None], ...]:
    """Return what :func:`find_changed_members` does where one value at most goes, and one comes; else nothing."""
    if len(removed) > 1 or len(added) > 1:
        return ()
    return find_changed_members(b"".join(removed), b"".join(added))


def format_zip_member(name: str, member: ZipMember) -> str:
    """Return a file in a ZIP file as text."""
    return f"{name} ({member.length} octets)"
