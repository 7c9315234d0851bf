"""TLS settings of the connection to the directory server and of DICOM associations."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dcmcfg.errors import MalformedInput
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.sources import SettingsSource, SettingsSources


@dataclass(frozen=True)
class DirectoryTls:
    """TLS settings for the directory server: StartTLS and client certificate; ``origins`` as in ``Settings``."""

    starttls: bool
    client_cert: Path | None
    client_key: Path | None
    origins: dict[str, str]


def resolve_directory_tls(
    sources: SettingsSources, url_source: SettingsSource, credential_source: SettingsSource, url: str
) -> DirectoryTls:
    """Return the TLS settings for *url* of *url_source*, with the credentials of *credential_source*.

    If StartTLS is set, every connection to an ``ldap://`` server uses it or fails. A client certificate is a
    credential: it comes from *credential_source* or from options, and then the key comes from options too. Raises
    :class:`MalformedInput` if the settings contradict each other.
    """
    starttls, origins = _resolve_starttls(sources, url_source, url)
    certificate = sources.options if "client_cert" in sources.options.values else credential_source
    key = sources.options if "client_key" in sources.options.values else certificate
    for source, setting in ((certificate, "client_cert"), (key, "client_key")):
        if setting in source.values:
            origins[setting] = source.origin(setting)
    if "client_key" in origins and "client_cert" not in origins:
        raise MalformedInput("a key without certificate", subject=origins["client_key"], next_step="specify both")
    if "client_cert" in origins and not (starttls or url.startswith("ldaps:")):
        raise MalformedInput(
            "a client certificate requires TLS",
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
            f"StartTLS requires ldap://, but the URL is {url}",
            subject=source.origin("starttls"),
            next_step="remove StartTLS (ldaps:// and ldapi:// do not need StartTLS), or use ldap://",
        )
    # A setting from another source is meant for ldap:// URLs; ldaps:// and ldapi:// do not need it.
    return False, {}


#: Settings of TLS for associations. They are not site options; commands that call peers have their own options.
DICOM_TLS_SETTINGS = ("tls_ca", "tls_cert", "tls_key", "tls_key_passphrase", "tls_key_passphrase_file")


@dataclass(frozen=True)
class DicomTls:
    """TLS settings for associations, all PEM files; ``key_file`` is None if the certificate's file contains the key."""

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    passphrase: Secret | None = field(default=None, repr=False)


NO_DICOM_TLS = DicomTls()


def resolve_dicom_tls(sources: SettingsSources) -> DicomTls:
    """Return the TLS settings for associations: the CA by precedence, certificate and key from the same source.

    Raises :class:`MalformedInput` for a key or passphrase without the certificate in the same source.
    """
    certificate_source = _find_source(sources, "tls_cert")
    for source in sources.non_option_sources:
        for setting in DICOM_TLS_SETTINGS[2:]:
            if setting in source.values and "tls_cert" not in source.values:
                raise MalformedInput(
                    "this setting requires a certificate, but tls_cert is not set in the same place",
                    subject=source.origin(setting),
                    next_step="also set tls_cert there",
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
