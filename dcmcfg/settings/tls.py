"""How the connection to the directory server, and DICOM associations, are secured."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dcmcfg.errors import MalformedInput
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.sources import SettingsSource, SettingsSources


@dataclass(frozen=True)
class DirectoryTls:
    """StartTLS or not, and the certificate to show; ``origins`` as in ``Settings``."""

    starttls: bool
    client_cert: Path | None
    client_key: Path | None
    origins: dict[str, str]


def resolve_directory_tls(
    sources: SettingsSources, url_source: SettingsSource, credential_source: SettingsSource, url: str
) -> DirectoryTls:
    """Return how to secure the connection to *url* of *url_source*, with the credentials of *credential_source*.

    Whoever asks for StartTLS gets it on every ``ldap://`` server, or no connection. A client certificate is a
    credential and comes from *credential_source*, or from options; then the key comes from options too.
    Raises :class:`MalformedInput` where the parts contradict each other.
    """
    starttls, origins = _resolve_starttls(sources, url_source, url)
    certificate = sources.options if "client_cert" in sources.options.values else credential_source
    key = sources.options if "client_key" in sources.options.values else certificate
    for source, setting in ((certificate, "client_cert"), (key, "client_key")):
        if setting in source.values:
            origins[setting] = source.origin(setting)
    if "client_key" in origins and "client_cert" not in origins:
        raise MalformedInput("a key without its certificate", subject=origins["client_key"], next_step="name both")
    if "client_cert" in origins and not (starttls or url.startswith("ldaps:")):
        raise MalformedInput(
            "a certificate is only shown over TLS",
            subject=f"{origins['client_cert']}, {url}",
            next_step="use ldaps://, or ldap:// with --starttls",
        )
    return DirectoryTls(starttls, certificate.path("client_cert"), key.path("client_key"), origins)


def _resolve_starttls(sources: SettingsSources, ldap_url: SettingsSource, url: str) -> tuple[bool, dict[str, str]]:
    source = next((source for source in sources.by_precedence if "starttls" in source.values), None)
    if source is None or not source.flag("starttls"):
        return False, {}
    if url.startswith("ldap:"):
        return True, {"starttls": source.origin("starttls")}
    if source.explicit or source is ldap_url:
        raise MalformedInput(
            f"StartTLS begins on ldap://, and the URL is {url}",
            subject=source.origin("starttls"),
            next_step="ldaps:// is encrypted from the start, ldapi:// does not leave the machine: keep one of them",
        )
    return False, {}


#: Settings of it; none is an option of every command, those that call peers have their own.
DICOM_TLS_SETTINGS = ("tls_ca", "tls_cert", "tls_key", "tls_key_passphrase", "tls_key_passphrase_file")


@dataclass(frozen=True)
class DicomTls:
    """Whom to trust and what to show, PEM files all; ``key_file`` is None where it stands in the certificate's file."""

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    passphrase: Secret | None = field(default=None, repr=False)


NO_DICOM_TLS = DicomTls()


def resolve_dicom_tls(sources: SettingsSources) -> DicomTls:
    """Return what *sources* say: whom to trust from the strongest that says so, the certificate and its key from one.

    Raises :class:`MalformedInput` for a key, or the passphrase of one, without the certificate that it belongs to.
    """
    certificate_source = _find_source(sources, "tls_cert")
    for source in sources.non_option_sources:
        for setting in DICOM_TLS_SETTINGS[2:]:
            if setting in source.values and "tls_cert" not in source.values:
                raise MalformedInput(
                    "it goes with a certificate, and there is none beside it",
                    subject=source.origin(setting),
                    next_step="set tls_cert in the same place",
                )
    ca_source = _find_source(sources, "tls_ca")
    return DicomTls(
        ca_source.path("tls_ca") if ca_source else None,
        certificate_source.path("tls_cert") if certificate_source else None,
        certificate_source.path("tls_key") if certificate_source else None,
        certificate_source.secret("tls_key_passphrase") if certificate_source else None,
    )


def _find_source(sources: SettingsSources, key: str) -> SettingsSource | None:
    return next((source for source in sources.non_option_sources if key in source.values), None)
