"""What a token says: the claims of a JSON Web Token (RFC 7519), and whether its signature is the issuer's.

Nothing here decides whether a token is good; that is the archive's part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import jwt

#: With a public key: never a secret that both sides know (RFC 8725 §2.1).
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


@dataclass(frozen=True, kw_only=True)
class TokenClaims:
    """What a token says of itself; nothing of it was verified. What it does not say is empty, or None.

    ``client`` is who it was issued to, ``realm_roles`` and ``client_roles`` (by client) are Keycloak's, as is
    ``token_type``: ``Bearer`` of an access token, ``ID`` and ``Refresh`` of others.
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
    """Tell whether *token*, of which nothing can be read, was a JSON Web Token once: cut, or mangled on its way."""
    # {" in base64url, as each of them begins; one of five parts is encrypted (RFC 7516), and whole.
    return token.startswith("eyJ") and token.count(".") <= 2


class SignatureStatus(Enum):
    """Whether a token is signed by one of an issuer's keys."""

    VERIFIED = "verified"
    UNKNOWN_KEY = "unknown key"
    INVALID = "invalid"


def read_token_claims(token: str) -> TokenClaims | None:
    """Return what *token* says, None when it is no JSON Web Token (opaque, or encrypted)."""
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
    """Return whether *token* is signed by one of *keys*, a JSON Web Key Set (RFC 7517); None when they are none.

    *claims* are the token's; one that names no key is tried with each.
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
    """Return the key that *content* is; where it does not say what for, it is for *algorithm*."""
    if not isinstance(content, dict):
        return None
    try:
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
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None
    except (OverflowError, ValueError, OSError):
        return None


def _parse_roles(value: object) -> tuple[str, ...]:
    return _parse_texts(value.get("roles")) if isinstance(value, dict) else ()


def _parse_roles_by_client(value: object) -> dict[str, tuple[str, ...]]:
    items = value.items() if isinstance(value, dict) else ()
    return {str(client): roles for client, access in items if (roles := _parse_roles(access))}
