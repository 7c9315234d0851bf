"""The entry: a DN with attributes, whose names ignore case and whose values are octets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dcmcfg.dn import DN
from dcmcfg.schema_names import OBJECT_CLASS


class Attribute(NamedTuple):
    """An attribute description with its values; options are part of the name (``userCertificate;binary``)."""

    name: str
    values: tuple[bytes, ...]


_NONE = Attribute("", ())
_set = object.__setattr__


@dataclass(frozen=True)
class Entry:
    """An entry of the directory; attributes keep their order and spelling."""

    dn: DN
    attributes: tuple[Attribute, ...] = ()

    def __init__(self, dn: DN, attributes: tuple[Attribute, ...] = ()) -> None:
        # The generated __init__ of a frozen dataclass takes 50 % longer.
        _set(self, "dn", dn)
        _set(self, "attributes", attributes)

    @staticmethod
    def from_values(dn: DN | str, attributes: Mapping[str, Iterable[str | bytes] | str | bytes]) -> Entry:
        """Return the entry with *attributes*: name → a string or octets, or an iterable of these."""
        return Entry(
            DN.parse(dn) if isinstance(dn, str) else dn,
            tuple(Attribute(name, _encode_values(values)) for name, values in attributes.items()),
        )

    @property
    def _by_name(self) -> dict[str, Attribute]:
        # The lock of a cached_property (Python 3.11) costs more than a search of a few attributes.
        known: dict[str, Attribute] | None = self.__dict__.get("_names")
        if known is None:
            self.__dict__["_names"] = known = {attribute.name.lower(): attribute for attribute in self.attributes}
        return known

    def values(self, name: str) -> tuple[bytes, ...]:
        """Return the values of the attribute *name*, in order; empty if it is missing."""
        attribute = self._by_name.get(name.lower())
        return attribute.values if attribute else ()

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the values of the attribute *name* as text (UTF-8; undecodable octets are replaced)."""
        return tuple(value.decode("utf-8", "replace") for value in self.values(name))

    def text(self, name: str) -> str | None:
        """Return the first value of the attribute *name* as text, or None if it is missing."""
        return next(iter(self.texts(name)), None)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def is_a(self, object_class: str) -> bool:
        """Return whether *object_class* is among the object classes of the entry."""
        known: frozenset[str] | None = self.__dict__.get("_classes")
        if known is None:
            self.__dict__["_classes"] = known = frozenset(value.lower() for value in self.texts(OBJECT_CLASS))
        return object_class.lower() in known

    def with_values(self, name: str, values: Iterable[bytes]) -> Entry:
        """Return this entry with exactly *values* as the attribute *name*; without values, the attribute is removed.

        An existing attribute keeps its position and spelling; a new one is appended.
        """
        new, lower_name = tuple(values), name.lower()
        attributes: list[Attribute] = []
        last = Attribute(name, new)
        for attribute in self.attributes:
            if attribute.name.lower() == lower_name:
                attributes.append(Attribute(attribute.name, new))
                # An attribute that exists is replaced in its place, so nothing is appended.
                last = _NONE
            else:
                attributes.append(attribute)
        return Entry(self.dn, tuple([attribute for attribute in (*attributes, last) if attribute.values]))

    def with_dn(self, dn: DN) -> Entry:
        """Return this entry with the DN *dn*."""
        return Entry(dn, self.attributes)


def _encode_values(values: Iterable[str | bytes] | str | bytes) -> tuple[bytes, ...]:
    if isinstance(values, str | bytes):
        values = (values,)
    return tuple(value.encode() if isinstance(value, str) else value for value in values)
