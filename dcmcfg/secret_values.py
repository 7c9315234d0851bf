"""Which attribute values are secrets, to be kept off screens and out of shared files."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

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
#: What ends a word: ``user:password@`` outside a URL, as in proxy settings, is in one word.
_BETWEEN_WORDS = re.compile(rb"[\s/{}]+")
_MAIL = re.compile(rb"[^\w.+-]*mailto:", re.IGNORECASE)
_HOST_START = re.compile(rb"[\w\[]")
#: In a URL, everything up to the password, on one line.
_BEFORE_PASSWORD = re.compile(rb"://[^/@:\r\n]*:")
#: A port and not the start of a password: digits, and what may follow the authority of a URL.
_PORT = re.compile(rb"[0-9]{1,5}[/?#]")
_VARIABLE = re.compile(rb"\$?\{")
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
    if b"@" in value and (_has_password_in_url(value) or _has_user_info(value)):
        return True
    return bool(_SECRET_PARAMETER.search(value))


def _has_password_in_url(value: bytes) -> bool:
    """Return whether *value* holds ``://user:password@``, in time linear in its length.

    A password may hold a blank or a ``/``, in spite of RFC 3986. A port, or a variable, and then a ``/`` are none.
    """
    for line in value.splitlines():
        last_at = line.rfind(b"@")
        for head in _BEFORE_PASSWORD.finditer(line, 0, max(last_at, 0)):
            if head.end() < last_at and not _is_port(line, head.end()):
                return True
    return False


def _is_port(line: bytes, start: int) -> bool:
    """Return whether a port of a URL is in *line* from *start* on, in digits or as a variable, and no password."""
    if _PORT.match(line, start):
        return True
    slash = line.find(b"/", start)
    return bool(_VARIABLE.match(line, start)) and slash >= 0 and line.find(b"@", start, slash) < 0


def _has_user_info(value: bytes) -> bool:
    """Return whether *value* holds ``user:password@host`` in one word, in time linear in its length."""
    for word in _BETWEEN_WORDS.split(value):
        parts = word.split(b"@")
        for before, after in pairwise(parts):
            user, colon, password = _MAIL.sub(b"", before, count=1).partition(b":")
            if user and colon and password and _HOST_START.match(after):
                return True
    return False


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
