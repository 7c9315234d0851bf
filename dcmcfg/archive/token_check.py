"""Check a token with the archive: its claims, the archive's expectations, and the archive's response.

The expectations come from endpoints of the archive that do not require a token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

import httpx

from dcmcfg.archive.control import build_status_url
from dcmcfg.archive.error_body import format_one_line
from dcmcfg.archive.failures import TokenError, translate_no_response, translate_unexpected_response
from dcmcfg.archive.http_client import HttpClient, HttpResponse
from dcmcfg.archive.issuer import discover, fetch_key_set, parse_json_object
from dcmcfg.archive.token_claims import (
    SignatureStatus,
    TokenClaims,
    check_signature,
    looks_truncated,
    read_token_claims,
)
from dcmcfg.errors import ArchiveError

#: Address of Keycloak's login page; the part up to the realm is the issuer.
_LOGIN_URL = re.compile(r"(https?://[^\s?#]+/realms/[^\s/?#]+)/protocol/openid-connect/auth(?:[?#]|$)")
_WEB_URL = re.compile(r"https?://[\x21-\x7e]+")


@dataclass(frozen=True)
class TokenExpectations:
    """``issuer`` is the URL of the realm whose tokens the archive accepts; each value is empty if unknown."""

    issuer: str = ""
    super_user_role: str = ""


def fetch_expectations(archive_url: str, http_client: HttpClient) -> TokenExpectations:
    """Return the expectations of the archive at *archive_url*; no token is sent, and failures leave values unknown.

    Its web interface reads ``ui2/rs/keycloak.json`` and ``ui2/rs/dcm4chee-arc`` (``Resource`` of dcm4chee-arc-ui2)
    before the login. If these require a login too, the address of the login page contains the issuer.
    """
    base_url = f"{archive_url}/ui2/rs"
    issuers = (
        _extract_issuer(_fetch(url, http_client)) for url in (f"{base_url}/keycloak.json", f"{archive_url}/ctrl/status")
    )
    issuer = next(filter(None, issuers), "")
    response = _fetch(f"{base_url}/dcm4chee-arc", http_client)
    content = parse_json_object(response.body) if response is not None and response.status == httpx.codes.OK else None
    role = content.get("super-user-role") if content else None
    return TokenExpectations(issuer, role if isinstance(role, str) and role.isprintable() else "")


def _fetch(url: str, http_client: HttpClient) -> HttpResponse | None:
    try:
        return http_client.request("GET", url)
    except httpx.TransportError:
        return None


def extract_login_issuer(response: HttpResponse) -> str:
    """Return the issuer of the login page that *response* redirects to; empty if there is none."""
    match = _LOGIN_URL.match(response.headers.get("location", "")) if response.is_redirect else None
    return match.group(1) if match else ""


def _extract_issuer(response: HttpResponse | None) -> str:
    if response is None:
        return ""
    if issuer := extract_login_issuer(response):
        return issuer
    content = parse_json_object(response.body) if response.status == httpx.codes.OK else None
    server, realm = (content.get(name) if content else None for name in ("auth-server-url", "realm"))
    if not (isinstance(server, str) and isinstance(realm, str) and _WEB_URL.fullmatch(f"{server}{realm}")):
        return ""
    return f"{server.rstrip('/')}/realms/{realm}"


_DESCRIPTION = re.compile(r'error_description="([^"]*)"')
_REFUSAL_STATUSES = frozenset({401, 403})
_NO_RESPONSE = HttpResponse(0, {}, "")


class TokenOutcome(Enum):
    """The reaction of the archive to a token, or to none."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_REQUIRED = "not required"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, kw_only=True)
class TokenCheck:
    """The result of a token check.

    ``claims`` is None without a token, and for a token that is not a JSON Web Token or ``is_truncated``. ``issuer`` is
    the name that the expected issuer uses for itself. ``signature`` is None if the issuer's keys are unknown; then
    ``signature_unchecked_reason`` has the reason. ``refusal_message`` is the archive's message for a refusal.
    ``archive_clock`` and ``checked_at`` are the times of the archive and of this machine at the same moment.
    ``failure`` is set if the archive could not be reached, or gave an unexpected response; then the rest is unknown.
    """

    outcome: TokenOutcome
    has_token: bool
    is_truncated: bool
    claims: TokenClaims | None
    issuer: str
    super_user_role: str
    signature: SignatureStatus | None
    signature_unchecked_reason: str
    http_status: int
    refusal_message: str
    archive_clock: datetime | None
    checked_at: datetime
    failure: ArchiveError | None = None

    @property
    def archive_time(self) -> datetime:
        """The time of the archive's clock, or of this machine's if the archive does not send it."""
        return self.archive_clock or self.checked_at


def check_token(archive_url: str, token: str | None, issuer: str, http_client: HttpClient) -> TokenCheck:
    """Request the status of the archive at *archive_url* with *token*, and compare the token with its expectations.

    *issuer* is the configured one, or empty; the issuer reported by the archive takes precedence.
    """
    archive_response = _request_status(archive_url, token, http_client)
    expectations = TokenExpectations() if archive_response.failure else fetch_expectations(archive_url, http_client)
    claims = read_token_claims(token) if token else None
    keys = _fetch_issuer_keys(expectations, issuer, http_client)
    return TokenCheck(
        outcome=archive_response.outcome,
        has_token=token is not None,
        is_truncated=token is not None and claims is None and looks_truncated(token),
        claims=claims,
        issuer=keys.issuer,
        super_user_role=expectations.super_user_role,
        signature=check_signature(token, claims, keys.keys) if token and claims and keys.keys else None,
        signature_unchecked_reason=keys.missing_reason,
        http_status=archive_response.response.status,
        refusal_message=format_one_line(
            " ".join(_DESCRIPTION.findall(archive_response.response.headers.get("www-authenticate", "")))
        ),
        archive_clock=_read_server_date(archive_response.response),
        checked_at=archive_response.checked_at,
        failure=archive_response.failure,
    )


@dataclass(frozen=True)
class _ArchiveResponse:
    outcome: TokenOutcome
    response: HttpResponse
    checked_at: datetime
    failure: ArchiveError | None = None


def _request_status(archive_url: str, token: str | None, http_client: HttpClient) -> _ArchiveResponse:
    url = build_status_url(archive_url)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = _NO_RESPONSE
    try:
        response = http_client.request("GET", url, headers=headers, secrets=(token,) if token else ())
        checked_at = _now()
        # An archive without security accepts any token, which proves nothing.
        response_without_token = (
            http_client.request("GET", url) if token and response.status == httpx.codes.OK else response
        )
    except httpx.TransportError as error:
        return _ArchiveResponse(
            TokenOutcome.NOT_CHECKED,
            response,
            _now(),
            translate_no_response(error, url, http_client.get_timeout_s(error)),
        )
    outcome = _classify_outcome(response, response_without_token)
    failure = (
        translate_unexpected_response(response, url, with_token=token is not None)
        if outcome is TokenOutcome.NOT_CHECKED
        else None
    )
    return _ArchiveResponse(outcome, response, checked_at, failure)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)  # the resolution of a Date header


def _classify_outcome(response: HttpResponse, response_without_token: HttpResponse) -> TokenOutcome:
    """Return the outcome of *response* and *response_without_token*; ``NOT_CHECKED`` if no archive answered."""
    if response.status in _REFUSAL_STATUSES or extract_login_issuer(response):
        return TokenOutcome.REFUSED
    if response.status != httpx.codes.OK or parse_json_object(response.body) is None:
        return TokenOutcome.NOT_CHECKED
    return TokenOutcome.NOT_REQUIRED if response_without_token.status == httpx.codes.OK else TokenOutcome.ACCEPTED


@dataclass(frozen=True)
class _IssuerKeys:
    issuer: str = ""
    keys: dict[str, object] | None = None
    missing_reason: str = ""


def _fetch_issuer_keys(expectations: TokenExpectations, configured_issuer: str, http_client: HttpClient) -> _IssuerKeys:
    """Return the keys of the issuer that the archive expects, otherwise of *configured_issuer*."""
    issuer_url = expectations.issuer or configured_issuer
    if not issuer_url:
        return _IssuerKeys(missing_reason="the issuer is unknown")
    issuer = expectations.issuer
    try:
        metadata = discover(issuer_url, http_client)
        # A configured issuer provides only its keys, because the archive may expect another one.
        issuer = issuer and metadata.issuer.rstrip("/")
        return _IssuerKeys(issuer, fetch_key_set(metadata, http_client))
    except TokenError as error:
        return _IssuerKeys(issuer, missing_reason=f"{error.subject}: {error.message}")


def _read_server_date(response: HttpResponse) -> datetime | None:
    try:
        timestamp = parsedate_to_datetime(response.headers.get("date", ""))
    except (ValueError, OverflowError):
        return None
    # A missing zone or -0000 gives a time without a zone; the Date header is in UTC (RFC 9110 §5.6.7).
    return timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
