"""Requests and answers over a connection, with servers that misbehave."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from dcmcfg.ber import read_element
from dcmcfg.changes import Delete, Modification, Modify, Operation
from dcmcfg.directory.exchange import Exchange
from dcmcfg.directory.failures import LdapResponseTimeout
from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.directory.messages import encode_change_request
from dcmcfg.dn import DN
from dcmcfg.errors import ConnectionLost, DirectoryError
from tests.connecting import server_at
from tests.directory.ldap_responses import DELETED, EXTENDED, NOTICE_OF_DISCONNECTION, answer
from tests.patience import PATIENCE_S
from tests.scripted_ldap import ScriptedLdap, number_of

CHANGE = Delete(DN.parse("cn=a,dc=dcm4che,dc=org"))


def failure_of_change(script: Callable[[socket.socket, int], None], *, receive_timeout_s: int = 60) -> DirectoryError:
    """What is told of a change to which the server does as *script* (connection, message ID) says."""

    def serve(client: socket.socket) -> None:
        script(client, number_of(client.recv(65536)))

    with (
        ScriptedLdap(serve) as server,
        connect(server_at(server.port, receive_timeout_s=receive_timeout_s)) as directory,
        pytest.raises(DirectoryError) as failure,
    ):
        directory.apply(CHANGE)
    return failure.value


def test_a_notice_of_disconnection_is_told_with_its_reason_and_leaves_the_outcome_open() -> None:
    notice = answer(0, 52, kind=EXTENDED, message="going  down", name=NOTICE_OF_DISCONNECTION)
    failure = failure_of_change(lambda client, _: client.sendall(notice))
    assert isinstance(failure, ConnectionLost)
    assert "closed by the server: going down" in failure.message


def test_an_answer_that_is_cut_short_leaves_the_outcome_open() -> None:
    failure = failure_of_change(lambda client, number: client.sendall(answer(number)[:-3]))
    assert isinstance(failure, ConnectionLost)


def test_garbage_leaves_the_outcome_open() -> None:
    failure = failure_of_change(lambda client, _: client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"))
    assert isinstance(failure, ConnectionLost)
    assert "invalid LDAP response" in failure.message


def test_an_answer_to_something_else_leaves_the_outcome_open() -> None:
    failure = failure_of_change(lambda client, number: client.sendall(answer(number + 1)))
    assert isinstance(failure, ConnectionLost)


def test_a_referral_names_the_server_that_may_be_written() -> None:
    failure = failure_of_change(
        lambda client, number: client.sendall(answer(number, 10, referrals=("ldap://provider/dc=org",)))
    )
    assert failure.result_code == 10
    assert failure.next_step.endswith(": ldap://provider/dc=org")


def test_no_answer_in_time_says_so() -> None:
    failure = failure_of_change(lambda *_: time.sleep(2), receive_timeout_s=1)
    assert isinstance(failure, LdapResponseTimeout)
    assert failure.next_step.startswith("the server may hang or be overloaded")


def apply_change(directory: LdapDirectory) -> None:
    directory.apply(CHANGE)


def search_entry(directory: LdapDirectory) -> None:
    assert directory.read(CHANGE.dn, "base") == ()


@pytest.mark.parametrize(("request_response", "kind"), [(apply_change, DELETED), (search_entry, 0x65)])
def test_a_slow_response_is_reported(request_response: Callable[[LdapDirectory], None], kind: int) -> None:
    lines: list[str] = []
    is_reported = threading.Event()

    def report(line: str) -> None:
        lines.append(line)
        is_reported.set()

    def serve(client: socket.socket) -> None:
        number = number_of(client.recv(65536))
        is_reported.wait(PATIENCE_S)
        client.sendall(answer(number, kind=kind))

    with ScriptedLdap(serve) as server:
        settings = server_at(server.port, slow_after_s=0.1)
        with connect(settings, on_wait=report) as directory:
            # On a loaded machine, the bind is slow too.
            lines.clear()
            is_reported.clear()
            request_response(directory)
    assert lines == [f"no response yet from {settings.url}; waiting"]


def test_after_a_lost_answer_nothing_more_is_sent_on_the_connection() -> None:
    def garbage(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(b"garbage")
        assert client.recv(65536) == b""

    with ScriptedLdap(garbage) as server, connect(server_at(server.port)) as directory:
        with pytest.raises(ConnectionLost):
            directory.apply(CHANGE)
        with pytest.raises(DirectoryError, match="was closed") as closed:
            directory.apply(CHANGE)
        assert not isinstance(closed.value, ConnectionLost)


def exchange_of(directory: LdapDirectory) -> Exchange:
    return directory._start_exchange()


def test_neither_side_waits_for_the_other_to_read_first() -> None:
    """Both ways more is under way than the sockets hold, and the server does not read while it cannot write."""
    count, diagnostic = 200, "x" * 60_000

    def serve(client: socket.socket) -> None:
        pending, answered = b"", 0
        while answered < count:
            pending += client.recv(65536)
            with contextlib.suppress(ValueError):
                while pending:
                    _, _, end = read_element(pending)
                    client.sendall(answer(number_of(pending), message=diagnostic))
                    pending, answered = pending[end:], answered + 1

    large = Modify(CHANGE.dn, (Modification(Operation.REPLACE, "dicomVendorData", (b"y" * 60_000,)),))
    with ScriptedLdap(serve) as server, connect(server_at(server.port)) as directory:
        exchange = exchange_of(directory)
        posted = [exchange.queue_request(partial(encode_change_request, change=large)) for _ in range(count)]
        assert [each.message_id for each in exchange.collect_responses()] == posted
