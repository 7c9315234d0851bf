"""Translate errors and responses of the token issuer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from dcmcfg.archive.error_body import format_one_line
from dcmcfg.archive.failures import TokenError, explain_transport_error
from dcmcfg.archive.http_client import HttpResponse

_ISSUER_DOWN_HINT = (
    "check that the issuer is running, and that its URL is correct (oidc_issuer or oidc_token_url of the profile)"
)
_REALM_HINT = (
    "for a Keycloak realm, set oidc_issuer to https://HOST:PORT/realms/REALM"
    " (up to Keycloak 16: https://HOST:PORT/auth/realms/REALM; see dcmcfg help secured)"
)
#: The errors of RFC 6749 §5.2, and the next step for each in Keycloak's terms.
_NEXT_STEPS = {
    "invalid_client": "check the client's ID and secret (in Keycloak: Clients > the client > Credentials)",
    "unauthorized_client": (
        "switch on 'Client authentication' and 'Service accounts roles' (in Keycloak: Clients > the client > Settings)"
    ),
    "unsupported_grant_type": "enable the grant type 'client credentials' at the issuer: dcmcfg requires this type",
    "invalid_scope": "check oidc_scope (in Keycloak: Clients > the client > Client scopes)",
    "invalid_request": "check that oidc_token_url is the token endpoint",
}
_MEANINGS = {
    "invalid_client": "the issuer does not know the client {client}, or the secret is incorrect",
    "unauthorized_client": "the client {client} has no permission to request tokens for itself",
    "unsupported_grant_type": "the issuer does not support the grant type 'client credentials'",
    "invalid_scope": "the client does not have this scope",
    "invalid_request": "the issuer did not understand the request",
}


#: The beginnings of Keycloak's messages for a wrong secret, since its early versions.
_WRONG_SECRET_PREFIXES = ("invalid client", "client secret")


def translate_issuer_unreachable(error: httpx.TransportError, url: str, seconds: float) -> TokenError:
    """Return the error for a request to the issuer at *url* without a response within *seconds*."""
    problem, next_step = explain_transport_error(error, seconds, _ISSUER_DOWN_HINT)
    return TokenError(f"no token for the archive: {problem}", subject=url, next_step=next_step)


def _requires_https(description: str) -> bool:
    """Return whether Keycloak reports that its realm requires TLS (``Require SSL``)."""
    return "https required" in description.lower()


def build_discovery_error(
    response: HttpResponse, content: Mapping[str, Any] | None, url: str, issuer: str
) -> TokenError:
    """Return the error if *issuer* has no metadata at *url*; *content* is the JSON of the response, if any."""
    description = _get_description(content)
    if _requires_https(description):
        return _build_https_required_error(url, response)
    match response.status:
        case 404:
            problem = f"no issuer at this URL ({description or 'HTTP 404'})"
        case status if 300 <= status < 400:
            problem = (
                f"redirected to {_get_redirect_target(response)} (HTTP {status}), but dcmcfg does not follow redirects"
            )
        case 200:
            problem = "the response is not from a token issuer"
        case status:
            problem = f"the issuer has no metadata (HTTP {status}{description and ': '}{description})"
    return TokenError(
        f"no token for the archive: {problem}",
        subject=url,
        next_step=f"check that {issuer} is the URL of the issuer; {_REALM_HINT}",
    )


def build_issuer_mismatch_error(reported_issuer: str, configured_issuer: str) -> TokenError:
    """Return the error if the issuer uses another name than the configured one."""
    return TokenError(
        f"no token for the archive: the issuer at this URL has a different name: {format_one_line(reported_issuer)}",
        subject=configured_issuer,
        next_step=(
            f"set oidc_issuer to {format_one_line(reported_issuer)}, because the tokens contain this name. If dcmcfg "
            "cannot reach the issuer by this name, set oidc_token_url to the token endpoint"
        ),
    )


def build_foreign_endpoint_error(endpoint: str, issuer: str) -> TokenError:
    """Return the error if the issuer's token endpoint is on another server than the issuer."""
    return TokenError(
        f"the token endpoint {format_one_line(endpoint)} is not on the issuer's server, so dcmcfg does not send the "
        "secret",
        subject=issuer,
        next_step=f"if this token endpoint is correct, set oidc_token_url to {format_one_line(endpoint)}: in the "
        "profile or in the environment, where you have set the secret",
    )


def build_token_refused_error(
    response: HttpResponse, content: Mapping[str, Any] | None, url: str, client: str
) -> TokenError:
    """Return the error if the token endpoint *url* refuses the client; *content* is the JSON response, if any."""
    code = content.get("error") if content else None
    description = _get_description(content)
    status = f"HTTP {response.status}"
    if _requires_https(description):
        return _build_https_required_error(url, response)
    if isinstance(code, str) and code in _MEANINGS:
        # Keycloak also answers unauthorized_client for a wrong secret; only its message distinguishes the two.
        if code == "unauthorized_client" and description.lower().startswith(_WRONG_SECRET_PREFIXES):
            code = "invalid_client"
        answer = f"{status}: {description}" if description not in ("", code) else status
        return TokenError(
            f"{_MEANINGS[code].format(client=client)} ({answer})", subject=url, next_step=_NEXT_STEPS[code]
        )
    if response.status in (404, 405):
        problem = f"no token endpoint at this URL ({description or status})"
        return TokenError(f"no token for the archive: {problem}", subject=url, next_step=_REALM_HINT)
    if 300 <= response.status < 400:
        problem = f"redirected to {_get_redirect_target(response)} ({status}), but dcmcfg does not follow redirects"
        return TokenError(f"no token for the archive: {problem}", subject=url, next_step=_REALM_HINT)
    answer = f"{status}: {description}" if description else status
    return TokenError(
        f"no token for the archive: the issuer refused ({answer})", subject=url, next_step="check the issuer's log"
    )


def _build_https_required_error(url: str, response: HttpResponse) -> TokenError:
    return TokenError(
        f"no token for the archive: the issuer requires https (HTTP {response.status})",
        subject=url,
        next_step="use https:// and the https port in oidc_issuer or oidc_token_url",
    )


def build_missing_token_error(response: HttpResponse, url: str) -> TokenError:
    """Return the error for a successful response without a token."""
    kind = format_one_line(response.headers.get("content-type", "")) or "no content type"
    return TokenError(f"the response has no token (HTTP {response.status}, {kind})", subject=url, next_step=_REALM_HINT)


def _get_description(content: Mapping[str, Any] | None) -> str:
    if content is None:
        return ""
    description = content.get("error_description") or content.get("error")
    return format_one_line(description) if isinstance(description, str) else ""


def _get_redirect_target(response: HttpResponse) -> str:
    return format_one_line(response.headers.get("location", "").partition("?")[0]) or "nowhere"
