"""The settings of a site: directory server, device, archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dcmcfg.dn import DN
from dcmcfg.errors import MalformedInput
from dcmcfg.settings.oidc import OidcClient
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.tls import NO_DICOM_TLS, DicomTls
from dcmcfg.syslog.target import SyslogTarget


@dataclass(frozen=True, kw_only=True)
class Node:
    """A server of the archive; all nodes share the archive's device.

    ``ldap_url`` is the directory server that the node reads, in the form of :attr:`Settings.ldap_url`; it may be a
    replica. Without a ``token_secret``, the node accepts the credentials of the site.
    """

    name: str
    archive_url: str
    ldap_url: str
    token_secret: Secret | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a site, with the origin of each.

    ``ldap_url`` has a host and a port but no DN (``ldapi``: the socket's path); ``archive_url`` does not end with
    ``/``. ``profile`` is the name of the profile, or empty. ``origins`` contains the origin of each setting as the user
    knows it: ``--ldap-url``, ``DCMCFG_LDAP_URL``, ``profile lab``, ``default``. ``repr`` never contains secrets.

    ``bind_dn`` is empty if the connection itself identifies the caller (SASL EXTERNAL): on ``ldapi`` the account that
    runs dcmcfg, otherwise the owner of ``client_cert``, whose key is in ``client_key`` or in the same file.
    ``starttls`` is true only with ``ldap``. With ``require_crl`` each CA file must contain revocation lists. ``oidc``
    is the client that requests tokens for the archive; it excludes a token. ``dicom_tls`` are the TLS settings of
    associations. ``nodes`` are those of the profile that ``archive_url`` comes from; empty for an archive of one node.
    ``archive_bind_dn`` is the DN that the archive binds as, or empty if it is unknown. ``node`` is the name of the node
    that ``archive_url`` belongs to, or empty. ``history_dir`` is the absolute path of the folder of the shared history,
    or None if changes are only recorded for this account. ``audit_to`` is the syslog server that gets a message about
    each change, in the format ``audit_format`` (``syslog`` or ``dicom``); None if no messages are sent.
    """

    ldap_url: str
    base_dn: DN
    bind_dn: str
    device: str
    archive_url: str
    ca_file: Path | None = None
    require_crl: bool = False
    starttls: bool = False
    client_cert: Path | None = None
    client_key: Path | None = None
    external_move_log: Path | None = None
    profile: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)
    bind_secret: Secret | None = field(default=None, repr=False)
    token_secret: Secret | None = field(default=None, repr=False)
    oidc: OidcClient | None = None
    dicom_tls: DicomTls = NO_DICOM_TLS
    nodes: tuple[Node, ...] = ()
    archive_bind_dn: str = ""
    node: str = ""
    history_dir: Path | None = None
    audit_to: SyslogTarget | None = None
    audit_format: str = "syslog"

    @property
    def identity(self) -> str:
        """The identity at the directory server: the bind DN, or ``SASL EXTERNAL``."""
        return self.bind_dn or "SASL EXTERNAL"

    @property
    def device_from_option(self) -> str | None:
        """The device from the option ``--device``; ``None`` if it has another origin."""
        return self.device if self.origins.get("device") == "--device" else None

    def bind_password(self) -> str | None:
        """Return the password of the bind DN, or ``None`` if no source has one; never empty.

        Raises the errors of :meth:`Secret.read`.
        """
        return self.bind_secret.read() if self.bind_secret else None

    def archive_token(self) -> str | None:
        """Return the archive's bearer token (RFC 6750 §2.1), or ``None`` if no source has one.

        Raises :class:`MalformedInput` if an HTTP header cannot contain the token, and the errors of
        :meth:`Secret.read`.
        """
        if self.token_secret is None:
            return None
        token = self.token_secret.read().strip()
        if not token or not all("!" <= character <= "~" for character in token):
            raise MalformedInput(
                "the archive token contains blanks or non-ASCII characters", subject=self.token_secret.origin
            )
        return token


def format_site_headline(settings: Settings) -> str:
    """Return the first line of every plan: identity, directory server and archive."""
    return f"{settings.identity} @ {settings.ldap_url} · archive {settings.archive_url}"
