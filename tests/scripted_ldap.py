"""An LDAP server that lets everybody bind and then does what a test says."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from dcmcfg.ber import read_element
from tests.directory.ldap_responses import answer

_BIND_RESPONSE = 0x61

#: What to do with the connection once the client is bound.
Script = Callable[[socket.socket], None]


class ScriptedLdap:
    """A listener on loopback; *script* runs in a thread for its first connection."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            with client:
                client.settimeout(10)
                client.sendall(answer(number_of(client.recv(65536)), kind=_BIND_RESPONSE))
                self._script(client)


def number_of(message: bytes) -> int:
    """Return the message ID of the first LDAPMessage in *message*."""
    _, content, _ = read_element(message)
    _, number, _ = read_element(content)
    return int.from_bytes(number, "big")
