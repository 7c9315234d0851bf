"""Search the directory in pages (RFC 2696): ldap3 sends the requests, and dcmcfg reads the responses itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import ldap3
from ldap3.operation.search import search_operation
from ldap3.protocol.controls import build_control
from ldap3.protocol.rfc2696 import paged_search_control

from dcmcfg.directory.failures import ADMIN_LIMIT_EXCEEDED, raise_for_result
from dcmcfg.directory.referrals import MANAGE_DSA_IT, REF_ATTRIBUTE, Referral
from dcmcfg.directory.request_log import LDAP, format_oid, format_result, quote_dn
from dcmcfg.directory.search_responses import SearchCounter, SearchResultDone, read_search_entries
from dcmcfg.directory.search_result_entry import InvalidLdapMessage
from dcmcfg.directory.server import Scope
from dcmcfg.dn import DN
from dcmcfg.protocol_log import PROTOCOL_LOG

_SCOPES: Mapping[Scope, Literal["BASE", "LEVEL", "SUBTREE"]] = {
    "base": "BASE",
    "one": "LEVEL",
    "subtree": "SUBTREE",
}
_SCOPE_NAMES = {0: "base", 1: "one", 2: "subtree"}
ANY_ENTRY = "(objectClass=*)"
#: Most configurations fit in one page of this size, so that the read is consistent.
_PAGE_SIZE = 5000
#: Used if the server allows no larger pages (size.pr in OpenLDAP's limits); after it, a search without pages.
_SMALL_PAGE_SIZE = 100


def search(
    connection: ldap3.Connection,
    base: DN,
    scope: Scope,
    attributes: Sequence[str],
    *,
    on_referral: Callable[[Referral], None],
    filter_text: str = ANY_ENTRY,
) -> Iterator[list[bytes]]:
    """Yield the octets of the entries in *scope* of *base* that match *filter_text* (RFC 4515), as they arrive.

    Exhaust the iterator before sending another request; otherwise, the connection is closed. Parts of the tree on other
    servers are skipped, and *on_referral* is called with each referral entry and each reference. Referral entries are
    requested as entries (RFC 3296), because a reference does not show its DN. A server that does not support pages
    ignores the control. Raises :class:`~dcmcfg.errors.DirectoryError` for any result except success, ldap3's
    exceptions, and :class:`OSError` if the connection fails.
    """
    request = search_operation(
        str(base),
        filter_text,
        _SCOPES[scope],
        ldap3.DEREF_NEVER,  # aliases are treated as normal entries; slapd takes four times as long if it dereferences
        list(attributes) if scope == "base" else [*attributes, REF_ATTRIBUTE],
        size_limit=0,
        time_limit=0,
        types_only=False,
        auto_escape=True,
        auto_encode=False,
    )
    page = partial(
        _search_page,
        connection,
        request,
        scope=scope,
        on_referral=on_referral,
        counter=SearchCounter(),
        filter_text=filter_text,
    )
    for size in (0,) if scope == "base" else (_PAGE_SIZE, _SMALL_PAGE_SIZE, 0):
        done = yield from page(size=size, cookie=b"")
        # After entries were returned, the search cannot start again with other pages.
        if not size or done.result_code != ADMIN_LIMIT_EXCEEDED or done.entry_count:
            break
    while done.cookie:
        cookie = done.cookie
        done = yield from page(size=size, cookie=cookie)
        # A faulty server could continue this way for ever.
        if done.cookie == cookie and not done.entry_count:
            raise InvalidLdapMessage("the server repeatedly sends empty pages and never ends the search")
    raise_for_result(
        {"result": done.result_code, "message": done.message, "dn": done.matched_dn}, str(base) or "root DSE"
    )


def _search_page(
    connection: ldap3.Connection,
    request: object,
    *,
    scope: Scope,
    on_referral: Callable[[Referral], None],
    counter: SearchCounter,
    size: int,
    cookie: bytes,
    filter_text: str,
) -> Generator[list[bytes], None, SearchResultDone]:
    """Yield the entries of the page *cookie*, or of the whole search if *size* is 0; return its SearchResultDone."""
    # A server without paging must ignore the control, so it is not critical.
    controls = [paged_search_control(criticality=False, size=size, cookie=cookie)] if size else []
    if scope != "base":
        controls.append(build_control(MANAGE_DSA_IT, criticality=False, value=None))
    number: int = connection.send("searchRequest", request, controls or None)
    started, done = time.monotonic(), None
    response = read_search_entries(
        connection.socket.recv, number, counter, lambda urls: on_referral(Referral.from_reference(urls))
    )
    try:
        done = yield from response if scope == "base" else _separate_referrals(response, on_referral)
    finally:
        if PROTOCOL_LOG.level:
            _log_search(request, done, started, message_id=number, controls=controls, filter_text=filter_text)
        if done is None:  # the rest would be read as the response to the next request
            connection.strategy.close()
    return done


def _log_search(
    request: Any,
    done: SearchResultDone | None,
    started: float,
    *,
    message_id: int,
    controls: Sequence[Any],
    filter_text: str,
) -> None:
    """Log the search *request* of ldap3; *done* is None if its responses were not read completely."""
    scope = _SCOPE_NAMES.get(int(request["scope"]), "")
    count = "" if done is None else f", {done.entry_count} {'entry' if done.entry_count == 1 else 'entries'}"
    result = "not completely read" if done is None else f"{format_result(done.result_code)}{count}"
    PROTOCOL_LOG.log(LDAP, f"search {quote_dn(str(request['baseObject']))} {scope} {filter_text}", result, started)
    attributes = ", ".join(map(str, request["attributes"]))
    PROTOCOL_LOG.log_detail(LDAP, f"message ID {message_id}, attributes: {attributes}")
    oids = [str(control["controlType"]) for control in controls]
    if oids:
        PROTOCOL_LOG.log_detail(LDAP, f"controls: {', '.join(map(format_oid, oids))}")


def _separate_referrals(
    response: Generator[list[bytes], None, SearchResultDone], on_referral: Callable[[Referral], None]
) -> Generator[list[bytes], None, SearchResultDone]:
    """Yield the entries of *response* without referral entries, which go to *on_referral*; return its result."""
    while True:
        try:
            batch = next(response)
        except StopIteration as end:
            done: SearchResultDone = end.value
            return done
        referrals = {index: referral for index, octets in enumerate(batch) if (referral := Referral.from_entry(octets))}
        for referral in referrals.values():
            on_referral(referral)
        yield [octets for index, octets in enumerate(batch) if index not in referrals] if referrals else batch
