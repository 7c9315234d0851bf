"""What dcmcfg asks of a directory server, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from dcmcfg.changes import Change
from dcmcfg.directory.referrals import Referral
from dcmcfg.dn import DN
from dcmcfg.entry import Entry

Scope = Literal["base", "one", "subtree"]


@dataclass(frozen=True)
class LdapServerSettings:
    """Where a directory is and who asks; an empty ``bind_dn`` is an anonymous bind, asked for on purpose.

    ``sasl_external`` binds as whoever the connection shows (SASL EXTERNAL): on ``ldapi`` the account that runs dcmcfg,
    over TLS the owner of ``client_cert``. Without a ``client_key`` the key is in the certificate's file. TLS is
    always verified, against ``ca_file`` if there is one, with ``require_crl`` by revocation lists in it.
    ``starttls`` asks for it on ``ldap``.
    """

    url: str
    base_dn: DN
    bind_dn: str
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


@dataclass(frozen=True)
class ServerCapabilities:
    """What the server says of itself.

    ``transactions``: RFC 5805 is advertised; the root DSE says so even where the database cannot do it.
    ``assertions``: the assertion control (RFC 4528) is.
    ``replicated``: the suffix entry carries contextCSN, so replicas may follow this server.
    """

    transactions: bool
    assertions: bool
    replicated: bool


class Directory(Protocol):
    """An open connection to a directory server.

    Every method raises :class:`~dcmcfg.errors.DirectoryError` when the server cannot be asked or refuses;
    a request whose answer was lost raises :class:`~dcmcfg.errors.ConnectionLost`.
    """

    @property
    def server(self) -> LdapServerSettings:
        """Where this connection leads."""

    @property
    def referrals(self) -> tuple[Referral, ...]:
        """The parts of the tree that other servers hold, as far as searches came upon them."""

    def read(self, base: DN, scope: Scope = "subtree", attributes: Sequence[str] = ("*",)) -> tuple[Entry, ...]:
        """Return the entries in *scope* of *base*, in the server's order, with their user attributes.

        Below *base*, what other servers hold is passed over, and noted in :attr:`referrals`.
        Raises :class:`~dcmcfg.errors.NotFound` when *base* does not exist; a read that the server cut short
        is an error.
        """

    def search(self, base: DN, scope: Scope = "subtree", attributes: Sequence[str] = ("*",)) -> Iterator[list[bytes]]:
        """Yield the octets of the same entries, some at a time as they arrive (SearchResultEntry, RFC 4511 §4.5.2).

        Raises as :meth:`read` does, but in the midst of it; whoever does not read to the end closes the connection.
        """

    def read_entry(self, dn: DN, attributes: Sequence[str] = ("*",)) -> Entry | None:
        """Return the entry at *dn* with its user attributes, or None when there is none."""

    def read_capabilities(self) -> ServerCapabilities:
        """Return what the root DSE and the suffix entry say."""

    def who_am_i(self) -> str:
        """Return who the server takes us for (RFC 4532): ``dn:…`` or ``u:…``, empty when anonymous."""

    def apply(self, change: Change) -> None:
        """Carry out one change."""

    def supports_transactions(self) -> bool:
        """Return whether the database does transactions; for a server that advertises them.

        It is found out by one that is aborted, on a connection of its own.
        """

    def apply_in_transaction(self, changes: Sequence[Change]) -> None:
        """Carry out *changes* in one transaction (RFC 5805): on an error nothing has changed.

        Raises :class:`~dcmcfg.directory.transaction.TransactionUnavailable` when the server or its database cannot do
        transactions, and :class:`~dcmcfg.errors.ConnectionLost` when the answer to the commit was lost.
        """

    def reopen(self) -> Directory:
        """Return a new connection to the same server; this one is closed."""

    def close(self) -> None:
        """End the connection."""
