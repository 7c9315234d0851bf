"""Which attribute values are secrets, to be kept off screens and out of shared files."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

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
#: In the key of a property. Where a token is got or how long it lives is no secret; ``pin`` and ``pass`` are words.
#: ``basic-auth`` of a web application is ``user:password`` (the archive's wiki, "Web Application Properties").
_SECRET_KEY = re.compile(
    rb"credential|passw|passphrase|secret|pwd|(?:api|access|private)[-_.]?key(?![-_.]?id)"
    rb"|basic[-_.]?auth|(?<![a-z])authorization(?![a-z]|[-_.]?(?:url|uri|endpoint|path|type))|(?:store|key)pass(?![a-z])"
    rb"|token(?!s?[-_.]?(?:url|uri|endpoint|path|type|life|expir|ttl))|(?<![a-z])(?:pin|pass)(?![a-z])",
    re.IGNORECASE,
)
#: ``user:password@`` as in URLs and proxy settings; a port before an ``@`` does not occur. The bounds are there for
#: long values, on which the search would otherwise take quadratic time.
_USER_INFO = re.compile(rb"(?<![\w.+-])(?!mailto:)[^\s:/@{}]{1,256}:[^\s/@{}]{1,256}@(?=[\w\[])")
#: In a URL a password may hold a ``/``, in spite of RFC 3986; digits, or a variable, and then a ``/`` are a port.
_USER_INFO_IN_URL = re.compile(rb"://[^\s/@:]{0,256}:(?![0-9]{1,5}[/?#])(?:[^\s/@]{1,256}|(?!\$?\{)[^\s@]{1,256})@")
#: A parameter of a URL that names a secret; a variable in its place is none.
_SECRET_PARAMETER = re.compile(
    rb"[?&;](?:(?:access|auth)?[-_]?token|api[-_]?key|passw(?:or)?d|pwd|(?:client[-_]?)?secret)=(?!\$?\{)[^\s&;]",
    re.IGNORECASE,
)

LONGEST_TOLD = 80


def is_secret(name: str, value: bytes) -> bool:
    """Tell whether *value* of attribute *name* must not be shown.

    So are PINs and passwords by their attribute, a ``dcmProperty`` whose key names a credential (password, secret,
    token, API key), and any value that carries ``user:password@`` or such a parameter of a URL. No value is a secret
    for what it holds without an ``@`` or a ``=`` in it.
    """
    plain = _plain(name)
    if plain in _SECRET_ATTRIBUTES:
        return True
    if plain == "dcmproperty" and _SECRET_KEY.search(value.partition(b"=")[0]):
        return True
    if b"@" in value and (_USER_INFO_IN_URL.search(value) or _USER_INFO.search(value)):
        return True
    return bool(_SECRET_PARAMETER.search(value))


def told(name: str, value: bytes, most: int = LONGEST_TOLD) -> str:
    """Return *value* of attribute *name* for a message: quoted, cut to *most* characters, or that it is a secret."""
    if is_secret(name, value):
        return "the value, a secret"
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return f"{len(value)} octets"
    return repr(text if len(text) <= most else text[: most - 3] + "…")


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    return name.partition(";")[0].lower()


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
