"""Recognise attribute values that are secrets, and keep them out of output and shared files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from dcmcfg.changes import Add, Change, Modify
from dcmcfg.entry import Attribute, Entry

#: By name and by OID: LDIF may name an attribute either way (RFC 4512 §2.5).
_SECRET_ATTRIBUTES = frozenset(
    name.lower()
    for names in (
        ("dcmKeyStorePin", "1.2.40.0.13.1.15.0.3.46"),
        ("dcmTrustStorePin", "1.2.40.0.13.1.15.0.3.42"),
        ("dcmKeyStoreKeyPin", "1.2.40.0.13.1.15.0.3.48"),
        ("dcmKeycloakClientSecret", "1.2.40.0.13.1.15.0.3.78"),
        ("userPassword", "2.5.4.35"),
    )
    for name in names
)
_PROPERTY = frozenset({"dcmproperty", "1.2.40.0.13.1.15.0.3.62"})
#: Matches the key of a property that names a secret. The URL and the lifetime of a token are not secrets. ``pin`` and
#: ``pass`` must be whole words. ``basic-auth`` of a web application is ``user:password`` (the archive's wiki, "Web
#: Application Properties").
_SECRET_KEY = re.compile(
    rb"credential|passw|passphrase|secret|pwd|(?:api|access|private)[-_.]?key(?![-_.]?id)"
    rb"|basic[-_.]?auth|(?<![a-z])authorization(?![a-z]|[-_.]?(?:url|uri|endpoint|path|type))|(?:store|key)pass(?![a-z])"
    rb"|token(?!s?[-_.]?(?:url|uri|endpoint|path|type|life|expir|ttl))|(?<![a-z])(?:pin|pass)(?![a-z])",
    re.IGNORECASE,
)
#: Separates words: ``user:password@`` outside a URL, as in proxy settings, is inside one word.
_BETWEEN_WORDS = re.compile(rb"[\s/{}]+")
_MAIL = re.compile(rb"[^\w.+-]*mailto:", re.IGNORECASE)
_HOST_START = re.compile(rb"[\w\[]")
#: The part of a URL before the password. The user may be a mail address.
_BEFORE_PASSWORD = re.compile(rb"://[^/:]*:")
#: A port instead of the start of a password: digits or a variable, followed by a character that ends the authority of a
#: URL. If an ``@`` follows in the same word and segment, it is a port only if the name of the variable contains "port".
_PORT = re.compile(
    rb"(?:(?:[0-9]{1,5}|\$?\{+[^{}@]*\}+)[/?#](?![^\s/?#@]*@)|\$?\{+(?:(?!port)[^{}@])*port[^{}@]*\}+[/?#])",
    re.IGNORECASE,
)
_LINE_ENDS = b"\r\n"
#: A parameter of a URL whose name ends with a word for a secret; a variable as its value is not a secret.
_SECRET_PARAMETER = re.compile(
    rb"[?&;#][\w.-]*?(?:token|(?:api|access)[-_]?key|passw(?:or)?d|pwd|secret|signature|(?<![a-z])sig)"
    rb"=(?!\$?\{)[^\s&;#]",
    re.IGNORECASE,
)

MAXIMUM_SHOWN_LENGTH = 80
#: The text instead of a command line that contains a secret.
HIDDEN_COMMAND = "(not shown, contains a secret)"
_REDACTED, _HIDDEN = "(secret)", "(hidden)"


def is_secret(name: str, value: bytes) -> bool:
    """Return whether *value* of the attribute *name* must not be shown.

    Secrets are PINs and passwords by their attribute, a ``dcmProperty`` whose key names a credential (password, secret,
    token, API key), and any value with ``user:password@`` or such a parameter of a URL. Without ``@`` and ``=``, the
    content of a value never makes it a secret.
    """
    attribute_name = _normalise_name(name)
    if attribute_name in _SECRET_ATTRIBUTES:
        return True
    if attribute_name in _PROPERTY and _SECRET_KEY.search(value.partition(b"=")[0]):
        return True
    if b"@" in value and (_has_password_in_url(value) or _has_user_info(value)):
        return True
    return bool(_SECRET_PARAMETER.search(value))


def _has_password_in_url(value: bytes) -> bool:
    """Return whether *value* contains ``://user:password@``, in time linear in its length.

    A password may contain a space or a ``/``, although RFC 3986 forbids it. A port or a variable, followed by ``/``, is
    not a password, unless an ``@`` follows before the next ``/``. Line ends are ignored, because URL parsers remove
    them (WHATWG URL).
    """
    line = value.translate(None, _LINE_ENDS)
    last_at = line.rfind(b"@")
    return any(
        head.end() < last_at and not _PORT.match(line, head.end())
        for head in _BEFORE_PASSWORD.finditer(line, 0, max(last_at, 0))
    )


def _has_user_info(value: bytes) -> bool:
    """Return whether *value* contains ``user:password@host`` in one word, in time linear in its length."""
    for word in _BETWEEN_WORDS.split(value):
        parts = word.split(b"@")
        for before, after in pairwise(parts):
            user, colon, password = _MAIL.sub(b"", before, count=1).partition(b":")
            if user and colon and password and _HOST_START.match(after):
                return True
    return False


def redact_command(command: str, hidden_attributes: Collection[str] = ()) -> str:
    """Return the command line *command* with ``(secret)`` instead of each secret in it.

    A word ``NAME=VALUE``, ``NAME+=VALUE`` or ``NAME-=VALUE`` is judged by the attribute that it names; values of
    *hidden_attributes*, in lower case, become ``(hidden)``. The name of a file, ``@FILE``, stays. A command line that
    cannot be split into words is replaced as a whole.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return HIDDEN_COMMAND
    redacted = [_redact_word(word, hidden_attributes) for word in words]
    return command if redacted == words else " ".join(map(_quote_redacted, redacted))


def _redact_word(word: str, hidden_attributes: Collection[str]) -> str:
    name, equals, value = word.partition("=")
    attribute_name = name.rstrip("+-")
    if value.startswith("@"):  # the name of a file
        return word
    if equals and is_secret(attribute_name, value.encode("utf-8", "surrogateescape")):
        return f"{name}={_REDACTED}"
    if equals and _normalise_name(attribute_name) in hidden_attributes:
        return f"{name}={_HIDDEN}"
    return _REDACTED if is_secret("", word.encode("utf-8", "surrogateescape")) else word


def _quote_redacted(word: str) -> str:
    """Return *word* quoted for a shell, but with a readable ``(secret)``: the line is for display only."""
    return word if word.endswith((_REDACTED, _HIDDEN)) else shlex.quote(word)


def format_value(name: str, value: bytes, max_length: int = MAXIMUM_SHOWN_LENGTH) -> str:
    """Return *value* of the attribute *name* for a message.

    The text is quoted and cut to *max_length* characters. A secret is ``(secret)``; binary data is its length.
    """
    if is_secret(name, value):
        return "(secret)"
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return f"{len(value)} octets"
    return repr(text if len(text) <= max_length else text[: max_length - 3] + "…")


@lru_cache(maxsize=4096)
def _normalise_name(name: str) -> str:
    # Options do not change the meaning of an attribute.
    return name.partition(";")[0].lower()


def remove_secrets_from_entry(entry: Entry) -> tuple[Entry, tuple[str, ...]]:
    """Return *entry* without its secret values, and the names of the attributes that lost values, in order."""
    remaining: list[Attribute] = []
    omitted: list[str] = []
    for attribute in entry.attributes:
        values = tuple(value for value in attribute.values if not is_secret(attribute.name, value))
        if len(values) < len(attribute.values):
            omitted.append(attribute.name)
        if values:
            remaining.append(Attribute(attribute.name, values))
    return Entry(entry.dn, tuple(remaining)), tuple(omitted)


def remove_secrets_from_change(change: Change) -> tuple[Change, tuple[str, ...]]:
    """Return *change* without secret values and without controls, and the attributes that lost values.

    The result is for display only: its effect may differ from that of *change*.
    """
    # Controls are left out, because an assertion contains the values before the change.
    match change:
        case Add(entry):
            shown, omitted = remove_secrets_from_entry(entry)
            return Add(shown), omitted
        case Modify(dn, modifications):
            names: dict[str, None] = {}
            remaining = []
            for modification in modifications:
                values = tuple(value for value in modification.values if not is_secret(modification.name, value))
                if len(values) < len(modification.values):
                    names[modification.name] = None
                # A modification without values removes its attribute, and contains no secret.
                if values or not modification.values:
                    remaining.append(replace(modification, values=values))
            return Modify(dn, tuple(remaining)), tuple(names)
        case _:
            return replace(change, controls=()), ()
