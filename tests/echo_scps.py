"""Storage-less SCPs on loopback that answer C-ECHO, and sockets that stand for dead hosts."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from tests.dicom.dcmtk import LOOPBACK
from tests.dicom.serving import served

#: A name that no name service knows (RFC 6761).
UNKNOWN_HOST = "host.invalid"


@contextmanager
def echo_scp(
    title: str,
    *,
    only: bool = False,
    addresses: Sequence[str] = (LOOPBACK,),
    handlers: Sequence[Any] = (),
    tls: ssl.SSLContext | None = None,
) -> Iterator[int]:
    """Answer C-ECHO at one port of each of *addresses*, which is yielded; *only* under the title *title*."""
    entity = AE(title)
    entity.add_supported_context(Verification)
    entity.require_called_aet = only
    entity.maximum_associations = 50
    port = 0
    with ExitStack() as stack:
        stack.callback(entity.shutdown)
        for address in addresses:
            port = stack.enter_context(served(entity, (address, port), handlers, tls))
        yield port


@contextmanager
def silent_listener() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server((LOOPBACK, 0), backlog=128) as listener:
        yield listener.getsockname()[1]
