"""A socket from which ldap3 receives no more than a limit: it waits for messages of any length."""

from __future__ import annotations

import socket
from typing import Any

from dcmcfg.errors import DirectoryError
from dcmcfg.limits import Limit


class BoundedSocket:
    """Everything that the socket *whole* is, but that receiving more than *limit* raises :class:`DirectoryError`."""

    def __init__(self, whole: socket.socket, limit: Limit, url: str) -> None:
        self.whole = whole
        self._limit = limit
        self._left = limit.most
        self._url = url

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)

    def recv(self, size: int) -> bytes:
        """Return what has come, as the socket does."""
        received = self.whole.recv(size)
        self._left -= len(received)
        if self._left < 0:
            raise DirectoryError(
                f"the directory server does not come to an end: more than {self._limit.spelt()} {self._limit.what}",
                on=self._url,
                next_step=self._limit.next_step,
            )
        return received
