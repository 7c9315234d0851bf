"""The error for octets that no LDAP server sends."""

from __future__ import annotations

from dcmcfg.errors import DirectoryError


class NotLDAP(DirectoryError):
    """The octets that came are none that an LDAP server may send."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"the server's answer cannot be read: {problem}", next_step="is it an LDAP server that answers there?"
        )
