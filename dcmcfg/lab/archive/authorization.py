"""Who may use the web services of a secured archive (its secured build: ``web-secure.xml``, elytron-oidc-client).

Imitates that a bearer token is verified by the issuer's published keys, which are asked for anew when it names an
unknown one; that its issuer must be what the realm calls itself and its end must be told and not be past; that the
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

from dcmcfg.archive.http_client import Timeouts, Web
from dcmcfg.archive.issuer import discover, published_keys
from dcmcfg.archive.token_claims import ALGORITHMS
from dcmcfg.errors import DcmcfgError
from dcmcfg.lab.site import Secured

_REALM = re.compile(r"(.*)/realms/([^/]+)")


@dataclass(frozen=True)
class Refusal:
    """The answer to who may not: status, and what ``WWW-Authenticate`` says, if anything."""

    status: HTTPStatus
    challenge: str = ""


class Guard:
    """Decides by the ``Authorization`` of a request."""

    def __init__(self, secured: Secured) -> None:
        self._secured = secured
        self._web = Web(timeouts=Timeouts(connect=5, answer=5))
        self._name = ""
        self._keys: dict[str, jwt.PyJWK] = {}
        place = _REALM.fullmatch(secured.issuer)
        self._server, self._realm = place.groups() if place else (secured.issuer, "")

    @property
    def keycloak_json(self) -> str:
        """What the web interface is told of the issuer (``Resource.keycloakJSON``)."""
        told = {"realm": self._realm, "resource": "dcm4chee-arc-ui", "auth-server-url": self._server}
        return json.dumps(told | {"ssl-required": "external", "public-client": True, "confidential-port": 0})

    def refusal(self, authorization: str | None) -> Refusal | None:
        """Return why a request with this ``Authorization`` is refused; None: it is not."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return Refusal(HTTPStatus.UNAUTHORIZED, self._challenge())
        try:
            claims = self._verified(token.strip())
        except (jwt.PyJWTError, DcmcfgError) as error:
            return Refusal(HTTPStatus.UNAUTHORIZED, self._challenge(str(error)))
        roles = (claims.get("realm_access") or {}).get("roles") or []
        return None if self._secured.role in roles else Refusal(HTTPStatus.FORBIDDEN)

    def _verified(self, token: str) -> dict[str, Any]:
        key_id = jwt.get_unverified_header(token).get("kid", "")
        if key_id not in self._keys:
            self._fetch_keys()
        if key_id not in self._keys:
            raise jwt.InvalidTokenError(f"no key {key_id}")
        claims: dict[str, Any] = jwt.decode(
            token,
            self._keys[key_id],
            algorithms=list(ALGORITHMS),
            issuer=self._name,
            audience=self._secured.audience or None,
            options={"require": ["exp", "sub"], "verify_aud": bool(self._secured.audience), "verify_iat": False},
        )
        if claims.get("typ") != "Bearer":
            raise jwt.InvalidTokenError("no access token")
        return claims

    def _fetch_keys(self) -> None:
        found = discover(self._secured.issuer, self._web)
        self._name = found.issuer
        keys = jwt.PyJWKSet.from_dict(published_keys(found, self._web)).keys
        self._keys = {key.key_id or "": key for key in keys}

    def _challenge(self, error: str = "") -> str:
        told = f'Bearer realm="{self._realm}"'
        quoted = error.replace('"', "'")
        return f'{told}, error="invalid_token", error_description="{quoted}"' if error else told
