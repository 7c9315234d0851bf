"""Describe the settings of a run with their values and sources, without secrets, for ``dcmcfg config show``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.errors import DcmcfgError
from dcmcfg.settings.node_tables import NODES_TABLE
from dcmcfg.settings.oidc import OidcClient
from dcmcfg.settings.profiles import get_profile_path, list_profile_names, read_profile
from dcmcfg.settings.resolve import resolve_settings
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.site import Settings
from dcmcfg.settings.sources import SettingsSource, SettingsSources, collect_sources, find_profile_to_use


@dataclass(frozen=True, kw_only=True)
class SettingDescription:
    """One setting: ``value`` is None where it is not set, and for a secret.

    ``source`` is ``option``, ``environment``, ``profile``, ``default`` or ``""`` (not set). ``origin`` names the
    option, the variable or the profile. ``is_secret`` settings have ``is_set``, and where the secret is kept: in
    ``secret_file``, or in the keychain under ``keychain_service``.
    """

    name: str
    value: str | None = None
    source: str = ""
    origin: str = ""
    is_set: bool = False
    is_secret: bool = False
    secret_file: Path | None = None
    keychain_service: str = ""


@dataclass(frozen=True)
class SiteDescription:
    """The settings of a run, and the profile that was read, if any: its name, its file, and what selected it."""

    settings: tuple[SettingDescription, ...]
    profile: str
    profile_file: Path | None
    profile_selected_by: str


@dataclass(frozen=True, kw_only=True)
class ProfileSummary:
    """A profile in a list: ``problem`` is the reason why it cannot be read, or empty; URLs are empty where not set."""

    name: str
    path: Path
    ldap_url: str = ""
    archive_url: str = ""
    is_used: bool = False
    problem: str = ""


@dataclass(frozen=True)
class ProfileList:
    """The profiles of this account by name, the name of the one that a run reads (or ``""``), and its selector."""

    profiles: tuple[ProfileSummary, ...]
    used_profile: str
    selected_by: str


def list_profiles(options: Mapping[str, str], environ: Mapping[str, str]) -> ProfileList:
    """Return the profiles, and the one that *options* and *environ* select.

    Raises what :func:`~dcmcfg.settings.profiles.read_selected_profile` raises.
    """
    used, selected_by = find_profile_to_use(options, environ)
    return ProfileList(tuple(_summarize(name, used) for name in list_profile_names()), used, selected_by)


def _summarize(name: str, used_profile: str) -> ProfileSummary:
    # A file in the folder may have a name that no profile can have, and then get_profile_path raises.
    path = Path(name)
    try:
        path = get_profile_path(name)
        values = read_profile(name)
    except DcmcfgError as error:
        return ProfileSummary(name=name, path=path, is_used=name == used_profile, problem=str(error))
    return ProfileSummary(
        name=name,
        path=path,
        ldap_url=values.get("ldap_url", ""),
        archive_url=values.get("archive_url", ""),
        is_used=name == used_profile,
    )


def describe_site(options: Mapping[str, str], environ: Mapping[str, str]) -> SiteDescription:
    """Return the settings that *options* and *environ* give a command; no secret is read.

    Raises what :func:`resolve_settings` raises.
    """
    sources = collect_sources(options, environ)
    settings = resolve_settings(options, environ)
    described = tuple(_list_settings(settings, sources))
    profile_file = get_profile_path(settings.profile) if settings.profile else None
    return SiteDescription(described, settings.profile, profile_file, sources.profile_selected_by)


def _list_settings(settings: Settings, sources: SettingsSources) -> Iterator[SettingDescription]:
    origins = settings.origins
    yield _describe("ldap_url", settings.ldap_url, origins["ldap_url"])
    yield _describe("base_dn", str(settings.base_dn), origins["base_dn"])
    yield _describe("bind_dn", settings.identity, "default" if not settings.bind_dn else origins["bind_dn"])
    yield _describe_secret("bind_password", settings.bind_secret)
    yield _describe("device", settings.device, origins["device"])
    yield _describe("archive_url", settings.archive_url, origins["archive_url"])
    yield _describe_secret("archive_token", settings.token_secret)
    yield from _list_oidc_settings(settings.oidc, sources)
    yield _describe("ca_file", settings.ca_file, origins.get("ca_file", ""))
    yield _describe_flag("require_crl", settings.require_crl, _find_source(sources.by_precedence, "require_crl"))
    yield _describe_flag("starttls", settings.starttls, _find_source(sources.by_precedence, "starttls"))
    yield _describe("client_cert", settings.client_cert, origins.get("client_cert", ""))
    yield _describe("client_key", settings.client_key, origins.get("client_key", ""))
    yield from _list_dicom_tls_settings(settings, sources)
    bind_dn_origin = f"profile {settings.profile}" if settings.archive_bind_dn else ""
    yield _describe("archive_bind_dn", settings.archive_bind_dn, bind_dn_origin)
    yield from _list_node_settings(settings)
    yield _describe("history_dir", settings.history_dir, origins.get("history_dir", ""))
    yield _describe("audit_to", str(settings.audit_to or ""), origins.get("audit_to", ""))
    yield _describe("audit_format", settings.audit_format, origins.get("audit_format", "default"))
    log_origin = f"profile {settings.profile}" if settings.external_move_log else ""
    yield _describe("external_move_log", settings.external_move_log, log_origin)


def _list_node_settings(settings: Settings) -> Iterator[SettingDescription]:
    """Yield the settings of each node; a node without a token of its own uses that of the site."""
    for node in settings.nodes:
        origin, prefix = f"profile {settings.profile}", f"{NODES_TABLE}.{node.name}"
        yield _describe(f"{prefix}.archive_url", node.archive_url, origin)
        ldap_origin = settings.origins["ldap_url"] if node.ldap_url == settings.ldap_url else origin
        yield _describe(f"{prefix}.ldap_url", node.ldap_url, ldap_origin)
        if node.token_secret is not None:
            yield _describe_secret(f"{prefix}.archive_token", node.token_secret)


def _list_oidc_settings(client: OidcClient | None, sources: SettingsSources) -> Iterator[SettingDescription]:
    """Yield the settings of the client; its URL, scope and (without an option) secret come from one source."""
    server = next(
        (
            source
            for source in sources.by_precedence
            if client is not None
            and client.url_origin in (source.origin("oidc_issuer"), source.origin("oidc_token_url"))
        ),
        None,
    )
    for name, value in (
        ("oidc_issuer", client.issuer if client else ""),
        ("oidc_token_url", client.token_url if client else ""),
    ):
        yield _describe(name, value, server.origin(name) if server and value else "")
    yield _describe("oidc_client_id", client.client_id if client else "", client.client_origin if client else "")
    yield _describe_secret("oidc_client_secret", client.secret if client else None)
    scope = client.scope if client else ""
    yield _describe("oidc_scope", scope, server.origin("oidc_scope") if server and scope else "")


def _list_dicom_tls_settings(settings: Settings, sources: SettingsSources) -> Iterator[SettingDescription]:
    ca_source = _find_source(sources.non_option_sources, "tls_ca")
    certificate_source = _find_source(sources.non_option_sources, "tls_cert")
    tls = settings.dicom_tls
    for name, path, source in (
        ("tls_ca", tls.ca_file, ca_source),
        ("tls_cert", tls.certificate_file, certificate_source),
        ("tls_key", tls.key_file, certificate_source),
    ):
        yield _describe(name, path, source.origin(name) if source and path else "")
    yield _describe_secret("tls_key_passphrase", tls.passphrase)


def _find_source(sources: tuple[SettingsSource, ...], key: str) -> SettingsSource | None:
    return next((source for source in sources if key in source.values), None)


def _describe(name: str, value: str | Path | None, origin: str) -> SettingDescription:
    if not value:
        return SettingDescription(name=name)
    return SettingDescription(name=name, value=str(value), source=_classify(origin), origin=origin, is_set=True)


def _describe_flag(name: str, is_on: bool, source: SettingsSource | None) -> SettingDescription:
    origin = source.origin(name) if source else "default"
    value = str(is_on).lower()
    return SettingDescription(name=name, value=value, source=_classify(origin), origin=origin, is_set=True)


def _describe_secret(name: str, secret: Secret | None) -> SettingDescription:
    if secret is None:
        return SettingDescription(name=name, is_secret=True)
    return SettingDescription(
        name=name,
        source=_classify(secret.origin),
        origin=secret.origin,
        is_set=True,
        is_secret=True,
        secret_file=secret.path,
        keychain_service=secret.service,
    )


def _classify(origin: str) -> str:
    if origin.startswith("--"):
        return "option"
    if origin.startswith("DCMCFG_"):
        return "environment"
    return "profile" if origin.startswith("profile ") else "default"
