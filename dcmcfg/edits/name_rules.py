"""Rules for new names: the archive cannot find entries with certain characters in their names."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.errors import Refused
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.unsafe_names import (
    SPECIAL_IN_DN,
    SPECIAL_IN_FILTER,
    SPECIAL_IN_REFERENCE,
    is_changed_in_reference,
    needs_escaping_in_dn,
    needs_escaping_in_filter,
)

#: The kinds of entries whose names are part of references to connections.
_WORDS_IN_REFERENCES = (EntityKind.DEVICE.value.label, "connection")


def require_valid_name(name: str, object_kind: str, next_step: str) -> None:
    """Raise :class:`Refused` if *name* of a new *object_kind* (device, connection) is invalid or requires escaping.

    The archive compares references with DNs that it builds without escaping, so it would not load the device.
    """
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise Refused(f"{name!r} is not a valid {object_kind} name", next_step=next_step)
    # A DN escapes ``#`` only at the start of a value (RFC 4514 §2.4).
    if needs_escaping_in_dn(name) or name.startswith("#"):
        raise Refused(
            f"the {object_kind} name {name} contains one of the characters {' '.join(SPECIAL_IN_DN)}, so the archive "
            f"cannot load the {object_kind}",
            next_step=next_step,
        )
    if object_kind in _WORDS_IN_REFERENCES and is_changed_in_reference(name):
        raise Refused(
            f"the {object_kind} name {name} contains {SPECIAL_IN_REFERENCE}. A directory server may escape this "
            "character in references to connections. The archive then cannot load the device",
            next_step=next_step,
        )


def check_new_ae_title(title: str) -> Iterator[str]:
    """Yield warnings about a new AE *title*; raises :class:`Refused` for a title that the archive cannot find."""
    if title == "*":
        raise Refused(
            "the title '*' matches every AE title, so the archive cannot send to an AE with this title",
            next_step="specify a title other than '*'; to add an AE with the title '*', use an LDIF file: "
            "dcmcfg apply FILE",
        )
    if needs_escaping_in_filter(title):
        raise Refused(
            f"the title {title} contains one of the characters {' '.join(SPECIAL_IN_FILTER)}, so the archive cannot "
            "find the AE",
            next_step="give the AE another title",
        )
    if needs_escaping_in_dn(title) or title.startswith("#"):
        yield (
            f"the title {title} contains one of the characters {' '.join(SPECIAL_IN_DN)}. The archive does not escape "
            "these characters in DNs: the archive can read this entry, but cannot change or remove the entry."
        )
