"""A socket from which ldap3 receives no more than a limit: it waits for messages of any length."""

from __future__ import annotations

import socket
from typing import Any

from dcmcfg.errors import DirectoryError
from dcmcfg.limits import Limit


class BoundedSocket:
    """The socket *wrapped_socket*, but receiving more than *limit* raises :class:`DirectoryError`."""

    def __init__(self, wrapped_socket: socket.socket, limit: Limit, url: str) -> None:
        self.wrapped_socket = wrapped_socket
        self._limit = limit
        self._remaining = limit.maximum
        self._url = url

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped_socket, name)

    def recv(self, size: int) -> bytes:
        """Return what has come, as the socket does."""
        received = self.wrapped_socket.recv(size)
        self._remaining -= len(received)
        if self._remaining < 0:
            raise DirectoryError(
                f"the directory server does not come to an end: more than {self._limit.format_maximum()} "
                f"{self._limit.description}",
                subject=self._url,
                next_step=self._limit.next_step,
            )
        return received
