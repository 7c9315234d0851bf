"""A TCP proxy that kills its client when certain octets pass."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading

from tests.relay import Relay, end


class KillingRelay(Relay):
    """Relays to *port* on loopback; whoever sends *octets* for the *at*-th time (from 1) is killed.

    Before they are passed on, or (*answered*) when something has come back and before the client has it.
    """

    def __init__(self, port: int, octets: bytes, host: str = "127.0.0.1") -> None:
        super().__init__(port, host)
        self._octets = octets
        self.at_port = self._listener.getsockname()[1]
        self.kill(0, victim=0, answered=False)

    def kill(self, request_number: int, *, victim: int, answered: bool) -> None:
        self._at, self._victim, self._answered, self._count = request_number, victim, answered, 0

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        fatal = threading.Event()
        threading.Thread(target=self._requests, args=(client, server, fatal), daemon=True).start()
        threading.Thread(target=self._answers, args=(client, server, fatal), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, fatal: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self._octets in data:
                    self._count += 1
                    if self._count == self._at and not self._answered:
                        os.kill(self._victim, signal.SIGKILL)
                        break
                    if self._count == self._at:
                        fatal.set()
                server.sendall(data)
        end(server)

    def _answers(self, client: socket.socket, server: socket.socket, fatal: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if fatal.is_set():
                    os.kill(self._victim, signal.SIGKILL)
                    break
                client.sendall(data)
        end(client)
        end(server)
