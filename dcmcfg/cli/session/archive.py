"""The web services of the site's archive."""

from __future__ import annotations

from dcmcfg.archive.authorized_client import Bearer
from dcmcfg.archive.control import ControlService
from dcmcfg.archive.http_client import Timeouts, Web
from dcmcfg.archive.issuer import ClientCredentials, TokenIssuer
from dcmcfg.cli import invocation
from dcmcfg.cli.printing import tell
from dcmcfg.cli.terminal import client_secret, require_client_secret
from dcmcfg.limits import Limit
from dcmcfg.settings import Settings
from dcmcfg.settings.exposure import archive_exposures


def control_service(settings: Settings) -> ControlService:
    """Return the control service of the site's archive; nothing is sent yet.

    Warns on stderr of a credential that leaves this machine unencrypted. Raises :class:`MalformedInput` or
    :class:`NotFound` when the token, the client secret or the CA file cannot be read.
    """
    return ControlService(
        settings.archive_url,
        credential(settings),
        settings.ca_file,
        device=settings.device,
        require_crl=settings.require_crl,
    )


def web_services(settings: Settings, timeouts: Timeouts, limit: Limit) -> Bearer:
    """Return what asks the archive's other web services; as :func:`control_service` does, it warns and raises."""
    web = Web(settings.ca_file, timeouts, limit, require_crl=settings.require_crl)
    web.prepare(settings.archive_url)
    return Bearer(web, credential(settings, timeouts))


def credential(settings: Settings, timeouts: Timeouts | None = None) -> str | TokenIssuer | None:
    """Return the token that goes to the archive, or whoever issues it, None when no source has either.

    The issuer is waited for as long as *timeouts* say.
    """
    if settings.oidc is not None:
        require_client_secret(settings.oidc)
    run = invocation.current()
    for warning in archive_exposures(settings):
        if warning not in run.warned:
            tell(f"warning: {warning}")
            run.warned.add(warning)
    client = settings.oidc
    if client is None:
        return settings.archive_token()
    credentials = ClientCredentials(
        client.issuer, client.client_id, client_secret(settings), client.token_url, client.scope
    )
    return TokenIssuer(credentials, Web(settings.ca_file, timeouts, require_crl=settings.require_crl))
