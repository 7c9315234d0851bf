"""Read the claims of a JSON Web Token (RFC 7519), and check its signature with the issuer's keys.

Nothing here decides whether a token is valid; the archive does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import jwt

#: Public key algorithms only, never a shared secret (RFC 8725 §2.1).
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


@dataclass(frozen=True, kw_only=True)
class TokenClaims:
    """The unverified claims of a token; absent ones are empty or None.

    ``client`` is the client to which it was issued. ``realm_roles``, ``client_roles`` (by client) and ``token_type``
    are Keycloak's; the type is ``Bearer`` for an access token, ``ID`` or ``Refresh`` for others.
    """

    issuer: str = ""
    client: str = ""
    user: str = ""
    audience: tuple[str, ...] = ()
    issued: datetime | None = None
    not_before: datetime | None = None
    expires: datetime | None = None
    realm_roles: tuple[str, ...] = ()
    client_roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scope: str = ""
    token_type: str = ""
    key_id: str = ""
    algorithm: str = ""


def looks_truncated(token: str) -> bool:
    """Return whether the unreadable *token* was a JSON Web Token before it was truncated or damaged."""
    # Each one begins with {" in base64url. One with five parts is encrypted (RFC 7516) and complete.
    return token.startswith("eyJ") and token.count(".") <= 2


class SignatureStatus(Enum):
    """Whether a token is signed by one of an issuer's keys."""

    VERIFIED = "verified"
    UNKNOWN_KEY = "unknown key"
    INVALID = "invalid"


def read_token_claims(token: str) -> TokenClaims | None:
    """Return the claims of *token*; None if it is not a JSON Web Token (opaque, or encrypted)."""
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, RecursionError):
        return None
    payload, header = parts["payload"], parts["header"]
    return TokenClaims(
        issuer=_parse_text(payload.get("iss")),
        client=_parse_text(payload.get("azp")) or _parse_text(payload.get("client_id")),
        user=_parse_text(payload.get("preferred_username")) or _parse_text(payload.get("sub")),
        audience=_parse_texts(payload.get("aud")),
        issued=_read_timestamp(payload.get("iat")),
        not_before=_read_timestamp(payload.get("nbf")),
        expires=_read_timestamp(payload.get("exp")),
        realm_roles=_parse_roles(payload.get("realm_access")),
        client_roles=_parse_roles_by_client(payload.get("resource_access")),
        scope=_parse_text(payload.get("scope")),
        token_type=_parse_text(payload.get("typ")),
        key_id=_parse_text(header.get("kid")),
        algorithm=_parse_text(header.get("alg")),
    )


def check_signature(token: str, claims: TokenClaims, keys: Mapping[str, Any]) -> SignatureStatus | None:
    """Return whether one of *keys*, a JSON Web Key Set (RFC 7517), signed *token*; None if there are no usable keys.

    *claims* are those of the token; without a key ID, every key is tried.
    """
    key_list = keys.get("keys")
    usable_keys = [
        key for each in (key_list if isinstance(key_list, list) else ()) if (key := _parse_key(each, claims.algorithm))
    ]
    if not usable_keys:
        return None
    candidates = [key for key in usable_keys if not claims.key_id or key.key_id == claims.key_id]
    if not candidates:
        return SignatureStatus.UNKNOWN_KEY
    is_verified = any(_is_signed_by(token, key) for key in candidates)
    return SignatureStatus.VERIFIED if is_verified else SignatureStatus.INVALID


def _parse_key(content: object, algorithm: str) -> jwt.PyJWK | None:
    """Return the key in *content*; if it has no algorithm, *algorithm* is used."""
    if not isinstance(content, dict):
        return None
    try:
        # A key need not name its algorithm (RFC 7517 §4.4).
        return jwt.PyJWK(content, None if "alg" in content or algorithm not in ALGORITHMS else algorithm)
    except (jwt.PyJWTError, TypeError, ValueError):
        return None


def _is_signed_by(token: str, key: jwt.PyJWK) -> bool:
    try:
        jwt.PyJWS().decode(token, key, algorithms=list(ALGORITHMS))
    except jwt.PyJWTError:
        return False
    return True


def _parse_text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _parse_texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text for each in values if (text := _parse_text(each)))


def _read_timestamp(value: object) -> datetime | None:
    try:
        # A claim may be a number beyond the range of datetime.
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None
    except (OverflowError, ValueError, OSError):
        return None


def _parse_roles(value: object) -> tuple[str, ...]:
    return _parse_texts(value.get("roles")) if isinstance(value, dict) else ()


def _parse_roles_by_client(value: object) -> dict[str, tuple[str, ...]]:
    items = value.items() if isinstance(value, dict) else ()
    return {str(client): roles for client, access in items if (roles := _parse_roles(access))}
