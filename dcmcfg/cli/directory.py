"""The directory server of the site that a command works on."""

from __future__ import annotations

from dcmcfg.cli.terminal import bind_password
from dcmcfg.directory.failures import INVALID_CREDENTIALS
from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.directory.server import LdapServer
from dcmcfg.errors import DirectoryError
from dcmcfg.settings import Settings


def open_directory(settings: Settings) -> LdapDirectory:
    """Return an open connection to the site's directory server, asking for the password where none is known.

    Raises :class:`~dcmcfg.errors.DirectoryError` when it cannot be reached or refuses.
    """
    password = bind_password(settings)
    server = LdapServer(settings.ldap_url, settings.base_dn, settings.bind_dn, password, ca_file=settings.ca_file)
    try:
        return connect(server)
    except DirectoryError as error:
        if error.result_code != INVALID_CREDENTIALS:
            raise
        origin = settings.origins.get("bind_password", "what was typed")
        raise DirectoryError(
            error.what,
            on=error.on,
            next_step=f"the bind DN comes from {settings.origins['bind_dn']}, the password from {origin}",
            result_code=error.result_code,
        ) from error
