"""A storage SCP that counts what arrives (PS3.4 Annex B)."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import zlib
from collections.abc import Callable
from io import BytesIO
from types import TracebackType
from typing import Self

from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID
from pynetdicom import AE, _config, evt
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.dicom.arrivals import Arrivals, ReceivedInstance
from dcmcfg.dicom.associate import abort
from dcmcfg.dicom.elements import text
from dcmcfg.dicom.listening import listener_of, own_addresses
from dcmcfg.dicom.peer import Timeouts
from dcmcfg.dicom.quiet import keep_quiet
from dcmcfg.dicom.trace import wait_for_rest_of_pdu
from dcmcfg.errors import DicomError

__all__ = ["ReceivedInstance", "Receiver"]

_STUDY_INSTANCE_UID = 0x0020000D
_MAXIMUM_ASSOCIATIONS = 100
_HEAD_OCTETS = 1 << 20


def _ignore(instance: ReceivedInstance) -> None:
    """Take no notice."""


class Receiver:
    """Listens as an AE from ``__enter__`` to ``__exit__``, answers C-ECHO and C-STORE, keeps no pixels.

    Accepts every storage SOP class, private ones too, in the transfer syntax that the sender proposes first,
    and answers each C-STORE with 0000. Calls to another AE title are rejected (1/1/7). *on_received* is
    called in the association's thread. ``__enter__`` raises :class:`DicomError` when *host* is another
    machine, the port is taken (by whom is said) or not allowed, and :class:`MalformedInput` for an AE title
    that is none. Port 0 takes any free one; ``port`` says which.
    """

    def __init__(
        self,
        ae_title: str,
        host: str,
        port: int,
        timeouts: Timeouts,
        on_received: Callable[[ReceivedInstance], None] = _ignore,
    ) -> None:
        self.ae_title = parse_ae_title(ae_title)
        self.host = host
        self.port = port
        self._timeouts = timeouts
        self._on_received = on_received
        self._arrivals = Arrivals()
        self._entity = AE(self.ae_title)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.ae_title}@{host}:{self.port}"

    @property
    def received(self) -> tuple[ReceivedInstance, ...]:
        """What has arrived so far, in order; an instance that came twice is there twice."""
        return self._arrivals.all()

    def take(self, study_uid: str | None) -> tuple[ReceivedInstance, ...]:
        """Remove what has arrived of the study, and return it in order; None takes what names no study."""
        return self._arrivals.take(study_uid)

    def wait_until(self, enough: Callable[[tuple[ReceivedInstance, ...]], bool], seconds: float) -> bool:
        """Wait at most *seconds* until *enough* is true of what has arrived; tell whether it is."""
        return self._arrivals.wait_until(enough, seconds)

    def __enter__(self) -> Self:
        keep_quiet()
        # By pynetdicom's design for the whole process: its own list of storage classes is not the last word.
        _config.UNRESTRICTED_STORAGE_SERVICE = True
        self._entity.add_supported_context(Verification)
        self._entity.require_called_aet = True
        self._entity.maximum_associations = _MAXIMUM_ASSOCIATIONS
        self._entity.acse_timeout = self._timeouts.acse
        self._entity.dimse_timeout = self._timeouts.dimse
        self._entity.network_timeout = self._timeouts.network
        addresses = own_addresses(self.host)
        if not addresses:
            raise DicomError(
                "that host is not this machine, so nothing can be received there",
                on=str(self),
                next_step="run on that machine, or correct dicomHostname of the AE's connection in LDAP",
            )
        try:
            for address in addresses:
                self._listen(address)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _listen(self, address: str) -> None:
        handlers: list[evt.EventHandlerType] = [
            (evt.EVT_C_STORE, self._on_store),
            (evt.EVT_CONN_OPEN, self._on_open),
        ]
        try:
            server = self._entity.start_server((address, self.port), block=False, evt_handlers=handlers)
        except OSError as error:
            raise self._cannot_listen(error) from error
        assert server is not None  # noqa: S101 — as it does not block
        self.port = server.server_address[1]

    def _cannot_listen(self, error: OSError) -> DicomError:
        if error.errno == errno.EADDRINUSE:
            return DicomError(
                f"port {self.port} is taken by {listener_of(self.port) or 'another process'}",
                on=str(self),
                next_step="stop that process, or verify without receiving",
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

    def _stop(self) -> None:
        for association in self._entity.active_associations:
            abort(association)
        self._entity.shutdown()

    def _on_open(self, event: evt.Event) -> None:
        """Take no longer for one PDU than for any octet."""
        wait_for_rest_of_pdu(event.assoc, self._timeouts.network)

    def _on_store(self, event: evt.Event) -> int:
        request = event.request
        if not isinstance(request, C_STORE) or request.DataSet is None:
            return 0xC000
        syntax = UID(event.context.transfer_syntax)
        originator = str(request.MoveOriginatorApplicationEntityTitle or "").strip()
        instance = ReceivedInstance(
            sop_instance_uid=str(request.AffectedSOPInstanceUID),
            sop_class_uid=str(request.AffectedSOPClassUID),
            study_uid=_study_uid(request.DataSet, syntax),
            calling_ae_title=str(event.assoc.requestor.ae_title).strip(),
            move_originator_ae_title=originator or None,
            octets=request.DataSet.getbuffer().nbytes,
            transfer_syntax=str(syntax),
            sha256=hashlib.sha256(request.DataSet.getbuffer()).hexdigest(),
        )
        self._arrivals.add(instance)
        self._on_received(instance)
        return 0x0000


def _study_uid(encoded: BytesIO, syntax: UID) -> str | None:
    """Return the Study Instance UID, reading no further than its element."""
    encoded.seek(0)
    source = encoded
    # What pydicom raises on octets that are no data set is not documented; none of it matters here.
    with contextlib.suppress(Exception):
        if syntax.is_deflated:
            source = BytesIO(zlib.decompressobj(-zlib.MAX_WBITS).decompress(encoded.read(), _HEAD_OCTETS))
        dataset = read_dataset(
            source,
            is_implicit_VR=syntax.is_implicit_VR,
            is_little_endian=syntax.is_little_endian,
            stop_when=_is_past_study,
            specific_tags=[_STUDY_INSTANCE_UID],
        )
        return text(dataset, "StudyInstanceUID") or None
    return None


def _is_past_study(tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG001 — pydicom's signature
    return int(tag) > _STUDY_INSTANCE_UID
