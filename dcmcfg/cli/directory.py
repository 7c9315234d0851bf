"""The directory server of the site that a command works on."""

from __future__ import annotations

from dcmcfg.cli.terminal import bind_password
from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.directory.server import LdapServer
from dcmcfg.settings import Settings


def open_directory(settings: Settings) -> LdapDirectory:
    """Return an open connection to the site's directory server, asking for the password where none is known.

    Raises :class:`~dcmcfg.errors.DirectoryError` when it cannot be reached or refuses.
    """
    password = bind_password(settings) if settings.bind_dn else ""
    return connect(
        LdapServer(settings.ldap_url, settings.base_dn, settings.bind_dn, password, ca_file=settings.ca_file)
    )
