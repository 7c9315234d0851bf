"""What a new name must not be, since the archive would not find the entry by it."""

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

#: What has its name in the references to connections.
_WORDS_IN_REFERENCES = (EntityKind.DEVICE.value.label, "connection")


def require_valid_name(name: str, object_kind: str, next_step: str) -> None:
    """Raise :class:`Refused` when *name* of a new *object_kind* (device, connection) is none, or one to escape in a DN.

    The archive compares references with DNs that it puts together without escaping, so it would not load the device.
    """
    if not name.strip() or name != name.strip() or not name.isprintable():
        raise Refused(f"{name!r} is no name for a {object_kind}", next_step=next_step)
    if needs_escaping_in_dn(name) or name.startswith("#"):
        raise Refused(
            f"the {object_kind} name {name} holds one of {' '.join(SPECIAL_IN_DN)}, with which the archive does not "
            "load it",
            next_step=next_step,
        )
    if object_kind in _WORDS_IN_REFERENCES and is_changed_in_reference(name):
        raise Refused(
            f"the {object_kind} name {name} holds {SPECIAL_IN_REFERENCE}, which a directory may write otherwise in "
            "references "
            "to connections, so that the archive does not load the device",
            next_step=next_step,
        )


def check_new_ae_title(title: str) -> Iterator[str]:
    """Yield warnings about a new AE *title*; raises :class:`Refused` for one that cannot be looked up."""
    if title == "*":
        raise Refused(
            "* stands for every title: nothing can be sent to it",
            next_step="name the AE by the title that it calls itself; dcmcfg apply takes a file that adds an AE *",
        )
    if needs_escaping_in_filter(title):
        raise Refused(
            f"the title {title} holds one of {' '.join(SPECIAL_IN_FILTER)}, with which the archive does not find it",
            next_step="give the AE another title",
        )
    if needs_escaping_in_dn(title) or title.startswith("#"):
        yield (
            f"{title} holds one of {' '.join(SPECIAL_IN_DN)}: the archive writes DNs without escaping, so it "
            "reads the entry and cannot change or remove it."
        )
