"""Send requests and receive responses over the socket of a connection that ldap3 opened, secured and bound.

ldap3 is not used for this, because it takes more time to encode a request than the server to process it.
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

from dcmcfg.directory.failures import NO_ANSWER_STEP, LdapResponseTimeout
from dcmcfg.directory.messages import UNSOLICITED_MESSAGE_ID, InvalidResponse, LdapResponse, ResponseBuffer
from dcmcfg.directory.request_log import LDAP, RequestDescription, describe_request, format_result
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.errors import ConnectionLost, DirectoryError
from dcmcfg.protocol_log import PROTOCOL_LOG
from dcmcfg.slow_response import OnWait, describe_wait

#: Message ID → the octets of the request with this ID.
RequestEncoder = Callable[[int], bytes]

_CHUNK_SIZE = 65536
_NOTICE_OF_DISCONNECTION = "1.3.6.1.4.1.1466.20036"


class Exchange:
    """The requests and responses on one connection; *on_wait* is called with a line when a response is slow.

    Nothing else may use the connection while requests are pending. :meth:`send_request` and :meth:`collect_responses`
    close the connection and raise :class:`ConnectionLost` if it ends or sends an invalid response; pending requests may
    have been processed then.
    """

    def __init__(self, connection: ldap3.Connection, server: LdapServerSettings, on_wait: OnWait | None = None) -> None:
        if connection.closed or connection.socket is None:
            raise DirectoryError("the connection to the LDAP server was closed", subject=server.url)
        self._connection = connection
        self._socket: socket.socket = connection.socket
        self._server = server
        self._on_wait = on_wait
        self._outgoing = bytearray()
        self._incoming = ResponseBuffer()
        self._pending: set[int] = set()
        self._logged: dict[int, tuple[RequestDescription, float]] = {}  # by message ID, with the time of the request

    @property
    def pending_count(self) -> int:
        """The number of queued requests without a response."""
        return len(self._pending)

    def send_request(self, request: RequestEncoder) -> LdapResponse:
        """Send *request*, while no other one is pending, and return the response."""
        self.queue_request(request)
        (response,) = self.collect_responses()
        return response

    def queue_request(self, request: RequestEncoder) -> int:
        """Queue *request* for the next :meth:`collect_responses`; return its message ID."""
        # ldap3 sends requests on the same connection too, so both use its counter.
        number: int = self._connection.server.next_message_id()
        octets = request(number)
        if PROTOCOL_LOG.level:
            self._logged[number] = describe_request(octets), time.monotonic()
        self._outgoing += octets
        self._pending.add(number)
        return number

    def collect_responses(self, max_pending: int = 0) -> list[LdapResponse]:
        """Send queued requests, and return the responses until at most *max_pending* requests are pending.

        Sending and receiving alternate as the socket allows, so that neither peer waits for the other to read first.
        """
        responses: list[LdapResponse] = []
        with self._nonblocking_socket():
            while self._outgoing or len(self._pending) > max_pending:
                awaited = {_try_io(self._send, _SocketEvent.WRITABLE)} if self._outgoing else set()
                awaited.add(_try_io(self._receive, _SocketEvent.READABLE))
                responses += map(self._match_response, self._incoming.pop_responses())
                # One of the operations made progress, so the next one may succeed at once.
                if None not in awaited:
                    self._wait(awaited)
        return responses

    def _send(self) -> None:
        sent = self._socket.send(self._outgoing[:_CHUNK_SIZE])
        del self._outgoing[:sent]

    def _receive(self) -> None:
        received = self._socket.recv(_CHUNK_SIZE)
        if not received:
            raise ConnectionLost("closed by the server")
        self._incoming.add(received)

    def _wait(self, awaited: Container[_SocketEvent | None]) -> None:
        to_read = [self._socket] if _SocketEvent.READABLE in awaited else []
        to_write = [self._socket] if _SocketEvent.WRITABLE in awaited else []
        timeout_s = self._connection.receive_timeout
        # A change waits here once a request, so there is no thread with a timer.
        slow_after_s = min(self._server.slow_after_s, timeout_s)
        if any(select.select(to_read, to_write, [], slow_after_s)):
            return
        if self._on_wait is not None:
            self._on_wait(describe_wait(self._server.url))
        if not any(select.select(to_read, to_write, [], timeout_s - slow_after_s)):
            raise TimeoutError

    def _match_response(self, response: LdapResponse) -> LdapResponse:
        """Return *response*; raise if it does not belong to a pending request."""
        if response.message_id in self._pending:
            self._pending.remove(response.message_id)
            if response.message_id in self._logged:
                self._log(response.message_id, format_result(response.result_code))
            return response
        if response.message_id == UNSOLICITED_MESSAGE_ID and response.name == _NOTICE_OF_DISCONNECTION:
            reason = " ".join(response.message.split())
            raise ConnectionLost(f"closed by the server: {reason or 'no reason given'}")
        raise InvalidResponse(f"response to unknown request {response.message_id}")

    def _log(self, message_id: int, result: str) -> None:
        description, started = self._logged.pop(message_id)
        PROTOCOL_LOG.log(LDAP, description.headline, result, started)
        for detail in description.details:
            PROTOCOL_LOG.log_detail(LDAP, detail)

    @contextmanager
    def _nonblocking_socket(self) -> Iterator[None]:
        """Make the socket non-blocking inside the block; any error closes the connection."""
        limit = self._socket.gettimeout()
        try:
            self._socket.settimeout(0)
            yield
            # ldap3 uses the same socket, with its own time-out.
            self._socket.settimeout(limit)
        except TimeoutError as error:
            raise self._close_as_lost("no answer in time", LdapResponseTimeout, NO_ANSWER_STEP) from error
        except InvalidResponse as error:
            raise self._close_as_lost(f"invalid LDAP response: {error}") from error
        except OSError as error:
            raise self._close_as_lost(" ".join(str(error).split())) from error
        except ConnectionLost as error:
            raise self._close_as_lost(error.message) from error

    def _close_as_lost(
        self, reason: str, error_class: type[ConnectionLost] = ConnectionLost, next_step: str = ""
    ) -> ConnectionLost:
        for message_id in tuple(self._logged):
            self._log(message_id, f"no result: {reason}")
        # The connection is lost, so no unbind request is sent.
        with suppress(LDAPExceptionError, OSError):
            self._connection.strategy.close()
        return error_class(
            f"the connection to the LDAP server was lost: {reason}", subject=self._server.url, next_step=next_step
        )


class _SocketEvent(Enum):
    """The events for which a socket can be awaited."""

    READABLE = "to read"
    WRITABLE = "to write"


def _try_io(operation: Callable[[], None], blocked_event: _SocketEvent) -> _SocketEvent | None:
    """Run *operation*; return None, or the event that it waits for: TLS may require a read before it can write."""
    try:
        operation()
    except ssl.SSLWantReadError:
        return _SocketEvent.READABLE
    except ssl.SSLWantWriteError:
        return _SocketEvent.WRITABLE
    except BlockingIOError:
        return blocked_event
    return None
