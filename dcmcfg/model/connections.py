"""Users of network connections: AEs, HL7 applications, web applications, audit loggers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.model.devices import Connection, NetworkAE
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import EntityKind


@dataclass(frozen=True)
class ConnectionUsers:
    """The users of all connections in the tree of ``references``."""

    references: References

    def find_users(self, connection: Connection, *, excluding: NetworkAE | None = None) -> tuple[Entry, ...]:
        """Return the entries that refer to *connection*, *excluding* one AE, in the order of the tree."""
        tree = self.references.tree
        keys = self._by_connection.get(tree.key(connection.dn), {})
        return tuple(tree.entries[key] for key in keys if excluding is None or key != tree.key(excluding.entry.dn))

    @cached_property
    def _by_connection(self) -> Mapping[NormalDN, dict[NormalDN, None]]:
        tree = self.references.tree
        found: dict[NormalDN, dict[NormalDN, None]] = {}
        for reference in self.references.all:
            entry = self.references.resolve(reference) if reference.kind is EntityKind.ENTRY else None
            if entry is not None:
                # A dictionary serves as an ordered set: an entry may name one connection in two spellings.
                found.setdefault(tree.key(entry.dn), {})[tree.key(reference.dn)] = None
        return found


def get_connection_name(dn: DN) -> str:
    """Return the name of the connection at *dn*: its ``cn``, or all values of its RDN (host and port)."""
    return "+".join(value for _, value in dn.rdn.parts)


def format_connection_target(device_name: str, dn: DN) -> str:
    """Return the name for ``connection set`` of the connection at *dn* of the device *device_name*."""
    return f"{device_name}/{get_connection_name(dn)}"


def format_users(users: Iterable[Entry]) -> str:
    """Return the names of *users* in one line: ``the AEs DCM4CHEE, WORKLIST; the web application "ui"``."""
    by_label: dict[str, list[str]] = {}
    for user in users:
        label, name = _describe_user(user)
        by_label.setdefault(label, []).append(name)
    return "; ".join(
        f"{label}{'s' if label and len(names) > 1 else ''} {', '.join(names)}".strip()
        for label, names in by_label.items()
    )


def format_user_names(users: Iterable[Entry]) -> str:
    """Return the names of *users* in one line, except for AEs with the kind: ``DCM4CHEE; ui (web application)``."""
    by_kind: dict[EntityKind | None, list[str]] = {}
    for user in users:
        kind = _find_kind(user)
        name = str(user.dn.rdn) if kind is None else user.text(kind.value.attribute) or ""
        by_kind.setdefault(kind, []).append(name)
    return "; ".join(", ".join(names) + _format_kind(kind, len(names)) for kind, names in by_kind.items())


def _format_kind(kind: EntityKind | None, count: int) -> str:
    if kind is None or kind is EntityKind.AE:
        return ""
    return f" ({kind.value.label}{'s' if count > 1 else ''})"


def _find_kind(user: Entry) -> EntityKind | None:
    kinds = (kind for kind in EntityKind if kind is not EntityKind.ENTRY and user.is_a(kind.value.object_class))
    return next(kinds, None)


def _describe_user(user: Entry) -> tuple[str, str]:
    kind = _find_kind(user)
    if kind is None:
        return "", str(user.dn.rdn)
    name = user.text(kind.value.attribute) or ""
    # Names of applications may be ordinary words, or ``*``.
    return f"the {kind.value.label}", name if kind is EntityKind.AE else f'"{name}"'
