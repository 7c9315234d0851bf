"""An LDAP server through ldap3, as a :class:`~dcmcfg.directory.server.Directory`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from types import TracebackType

import ldap3

from dcmcfg.changes import Change
from dcmcfg.directory import transaction
from dcmcfg.directory.connection import WHO_AM_I, close_connection, open_connection
from dcmcfg.directory.decoding import EntryDecoder
from dcmcfg.directory.exchange import Exchange
from dcmcfg.directory.failures import REFERRAL, raise_for_response, translate_ldap_errors
from dcmcfg.directory.messages import LdapResponse, encode_change_request, encode_extended_request
from dcmcfg.directory.referrals import Referral
from dcmcfg.directory.search import ANY_ENTRY, search
from dcmcfg.directory.server import LdapServerSettings, Scope, ServerCapabilities
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError, NotFound
from dcmcfg.slow_response import OnWait, report_slow_response


def connect(
    server: LdapServerSettings,
    on_referral: Callable[[Referral], None] | None = None,
    on_wait: OnWait | None = None,
) -> LdapDirectory:
    """Return an open connection, secured and bound with the settings *server*.

    *on_referral* is called once for each part of the tree that is on other servers, when a search finds it. *on_wait*
    is called with a line when a response is slow. Raises the errors of :func:`open_connection`.
    """
    with report_slow_response(server.url, on_wait, server.slow_after_s):
        connection = open_connection(server)
    return LdapDirectory(server, connection, on_referral, on_wait)


class LdapDirectory:
    """An open LDAP connection (see :class:`~dcmcfg.directory.server.Directory`), and a context manager for it."""

    def __init__(
        self,
        server: LdapServerSettings,
        connection: ldap3.Connection,
        on_referral: Callable[[Referral], None] | None = None,
        on_wait: OnWait | None = None,
    ) -> None:
        self._server = server
        self._connection = connection
        self._on_referral = on_referral
        self._on_wait = on_wait
        self._referrals: dict[Referral, None] = {}

    def __enter__(self) -> LdapDirectory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def server(self) -> LdapServerSettings:
        return self._server

    def close(self) -> None:
        close_connection(self._connection)

    def reopen(self) -> LdapDirectory:
        self.close()
        reopened = connect(self._server, self._on_referral, self._on_wait)
        # Referrals that were reported before are not reported again.
        reopened._referrals |= self._referrals  # noqa: SLF001 — another of this class
        return reopened

    def search(
        self,
        base: DN,
        scope: Scope = "subtree",
        attributes: Sequence[str] = ("*",),
        *,
        filter_text: str = ANY_ENTRY,
    ) -> Iterator[list[bytes]]:
        def on_referral(referral: Referral) -> None:
            # Both are true only for the base itself: then another server has everything that was requested.
            if referral.dn is not None and referral.dn.is_below(base) and base.is_below(referral.dn):
                raise_for_response(LdapResponse(message_id=0, result_code=REFERRAL, referrals=referral.urls), str(base))
            self._add_referral(referral)

        with translate_ldap_errors(self._server.url, request_sent=False):
            batches = search(
                self._connection, base, scope, attributes, on_referral=on_referral, filter_text=filter_text
            )
            # A server that hangs does not begin to respond. A timer for each batch would slow down large searches.
            with self._report_slow_response():
                first_batch = next(batches, [])
            yield first_batch
            yield from batches

    def _add_referral(self, referral: Referral) -> None:
        if referral in self._referrals:
            return
        self._referrals[referral] = None
        if self._on_referral is not None:
            self._on_referral(referral)

    @property
    def referrals(self) -> tuple[Referral, ...]:
        return tuple(self._referrals)

    def read(self, base: DN, scope: Scope = "subtree", attributes: Sequence[str] = ("*",)) -> tuple[Entry, ...]:
        decode = EntryDecoder().decode_entry
        return tuple([decode(octets) for batch in self.search(base, scope, attributes) for octets in batch])

    def find(self, base: DN, filter_text: str, attributes: Sequence[str] = ("*",)) -> tuple[Entry, ...]:
        decode = EntryDecoder().decode_entry
        found = self.search(base, "subtree", attributes, filter_text=filter_text)
        return tuple([decode(octets) for batch in found for octets in batch])

    def read_entry(self, dn: DN, attributes: Sequence[str] = ("*",)) -> Entry | None:
        try:
            found = self.read(dn, "base", attributes)
        except NotFound:
            return None
        return found[0] if found else None

    def read_capabilities(self) -> ServerCapabilities:
        root = self.read(DN(), "base", ("supportedExtension", "supportedControl", "namingContexts"))[0]
        base_dn = self._server.base_dn
        contexts = [DN.parse(text) for text in root.texts("namingContexts")]
        # The entry with contextCSN is at the suffix, which may be above the base DN.
        suffix_dns = [base_dn, *(context for context in contexts if context.rdns and base_dn.is_below(context))]
        suffixes = [self.read_entry(dn, ("contextCSN",)) for dn in suffix_dns]
        return ServerCapabilities(
            transactions=transaction.START_TRANSACTION_OID in root.texts("supportedExtension"),
            assertions=transaction.ASSERTION_CONTROL_OID in root.texts("supportedControl"),
            replicated=any(entry is not None and "contextCSN" in entry for entry in suffixes),
        )

    def who_am_i(self) -> str:
        response = self._start_exchange().send_request(partial(encode_extended_request, name=WHO_AM_I))
        raise_for_response(response, self._server.url)
        return (response.value or b"").decode("utf-8", "backslashreplace")

    def apply(self, change: Change) -> None:
        raise_for_response(
            self._start_exchange().send_request(partial(encode_change_request, change=change)), str(change.dn), change
        )

    def supports_transactions(self) -> bool:
        # The abort may run in the background, so the trial has a connection of its own.
        with self._report_slow_response():
            connection = open_connection(self._server)
        try:
            exchange = Exchange(connection, self._server, self._on_wait)
            probe = transaction.probe_transactions(exchange, self._server.base_dn)
        except DcmcfgError:
            close_connection(connection)
            raise
        # The abort waits some time, so it runs in a thread. The interpreter does not exit before the thread has ended.
        if probe.is_isolated:
            threading.Thread(target=_end_probe, args=(probe, connection)).start()
        else:
            _end_probe(probe, connection)
        return probe.available

    def apply_in_transaction(self, changes: Sequence[Change]) -> None:
        transaction.apply_in_transaction(self._start_exchange(), changes, self._server.url)

    def _report_slow_response(self) -> AbstractContextManager[None]:
        return report_slow_response(self._server.url, self._on_wait, self._server.slow_after_s)

    def _start_exchange(self) -> Exchange:
        return Exchange(self._connection, self._server, self._on_wait)


def _end_probe(probe: transaction.TransactionProbe, connection: ldap3.Connection) -> None:
    with suppress(DcmcfgError):
        probe.abort()
    close_connection(connection)
