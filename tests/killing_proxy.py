"""A TCP proxy that counts the requests of an LDAP client, and kills the client at one of them, or looks at each."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator

from dcmcfg.directory.transaction import END_TRANSACTION_OID, NONEXISTENT_VALUE, START_TRANSACTION_OID
from tests.relay import Relay, end

#: RFC 4511 protocolOps that may change something: modify, add, delete, modify DN, extended.
WRITES = frozenset({0x66, 0x68, 0x4A, 0x6C, 0x77})
#: And those that read: search.
READS = frozenset({0x63})


class KillingProxy(Relay):
    """Relays to *port* on loopback; the client is killed at request number *at* (from 1) of the kinds *counted*.
    What can change nothing does not count: waiting for others (:mod:`dcmcfg.rollout.reconciliation`), the begin of a
    transaction, and its end without commit.

    Before the server has got it, or (*answered*) when the server has answered it and before the client hears of that.
    """

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.let_live()

    def kill_at(self, request_number: int, *, answered: bool, counted: frozenset[int] = WRITES) -> None:
        self._at, self._answered, self._counted = request_number, answered, counted
        self._count, self.has_killed = 0, False
        self._victim: int | None = None
        self._known = threading.Event()
        self._look: Callable[[int, bool], None] | None = None

    def let_live(self) -> None:
        self.kill_at(0, answered=False)

    def look_at_each(self, look: Callable[[int, bool], None]) -> None:
        """Have *look* called at each write, twice: before the server has it, and before the client hears the answer.

        The client waits meanwhile, so that everything is as if it had been killed there. One look at a time: of the
        members of a transaction several are under way at once.
        """
        self.let_live()
        looking = threading.Lock()

        def alone(number: int, answered: bool) -> None:
            with looking:
                look(number, answered)

        self._look = alone

    def victim_is(self, pid: int) -> None:
        self._victim = pid
        self._known.set()

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        fatal: dict[int, int] = {}
        threading.Thread(target=self._requests, args=(client, server, fatal), daemon=True).start()
        threading.Thread(target=self._answers, args=(client, server, fatal), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, fatal: dict[int, int]) -> None:
        with contextlib.suppress(OSError):
            for message, number, operation in _messages(client):
                if operation in self._counted and not _changes_nothing(message):
                    self._count += 1
                    if self._count == self._at and not self._answered:
                        self._kill()
                        break
                    if self._count == self._at or self._look:
                        fatal[number] = self._count
                    if self._look:
                        self._look(self._count, False)
                server.sendall(message)
        end(server)

    def _answers(self, client: socket.socket, server: socket.socket, fatal: dict[int, int]) -> None:
        with contextlib.suppress(OSError):
            for message, number, _ in _messages(server):
                if number in fatal and self._look:
                    self._look(fatal[number], True)
                elif number in fatal:
                    self._kill()
                    break
                client.sendall(message)
        end(client)
        end(server)

    def _kill(self) -> None:
        assert self._known.wait(10)
        assert self._victim
        self.has_killed = True
        os.kill(self._victim, signal.SIGKILL)


def _changes_nothing(message: bytes) -> bool:
    aborts = (
        END_TRANSACTION_OID.encode() in message and b"\x01\x01\x00\x04" in message
    )  # commit FALSE, then the identifier
    return aborts or NONEXISTENT_VALUE in message or START_TRANSACTION_OID.encode() in message


def _messages(source: socket.socket) -> Iterator[tuple[bytes, int, int]]:
    """Yield each LDAPMessage with its ID and the tag of its protocolOp."""
    buffer = b""
    while data := source.recv(65536):
        buffer += data
        while (length := _length(buffer)) and len(buffer) >= length:
            message, buffer = buffer[:length], buffer[length:]
            body = 2 + (message[1] & 0x7F if message[1] >= 0x80 else 0)
            size = message[body + 1]
            yield message, int.from_bytes(message[body + 2 : body + 2 + size], "big"), message[body + 2 + size]


def _length(data: bytes) -> int:
    """Return how long the element is that *data* begins with; 0 when that cannot be said yet."""
    if len(data) < 2 or (data[1] >= 0x80 and len(data) < 2 + (data[1] & 0x7F)):
        return 0
    if data[1] < 0x80:
        return 2 + data[1]
    octets = data[1] & 0x7F
    return 2 + octets + int.from_bytes(data[2 : 2 + octets], "big")
