"""The interface to any directory server: connection settings, capabilities, and the :class:`Directory` protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from dcmcfg.changes import Change
from dcmcfg.directory.referrals import Referral
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.slow_response import SLOW_AFTER_S

Scope = Literal["base", "one", "subtree"]


@dataclass(frozen=True)
class LdapServerSettings:
    """The settings of a connection to a directory server.

    - ``bind_dn``: empty for an intentional anonymous bind.
    - ``sasl_external``: bind with the identity of the connection (SASL EXTERNAL). This is the account of dcmcfg on
      ``ldapi``, and the owner of ``client_cert`` with TLS.
    - ``client_key``: without it, the certificate file contains the key.
    - ``ca_file``: the trusted authorities; the default is the system's. TLS is always verified.
    - ``require_crl``: require revocation lists in ``ca_file``.
    - ``starttls``: use StartTLS on ``ldap``.
    - ``slow_after_s``: a response counts as slow after this time.
    """

    url: str
    base_dn: DN
    bind_dn: str
    # A repr may appear in a traceback.
    password: str = field(repr=False)
    _: KW_ONLY
    ca_file: Path | None = None
    require_crl: bool = False
    starttls: bool = False
    client_cert: Path | None = None
    client_key: Path | None = None
    sasl_external: bool = False
    connect_timeout_s: float = 10.0
    receive_timeout_s: int = 60
    slow_after_s: float = SLOW_AFTER_S


@dataclass(frozen=True)
class ServerCapabilities:
    """The capabilities that a server announces.

    ``transactions``: it announces transactions (RFC 5805), although its database may not support them.
    ``assertions``: it announces the assertion control (RFC 4528).
    ``replicated``: the suffix entry has contextCSN, so the server may have replicas.
    """

    transactions: bool
    assertions: bool
    replicated: bool


class Directory(Protocol):
    """An open connection to a directory server.

    All methods raise :class:`~dcmcfg.errors.DirectoryError` if the server cannot be reached or refuses the request. A
    request whose response was lost raises :class:`~dcmcfg.errors.ConnectionLost`.
    """

    @property
    def server(self) -> LdapServerSettings:
        """The settings of this connection."""

    @property
    def referrals(self) -> tuple[Referral, ...]:
        """The parts of the tree on other servers that searches have found."""

    def read(self, base: DN, scope: Scope = "subtree", attributes: Sequence[str] = ("*",)) -> tuple[Entry, ...]:
        """Return the entries in *scope* of *base*, in the server's order, with their user attributes.

        Parts of the tree on other servers are skipped, and noted in :attr:`referrals`. Raises
        :class:`~dcmcfg.errors.NotFound` if *base* does not exist. A truncated result is an error.
        """

    def search(self, base: DN, scope: Scope = "subtree", attributes: Sequence[str] = ("*",)) -> Iterator[list[bytes]]:
        """Yield the octets of the same entries, some at a time as they arrive (SearchResultEntry, RFC 4511 §4.5.2).

        Raises the errors of :meth:`read`, also between entries. Exhaust the iterator before sending another request;
        otherwise, the connection is closed.
        """

    def read_entry(self, dn: DN, attributes: Sequence[str] = ("*",)) -> Entry | None:
        """Return the entry at *dn* with its user attributes, or None if it does not exist."""

    def read_capabilities(self) -> ServerCapabilities:
        """Return the capabilities according to the root DSE and the suffix entry."""

    def who_am_i(self) -> str:
        """Return the identity of the connection on the server (RFC 4532): ``dn:…`` or ``u:…``; empty if anonymous."""

    def apply(self, change: Change) -> None:
        """Apply one change."""

    def supports_transactions(self) -> bool:
        """Return whether the database supports transactions; for a server that announces them.

        This starts and aborts a transaction on a separate connection.
        """

    def apply_in_transaction(self, changes: Sequence[Change]) -> None:
        """Apply *changes* in one transaction (RFC 5805); after an error, nothing has changed.

        Raises :class:`~dcmcfg.directory.transaction.TransactionUnavailable` if the server or its database does not
        support transactions, and :class:`~dcmcfg.errors.ConnectionLost` if the response to the commit was lost.
        """

    def reopen(self) -> Directory:
        """Close this connection, and return a new one to the same server."""

    def close(self) -> None:
        """Close the connection."""


class FilteringDirectory(Directory, Protocol):
    """A connection that can also search with a filter."""

    def find(self, base: DN, filter_text: str, attributes: Sequence[str] = ("*",)) -> tuple[Entry, ...]:
        """Return the entries at and below *base* that match *filter_text* (RFC 4515); raises the errors of ``read``."""

    def reopen(self) -> FilteringDirectory:
        """Close this connection, and return a new one to the same server."""
