"""Format DNs and values for the cells of a table."""

from __future__ import annotations

from collections.abc import Sequence

from dcmcfg.dn import DN
from dcmcfg.secret_values import is_secret
from dcmcfg.zip_members import ZipMember, find_changed_members

_MAX_VALUE_LENGTH = 200
#: The placeholder for a secret.
SECRET_PLACEHOLDER = "(secret)"  # noqa: S105 — a placeholder, not a secret


def format_cell_value(name: str, value: bytes, *, with_secrets: bool = False) -> str:
    """Return *value* of attribute *name* as text, or a placeholder for a secret, binary or long value."""
    if is_secret(name, value) and not with_secrets:
        return SECRET_PLACEHOLDER
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return f"({len(value)} octets)"
    return text if text.isprintable() and len(text) <= _MAX_VALUE_LENGTH else f"({len(value)} octets)"


def format_relative_dn(dn: DN, base: DN) -> str:
    """Return *dn* relative to *base*, or the whole *dn* if it is not below *base*."""
    return str(dn.relative_to(base))


def diff_zip_members(
    removed: Sequence[bytes], added: Sequence[bytes]
) -> tuple[tuple[str, ZipMember | None, ZipMember | None], ...]:
    """Return the changed files of a ZIP value (see :func:`find_changed_members`).

    Return nothing if several values are removed or added, because they cannot be paired.
    """
    if len(removed) > 1 or len(added) > 1:
        return ()
    return find_changed_members(b"".join(removed), b"".join(added))


def format_zip_member(name: str, member: ZipMember) -> str:
    """Return name and size of a file in a ZIP file as text."""
    return f"{name} ({member.length} octets)"
