"""Explain the most likely reasons why the archive rejects a token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from dcmcfg.archive.token_check import TokenCheck, TokenOutcome
from dcmcfg.archive.token_claims import SignatureStatus, TokenClaims

_NEW_HINT = (
    "get a new token. If the profile contains the issuer, dcmcfg gets new tokens automatically (dcmcfg help secured)"
)
_SETUP_HINT = "set up a client that requests tokens: dcmcfg help secured"
_ACCESS_TYPE = "Bearer"
_LOG_HINT = "see the archive's server.log"


@dataclass(frozen=True)
class RefusalReason:
    """A reason, and the next step."""

    message: str
    next_step: str


def explain_token_refusal(check: TokenCheck, required_role: str) -> tuple[RefusalReason, ...]:
    """Return why the archive, which requires *required_role*, refuses; the most likely reason is first."""
    if check.outcome is not TokenOutcome.REFUSED:
        return ()
    if not check.has_token:
        issuer_text = f" of {check.issuer}" if check.issuer else ""
        return (RefusalReason(f"the archive requires a token{issuer_text}, but no token is set", _SETUP_HINT),)
    if check.claims is None:
        message = (
            "the token is truncated or damaged"
            if check.is_truncated
            else "the token is not a JSON Web Token, but the archive requires this format"
        )
        return (RefusalReason(message, _NEW_HINT),)
    reasons = tuple(
        _explain_missing_role(check.claims, required_role)
        if check.http_status == 403
        else _explain_invalid_token(check, check.claims)
    )
    return reasons or (_explain_unknown_reason(check, check.claims),)


def _explain_invalid_token(check: TokenCheck, claims: TokenClaims) -> Iterator[RefusalReason]:
    """Yield why the token itself is rejected (401), as checked by Elytron's ``TokenValidator``."""
    now = check.archive_time
    if claims.expires is None:
        yield RefusalReason(
            "the token has no expiry time, but the archive requires an expiry time", "check the client at the issuer"
        )
    elif claims.expires <= now:
        yield RefusalReason(
            f"according to the archive's clock, the token expired {format_duration(now - claims.expires)} ago",
            _NEW_HINT,
        )
    if claims.not_before is not None and claims.not_before > now:
        duration = format_duration(claims.not_before - now)
        yield RefusalReason(
            f"according to the archive's clock, the token is not valid yet: it becomes valid in {duration}",
            "synchronize the clocks of archive and issuer (NTP)",
        )
    if check.issuer and claims.issuer.rstrip("/") != check.issuer:
        yield _explain_wrong_issuer(claims.issuer, check.issuer)
    elif check.signature is SignatureStatus.UNKNOWN_KEY:  # For another issuer's token, the key is no second reason.
        key = f"key {claims.key_id}" if claims.key_id else "a key"
        yield RefusalReason(f"the token is signed with {key}, but the issuer does not publish this key", _NEW_HINT)
    elif check.signature is SignatureStatus.INVALID:
        yield RefusalReason(
            "the signature is invalid: the token is truncated, altered or from another realm", _NEW_HINT
        )
    if claims.token_type != _ACCESS_TYPE:
        problem = (
            f"the type (typ) of the token is {claims.token_type}"
            if claims.token_type
            else "the token has no type (typ)"
        )
        yield RefusalReason(f"{problem}, but the archive accepts access tokens only (typ {_ACCESS_TYPE})", _NEW_HINT)


def _explain_wrong_issuer(token_issuer: str, expected_issuer: str) -> RefusalReason:
    is_same_path = urlsplit(token_issuer).path.rstrip("/") == urlsplit(expected_issuer).path.rstrip("/")
    message = (
        f"the token's issuer is {token_issuer or 'not stated'}, but the archive accepts only tokens of "
        f"{expected_issuer}"
    )
    if is_same_path and token_issuer:
        message += ". If both are names of the same server, the archive still treats them as different issuers"
    return RefusalReason(message, f"use the name that the archive accepts: set oidc_issuer to {expected_issuer}")


def _explain_missing_role(claims: TokenClaims, role: str) -> Iterator[RefusalReason]:
    """Yield why the token's user has no permission (403)."""
    if role in claims.realm_roles:
        return
    location = f"in Keycloak: Users > {claims.user} > Role mapping"
    # This is the user that Keycloak creates for the service account of a client.
    if claims.user.startswith("service-account-"):
        location = "in Keycloak: Clients > the client > Service accounts roles"
    holders = sorted(client for client, roles in claims.client_roles.items() if role in roles)
    if holders:
        yield RefusalReason(
            f"the token has the client role {role} ({', '.join(holders)}), but the archive requires the realm "
            f"role {role}",
            f"assign the realm role {role} ({location})",
        )
    else:
        next_step = (
            f"assign the realm role {role} ({location}). If the role is already assigned, add the role to the "
            "client's scope (Client scopes)"
        )
        yield RefusalReason(f"the token does not have the realm role {role}", next_step)


def _explain_unknown_reason(check: TokenCheck, claims: TokenClaims) -> RefusalReason:
    """Return the reason if no specific one was found."""
    if check.http_status == 403:
        return RefusalReason(
            "the token has the role that a standard archive requires, but this archive might require another role",
            "find the required role in the archive's property auth-user-role, and repeat the command with this role: "
            f"--role ROLE; {_LOG_HINT}",
        )
    if check.http_status != 401:
        return RefusalReason(
            "the archive redirects to its login page, although the request contains a token", _LOG_HINT
        )
    audience = ", ".join(claims.audience) or "empty"
    unchecked_note = "" if check.issuer else "dcmcfg does not know which issuer the archive expects. "
    return RefusalReason(
        f"dcmcfg found no problem in the token. {unchecked_note}The audience of the token is '{audience}'. The archive "
        "might accept only tokens whose audience contains the archive's client ID",
        "compare the issuer with the archive's provider URL (or auth-server-url and realm-name). To add the archive's "
        f"client to the audience in Keycloak, use a mapper of type Audience. If this does not help, {_LOG_HINT}",
    )


def format_duration(duration: timedelta) -> str:
    """Return a duration in words: ``45 s``, ``4 min 59 s``, ``3 h 10 min``, ``2 days``."""
    seconds = max(0, round(duration.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days > 1:
        return f"{days} days"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
