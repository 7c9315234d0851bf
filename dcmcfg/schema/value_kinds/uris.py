"""Formats of URIs: the syntax of ``java.net.URI`` (RFC 2396) and the archive's additional requirements."""

from __future__ import annotations

import re

from dcmcfg.schema.value_kinds.kind import ValueKind

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_PROPERTY = re.compile(r"\$\{[^}]*\}")
#: ASCII characters that Java accepts unescaped (RFC 2396). Beyond ASCII it accepts all except spaces and controls.
_LEGAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-!.~'()*,;:$&+=?/[]@#%")
_BRACKETS = frozenset("[]")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def find_uri_problem(text: str) -> str:
    """Return why *text* is not a URI; empty if it is one, or if this is not certain."""
    problem = _find_character_problem(text)
    if problem:
        return problem
    scheme = _SCHEME.match(text)
    rest, hash_mark, fragment = text[scheme.end() if scheme else 0 :].partition("#")
    if "#" in fragment:
        return "not a URI: it contains more than one #"
    if scheme is None and ":" in re.split(r"[/?#]", text)[0]:
        return "not a URI: a scheme must begin with a letter"
    if scheme is not None and not rest:
        return "not a URI: nothing follows the scheme"
    if rest == "//" and not hash_mark:
        return "not a URI: nothing follows //"
    # Java accepts brackets anywhere in an opaque URI (``scheme:text``).
    return _find_bracket_problem(rest) if scheme is None or rest.startswith("/") else ""


def _find_character_problem(text: str) -> str:
    if any(_is_illegal(character) for character in text):
        return 'not a URI: spaces and characters such as { | " must be escaped (%20)'
    return "not a URI: two hexadecimal digits must follow %" if _ESCAPE.search(text) else ""


def _is_illegal(character: str) -> bool:
    if character.isascii():
        return character not in _LEGAL
    return character.isspace() or not character.isprintable()


def _find_bracket_problem(rest: str) -> str:
    """Return why the brackets of a hierarchical URI are wrong: they may only enclose an IPv6 address."""
    path = rest.split("?")[0]
    authority = path[2:].split("/")[0] if path.startswith("//") else ""
    if authority.rpartition("@")[2].startswith("[") and "]" not in authority:
        return "not a URI: the ] after the IPv6 address is missing"
    outside = path.removeprefix(f"//{authority}")
    return "not a URI: brackets must be escaped (%5B)" if _BRACKETS & set(outside) else ""


def find_uri_with_properties_problem(text: str) -> str:
    """Return why *text* is not a URI after the archive has replaced ``${...}``."""
    # The value of a property is unknown here. A letter is valid at every position.
    return find_uri_problem(_PROPERTY.sub("x", text))


def find_storage_uri_problem(text: str) -> str:
    """Return why *text* is not a URI of a storage, which requires a scheme."""
    # The value of the property may contain the scheme.
    if text.startswith("${"):
        return find_uri_with_properties_problem(text)
    problem = find_uri_with_properties_problem(text)
    if not problem and not _SCHEME.match(text):
        return "a storage requires a URI with a scheme, such as file:///var/local/archive"
    return problem or (_find_file_problem(text) if text.lower().startswith("file:") else "")


def find_file_uri_problem(text: str) -> str:
    """Return why *text* is not a URI of a folder on the archive's host."""
    problem = find_uri_with_properties_problem(text)
    if problem or text.startswith("${"):
        return problem
    if not text.lower().startswith("file:"):
        return "the value must be the URI of a folder, such as file:///var/local/spool"
    return _find_file_problem(text)


def find_coercion_uri_problem(text: str) -> str:
    """Return why *text* is not a URI of a coercion, which requires only a scheme."""
    return "" if ":" in text else "a coercion requires a URI with a scheme, such as xslt:${jboss.server.temp.url}/x.xsl"


def _find_file_problem(text: str) -> str:
    rest = text[len("file:") :]
    if not rest.startswith("/"):
        return "an absolute path must follow file:, as in file:///var/local/archive"
    # A property after ``//`` may stand for an absolute path: ``file://${jboss.server.data.url}/fs1``.
    if rest.startswith("//") and not rest.startswith("///") and not rest.startswith("//$"):
        return "a file URI must not have a host; write, for example, file:///var/local/archive"
    return "a file URI must not contain ? or #" if "?" in rest or "#" in rest else ""


URI = ValueKind("uri", "a URI", find_uri_problem)
URI_WITH_PROPERTIES = ValueKind(
    "uri-with-properties", "a URI; the archive replaces ${...}", find_uri_with_properties_problem
)
STORAGE_URI = ValueKind("storage-uri", "a URI with a scheme: file:///var/local/archive", find_storage_uri_problem)
FILE_URI = ValueKind("file-uri", "a URI of a folder: file:///var/local/spool", find_file_uri_problem)
COERCION_URI = ValueKind("coercion-uri", "a URI with a scheme: xslt:FILE", find_coercion_uri_problem)
