"""Requests out and answers in, over the socket of a connection that ldap3 opened, secured and bound.

ldap3 itself spends more time on encoding a request than the server on carrying it out.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from enum import Enum

import ldap3
from ldap3.core.exceptions import LDAPExceptionError

from dcmcfg.directory.failures import NoAnswerInTime
from dcmcfg.directory.messages import UNSOLICITED, Incoming, NotAnAnswer, Response
from dcmcfg.errors import ConnectionLost, DirectoryError

#: A message ID → the octets of the request under it.
Request = Callable[[int], bytes]

_PIECE = 65536
_NOTICE_OF_DISCONNECTION = "1.3.6.1.4.1.1466.20036"


class Exchange:
    """Requests on one connection, and the answers to them.

    Nothing else may use the connection while requests are unanswered. :meth:`ask` and :meth:`answers` raise
    :class:`ConnectionLost` when the connection ends, or carries what is no answer, and close it: what was posted may
    have been carried out.
    """

    def __init__(self, connection: ldap3.Connection, url: str) -> None:
        if connection.closed or connection.socket is None:
            raise DirectoryError("the connection to the LDAP server was closed", on=url)
        self._connection = connection
        self._socket: socket.socket = connection.socket
        self._url = url
        self._outgoing = bytearray()
        self._incoming = Incoming()
        self._unanswered: set[int] = set()

    @property
    def unanswered(self) -> int:
        """How many of the requests posted have no answer yet."""
        return len(self._unanswered)

    def ask(self, request: Request) -> Response:
        """Send *request*, with no other under way, and return the answer to it."""
        self.post(request)
        (answer,) = self.answers()
        return answer

    def post(self, request: Request) -> int:
        """Have *request* go out with the next :meth:`answers`; return its message ID."""
        number: int = self._connection.server.next_message_id()
        self._outgoing += request(number)
        self._unanswered.add(number)
        return number

    def answers(self, unanswered: int = 0) -> list[Response]:
        """Send what was posted; return the answers that arrive until at most so many requests are *unanswered*.

        Sending and receiving take turns as the socket allows: neither side waits for the other to read first.
        """
        found: list[Response] = []
        with self._never_blocking():
            while self._outgoing or len(self._unanswered) > unanswered:
                awaited = {_attempt(self._send, _Ready.TO_WRITE)} if self._outgoing else set()
                awaited.add(_attempt(self._receive, _Ready.TO_READ))
                found += map(self._expected, self._incoming.take())
                if None not in awaited:
                    self._wait(awaited)
        return found

    def _send(self) -> None:
        sent = self._socket.send(self._outgoing[:_PIECE])
        del self._outgoing[:sent]

    def _receive(self) -> None:
        received = self._socket.recv(_PIECE)
        if not received:
            raise ConnectionLost("the server ended it")
        self._incoming.add(received)

    def _wait(self, awaited: Container[_Ready | None]) -> None:
        to_read = [self._socket] if _Ready.TO_READ in awaited else []
        to_write = [self._socket] if _Ready.TO_WRITE in awaited else []
        if not any(select.select(to_read, to_write, [], self._connection.receive_timeout)):
            raise TimeoutError

    def _expected(self, answer: Response) -> Response:
        """Return *answer*, which must be one to a request of ours."""
        if answer.number in self._unanswered:
            self._unanswered.remove(answer.number)
            return answer
        if answer.number == UNSOLICITED and answer.name == _NOTICE_OF_DISCONNECTION:
            said = " ".join(answer.message.split())
            raise ConnectionLost(f"the server ended it: {said or 'it gave no reason'}")
        raise NotAnAnswer(f"it answered request {answer.number}, which was not made")

    @contextmanager
    def _never_blocking(self) -> Iterator[None]:
        """Run with a socket that never waits; what goes wrong meanwhile ends the connection."""
        limit = self._socket.gettimeout()
        try:
            self._socket.settimeout(0)
            yield
            self._socket.settimeout(limit)
        except TimeoutError as error:
            raise self._lost("no answer in time", NoAnswerInTime) from error
        except NotAnAnswer as error:
            raise self._lost(f"that was no LDAP answer: {error}") from error
        except OSError as error:
            raise self._lost(" ".join(str(error).split())) from error
        except ConnectionLost as error:
            raise self._lost(error.what) from error

    def _lost(self, why: str, kind: type[ConnectionLost] = ConnectionLost) -> ConnectionLost:
        with suppress(LDAPExceptionError, OSError):
            self._connection.strategy.close()
        return kind(f"the connection to the LDAP server was lost: {why}", on=self._url)


class _Ready(Enum):
    """What a socket can be ready for."""

    TO_READ = "to read"
    TO_WRITE = "to write"


def _attempt(act: Callable[[], None], needs: _Ready) -> _Ready | None:
    """Return None when *act* went on, else what it waits for; TLS may have to read in order to write, or vice versa."""
    try:
        act()
    except ssl.SSLWantReadError:
        return _Ready.TO_READ
    except ssl.SSLWantWriteError:
        return _Ready.TO_WRITE
    except BlockingIOError:
        return needs
    return None
