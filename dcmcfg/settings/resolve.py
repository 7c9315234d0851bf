"""Resolve the settings from all sources; a credential is never sent to a server of another source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dcmcfg.dn import DN
from dcmcfg.errors import MalformedInput
from dcmcfg.schema_names import COMMON_NAME
from dcmcfg.settings.nodes import read_nodes
from dcmcfg.settings.oidc import OIDC_SETTINGS, OidcClient, resolve_oidc
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.site import Settings
from dcmcfg.settings.sources import SettingsSource, SettingsSources, collect_sources
from dcmcfg.settings.tls import resolve_dicom_tls, resolve_directory_tls
from dcmcfg.settings.urls import AUDIT_FORMATS, parse_archive_url, parse_audit_format, parse_ldap_url
from dcmcfg.syslog.target import SyslogTarget, parse_syslog_target

#: The defaults: a stock installation on this machine.
DEFAULT_SOURCE = SettingsSource(
    "default",
    {
        "ldap_url": "ldap://localhost:389",
        "base_dn": "dc=dcm4che,dc=org",
        "device": "dcm4chee-arc",
        "archive_url": "http://localhost:8080/dcm4chee-arc",
        "audit_format": AUDIT_FORMATS[0],
    },
)
_PASSWORDS = ("bind_password", "bind_password_file", "bind_password_keychain")
_SERVER = ("ldap_url", "bind_dn", *_PASSWORDS, "client_cert", "client_key")
_TOKENS = ("archive_token", "archive_token_file")
_ARCHIVE = ("archive_url", *_TOKENS, *OIDC_SETTINGS)


def resolve_settings(options: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """Return the settings from *options* (by setting, including ``profile``), the profiles and *environ*.

    A single setting comes from the source with the highest precedence. A URL and its credentials come from the same
    source; options may override single parts: see ``docs/reference/settings.md``. This function reads no secrets.
    Raises :class:`MalformedInput` for invalid values and for sources that contradict each other,
    :class:`~dcmcfg.errors.NotFound` if the profile does not exist.
    """
    sources = collect_sources(options, environ)
    ldap_url, server = _find_url_and_credential_sources(sources, _SERVER)
    archive_url, archive = _find_url_and_credential_sources(sources, _ARCHIVE)
    url, dn_in_url = parse_ldap_url(ldap_url.values["ldap_url"], ldap_url.origin("ldap_url"))
    base_dn, base_origin = _resolve_base_dn(sources, ldap_url, dn_in_url)
    device = _find_source(sources, "device") or DEFAULT_SOURCE
    ca_file = _find_source(sources, "ca_file")
    crl = _find_source(sources, "require_crl")
    # The password belongs to its bind DN: with another bind DN from an option, the source's password is not used.
    from_options = {"bind_dn", *_PASSWORDS} & sources.options.values.keys()
    password = (sources.options if from_options else server).secret("bind_password")
    tls = resolve_directory_tls(sources, ldap_url, server, url)
    bind_source = next((s for s in (sources.options, server) if "bind_dn" in s.values), DEFAULT_SOURCE)
    # Without a bind DN and a password, the client certificate or the socket identifies the caller.
    uses_sasl_external = (
        bind_source is DEFAULT_SOURCE and password is None and (tls.client_cert is not None or url.startswith("ldapi:"))
    )
    bind_dn = "" if uses_sasl_external else _resolve_bind_dn(bind_source, base_dn)
    token, oidc = _resolve_archive_credential(sources, archive)
    return Settings(
        ldap_url=url,
        base_dn=base_dn,
        bind_dn=bind_dn,
        device=device.values["device"],
        archive_url=parse_archive_url(archive_url.values["archive_url"], archive_url.origin("archive_url")),
        ca_file=ca_file.path("ca_file") if ca_file else None,
        require_crl=crl is not None and crl.flag("require_crl"),
        starttls=tls.starttls,
        client_cert=tls.client_cert,
        client_key=tls.client_key,
        external_move_log=_resolve_external_move_log(server),
        profile=sources.profile,
        origins={
            "ldap_url": ldap_url.origin("ldap_url"),
            "base_dn": base_origin,
            "bind_dn": "SASL EXTERNAL" if uses_sasl_external else bind_source.origin("bind_dn"),
            "device": device.origin("device"),
            "archive_url": archive_url.origin("archive_url"),
        }
        | ({"profile": sources.profile_selected_by} if sources.profile else {})
        | ({"ca_file": ca_file.origin("ca_file")} if ca_file else {})
        | tls.origins
        | ({"bind_password": password.origin} if password else {})
        | ({"archive_token": token.origin} if token else {})
        | _find_origin(sources, "history_dir")
        | _find_origin(sources, "audit_to")
        | _find_origin(sources, "audit_format"),
        bind_secret=password.for_user(bind_dn) if password else None,
        token_secret=token,
        oidc=oidc,
        dicom_tls=resolve_dicom_tls(sources),
        # The nodes belong to the archive URL of their profile: with another URL, the user means another archive.
        nodes=read_nodes(archive_url, url, ldap_url),
        archive_bind_dn=_resolve_archive_bind_dn(server),
        history_dir=_resolve_history_dir(sources),
        audit_to=_resolve_audit_target(sources),
        audit_format=_resolve_audit_format(sources),
    )


def _resolve_audit_target(sources: SettingsSources) -> SyslogTarget | None:
    source = _find_source(sources, "audit_to")
    return parse_syslog_target(source.values["audit_to"], source.origin("audit_to")) if source is not None else None


def _resolve_audit_format(sources: SettingsSources) -> str:
    source = _find_source(sources, "audit_format") or DEFAULT_SOURCE
    return parse_audit_format(source.values["audit_format"], source.origin("audit_format"))


def resolve_history_dir(options: Mapping[str, str], environ: Mapping[str, str]) -> Path | None:
    """Return the folder of the shared history, or None if there is none; other settings are not checked.

    Raises what :func:`~dcmcfg.settings.sources.collect_sources` raises.
    """
    return _resolve_history_dir(collect_sources(options, environ))


def _resolve_history_dir(sources: SettingsSources) -> Path | None:
    source = _find_source(sources, "history_dir")
    path = source.path("history_dir") if source is not None else None
    return None if path is None else Path.cwd() / path


def _find_source(sources: SettingsSources, key: str) -> SettingsSource | None:
    return next((source for source in sources.by_precedence if key in source.values), None)


def _find_origin(sources: SettingsSources, key: str) -> dict[str, str]:
    """Return *key* with its origin; empty if no source has it."""
    source = _find_source(sources, key)
    return {} if source is None else {key: source.origin(key)}


def _find_url_and_credential_sources(
    sources: SettingsSources, keys: tuple[str, ...]
) -> tuple[SettingsSource, SettingsSource]:
    """Return the source of the URL (the first of *keys*) and the source of its credentials (the rest of *keys*).

    Both are the same source, with one exception: if no source has a URL, the default URL is used with the credentials
    of any source, because nothing assigns them to another server.
    """
    url, *credentials = keys
    url_source = _find_source(sources, url)
    if url_source is None:
        credential_sources = (
            source for source in sources.non_option_sources if source.values.keys() & set(credentials)
        )
        return DEFAULT_SOURCE, next(credential_sources, DEFAULT_SOURCE)
    if url_source is sources.options:
        return url_source, url_source
    for stronger in sources.non_option_sources[: sources.non_option_sources.index(url_source)]:
        if stronger.explicit:
            raise MalformedInput(
                f"{url} is missing in this profile, but is set in another source ({url_source.origin(url)})",
                subject=stronger.name,
                next_step=f"specify --{url.replace('_', '-')}, or add {url} to the profile",
            )
        stray = next((key for key in credentials if key in stronger.values), None)
        if stray:
            raise MalformedInput(
                f"this setting must come from the same source as the URL. The URL comes from {url_source.name}, "
                f"because {stronger.name_setting(url)} is not set",
                subject=stronger.origin(stray),
                next_step=f"also set {stronger.name_setting(url)}, or remove {stronger.name_setting(stray)}",
            )
    return url_source, url_source


def _resolve_archive_credential(
    sources: SettingsSources, archive: SettingsSource
) -> tuple[Secret | None, OidcClient | None]:
    """Return the token for the archive of *archive*, or the client that requests one; options take precedence."""
    given = sources.options.values.keys()
    # A token from an option replaces a client from the profile or the environment.
    if given & set(_TOKENS) and not given & set(OIDC_SETTINGS):
        return sources.options.secret("archive_token"), None
    oidc = resolve_oidc(sources, archive)
    token = (sources.options if given & set(OIDC_SETTINGS) else archive).secret("archive_token")
    if oidc is not None and token is not None:
        raise MalformedInput(
            "the settings contain a token and also a client that requests tokens",
            subject=f"{token.origin}, {oidc.url_origin}",
            next_step="remove the token or the client",
        )
    return token, oidc


def _resolve_base_dn(sources: SettingsSources, ldap_url: SettingsSource, in_url: DN | None) -> tuple[DN, str]:
    """Return the base DN of the highest precedence and its origin; a DN in the URL has its source's precedence."""
    explicit = _find_source(sources, "base_dn")
    if in_url is not None:
        precedence = (*sources.by_precedence, DEFAULT_SOURCE)
        if explicit is None or precedence.index(explicit) > precedence.index(ldap_url):
            return in_url, ldap_url.origin("ldap_url")
        if explicit is ldap_url and DN.parse(explicit.values["base_dn"]).normalised() != in_url.normalised():
            raise MalformedInput(
                f"the base DN differs from the DN {in_url} in {ldap_url.origin('ldap_url')}",
                subject=f"{explicit.origin('base_dn')} {explicit.values['base_dn']}",
                next_step="remove one of the two settings",
            )
    explicit = explicit or DEFAULT_SOURCE
    base_dn = DN.parse(explicit.values["base_dn"])
    if not base_dn.rdns:
        raise MalformedInput("the base DN is empty", subject=explicit.origin("base_dn"))
    return base_dn, explicit.origin("base_dn")


def _resolve_bind_dn(source: SettingsSource, base_dn: DN) -> str:
    """Return the bind DN of *source*; the default is ``cn=admin`` below the domain part of *base_dn*."""
    if source is DEFAULT_SOURCE:
        start = len(base_dn.rdns)
        # The suffix of a stock directory is its domain part, and the administrator is directly below it.
        while start and [kind.lower() for kind, _ in base_dn.rdns[start - 1].parts] == ["dc"]:
            start -= 1
        domain = DN(base_dn.rdns[start:])
        return str((domain if domain.rdns else base_dn).child(COMMON_NAME, "admin"))
    text = source.values["bind_dn"]
    if not DN.parse(text).rdns:
        raise MalformedInput("the bind DN is empty", subject=source.origin("bind_dn"))
    return text


def _resolve_external_move_log(server: SettingsSource) -> Path | None:
    """Return the external archive's log that the profile names, if the directory server comes from the profile too."""
    return server.path("external_move_log")


def _resolve_archive_bind_dn(server: SettingsSource) -> str:
    """Return the DN that the archive binds as, if the directory server comes from the profile too; else empty."""
    text = server.values.get("archive_bind_dn", "")
    if text and not DN.parse(text).rdns:
        raise MalformedInput("the DN is empty", subject=server.origin("archive_bind_dn"))
    return text
