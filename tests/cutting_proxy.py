"""A TCP proxy that lets a request through to the server and loses the answer."""

from __future__ import annotations

import contextlib
import socket
import threading

from tests.relay import Relay, end

#: Silence after which a server has nothing more to say.
_QUIET_S = 0.05


class CuttingProxy(Relay):
    """Relays to *port* on loopback; once, when *after* occurs in a request, the answer to that is cut off.

    *letting_through* octets of that answer still arrive. Connections after the cut are relayed whole,
    or refused when *closing*. With *at_once* the client's side is cut as soon as the request has gone on to the
    server, which knows nothing of it.
    """

    def __init__(
        self, port: int, *, after: bytes, letting_through: int = 0, closing: bool = False, at_once: bool = False
    ) -> None:
        super().__init__(port)
        self._after = after
        self._letting_through = letting_through
        self._closing = closing
        self._at_once = at_once
        self._cut = threading.Event()

    @property
    def has_cut(self) -> bool:
        return self._cut.is_set()

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        cutting = threading.Event()
        threading.Thread(target=self._requests, args=(client, server, cutting), daemon=True).start()
        threading.Thread(target=self._answers, args=(client, server, cutting), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, cutting: threading.Event) -> None:
        while data := _received(client):
            if self._after in data and not self._cut.is_set():
                self._cut.set()
                cutting.set()
                if self._closing:
                    self._refuse()
            server.sendall(data)
            if self._at_once and cutting.is_set():
                end(client)
                return
        if not cutting.is_set():
            end(server)

    def _answers(self, client: socket.socket, server: socket.socket, cutting: threading.Event) -> None:
        remaining = self._letting_through
        while data := _received(server):
            if cutting.is_set():
                if not remaining:
                    break
                data, remaining = data[:remaining], max(0, remaining - len(data))
            client.sendall(data)
        end(client)
        _let_finish(server)
        end(server)


def _let_finish(server: socket.socket) -> None:
    """Hear slapd out: 2.5.13 may crash when the connection ends while it answers a member of a transaction."""
    with contextlib.suppress(OSError):  # the other thread may have ended it
        server.settimeout(_QUIET_S)
        while _received(server):
            pass


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""
