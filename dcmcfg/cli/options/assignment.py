"""The parts of ``ATTR=VALUE``, ``ATTR+=VALUE`` and ``ATTR-=VALUE``.

Kept apart: shell completion uses it, and must not load the edits that ``value_arguments`` imports.
"""

from __future__ import annotations

_SIGNS = ("+", "-")


def split_assignment(text: str) -> tuple[str, str, str]:
    """Return the attribute, the operator (``=``, ``+=`` or ``-=``) and the value in *text*.

    The first ``=`` ends the attribute, so a value may contain any operator. Without ``=`` the operator is empty. RFC
    4512 §1.4 allows attribute names that end in ``-``. They are not supported here; the archive's schema has none.
    """
    name, equals, value = text.partition("=")
    if equals and name.endswith(_SIGNS):
        return name[:-1], name[-1] + equals, value
    return name, equals, value


def split_sign(text: str) -> tuple[str, str]:
    """Return the attribute and the sign in an unfinished ``ATTR+`` or ``ATTR-``; the sign is empty for ``ATTR``."""
    return (text[:-1], text[-1]) if text.endswith(_SIGNS) else (text, "")
