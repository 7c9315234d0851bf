"""A real OpenID Connect issuer on loopback, with a Keycloak realm's paths: authlib's server, which signs JWTs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import flask
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.patience import PATIENCE_S

REALM = "/realms/dcm4che"
TOKEN = f"{REALM}/protocol/openid-connect/token"
CERTS = f"{REALM}/protocol/openid-connect/certs"


@dataclass(frozen=True)
class Client(ClientMixin):  # type: ignore[misc]  # authlib has no types
    """A client of the realm; ``service_account`` is Keycloak's switch for the grant of client credentials."""

    client_id: str
    secret: str
    service_account: bool = True
    methods: tuple[str, ...] = ("client_secret_basic", "client_secret_post")

    def get_client_id(self) -> str:
        return self.client_id

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self.methods

    def check_grant_type(self, grant_type: str) -> bool:
        return self.service_account and grant_type == "client_credentials"

    def get_allowed_scope(self, scope: str) -> str:
        return scope if scope in ("", "profile") else ""


@dataclass
class Issuer:
    """What the issuer puts into the next token; tests change it as they go."""

    url: str
    clients: Mapping[str, Client]
    keys: KeySet
    lifespan: int = 300
    issuer: str = ""  # what it calls itself, if not its URL
    in_tokens: str = ""  # what its tokens call it, if not that: a Keycloak that was asked by another name
    audience: tuple[str, ...] = ("account",)
    realm_roles: tuple[str, ...] = ("auth", "user")
    client_roles: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"account": ("view-profile",)})
    extra: Mapping[str, Any] = field(default_factory=dict)
    discovery: Mapping[str, Any] = field(default_factory=dict)  # what discovery says besides, or instead
    hang: threading.Event | None = None  # does not answer a request for a token before it is set
    published: KeySet | None = None  # the keys that it publishes, if not its own
    issued: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # how each client authenticated

    @property
    def name(self) -> str:
        return self.issuer or self.url

    @property
    def token_url(self) -> str:
        return self.url.removesuffix(REALM) + TOKEN


class _Grant(grants.ClientCredentialsGrant):  # type: ignore[misc]  # authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = ["client_secret_basic", "client_secret_post"]


class _Generator(JWTBearerTokenGenerator):  # type: ignore[misc]  # authlib has no types
    def __init__(self, issuer: Issuer) -> None:
        super().__init__(issuer.name, expires_generator=lambda _client, _grant: issuer.lifespan)
        self._of = issuer

    def get_jwks(self) -> KeySet:
        return self._of.keys

    def get_audiences(self, client: Client, user: object, scope: str) -> list[str]:
        return list(self._of.audience)

    def get_extra_claims(self, client: Client, grant_type: str, user: object, scope: str) -> dict[str, Any]:
        return {
            "iss": self._of.in_tokens or self._of.name,
            "typ": "Bearer",
            "azp": client.client_id,
            "preferred_username": f"service-account-{client.client_id}",
            "realm_access": {"roles": list(self._of.realm_roles)},
            "resource_access": {name: {"roles": list(roles)} for name, roles in self._of.client_roles.items()},
            **self._of.extra,
        }


def new_keys() -> KeySet:
    return KeySet([RSAKey.generate_key(2048, auto_kid=True)])


def application(issuer: Issuer) -> flask.Flask:
    app = flask.Flask(__name__)
    app.config["OAUTH2_SCOPES_SUPPORTED"] = ["profile"]

    def save_token(token: Mapping[str, Any], _request: object) -> None:
        issuer.issued.append(token["access_token"])

    server = AuthorizationServer(
        app, query_client=lambda client_id: issuer.clients.get(client_id), save_token=save_token
    )
    server.register_grant(_Grant)
    server.register_token_generator("default", _Generator(issuer))

    @app.get(f"{REALM}/.well-known/openid-configuration")
    def discovery() -> flask.Response:
        root = issuer.url.removesuffix(REALM)
        known = {"issuer": issuer.name, "token_endpoint": root + TOKEN, "jwks_uri": root + CERTS}
        methods = ["client_secret_basic", "client_secret_post"]
        return flask.jsonify(known | {"token_endpoint_auth_methods_supported": methods} | dict(issuer.discovery))

    @app.get(CERTS)
    def certs() -> flask.Response:
        return flask.jsonify((issuer.published or issuer.keys).as_dict(private=False))

    @app.post(TOKEN)
    def token() -> flask.Response:
        if issuer.hang is not None:
            issuer.hang.wait(PATIENCE_S)
        basic = flask.request.authorization is not None
        issuer.asked.append("client_secret_basic" if basic else "client_secret_post")
        answered: flask.Response = server.create_token_response()
        return answered

    @app.errorhandler(404)
    def nothing(_error: Exception) -> tuple[flask.Response, int]:
        return flask.jsonify({"error": "Realm does not exist"}), 404

    return app


class _Quiet(WSGIRequestHandler):
    def log(self, *_arguments: Any) -> None:
        pass


@contextlib.contextmanager
def running_issuer(certificate: Path | None = None) -> Iterator[Issuer]:
    """Run the issuer, with TLS by *certificate* (key and certificate in one PEM file) if there is one."""
    known = (
        Client("dcmcfg", "s3cret/ü:+ %"),
        Client("browser", "s3cret", service_account=False),
        Client("post-only", "s3cret", methods=("client_secret_post",)),
        Client("basic-only", "s3cret", methods=("client_secret_basic",)),
    )
    issuer = Issuer("", {client.client_id: client for client in known}, new_keys())
    app = application(issuer)
    tls = None if certificate is None else (str(certificate), str(certificate))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, ssl_context=tls)
    issuer.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.port}{REALM}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        if issuer.hang is not None:
            issuer.hang.set()
        server.shutdown()
        server.server_close()
