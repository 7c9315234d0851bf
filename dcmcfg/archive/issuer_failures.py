"""What went wrong between us and the server that issues the tokens: its answers in our words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from dcmcfg.archive.error_body import format_one_line
from dcmcfg.archive.failures import TokenError, explain_transport_error
from dcmcfg.archive.http_client import HttpResponse

_ISSUER_DOWN_HINT = "is the issuer running? its URL is oidc_issuer or oidc_token_url, where the archive URL comes from"
_REALM_HINT = (
    "a Keycloak realm is https://HOST:PORT/realms/REALM, with /auth before /realms up to Keycloak 16"
    " (oidc_issuer; docs/secured.md)"
)
#: The errors of RFC 6749 §5.2, and what to do about each in Keycloak's words.
_NEXT_STEPS = {
    "invalid_client": "check the client's ID and secret: in Keycloak, Clients, the client, Credentials",
    "unauthorized_client": (
        "in Keycloak, Clients, the client, Settings: switch on Client authentication and Service accounts roles"
    ),
    "unsupported_grant_type": "the issuer gives no tokens for client credentials: dcmcfg needs that grant",
    "invalid_scope": "check oidc_scope: in Keycloak, Clients, the client, Client scopes",
    "invalid_request": "does oidc_token_url name the token endpoint?",
}
_MEANINGS = {
    "invalid_client": "the issuer does not know the client {client}, or its secret is another",
    "unauthorized_client": "the client {client} may not ask for tokens in its own name",
    "unsupported_grant_type": "client credentials are not supported",
    "invalid_scope": "the scope is not the client's",
    "invalid_request": "the request was not understood",
}


#: How Keycloak's words for a wrong secret have begun since its early versions.
_WRONG_SECRET_PREFIXES = ("invalid client", "client secret")


def translate_issuer_unreachable(error: httpx.TransportError, url: str, seconds: float) -> TokenError:
    """Return the error for a request to the issuer at *url* that got no answer within *seconds*."""
    problem, next_step = explain_transport_error(error, seconds, _ISSUER_DOWN_HINT)
    return TokenError(f"no token for the archive: {problem}", subject=url, next_step=next_step)


def _requires_https(description: str) -> bool:
    """Tell whether Keycloak says that its realm answers over TLS only (``Require SSL``)."""
    return "https required" in description.lower()


def build_discovery_error(
    response: HttpResponse, content: Mapping[str, Any] | None, url: str, issuer: str
) -> TokenError:
    """Return the error when *issuer* does not describe itself at *url*; *content* is its JSON, if it is any."""
    description = _get_description(content)
    if _requires_https(description):
        return _build_https_required_error(url, response)
    match response.status:
        case 404:
            problem = f"there is no issuer here ({description or 'HTTP 404'})"
        case status if 300 <= status < 400:
            problem = f"redirected to {_get_redirect_target(response)} (HTTP {status}), which is not followed"
        case 200:
            problem = "the answer is not an issuer's"
        case status:
            problem = f"the issuer does not describe itself (HTTP {status}{description and ': '}{description})"
    return TokenError(
        f"no token for the archive: {problem}", subject=url, next_step=f"is {issuer} the issuer? {_REALM_HINT}"
    )


def build_issuer_mismatch_error(reported_issuer: str, configured_issuer: str) -> TokenError:
    """Return the error when the issuer names itself otherwise than it was named."""
    return TokenError(
        f"no token for the archive: the issuer calls itself {format_one_line(reported_issuer)}",
        subject=configured_issuer,
        next_step=(
            f"its tokens say so too: set oidc_issuer to {format_one_line(reported_issuer)},"
            " or oidc_token_url to the token endpoint if it cannot be reached by that name"
        ),
    )


def build_foreign_endpoint_error(endpoint: str, issuer: str) -> TokenError:
    """Return the error when the issuer's token endpoint is on another server than the issuer."""
    return TokenError(
        f"the token endpoint is on another server, {format_one_line(endpoint)}: the client secret is not sent there",
        subject=issuer,
        next_step=f"if it is meant: oidc_token_url {format_one_line(endpoint)}, beside the secret",
    )


def build_token_refused_error(
    response: HttpResponse, content: Mapping[str, Any] | None, url: str, client: str
) -> TokenError:
    """Return the error when the token endpoint *url* refuses the client; *content* is its JSON, if it is any."""
    code = content.get("error") if content else None
    description = _get_description(content)
    status = f"HTTP {response.status}"
    if _requires_https(description):
        return _build_https_required_error(url, response)
    if isinstance(code, str) and code in _MEANINGS:
        # Keycloak answers unauthorized_client to a wrong secret too, and tells the two apart in its words.
        if code == "unauthorized_client" and description.lower().startswith(_WRONG_SECRET_PREFIXES):
            code = "invalid_client"
        answer = f"{status}: {description}" if description not in ("", code) else status
        return TokenError(
            f"{_MEANINGS[code].format(client=client)} ({answer})", subject=url, next_step=_NEXT_STEPS[code]
        )
    if response.status in (404, 405):
        problem = f"there is no token endpoint here ({description or status})"
        return TokenError(f"no token for the archive: {problem}", subject=url, next_step=_REALM_HINT)
    if 300 <= response.status < 400:
        problem = f"redirected to {_get_redirect_target(response)} ({status}), which is not followed"
        return TokenError(f"no token for the archive: {problem}", subject=url, next_step=_REALM_HINT)
    answer = f"{status}: {description}" if description else status
    return TokenError(
        f"no token for the archive: the issuer refused ({answer})", subject=url, next_step="its log has more"
    )


def _build_https_required_error(url: str, response: HttpResponse) -> TokenError:
    return TokenError(
        f"no token for the archive: the issuer answers over https only (HTTP {response.status})",
        subject=url,
        next_step="https:// and the port of that in oidc_issuer, or oidc_token_url",
    )


def build_missing_token_error(response: HttpResponse, url: str) -> TokenError:
    """Return the error for a success that holds no token."""
    kind = format_one_line(response.headers.get("content-type", "")) or "of no type"
    return TokenError(f"the answer holds no token (HTTP {response.status}, {kind})", subject=url, next_step=_REALM_HINT)


def _get_description(content: Mapping[str, Any] | None) -> str:
    if content is None:
        return ""
    description = content.get("error_description") or content.get("error")
    return format_one_line(description) if isinstance(description, str) else ""


def _get_redirect_target(response: HttpResponse) -> str:
    return format_one_line(response.headers.get("location", "").partition("?")[0]) or "nowhere"
