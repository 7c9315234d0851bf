"""A server of pynetdicom that stops at once: its own looks every half second whether it is to stop."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from socketserver import TCPServer
from threading import Thread
from typing import Any

from pynetdicom import AE
from pynetdicom.transport import ThreadedAssociationServer

_POLL_S = 0.02


@contextmanager
def served(
    entity: AE, address: tuple[str, int], handlers: Sequence[Any] = (), tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Have *entity* accept associations at *address* until the block ends; yield the port, a free one for 0."""
    server = entity.make_server(
        address, evt_handlers=list(handlers), ssl_context=tls, server_class=ThreadedAssociationServer
    )
    Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL_S}, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        TCPServer.shutdown(server)
        server.server_close()
