"""DICOM listener on loopback for the processes of a lab."""

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
#: pynetdicom's default is only 10.
_MAX_ASSOCIATIONS = 100
#: Seconds until a server notices that it should stop. The default of half a second would add up over the lab's parts.
_POLL_S = 0.05
#: Maximum duration of a TLS handshake in seconds. The port accepts no other connection during a handshake.
_HANDSHAKE_TIMEOUT_S = 2
_log = logging.getLogger("lab")


def build_storage_contexts() -> list[PresentationContext]:
    """Return presentation contexts for every storage SOP class that pynetdicom knows."""
    return [build_context(context.abstract_syntax or "") for context in AllStoragePresentationContexts]


def build_archive_contexts() -> list[PresentationContext]:
    """Return the contexts of an archive: verification, query/retrieve and storage."""
    return [build_context(uid) for uid in (VERIFICATION, *QUERY_RETRIEVE_SOP_CLASSES)] + build_storage_contexts()


class _Server(ThreadedAssociationServer):
    """A server with a time-out for TLS handshakes, so that a silent client does not block the next one for long."""

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Return the next connection, with TLS if there is a TLS context; raises :class:`OSError` if it fails."""
        connection, address = TCPServer.get_request(self)
        if self.ssl_context is None:
            return connection, address
        connection.settimeout(_HANDSHAKE_TIMEOUT_S)
        secured = self.ssl_context.wrap_socket(connection, server_side=True)
        # The time-out is for the handshake only. pynetdicom reads from a blocking socket.
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
    """Accept associations on loopback while the context is open; raises :class:`LabError` if the port is in use.

    *address* must be in 127.0.0.0/8. With *tls*, connections use TLS. Without *any_called_ae_title*, only *ae_title* is
    accepted as called AE title.
    There are no time-outs for idle peers, because a C-MOVE lasts as long as the C-MOVE that it waits for.
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
            next_step=f"to show the process on this port: ss -tlnp sport = {port}",
        ) from error
    Thread(target=server.serve_forever, kwargs={"poll_interval": _POLL_S}, daemon=True).start()
    try:
        yield
    finally:
        TCPServer.shutdown(server)  # pynetdicom's own shutdown is only for servers from its start_server()
        server.server_close()


def get_association_request(association: Association) -> A_ASSOCIATE:
    """Return the A-ASSOCIATE request of an incoming association."""
    request = association.requestor.primitive
    if request is None:
        raise LabError("the association has not been requested yet")
    return request


def get_calling_ae_title(association: Association) -> str:
    """Return the calling AE title of an incoming association."""
    return str(get_association_request(association).calling_ae_title).strip()


def get_called_ae_title(association: Association) -> str:
    """Return the called AE title of an incoming association."""
    return str(get_association_request(association).called_ae_title).strip()


def is_relational(association: Association, sop_class_uid: str) -> bool:
    """Return whether relational queries were negotiated for a SOP class (PS3.4 C.5.1.1.1)."""
    extensions = association.requestor.sop_class_extended
    return extensions.get(UID(sop_class_uid), b"\0")[:1] == b"\x01"


def _accept_extended_negotiation(event: Any) -> dict[UID, bytes]:
    # The same items in the response mean acceptance (PS3.7 D.3.3.5).
    return dict(event.app_info)
