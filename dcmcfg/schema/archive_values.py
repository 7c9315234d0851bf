"""The kind of value that the archive expects in each attribute, by object class.

The table was taken from the loaders of dcm4chee-arc 5.35.1 (LdapArchiveConfiguration, LdapDicomConfiguration and the
extensions that the archive registers). Attributes that it reads as plain text or as a boolean, or does not read at all,
are not in the table: none of their values can prevent a device from loading.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

from dcmcfg.schema.value_kinds.catalogue import ENUMERATION_NAME, get_value_kind
from dcmcfg.schema.value_kinds.kind import ValueKind

_NONE: Mapping[str, ValueKind] = {}


def get_value_kinds(attribute: str) -> Mapping[str, ValueKind]:
    """Return the kinds of *attribute* (a name as the schema spells it) by object class; may be empty."""
    return _read_value_kinds().get(attribute, _NONE)


def find_value_kinds(attribute: str, classes: frozenset[str]) -> tuple[ValueKind, ...]:
    """Return the kinds of *attribute* on an entry of *classes* (names as the schema spells them), each once."""
    return tuple(dict.fromkeys(kind for name, kind in get_value_kinds(attribute).items() if name in classes))


def get_loaded_classes() -> frozenset[str]:
    """Return the object classes whose attributes the archive's loader reads, as the schema spells them."""
    return frozenset(name for kinds in _read_value_kinds().values() for name in kinds)


def is_loaded_by_archive(attribute: str) -> bool:
    """Return whether the archive's loader reads *attribute* (a name as the schema spells it).

    ``not_loaded.txt`` lists the attributes of loaded classes whose names do not occur in the archive's source.
    """
    return attribute not in _read_not_loaded()


def list_constants(attribute: str) -> tuple[str, ...]:
    """Return the constants of *attribute* if the archive reads an enumeration; from all classes, without duplicates."""
    kinds = (kind for kind in get_value_kinds(attribute).values() if kind.name == ENUMERATION_NAME)
    return tuple(dict.fromkeys(constant for kind in kinds for constant in kind.constants if constant))


@cache
def _read_not_loaded() -> frozenset[str]:
    return frozenset(resources.files(__package__).joinpath("not_loaded.txt").read_text("ascii").split())


@cache
def _read_value_kinds() -> Mapping[str, Mapping[str, ValueKind]]:
    """Return the file's content by attribute. Reading is lazy: most commands do not need it."""
    content = json.loads(resources.files(__package__).joinpath("value_kinds.json").read_bytes())
    # The file is ordered by object class, as the archive's loaders are. Lookups begin with an attribute.
    found: dict[str, dict[str, ValueKind]] = {}
    for object_class, attributes in content.items():
        for attribute, (name, *parameters) in attributes.items():
            found.setdefault(attribute, {})[object_class] = get_value_kind(name, *parameters)
    return found
