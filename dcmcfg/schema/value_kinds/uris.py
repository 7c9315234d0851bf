"""URIs as ``java.net.URI`` reads them (RFC 2396), and what the archive asks of them besides."""

from __future__ import annotations

import re

from dcmcfg.schema.value_kinds.kind import ValueKind

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_PROPERTY = re.compile(r"\$\{[^}]*\}")
#: What Java takes unescaped: RFC 2396 and, beyond ASCII, all but spaces and control characters.
_LEGAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-!.~'()*,;:$&+=?/[]@#%")
_BRACKETS = frozenset("[]")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def find_uri_problem(text: str) -> str:
    """Return why *text* is no URI; empty where it is one, or where that is not certain."""
    problem = _find_character_problem(text)
    if problem:
        return problem
    scheme = _SCHEME.match(text)
    rest, hash_mark, fragment = text[scheme.end() if scheme else 0 :].partition("#")
    if "#" in fragment:
        return "not a URI: there is more than one #"
    if scheme is None and ":" in re.split(r"[/?#]", text)[0]:
        return "not a URI: a scheme begins with a letter"
    if scheme is not None and not rest:
        return "not a URI: nothing stands after the scheme"
    if rest == "//" and not hash_mark:
        return "not a URI: nothing stands after //"
    return _find_bracket_problem(rest) if scheme is None or rest.startswith("/") else ""


def _find_character_problem(text: str) -> str:
    if any(_is_illegal(character) for character in text):
        return 'not a URI: blanks and characters such as { | " must be escaped (%20)'
    return "not a URI: after % stand two hexadecimal digits" if _ESCAPE.search(text) else ""


def _is_illegal(character: str) -> bool:
    if character.isascii():
        return character not in _LEGAL
    return character.isspace() or not character.isprintable()


def _find_bracket_problem(rest: str) -> str:
    """Return why the brackets of a hierarchical URI are wrong: they belong round an IPv6 address."""
    path = rest.split("?")[0]
    authority = path[2:].split("/")[0] if path.startswith("//") else ""
    if authority.rpartition("@")[2].startswith("[") and "]" not in authority:
        return "not a URI: after an IPv6 address stands a ]"
    outside = path.removeprefix(f"//{authority}")
    return "not a URI: brackets must be escaped (%5B)" if _BRACKETS & set(outside) else ""


def find_uri_with_properties_problem(text: str) -> str:
    """Return why *text* is no URI after the archive has put in ``${...}``."""
    return find_uri_problem(_PROPERTY.sub("x", text))


def find_storage_uri_problem(text: str) -> str:
    """Return why *text* is no URI of a storage: it requires a scheme."""
    if text.startswith("${"):
        return find_uri_with_properties_problem(text)
    problem = find_uri_with_properties_problem(text)
    if not problem and not _SCHEME.match(text):
        return "a storage requires a URI with a scheme, as file:///var/local/archive"
    return problem or (_find_file_problem(text) if text.lower().startswith("file:") else "")


def find_file_uri_problem(text: str) -> str:
    """Return why *text* is no URI of a folder of the archive's host."""
    problem = find_uri_with_properties_problem(text)
    if problem or text.startswith("${"):
        return problem
    if not text.lower().startswith("file:"):
        return "it must be a URI of a folder, as file:///var/local/spool"
    return _find_file_problem(text)


def find_coercion_uri_problem(text: str) -> str:
    """Return why *text* is no URI of a coercion: it requires a scheme, and nothing else."""
    return "" if ":" in text else "a coercion requires a URI with a scheme, as xslt:${jboss.server.temp.url}/x.xsl"


def _find_file_problem(text: str) -> str:
    rest = text[len("file:") :]
    if not rest.startswith("/"):
        return "after file: stands an absolute path, as file:///var/local/archive"
    if rest.startswith("//") and not rest.startswith("///") and not rest.startswith("//$"):
        return "a URI of a file has no host, as file:///var/local/archive"
    return "a URI of a file has no ? and no #" if "?" in rest or "#" in rest else ""


URI = ValueKind("uri", "a URI", find_uri_problem)
URI_WITH_PROPERTIES = ValueKind("uri-with-properties", "a URI, ${...} is replaced", find_uri_with_properties_problem)
STORAGE_URI = ValueKind("storage-uri", "a URI with a scheme: file:///var/local/archive", find_storage_uri_problem)
FILE_URI = ValueKind("file-uri", "a URI of a folder: file:///var/local/spool", find_file_uri_problem)
COERCION_URI = ValueKind("coercion-uri", "a URI with a scheme: xslt:FILE", find_coercion_uri_problem)
