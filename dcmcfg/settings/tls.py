"""How the connection to the directory server is to be secured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dcmcfg.errors import MalformedInput
from dcmcfg.settings.sources import Source, Sources


@dataclass(frozen=True)
class TlsSettings:
    """StartTLS or not, and the certificate to show; ``origins`` as in ``Settings``."""

    starttls: bool
    client_cert: Path | None
    client_key: Path | None
    origins: dict[str, str]


def resolve_tls(sources: Sources, ldap_url: Source, server: Source, url: str) -> TlsSettings:
    """Return how to secure the connection to *url*, which *ldap_url* names and whose credentials are *server*'s.

    Whoever asks for StartTLS gets it on every ``ldap://`` server, or no connection. A client certificate is a
    credential and comes from *server*, or from options, where a certificate leaves the other one's key behind.
    Raises :class:`MalformedInput` where the parts contradict each other.
    """
    starttls, origins = _starttls(sources, ldap_url, url)
    certificate = sources.options if "client_cert" in sources.options.values else server
    key = sources.options if "client_key" in sources.options.values else certificate
    for source, setting in ((certificate, "client_cert"), (key, "client_key")):
        if setting in source.values:
            origins[setting] = source.origin(setting)
    if "client_key" in origins and "client_cert" not in origins:
        raise MalformedInput("a key without its certificate", on=origins["client_key"], next_step="name both")
    if "client_cert" in origins and not (starttls or url.startswith("ldaps:")):
        raise MalformedInput(
            "a certificate is only shown over TLS",
            on=f"{origins['client_cert']}, {url}",
            next_step="use ldaps://, or ldap:// with --starttls",
        )
    return TlsSettings(starttls, certificate.path("client_cert"), key.path("client_key"), origins)


def _starttls(sources: Sources, ldap_url: Source, url: str) -> tuple[bool, dict[str, str]]:
    source = next((source for source in sources.by_strength if "starttls" in source.values), None)
    if source is None or not source.flag("starttls"):
        return False, {}
    if url.startswith("ldap:"):
        return True, {"starttls": source.origin("starttls")}
    if source.chosen or source is ldap_url:
        raise MalformedInput(
            f"StartTLS begins on ldap://, and the URL is {url}",
            on=source.origin("starttls"),
            next_step="ldaps:// is encrypted from the start, ldapi:// does not leave the machine: keep one of them",
        )
    return False, {}
