"""The web services of the site's archive."""

from __future__ import annotations

from dcmcfg.archive.authorized_client import AuthorizedClient
from dcmcfg.archive.control import ControlService
from dcmcfg.archive.http_client import HttpClient, HttpTimeouts
from dcmcfg.archive.issuer import ClientCredentials, TokenIssuer
from dcmcfg.cli import invocation
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.terminal import get_client_secret, require_client_secret
from dcmcfg.limits import Limit
from dcmcfg.settings import Settings
from dcmcfg.settings.exposure import find_archive_exposures


def make_control_service(settings: Settings) -> ControlService:
    """Return the control service of the site's archive; nothing is sent yet.

    Warns on stderr of a credential that is sent unencrypted. Raises :class:`~dcmcfg.errors.MalformedInput` or
    :class:`~dcmcfg.errors.NotFound` if the token, the client secret or the CA file cannot be read.
    """
    return ControlService(
        settings.archive_url,
        get_credential(settings),
        settings.ca_file,
        device=settings.device,
        require_crl=settings.require_crl,
    )


def make_web_client(settings: Settings, timeouts: HttpTimeouts, limit: Limit) -> AuthorizedClient:
    """Return a client for the archive's other web services; warns and raises as :func:`make_control_service` does."""
    http_client = HttpClient(settings.ca_file, timeouts, limit, require_crl=settings.require_crl)
    http_client.validate_tls_files(settings.archive_url)
    return AuthorizedClient(http_client, get_credential(settings, timeouts))


def get_credential(settings: Settings, timeouts: HttpTimeouts | None = None) -> str | TokenIssuer | None:
    """Return the token for the archive, or the issuer to request one from; None if no source has either.

    *timeouts* apply to requests to the issuer. Warns on stderr, once per run, of a credential that is sent unencrypted.
    """
    if settings.oidc is not None:
        # Fail before the warnings: without a secret, nothing will be sent.
        require_client_secret(settings.oidc)
    run = invocation.current()
    for warning in find_archive_exposures(settings):
        # A command can have several clients, such as one for the reload and one for the database.
        if warning not in run.printed_warnings:
            print_message(f"warning: {warning}")
            run.printed_warnings.add(warning)
    client = settings.oidc
    if client is None:
        return settings.archive_token()
    credentials = ClientCredentials(
        client.issuer, client.client_id, get_client_secret(settings), token_url=client.token_url, scope=client.scope
    )
    return TokenIssuer(credentials, HttpClient(settings.ca_file, timeouts, require_crl=settings.require_crl))
