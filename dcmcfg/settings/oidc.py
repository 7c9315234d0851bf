"""Settings of the OpenID Connect client that requests tokens for the archive."""

from __future__ import annotations

from dataclasses import dataclass, field

from dcmcfg.errors import MalformedInput
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.sources import SettingsSource, SettingsSources
from dcmcfg.settings.urls import parse_web_url

_ISSUER_EXAMPLE = "https://keycloak:8843/realms/dcm4che"
_URLS = {
    "oidc_issuer": _ISSUER_EXAMPLE,
    "oidc_token_url": f"{_ISSUER_EXAMPLE}/protocol/openid-connect/token",
}
_SECRET = "oidc_client_secret"  # noqa: S105 — the name of a setting
_SECRETS = (_SECRET, f"{_SECRET}_file", f"{_SECRET}_keychain")
#: All settings of the client. They are credentials for the archive of the same source.
OIDC_SETTINGS = (*_URLS, "oidc_client_id", "oidc_scope", *_SECRETS)


@dataclass(frozen=True, kw_only=True)
class OidcClient:
    """The client that requests tokens, and its server.

    ``issuer`` is the issuer's URL, ``token_url`` the token endpoint; one of them may be empty. ``url_origin`` is the
    origin of the URL, ``client_origin`` the origin of the client ID.
    """

    issuer: str
    token_url: str
    client_id: str
    url_origin: str
    client_origin: str
    scope: str = ""
    secret: Secret | None = field(default=None, repr=False)

    @property
    def server_url(self) -> str:
        """The URL that the secret is sent to, or the issuer that this URL is derived from."""
        return self.token_url or self.issuer


def resolve_oidc(sources: SettingsSources, archive_source: SettingsSource) -> OidcClient | None:
    """Return the client from the options and *archive_source*, the source of the archive's URL, or None.

    A secret is sent only to the server that its own source names: if options name another server or client, the secret
    of *archive_source* is not used. Raises :class:`MalformedInput` for a missing or invalid part.
    """
    options = sources.options
    server = next((source for source in (options, archive_source) if source.values.keys() & _URLS.keys()), None)
    if server is None:
        stray = next(
            ((each, key) for each in (options, archive_source) for key in OIDC_SETTINGS if key in each.values),
            None,
        )
        if stray is None:
            return None
        source, key = stray
        raise MalformedInput(
            "the issuer of the tokens is not set",
            subject=source.origin(key),
            next_step=f"also set {source.name_setting('oidc_issuer')}, for example {_ISSUER_EXAMPLE}",
        )
    client = options if "oidc_client_id" in options.values else server
    if "oidc_client_id" not in client.values:
        raise MalformedInput(
            "the ID of the OpenID Connect client that requests the tokens is not set",
            subject=server.origin(next(key for key in _URLS if key in server.values)),
            next_step=f"also set {server.name_setting('oidc_client_id')}",
        )
    return _build_client(options, server, client)


def _build_client(options: SettingsSource, server: SettingsSource, client: SettingsSource) -> OidcClient:
    by_option = options in (server, client) or options.values.keys() & set(_SECRETS)
    secret = (options if by_option else server).secret(_SECRET)
    client_id = client.values["oidc_client_id"]
    scope = server.values.get("oidc_scope", "")
    for value, source, key in ((client_id, client, "oidc_client_id"), (scope, server, "oidc_scope")):
        if not value.isprintable():
            raise MalformedInput("the value contains control characters", subject=source.origin(key))
    return OidcClient(
        issuer=_get_url(server, "oidc_issuer"),
        token_url=_get_url(server, "oidc_token_url"),
        client_id=client_id,
        url_origin=server.origin(next(key for key in ("oidc_token_url", "oidc_issuer") if key in server.values)),
        client_origin=client.origin("oidc_client_id"),
        scope=scope,
        secret=secret.for_user(client_id) if secret else None,
    )


def _get_url(source: SettingsSource, key: str) -> str:
    text = source.values.get(key, "")
    return text and parse_web_url(text, source.origin(key), _URLS[key])
