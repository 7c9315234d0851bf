"""Who may use the web services of a secured archive (its secured build: ``web-secure.xml``, elytron-oidc-client).

Imitates that a bearer token is verified by the issuer's published keys, which are asked for anew when it names an
unknown one; that its issuer must be what the realm calls itself and its expiry must be stated and not be past; that the
audience counts only where ``verify-token-audience`` is on; that the role is one of the realm's. There is no login
page (``bearer-only``), and the texts of ``error_description`` only have the shape of the real ones.
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
    """The answer to an unauthorized request: status, and the value of ``WWW-Authenticate``, if any."""

    status: HTTPStatus
    challenge: str = ""


class TokenAuthorizer:
    """Decides by the ``Authorization`` of a request."""

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
        """Return why a request with this ``Authorization`` is refused; None: it is not."""
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
