"""A DICOM port on loopback on which a lab process accepts associations."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from socketserver import TCPServer
from threading import Thread
from typing import Any

from pydicom.uid import UID
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.transport import ThreadedAssociationServer

from dcmcfg.errors import LabError
from dcmcfg.lab.site import LOOPBACK
from dcmcfg.well_known_uids import PATIENT_ROOT_FIND, PATIENT_ROOT_MOVE, STUDY_ROOT_FIND, STUDY_ROOT_MOVE, VERIFICATION

EventHandler = tuple[evt.NotificationEvent | evt.InterventionEvent, Callable[..., Any]]
#: Find and Move of the Patient Root and of the Study Root information model (PS3.4 C.6).
QUERY_RETRIEVE_SOP_CLASSES = (
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_MOVE,
    STUDY_ROOT_FIND,
    STUDY_ROOT_MOVE,
)
_MAX_ASSOCIATIONS = 100
#: Seconds in which a server notices that it is to stop; half a second by default, for each part of the lab in turn.
_POLL_S = 0.05
#: Seconds that a TLS handshake may take, during which the port accepts nobody else.
_HANDSHAKE_TIMEOUT_S = 2
_log = logging.getLogger("lab")


def build_storage_contexts() -> list[PresentationContext]:
    """Return presentation contexts for every storage SOP class that pynetdicom knows."""
    return [build_context(context.abstract_syntax or "") for context in AllStoragePresentationContexts]


def build_archive_contexts() -> list[PresentationContext]:
    """Return the contexts of an archive: verification, query/retrieve and storage."""
    return [build_context(uid) for uid in (VERIFICATION, *QUERY_RETRIEVE_SOP_CLASSES)] + build_storage_contexts()


class _Server(ThreadedAssociationServer):
    """A server on which nobody who begins no TLS handshake keeps the next one waiting for long."""

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Return the next connection, secured where there is a TLS context; raises :class:`OSError` where it fails."""
        connection, address = TCPServer.get_request(self)
        if self.ssl_context is None:
            return connection, address
        connection.settimeout(_HANDSHAKE_TIMEOUT_S)
        secured = self.ssl_context.wrap_socket(connection, server_side=True)
        secured.settimeout(None)
        return secured, address


@contextmanager
def listen(
    ae_title: str,
    port: int,
    handlers: Sequence[EventHandler],
    contexts: list[PresentationContext],
    *,
    any_called_ae_title: bool = False,
    tls: ssl.SSLContext | None = None,
    address: str = LOOPBACK,
) -> Iterator[None]:
    """Accept associations on loopback while the context is open; raises :class:`LabError` when it cannot listen.

    *address* is an address of 127.0.0.0/8. With *tls* connections are secured. Only *ae_title* is accepted as called AE
    title unless *any_called_ae_title*.
    There are no timeouts on an idle peer: a C-MOVE may take as long as the one that it waits for.
    """
    entity = AE(ae_title=ae_title)
    entity.require_called_aet = not any_called_ae_title
    entity.maximum_associations = _MAX_ASSOCIATIONS
    entity.network_timeout = None
    entity.dimse_timeout = None
    entity.supported_contexts = contexts
    all_handlers: list[Any] = [*handlers, (evt.EVT_SOP_EXTENDED, _accept_extended_negotiation)]
    try:
        server = entity.make_server((address, port), evt_handlers=all_handlers, server_class=_Server, ssl_context=tls)
    except OSError as error:
        raise LabError(
            f"cannot listen ({error.strerror})",
            subject=f"{ae_title}@{address}:{port}",
            next_step=f"see what does: ss -tlnp sport = {port}",
        ) from error
    Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL_S}, daemon=True).start()
    try:
        yield
    finally:
        TCPServer.shutdown(server)  # pynetdicom's own is for servers that its start_server() started
        server.server_close()


def get_association_request(association: Association) -> A_ASSOCIATE:
    """Return the A-ASSOCIATE request of an incoming association."""
    request = association.requestor.primitive
    if request is None:
        raise LabError("the association was not requested yet")
    return request


def get_calling_ae_title(association: Association) -> str:
    """Return the calling AE title of an incoming association."""
    return str(get_association_request(association).calling_ae_title).strip()


def get_called_ae_title(association: Association) -> str:
    """Return the called AE title of an incoming association."""
    return str(get_association_request(association).called_ae_title).strip()


def is_relational(association: Association, sop_class_uid: str) -> bool:
    """Tell whether relational queries were negotiated for a SOP class (PS3.4 C.5.1.1.1)."""
    extensions = association.requestor.sop_class_extended
    return extensions.get(UID(sop_class_uid), b"\0")[:1] == b"\x01"


def _accept_extended_negotiation(event: Any) -> dict[UID, bytes]:
    return dict(event.app_info)
