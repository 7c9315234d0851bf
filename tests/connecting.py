"""How the tests reach a running slapd with dcmcfg's own connection."""

from __future__ import annotations

from typing import Any

from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.dn import DN
from tests.running_slapd import RunningSlapd


def server_of(slapd: RunningSlapd, **changed: Any) -> LdapServerSettings:
    """Return the server as its administrator sees it, but for what is *changed*."""
    facts: dict[str, Any] = {
        "url": slapd.url,
        "base_dn": DN.parse(slapd.base_dn),
        "bind_dn": slapd.bind_dn,
        "password": slapd.password,
    }
    return LdapServerSettings(**(facts | changed))


def server_at(port: int, **changed: Any) -> LdapServerSettings:
    """Return a server on *port* of this machine, whatever listens there."""
    facts: dict[str, Any] = {
        "url": f"ldap://127.0.0.1:{port}",
        "base_dn": DN.parse("dc=dcm4che,dc=org"),
        "bind_dn": "cn=admin,dc=dcm4che,dc=org",
        "password": "secret",
    }
    return LdapServerSettings(**(facts | changed))
