"""A storage SCP that counts what arrives (PS3.4 Annex B)."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.dicom.arrivals import Arrivals, ReceivedInstance
from dcmcfg.dicom.keep import Folder
from dcmcfg.dicom.listening import listener_of, own_addresses
from dcmcfg.dicom.peer import Timeouts
from dcmcfg.dicom.serving import Server
from dcmcfg.dicom.storage_service import StorageScp
from dcmcfg.errors import DicomError

__all__ = ["ReceivedInstance", "Receiver"]


def _ignore(instance: ReceivedInstance) -> None:
    """Take no notice."""


class Receiver:
    """Listens as an AE from ``__enter__`` to ``__exit__``, answers C-ECHO and C-STORE.

    Accepts every storage SOP class, private ones too, in the transfer syntax that the sender proposes first,
    and answers each C-STORE with 0000. Calls to another AE title are rejected (1/1/7). With *keep* each instance is
    written to that folder, and answered with A700 where it cannot be; otherwise nothing is kept. With *tls* a caller
    must speak it. With *sha256* the digest of each data set is told. *on_received* is called in the association's
    thread.

    ``__enter__`` raises :class:`DicomError` when *host* is another machine, the port is taken (by whom is said) or not
    allowed, or *keep* cannot be written in, and :class:`MalformedInput` for an AE title that is none. Port 0 takes
    any free one; ``port`` says which.
    """

    def __init__(
        self,
        ae_title: str,
        host: str,
        port: int,
        timeouts: Timeouts,
        on_received: Callable[[ReceivedInstance], None] = _ignore,
        *,
        keep: Path | None = None,
        sha256: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.ae_title = parse_ae_title(ae_title)
        self.host = host
        self.port = port
        self._timeouts = timeouts
        self._on_received = on_received
        self._keep = keep
        self._sha256 = sha256
        self._tls = tls
        self._arrivals = Arrivals()
        self._server: Server | None = None
        #: When listening began; None before.
        self.since: datetime | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.ae_title}@{host}:{self.port}"

    @property
    def received(self) -> tuple[ReceivedInstance, ...]:
        """What has arrived so far, in order; an instance that came twice is there twice."""
        return self._arrivals.all()

    @property
    def number(self) -> int:
        """How many instances have arrived so far, as often as they came."""
        return self._arrivals.number()

    @property
    def troubles(self) -> tuple[str, ...]:
        """Who was turned away or cut off, and why; each line once."""
        return self._arrivals.troubles()

    def take(self, wanted: Callable[[ReceivedInstance], bool]) -> tuple[ReceivedInstance, ...]:
        """Remove what has arrived and is *wanted*, and return it in order; arrivals wait meanwhile."""
        return self._arrivals.take(wanted)

    def wait_until(self, enough: Callable[[Sequence[ReceivedInstance]], bool], seconds: float) -> bool:
        """Wait at most *seconds* until *enough* is true of what has arrived; tell whether it is.

        It is asked at each arrival, which waits meanwhile, of a list that it is not to keep.
        """
        return self._arrivals.wait_until(enough, seconds)

    def __enter__(self) -> Self:
        addresses = own_addresses(self.host)
        if not addresses:
            raise DicomError(
                "that host is not this machine, so nothing can be received there",
                on=str(self),
                next_step="run on that machine, or correct dicomHostname of the AE's connection in LDAP",
            )
        folder = None if self._keep is None else Folder(self._keep)
        scp = StorageScp(
            self.ae_title,
            self._timeouts,
            self._add,
            self._arrivals.note,
            self._sha256,
            folder,
            self._arrivals.number,
        )
        server = Server(scp, self._tls)
        try:
            for address in addresses:
                self.port = server.listen(address, self.port)
        except OSError as error:
            server.stop()
            raise self._cannot_listen(error) from error
        server.start()
        self._server = server
        self.since = datetime.now(UTC)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop()

    def _cannot_listen(self, error: OSError) -> DicomError:
        if error.errno == errno.EADDRINUSE:
            return DicomError(
                f"port {self.port} is taken by {listener_of(self.port) or 'another process'}",
                on=str(self),
                next_step="is that the destination itself? --temporary-dest instead of --dest receives at another "
                "place; or verify without --receive",
            )
        if error.errno == errno.EACCES:
            return DicomError(
                f"this user may not listen on port {self.port}",
                on=str(self),
                next_step="ports below 1024 need root; give the AE another port in LDAP",
            )
        return DicomError(
            f"cannot listen ({error.strerror or error})", on=str(self), next_step="check its host and port"
        )

    def _add(self, instance: ReceivedInstance) -> None:
        self._arrivals.add(instance)
        self._on_received(instance)
