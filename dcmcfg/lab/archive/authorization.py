"""Authorization for the web services of a secured archive (secured build: ``web-secure.xml``, elytron-oidc-client).

Like the real archive, it verifies a bearer token with the issuer's published keys and fetches them again for an unknown
key. The issuer must be the realm's, the expiry must be present and in the future, the role must be a realm role. The
audience is checked only with ``verify-token-audience``. There is no login page (``bearer-only``), and the texts of
``error_description`` only have the form of the real texts.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import jwt

from dcmcfg.archive.http_client import HttpClient, HttpTimeouts
from dcmcfg.archive.issuer import discover, fetch_key_set
from dcmcfg.archive.token_claims import ALGORITHMS
from dcmcfg.errors import DcmcfgError
from dcmcfg.lab.site import TokenRequirements

_REALM = re.compile(r"(.*)/realms/([^/]+)")


@dataclass(frozen=True)
class Refusal:
    """The response to an unauthorized request: status, and the value of ``WWW-Authenticate``, if any."""

    status: HTTPStatus
    challenge: str = ""


class TokenAuthorizer:
    """Authorizes requests by their ``Authorization`` header."""

    def __init__(self, requirements: TokenRequirements) -> None:
        self._requirements = requirements
        self._web = HttpClient(timeouts=HttpTimeouts(connect=5, response=5))
        self._issuer = ""
        self._keys: dict[str, jwt.PyJWK] = {}
        match = _REALM.fullmatch(requirements.issuer)
        self._server, self._realm = match.groups() if match else (requirements.issuer, "")

    @property
    def keycloak_json(self) -> str:
        """The issuer's settings for the web interface (``Resource.keycloakJSON``)."""
        config = {"realm": self._realm, "resource": "dcm4chee-arc-ui", "auth-server-url": self._server}
        return json.dumps(config | {"ssl-required": "external", "public-client": True, "confidential-port": 0})

    def find_refusal(self, authorization: str | None) -> Refusal | None:
        """Return the refusal of a request with this ``Authorization`` header, or None if it is authorized."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return Refusal(HTTPStatus.UNAUTHORIZED, self._format_challenge())
        try:
            claims = self._verify(token.strip())
        except (jwt.PyJWTError, DcmcfgError) as error:
            return Refusal(HTTPStatus.UNAUTHORIZED, self._format_challenge(str(error)))
        roles = (claims.get("realm_access") or {}).get("roles") or []
        return None if self._requirements.role in roles else Refusal(HTTPStatus.FORBIDDEN)

    def _verify(self, token: str) -> dict[str, Any]:
        key_id = jwt.get_unverified_header(token).get("kid", "")
        # An issuer replaces its keys from time to time, so an unknown key is fetched before the refusal.
        if key_id not in self._keys:
            self._fetch_keys()
        if key_id not in self._keys:
            raise jwt.InvalidTokenError(f"no key {key_id}")
        claims: dict[str, Any] = jwt.decode(
            token,
            self._keys[key_id],
            algorithms=list(ALGORITHMS),
            issuer=self._issuer,
            audience=self._requirements.audience or None,
            options={"require": ["exp", "sub"], "verify_aud": bool(self._requirements.audience), "verify_iat": False},
        )
        # Keycloak marks ID and refresh tokens with another type: they authorize no request.
        if claims.get("typ") != "Bearer":
            raise jwt.InvalidTokenError("no access token")
        return claims

    def _fetch_keys(self) -> None:
        metadata = discover(self._requirements.issuer, self._web)
        self._issuer = metadata.issuer
        keys = jwt.PyJWKSet.from_dict(fetch_key_set(metadata, self._web)).keys
        self._keys = {key.key_id or "": key for key in keys}

    def _format_challenge(self, error: str = "") -> str:
        challenge = f'Bearer realm="{self._realm}"'
        quoted = error.replace('"', "'")
        return f'{challenge}, error="invalid_token", error_description="{quoted}"' if error else challenge
