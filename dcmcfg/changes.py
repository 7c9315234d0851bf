"""The changes of a directory: Add, Modify, Rename, Delete (RFC 4511 §4.6 to §4.9)."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import Enum

from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry


@dataclass(frozen=True)
class Control:
    """A request control that is sent with an operation (RFC 4511 §4.1.11); ``value`` is in BER."""

    oid: str
    critical: bool = False
    value: bytes | None = None


class Operation(Enum):
    """The operation of a modification on its attribute (RFC 4511 §4.6)."""

    ADD = "add"
    DELETE = "delete"
    REPLACE = "replace"
    INCREMENT = "increment"  # RFC 4525


@dataclass(frozen=True)
class Modification:
    """One modification of a Modify; DELETE and REPLACE without values remove the attribute."""

    operation: Operation
    name: str
    values: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Add:
    """Add an entry."""

    entry: Entry
    controls: tuple[Control, ...] = ()

    @property
    def dn(self) -> DN:
        """The DN of the entry that is added."""
        return self.entry.dn


@dataclass(frozen=True)
class Modify:
    """Modify the attributes of an entry; the server applies all modifications or none."""

    dn: DN
    modifications: tuple[Modification, ...]
    controls: tuple[Control, ...] = ()


@dataclass(frozen=True)
class Rename:
    """Give an entry another RDN and, with ``new_superior``, another parent; its descendants move with it."""

    dn: DN
    new_rdn: RDN
    _: KW_ONLY
    delete_old_rdn: bool = True
    new_superior: DN | None = None
    controls: tuple[Control, ...] = ()

    @property
    def new_dn(self) -> DN:
        """The DN of the entry after the rename."""
        superior = self.dn.parent if self.new_superior is None else self.new_superior
        return DN((self.new_rdn, *superior.rdns))


@dataclass(frozen=True)
class Delete:
    """Delete an entry, which must have no children."""

    dn: DN
    controls: tuple[Control, ...] = ()


Change = Add | Modify | Rename | Delete
