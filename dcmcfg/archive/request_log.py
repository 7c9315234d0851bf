"""HTTP requests as lines of the protocol log, without secrets: no credentials, header values or form values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

HTTP = "http"
_OMITTED = "…"
#: Names of query parameters whose value may be a credential.
_SECRET_NAME = re.compile(r"token|secret|passw|pwd|key|code|assertion|credential|auth|session|sig", re.IGNORECASE)
#: Headers whose values say how a message is written, and nothing about who sends it.
_PLAIN_HEADERS = ("accept", "accept-encoding", "content-type", "content-length", "location")


def describe_url(url: str, secrets: Collection[str]) -> str:
    """Return *url* without user information, without values that may be credentials, and without *secrets*."""
    try:
        parts = urlsplit(url)
        query = "&".join(
            f"{quote(name)}={_OMITTED if _SECRET_NAME.search(name) else quote(value, safe='/:,')}"
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        )
        host = parts.netloc.rpartition("@")[2]
        described = urlunsplit((parts.scheme, host, parts.path, query, ""))
    except ValueError:
        return "a malformed URL"
    for secret in filter(None, secrets):
        for encoded in (secret, quote(secret), quote(secret, safe="")):
            described = described.replace(encoded, _OMITTED)
    return described


def describe_request(headers: Mapping[str, str], form: Mapping[str, str] | None) -> Iterator[str]:
    """Yield the headers of a request, most by name only, and the names in its form, without values."""
    yield f"request headers: {_describe_headers(headers)}"
    if form:
        yield f"request form: {', '.join(form)} (values omitted)"


def describe_response(headers: Mapping[str, str], length: int) -> str:
    """Return the headers of a response, most by name only, and how many characters its body has."""
    return f"response headers: {_describe_headers(headers)}; body of {length} characters"


def _describe_headers(headers: Mapping[str, str]) -> str:
    # The address of a redirect may contain a code or token in its query.
    names = (
        f"{name}: {describe_url(value, ()) if name.lower() == 'location' else value}"
        if name.lower() in _PLAIN_HEADERS
        else name
        for name, value in headers.items()
    )
    return ", ".join(names) or "none"
