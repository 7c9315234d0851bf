"""Which attribute values are secrets, to be kept off screens and out of shared files."""

from __future__ import annotations

import re
from dataclasses import replace

from dcmcfg.changes import Add, Change, Modify
from dcmcfg.entry import Attribute, Entry

_SECRET_ATTRIBUTES = frozenset(
    name.lower()
    for name in (
        "dcmKeyStorePin",
        "dcmTrustStorePin",
        "dcmKeyStoreKeyPin",
        "dcmKeycloakClientSecret",
        "userPassword",
    )
)
_SECRET_KEY = re.compile(rb"credential|passw|secret", re.IGNORECASE)
#: ``user:password@`` as in URLs and proxy settings; a port before an ``@`` does not occur.
_USER_INFO = re.compile(rb"(?<![\w.+-])(?!mailto:)[^\s:/@{}]+:[^\s/@{}]+@(?=[\w\[])")
_USER_INFO_IN_URL = re.compile(rb"://[^\s/@:]*:[^\s/@]+@")


def is_secret(name: str, value: bytes) -> bool:
    """Tell whether *value* of attribute *name* must not be shown.

    So are PINs and passwords by their attribute, a ``dcmProperty`` whose key names a credential, password or
    secret, and any value that carries ``user:password@``.
    """
    plain = name.partition(";")[0].lower()
    if plain in _SECRET_ATTRIBUTES:
        return True
    if plain == "dcmproperty" and _SECRET_KEY.search(value.partition(b"=")[0]):
        return True
    return bool(_USER_INFO_IN_URL.search(value) or _USER_INFO.search(value))


def without_secrets(entry: Entry) -> tuple[Entry, tuple[str, ...]]:
    """Return *entry* without its secret values, with the names of the attributes that lost some, in order."""
    kept: list[Attribute] = []
    omitted: list[str] = []
    for attribute in entry.attributes:
        values = tuple(value for value in attribute.values if not is_secret(attribute.name, value))
        if len(values) < len(attribute.values):
            omitted.append(attribute.name)
        if values:
            kept.append(Attribute(attribute.name, values))
    return Entry(entry.dn, tuple(kept)), tuple(omitted)


def change_without_secrets(change: Change) -> tuple[Change, tuple[str, ...]]:
    """Return *change* without secret values and without controls, with the attributes that lost some.

    The result is for reading only: it may no longer do what *change* does.
    """
    match change:
        case Add(entry):
            shown, omitted = without_secrets(entry)
            return Add(shown), omitted
        case Modify(dn, modifications):
            names: dict[str, None] = {}
            left = []
            for modification in modifications:
                values = tuple(value for value in modification.values if not is_secret(modification.name, value))
                if len(values) < len(modification.values):
                    names[modification.name] = None
                if values or not modification.values:
                    left.append(replace(modification, values=values))
            return Modify(dn, tuple(left)), tuple(names)
        case _:
            return replace(change, controls=()), ()
