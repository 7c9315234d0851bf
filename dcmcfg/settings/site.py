"""The site that a run works on: directory server, device, archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dcmcfg.dn import DN
from dcmcfg.errors import MalformedInput
from dcmcfg.settings.oidc import OidcClient
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.tls import NO_DICOM_TLS, DicomTls


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A site, and where each part of its description came from.

    ``ldap_url`` has a host and a port and no DN (``ldapi``: the socket's path); ``archive_url`` does not end in
    ``/``. ``profile`` is the profile that was read, or empty. ``origins`` says for each setting where it came
    from, in the user's words: ``--ldap-url``, ``DCMCFG_LDAP_URL``, ``profile lab``, ``default``. Secrets are in
    no ``repr``.

    ``bind_dn`` is empty where the connection itself says who asks (SASL EXTERNAL): the account that runs dcmcfg on
    ``ldapi``, else the owner of ``client_cert``, whose key is in ``client_key`` or in the same file. ``starttls``
    is only true with ``ldap``. With ``require_crl`` each CA file must hold revocation lists. ``oidc`` is the client
    that gets tokens for the archive; with it there is no token. ``dicom_tls`` is what secures associations.
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

    @property
    def identity(self) -> str:
        """Who asks the directory server: the bind DN, or ``SASL EXTERNAL``."""
        return self.bind_dn or "SASL EXTERNAL"

    @property
    def device_from_option(self) -> str | None:
        """The device named by the option ``--device``; ``None`` when it came from anywhere else."""
        return self.device if self.origins.get("device") == "--device" else None

    def bind_password(self) -> str | None:
        """Return the password of the bind DN, ``None`` when no source has one; never empty.

        Raises what :meth:`Secret.read` raises.
        """
        return self.bind_secret.read() if self.bind_secret else None

    def archive_token(self) -> str | None:
        """Return the archive's bearer token (RFC 6750 §2.1), ``None`` when no source has one.

        Raises :class:`MalformedInput` when it cannot stand in an HTTP header, and what :meth:`Secret.read` raises.
        """
        if self.token_secret is None:
            return None
        token = self.token_secret.read().strip()
        if not token or not all("!" <= character <= "~" for character in token):
            raise MalformedInput("the archive token holds blanks or other than ASCII", subject=self.token_secret.origin)
        return token


def format_site_headline(settings: Settings) -> str:
    """Return the one line that heads every plan: who writes to which server, which archive reloads."""
    return f"{settings.identity} @ {settings.ldap_url} · archive {settings.archive_url}"
