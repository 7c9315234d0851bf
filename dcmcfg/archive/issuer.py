"""Get tokens from an OpenID Connect issuer, by client credentials (RFC 6749 §4.4)."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from threading import RLock
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx

from dcmcfg.archive.failures import TokenError, require_complete
from dcmcfg.archive.http_client import HttpClient, HttpResponse
from dcmcfg.archive.issuer_failures import (
    build_discovery_error,
    build_foreign_endpoint_error,
    build_issuer_mismatch_error,
    build_missing_token_error,
    build_token_refused_error,
    translate_issuer_unreachable,
)

DISCOVERY = "/.well-known/openid-configuration"
#: A token is renewed this many seconds before it expires, because requests take time and clocks differ.
_EXPIRY_MARGIN_S = 30.0
_MAX_LIFETIME_S = 1e9  # seconds; a larger number may have more digits than a float can hold
#: Methods of client authentication (OpenID Connect Core 1.0 §9).
_BASIC, _POST = "client_secret_basic", "client_secret_post"


@dataclass(frozen=True)
class ClientCredentials:
    """A client with its secret, and the server: the issuer URL, or the token endpoint if given."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    _: KW_ONLY
    token_url: str = ""
    scope: str = ""


class TokenIssuer:
    """The issuer for one client; the token is fetched at its first use, and kept for the run."""

    def __init__(self, credentials: ClientCredentials, http_client: HttpClient) -> None:
        self.credentials = credentials
        self._http_client = http_client
        self._endpoint: _Endpoint | None = None
        self._token = ""
        self._expires_at = 0.0
        self._lock = RLock()  # Threads of one run share the token.

    @property
    def has_valid_token(self) -> bool:
        """Whether there is a token that does not expire soon."""
        return bool(self._token) and time.monotonic() < self._expires_at

    def get_token(self) -> str:
        """Return a token that does not expire soon; raises :class:`TokenError`."""
        with self._lock:
            return self._token if self.has_valid_token else self._renew()

    def renew_token(self) -> str:
        """Return a new token; raises :class:`TokenError`."""
        with self._lock:
            return self._renew()

    def _renew(self) -> str:
        if self._endpoint is None:
            self._endpoint = self._find_endpoint()
        started = time.monotonic()
        # If the renewal fails, the old token must not be used again: the archive may have rejected it.
        self._token = ""
        token = _parse_token(self._request_token(self._endpoint), self._endpoint.url, self.credentials.client_id)
        self._token = token.text
        # The lifetime counts from the request, because the issuer creates the token before its response arrives.
        self._expires_at = started + token.seconds - min(_EXPIRY_MARGIN_S, token.seconds / 4)
        return self._token

    def _find_endpoint(self) -> _Endpoint:
        """Return the token endpoint and the method: servers encode a secret in Basic differently, but not in a form."""
        if self.credentials.token_url:
            credentials = self.credentials.client_id + self.credentials.secret
            return _Endpoint(self.credentials.token_url, _BASIC if quote_plus(credentials) == credentials else _POST)
        metadata = discover(self.credentials.issuer, self._http_client)
        # The names must match (OpenID Connect Discovery 1.0 §4.3); a slash at the end makes no difference here.
        if metadata.issuer.rstrip("/") != self.credentials.issuer:
            raise build_issuer_mismatch_error(metadata.issuer, self.credentials.issuer)
        if _get_origin(metadata.token_endpoint) != _get_origin(self.credentials.issuer):
            # The secret must go only to the server that the user configured together with it.
            raise build_foreign_endpoint_error(metadata.token_endpoint, self.credentials.issuer)
        return _Endpoint(metadata.token_endpoint, _POST if _POST in metadata.auth_methods else _BASIC)

    def _request_token(self, endpoint: _Endpoint) -> HttpResponse:
        form = {"grant_type": "client_credentials"} | (
            {"scope": self.credentials.scope} if self.credentials.scope else {}
        )
        headers = {"Accept": "application/json"}
        client_id, secret = quote_plus(self.credentials.client_id), quote_plus(self.credentials.secret)
        # Both are form-urlencoded before they are joined (RFC 6749 §2.3.1).
        basic = b64encode(f"{client_id}:{secret}".encode()).decode()
        if endpoint.method == _POST:
            form |= {"client_id": self.credentials.client_id, "client_secret": self.credentials.secret}
        else:
            headers["Authorization"] = f"Basic {basic}"
        secrets = (self.credentials.secret, secret, basic)
        try:
            return self._http_client.request("POST", endpoint.url, headers=headers, form=form, secrets=secrets)
        except httpx.TransportError as error:
            raise translate_issuer_unreachable(error, endpoint.url, self._http_client.get_timeout_s(error)) from error


@dataclass(frozen=True)
class ProviderMetadata:
    """The metadata of an issuer (OpenID Connect Discovery 1.0 §3)."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    auth_methods: tuple[str, ...]


def discover(issuer: str, http_client: HttpClient) -> ProviderMetadata:
    """Return the metadata of the issuer at URL *issuer*; raises :class:`TokenError`."""
    url = issuer + DISCOVERY
    try:
        response = http_client.request("GET", url, headers={"Accept": "application/json"})
    except httpx.TransportError as error:
        raise translate_issuer_unreachable(error, url, http_client.get_timeout_s(error)) from error
    if response.status == httpx.codes.OK:
        require_complete(response, url, TokenError)
    content = parse_json_object(response.body)
    if response.status != httpx.codes.OK or content is None or not _is_text(content, "issuer", "token_endpoint"):
        raise build_discovery_error(response, content, url, issuer)
    methods = content.get("token_endpoint_auth_methods_supported")
    return ProviderMetadata(
        content["issuer"],
        content["token_endpoint"],
        content["jwks_uri"] if _is_text(content, "jwks_uri") else "",
        tuple(map(str, methods)) if isinstance(methods, list) else (),
    )


def fetch_key_set(issuer: ProviderMetadata, http_client: HttpClient) -> dict[str, Any]:
    """Return the signing keys of *issuer*, as a JSON Web Key Set (RFC 7517 §5); raises :class:`TokenError`."""
    if not issuer.jwks_uri:
        raise TokenError("the issuer's metadata contains no URL of the keys (jwks_uri)", subject=issuer.issuer)
    try:
        response = http_client.request("GET", issuer.jwks_uri, headers={"Accept": "application/json"})
    except httpx.TransportError as error:
        raise translate_issuer_unreachable(error, issuer.jwks_uri, http_client.get_timeout_s(error)) from error
    if response.status == httpx.codes.OK:
        require_complete(response, issuer.jwks_uri, TokenError)
    keys = parse_json_object(response.body) if response.status == httpx.codes.OK else None
    if keys is None:
        raise TokenError(f"no keys at this URL (HTTP {response.status})", subject=issuer.jwks_uri)
    return keys


def parse_json_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object in *text*, or None if it is not one."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


@dataclass(frozen=True)
class _Endpoint:
    url: str
    method: str


@dataclass(frozen=True)
class _Token:
    """A token and its lifetime in seconds; ``inf`` if the issuer does not state it."""

    text: str = field(repr=False)
    seconds: float


def _parse_token(response: HttpResponse, url: str, client_id: str) -> _Token:
    content = parse_json_object(response.body)
    if response.status != httpx.codes.OK:
        raise build_token_refused_error(response, content, url, client_id)
    require_complete(response, url, TokenError)
    if content is None or not _is_text(content, "access_token"):
        raise build_missing_token_error(response, url)
    text, seconds = content["access_token"], content.get("expires_in")
    # A header value must be visible ASCII (RFC 6750 §2.1).
    if not all("!" <= character <= "~" for character in text):
        raise TokenError(
            "the token has blanks or characters outside ASCII", subject=url, next_step="check the issuer's log"
        )
    if isinstance(seconds, int | float) and seconds > 0:
        return _Token(text, float(min(seconds, _MAX_LIFETIME_S)))
    return _Token(text, float("inf"))


def _is_text(content: Mapping[str, Any], *names: str) -> bool:
    return all(isinstance(content.get(name), str) and content[name] for name in names)


def _get_origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port; for an invalid URL, a value that differs from all others."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", url, None
