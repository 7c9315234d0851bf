"""Requests out and answers in, over the socket of a connection that ldap3 opened, secured and bound.

ldap3 itself spends more time on encoding a request than the server on carrying it out.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from enum import Enum

import ldap3
from ldap3.core.exceptions import LDAPExceptionError

from dcmcfg.directory.failures import LdapResponseTimeout
from dcmcfg.directory.messages import UNSOLICITED_MESSAGE_ID, InvalidResponse, LdapResponse, ResponseBuffer
from dcmcfg.directory.request_log import LDAP, RequestDescription, describe_request, format_result
from dcmcfg.errors import ConnectionLost, DirectoryError
from dcmcfg.protocol_log import PROTOCOL_LOG

#: A message ID → the octets of the request under it.
RequestEncoder = Callable[[int], bytes]

_CHUNK_SIZE = 65536
_NOTICE_OF_DISCONNECTION = "1.3.6.1.4.1.1466.20036"


class Exchange:
    """Requests on one connection, and the answers to them.

    Nothing else may use the connection while requests are unanswered. :meth:`send_request` and
    :meth:`collect_responses` raise :class:`ConnectionLost` when the connection ends, or carries what is no answer, and
    close it: what was posted may have been carried out.
    """

    def __init__(self, connection: ldap3.Connection, url: str) -> None:
        if connection.closed or connection.socket is None:
            raise DirectoryError("the connection to the LDAP server was closed", subject=url)
        self._connection = connection
        self._socket: socket.socket = connection.socket
        self._url = url
        self._outgoing = bytearray()
        self._incoming = ResponseBuffer()
        self._pending: set[int] = set()
        self._logged: dict[int, tuple[RequestDescription, float]] = {}  # by message ID, with the time of the request

    @property
    def pending_count(self) -> int:
        """How many of the requests posted have no answer yet."""
        return len(self._pending)

    def send_request(self, request: RequestEncoder) -> LdapResponse:
        """Send *request*, with no other under way, and return the answer to it."""
        self.queue_request(request)
        (response,) = self.collect_responses()
        return response

    def queue_request(self, request: RequestEncoder) -> int:
        """Have *request* go out with the next :meth:`collect_responses`; return its message ID."""
        number: int = self._connection.server.next_message_id()
        octets = request(number)
        if PROTOCOL_LOG.level:
            self._logged[number] = describe_request(octets), time.monotonic()
        self._outgoing += octets
        self._pending.add(number)
        return number

    def collect_responses(self, max_pending: int = 0) -> list[LdapResponse]:
        """Send what was posted; return the answers that come until at most *max_pending* requests are unanswered.

        Sending and receiving take turns as the socket allows: neither side waits for the other to read first.
        """
        responses: list[LdapResponse] = []
        with self._nonblocking_socket():
            while self._outgoing or len(self._pending) > max_pending:
                awaited = {_try_io(self._send, _SocketEvent.WRITABLE)} if self._outgoing else set()
                awaited.add(_try_io(self._receive, _SocketEvent.READABLE))
                responses += map(self._match_response, self._incoming.pop_responses())
                if None not in awaited:
                    self._wait(awaited)
        return responses

    def _send(self) -> None:
        sent = self._socket.send(self._outgoing[:_CHUNK_SIZE])
        del self._outgoing[:sent]

    def _receive(self) -> None:
        received = self._socket.recv(_CHUNK_SIZE)
        if not received:
            raise ConnectionLost("the server ended it")
        self._incoming.add(received)

    def _wait(self, awaited: Container[_SocketEvent | None]) -> None:
        to_read = [self._socket] if _SocketEvent.READABLE in awaited else []
        to_write = [self._socket] if _SocketEvent.WRITABLE in awaited else []
        if not any(select.select(to_read, to_write, [], self._connection.receive_timeout)):
            raise TimeoutError

    def _match_response(self, response: LdapResponse) -> LdapResponse:
        """Return *response*, which must be one to a request of ours."""
        if response.message_id in self._pending:
            self._pending.remove(response.message_id)
            if response.message_id in self._logged:
                self._log(response.message_id, format_result(response.result_code))
            return response
        if response.message_id == UNSOLICITED_MESSAGE_ID and response.name == _NOTICE_OF_DISCONNECTION:
            reason = " ".join(response.message.split())
            raise ConnectionLost(f"the server ended it: {reason or 'it gave no reason'}")
        raise InvalidResponse(f"it answered request {response.message_id}, which was not made")

    def _log(self, message_id: int, result: str) -> None:
        description, started = self._logged.pop(message_id)
        PROTOCOL_LOG.log(LDAP, description.headline, result, started)
        for detail in description.details:
            PROTOCOL_LOG.log_detail(LDAP, detail)

    @contextmanager
    def _nonblocking_socket(self) -> Iterator[None]:
        """Run with a socket that never waits; what goes wrong meanwhile ends the connection."""
        limit = self._socket.gettimeout()
        try:
            self._socket.settimeout(0)
            yield
            self._socket.settimeout(limit)
        except TimeoutError as error:
            raise self._close_as_lost("no answer in time", LdapResponseTimeout) from error
        except InvalidResponse as error:
            raise self._close_as_lost(f"that was no LDAP answer: {error}") from error
        except OSError as error:
            raise self._close_as_lost(" ".join(str(error).split())) from error
        except ConnectionLost as error:
            raise self._close_as_lost(error.message) from error

    def _close_as_lost(self, reason: str, error_class: type[ConnectionLost] = ConnectionLost) -> ConnectionLost:
        for message_id in tuple(self._logged):
            self._log(message_id, f"no result: {reason}")
        with suppress(LDAPExceptionError, OSError):
            self._connection.strategy.close()
        return error_class(f"the connection to the LDAP server was lost: {reason}", subject=self._url)


class _SocketEvent(Enum):
    """What a socket can be ready for."""

    READABLE = "to read"
    WRITABLE = "to write"


def _try_io(operation: Callable[[], None], blocked_event: _SocketEvent) -> _SocketEvent | None:
    """Return None when *operation* went on, else what it waits for: TLS may have to read before it can write."""
    try:
        operation()
    except ssl.SSLWantReadError:
        return _SocketEvent.READABLE
    except ssl.SSLWantWriteError:
        return _SocketEvent.WRITABLE
    except BlockingIOError:
        return blocked_event
    return None
