"""Why the archive most likely does not take a token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from dcmcfg.archive.token_check import TokenCheck, TokenOutcome
from dcmcfg.archive.token_claims import SignatureStatus, TokenClaims

_NEW_HINT = "get a new one: dcmcfg does by itself where the profile names the issuer (docs/secured.md)"
_SETUP_HINT = "docs/secured.md says how dcmcfg gets them"
_ACCESS_TYPE = "Bearer"
_LOG_HINT = "the archive's server.log has more"


@dataclass(frozen=True)
class RefusalReason:
    """A reason, and what to do about it."""

    message: str
    next_step: str


def explain_token_refusal(check: TokenCheck, required_role: str) -> tuple[RefusalReason, ...]:
    """Return why the archive, which demands *required_role*, refuses; the most likely first, empty unless it does."""
    if check.outcome is not TokenOutcome.REFUSED:
        return ()
    if not check.has_token:
        issuer_text = f" of {check.issuer}" if check.issuer else ""
        return (RefusalReason(f"the archive wants a token{issuer_text}, and none is set", _SETUP_HINT),)
    if check.claims is None:
        message = (
            "it is cut or mangled" if check.is_truncated else "it is no JSON Web Token, and the archive takes no other"
        )
        return (RefusalReason(message, _NEW_HINT),)
    reasons = tuple(
        _explain_missing_role(check.claims, required_role)
        if check.http_status == 403
        else _explain_invalid_token(check, check.claims)
    )
    return reasons or (_explain_unknown_reason(check, check.claims),)


def _explain_invalid_token(check: TokenCheck, claims: TokenClaims) -> Iterator[RefusalReason]:
    """Yield why the token itself is not taken (401), as Elytron's ``TokenValidator`` sees it."""
    now = check.archive_time
    if claims.expires is None:
        yield RefusalReason("it says no end, and the archive takes none without", "look at the issuer's client")
    elif claims.expires <= now:
        yield RefusalReason(f"it expired {format_duration(now - claims.expires)} ago by the archive's clock", _NEW_HINT)
    if claims.not_before is not None and claims.not_before > now:
        duration = format_duration(claims.not_before - now)
        yield RefusalReason(
            f"it begins in {duration} by the archive's clock", "set the clocks of archive and issuer by NTP"
        )
    if check.issuer and claims.issuer.rstrip("/") != check.issuer:
        yield _explain_wrong_issuer(claims.issuer, check.issuer)
    elif check.signature is SignatureStatus.UNKNOWN_KEY:
        key = f"key {claims.key_id}" if claims.key_id else "a key"
        yield RefusalReason(f"it is signed with {key}, which the issuer does not have (any more)", _NEW_HINT)
    elif check.signature is SignatureStatus.INVALID:
        yield RefusalReason("its signature is not the issuer's: it is cut, altered or another realm's", _NEW_HINT)
    if claims.token_type != _ACCESS_TYPE:
        problem = f"its typ is {claims.token_type}" if claims.token_type else "it says no typ"
        yield RefusalReason(
            f"{problem}, and the archive takes access tokens only, whose typ is {_ACCESS_TYPE}", _NEW_HINT
        )


def _explain_wrong_issuer(token_issuer: str, expected_issuer: str) -> RefusalReason:
    is_same_path = urlsplit(token_issuer).path.rstrip("/") == urlsplit(expected_issuer).path.rstrip("/")
    message = f"its issuer is {token_issuer or 'not said'}, and the archive takes those of {expected_issuer}"
    if is_same_path and token_issuer:
        message += ": one server by two names (or address and name) is two issuers"
    return RefusalReason(message, f"get the token by that name: oidc_issuer {expected_issuer}")


def _explain_missing_role(claims: TokenClaims, role: str) -> Iterator[RefusalReason]:
    """Yield why the token's user may not do this (403)."""
    if role in claims.realm_roles:
        return
    location = f"in Keycloak, Users, {claims.user}, Role mapping"
    if claims.user.startswith("service-account-"):
        location = "in Keycloak, Clients, the client, Service accounts roles"
    holders = sorted(client for client, roles in claims.client_roles.items() if role in roles)
    if holders:
        yield RefusalReason(
            f"{role} is its role in {', '.join(holders)}, and the archive goes by the roles of the realm",
            f"{location}: assign the realm's role {role}",
        )
    else:
        next_step = f"{location}: assign {role}; where it is assigned, the client's scope leaves it out (Client scopes)"
        yield RefusalReason(f"it lacks the realm's role {role}", next_step)


def _explain_unknown_reason(check: TokenCheck, claims: TokenClaims) -> RefusalReason:
    """Return what is left when nothing else is wrong."""
    if check.http_status == 403:
        return RefusalReason(
            "it has the role that a stock archive demands; this one may demand another",
            f"the archive's property auth-user-role says which (--role ROLE); {_LOG_HINT}",
        )
    if check.http_status != 401:
        return RefusalReason("the archive sends to its login page in spite of it", _LOG_HINT)
    audience = ", ".join(claims.audience) or "nobody"
    unchecked_note = "" if check.issuer else "what issuer the archive takes is not known from here; "
    return RefusalReason(
        f"nothing else is wrong with it; {unchecked_note}it is for {audience}, and the archive may want its own client "
        "there",
        "compare the issuer with the archive's provider URL (or auth-server-url and realm-name);"
        f" in Keycloak a mapper of type Audience adds the archive's client; {_LOG_HINT}",
    )


def format_duration(duration: timedelta) -> str:
    """Return a span of time as people say it: ``45 s``, ``4 min 59 s``, ``3 h 10 min``, ``2 days``."""
    seconds = max(0, round(duration.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days > 1:
        return f"{days} days"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
