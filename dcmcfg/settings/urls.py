"""Check and normalise URLs of directory servers (RFC 4516) and archives (RFC 3986)."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urlsplit

from dcmcfg.dn import DN
from dcmcfg.errors import MalformedInput

#: The formats of audit messages; the first one is the default.
AUDIT_FORMATS = ("syslog", "dicom")
_LDAP_PORTS = {"ldap": 389, "ldaps": 636}
_ARCHIVE_EXAMPLE = "http://localhost:8080/dcm4chee-arc"
_SERVER_EXAMPLE = "ldap://localhost:389"
_SOCKET_EXAMPLE = "ldapi://%2Frun%2Fslapd%2Fldapi"
#: The socket of ``ldapi:///``, on which slapd listens in Debian and Ubuntu.
_SOCKET = "%2Fvar%2Frun%2Fslapd%2Fldapi"
_HOST = re.compile(r"[A-Za-z0-9_.-]+|[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?")


def parse_ldap_url(text: str, origin: str) -> tuple[str, DN | None]:
    """Return the server's URL with port, and the DN in the URL, if any; errors name *origin*.

    Raises :class:`MalformedInput` for an invalid URL and for attributes, scope or filter, which do not belong to a
    server.
    """
    parts = _split_url(text, origin, ("ldap", "ldaps", "ldapi"), _SERVER_EXAMPLE)
    # DN.parse keeps octets that are not UTF-8 as surrogates.
    path = unquote(parts.path.removeprefix("/"), errors="surrogateescape")
    dn = DN.parse(path) if path else None
    if parts.scheme == "ldapi":
        socket = parts.netloc or _SOCKET
        if not unquote(socket).startswith("/") or not unquote(socket).isprintable():
            raise _build_error(
                "the URL must contain the path of a socket, with %2F for each /", text, origin, _SOCKET_EXAMPLE
            )
        return f"ldapi://{socket}", dn
    port = _parse_port(parts, text, origin, _SERVER_EXAMPLE) or _LDAP_PORTS[parts.scheme]
    return f"{parts.scheme}://{_parse_host(parts, text, origin, _SERVER_EXAMPLE)}:{port}", dn


def parse_archive_url(text: str, origin: str) -> str:
    """Return the archive's base URL without a ``/`` at the end; :class:`MalformedInput` names *origin*."""
    return parse_web_url(text, origin, _ARCHIVE_EXAMPLE)


def parse_audit_format(text: str, origin: str) -> str:
    """Return the format of audit messages, one of :data:`AUDIT_FORMATS`; :class:`MalformedInput` names *origin*."""
    if text not in AUDIT_FORMATS:
        raise MalformedInput(f"the format must be {' or '.join(AUDIT_FORMATS)}, not {text!r}", subject=origin)
    return text


def parse_web_url(text: str, origin: str, example: str) -> str:
    """Return an http or https URL without a ``/`` at the end; :class:`MalformedInput` names *origin* and *example*."""
    parts = _split_url(text, origin, ("http", "https"), example)
    port = _parse_port(parts, text, origin, example)
    netloc = _parse_host(parts, text, origin, example) + (f":{port}" if port else "")
    return f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}"


def _split_url(text: str, origin: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    # urlsplit removes TABs and line ends without an error, so they are refused before.
    if not text.isascii() or any(character <= " " or character == "\x7f" for character in text):
        raise _build_error("blanks and non-ASCII characters in the URL must be percent-encoded", text, origin, example)
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise _build_error(str(error), text, origin, example) from None
    # urlsplit also accepts "ldap:host", which has no host.
    if parts.scheme not in schemes or not text.lower().startswith(f"{parts.scheme}://"):
        raise _build_error(
            f"the URL must start with one of {', '.join(s + '://' for s in schemes)}", text, origin, example
        )
    if "@" in parts.netloc:
        # The part before the @ is a credential and must not be shown.
        raise _build_error(
            "the URL must not contain a user or password",
            f"{parts.scheme}://…@{_remove_credentials(parts)}",
            origin,
            example,
        )
    if "?" in text or "#" in text:
        raise _build_error("the URL must not contain '?' or '#'", text, origin, example)
    return parts


def _remove_credentials(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _parse_host(parts: SplitResult, text: str, origin: str, example: str) -> str:
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) or not _is_valid_host_name(host):
        raise _build_error(
            "the host is missing" if not host else f"{host!r} is not a valid host", text, origin, example
        )
    return f"[{host}]" if ":" in host else host


def _is_valid_host_name(host: str) -> bool:
    """Return whether DNS can resolve *host*: its labels must have 1 to 63 octets (RFC 1035 §2.3.4)."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _parse_port(parts: SplitResult, text: str, origin: str, example: str) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise _build_error("the port must be a number from 1 to 65535", text, origin, example)
    return port


def _build_error(problem: str, text: str, origin: str, example: str) -> MalformedInput:
    return MalformedInput(f"invalid URL: {problem}", subject=f"{origin} {text!r}", next_step=f"for example {example}")
