"""The DICOM server of the stand-in archive: association negotiation and dispatch to services.

Simulates ``AssociationHandler`` with ``ArchiveAssociationHandler``.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from pynetdicom import ALL_TRANSFER_SYNTAXES, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context

from dcmcfg.dicom.status import SUCCESS
from dcmcfg.dn import NormalDN
from dcmcfg.lab.archive.configuration import Connection, Device, NetworkAE
from dcmcfg.lab.archive.move_service import serve_move
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.archive.store_and_find import serve_find, serve_store
from dcmcfg.lab.listener import (
    EventHandler,
    build_archive_contexts,
    get_association_request,
    get_called_ae_title,
    get_calling_ae_title,
    listen,
)
from dcmcfg.lab.move_scp import MoveExchange, MoveLog, MoveResponse, NoFinalResponse, install_move_handler

_PERMANENT = 1
_SERVICE_USER = 1
CALLING_AE_TITLE_NOT_RECOGNISED = 3
CALLED_AE_TITLE_NOT_RECOGNISED = 7
_IMPLEMENTED = frozenset(str(context.abstract_syntax) for context in build_archive_contexts())
_log = logging.getLogger("archive.association")


class DicomServer:
    """The DICOM server of the archive, for associations on all its connections."""

    def __init__(self, state: ArchiveState, ae_title: str, move_log: MoveLog) -> None:
        self._state = state
        self._ae_title = ae_title
        self._move_log = move_log

    @contextmanager
    def serve(self, connection: Connection, address: str, tls: ssl.SSLContext | None = None) -> Iterator[None]:
        """Serve *connection* on the loopback *address* while the context is open, with *tls* if given.

        Raises :class:`~dcmcfg.errors.LabError` if the port is in use.
        """
        listener_dns = frozenset({connection.dn})
        handlers: list[EventHandler] = [
            (evt.EVT_REQUESTED, lambda event: self._admit(event, listener_dns)),
            (evt.EVT_C_ECHO, lambda _: SUCCESS),
            (evt.EVT_C_STORE, lambda event: serve_store(self._state, event)),
            (evt.EVT_C_FIND, lambda event: serve_find(self._state, event)),
        ]
        port = connection.port or 0
        with listen(
            self._ae_title, port, handlers, build_archive_contexts(), any_called_ae_title=True, tls=tls, address=address
        ):
            yield

    def _admit(self, event: evt.Event, listener_dns: frozenset[NormalDN]) -> None:
        """Reject the association, or accept the presentation contexts in the called AE's SCP capabilities."""
        association = event.assoc
        called, calling = get_called_ae_title(association), get_calling_ae_title(association)
        reason = find_rejection_reason(self._state.device, called, calling, listener_dns)
        if reason:
            _log.info("rejected %s calling %s: 1/1/%d", calling, called, reason)
            association.acse.send_reject(_PERMANENT, _SERVICE_USER, reason)
            association.kill()
            return
        ae = self._state.device.find_called_ae(called)
        if ae is not None:
            # The accepted contexts depend on the called AE, so they are set for each association.
            association.acceptor.supported_contexts = order_as_requested(association, build_accepted_contexts(ae))
            install_move_handler(association, self._move)

    def _move(self, exchange: MoveExchange) -> MoveResponse | NoFinalResponse:
        self._move_log.append(exchange.request)
        return serve_move(self._state, exchange)


def find_rejection_reason(
    device: Device, called_ae_title: str, calling_ae_title: str, listener_dns: frozenset[NormalDN]
) -> int:
    """Return the reason of an A-ASSOCIATE-RJ with result 1 and source 1 (PS3.8 Table 9-21), or 0 to accept."""
    ae = device.find_called_ae(called_ae_title)
    if ae is None or not ae.installed or not ae.acceptor:
        return CALLED_AE_TITLE_NOT_RECOGNISED
    # The AE must own the connection of the port that was called (AssociationHandler).
    if not any(each.installed and each.dn in listener_dns for each in ae.connections):
        return CALLED_AE_TITLE_NOT_RECOGNISED
    if ae.accepted_calling_ae_titles and calling_ae_title not in ae.accepted_calling_ae_titles:
        return CALLING_AE_TITLE_NOT_RECOGNISED
    return 0


def build_accepted_contexts(ae: NetworkAE) -> list[PresentationContext]:
    """Return the contexts that *ae* accepts: its SCP capabilities for the SOP classes that the lab implements."""
    accepted = []
    for capability in ae.capabilities:
        if capability.role == "SCP" and capability.sop_class in _IMPLEMENTED:
            accepts_any = capability.transfer_syntaxes[:1] == ("*",)
            syntaxes = ALL_TRANSFER_SYNTAXES if accepts_any else capability.transfer_syntaxes
            accepted.append(build_context(capability.sop_class, list(syntaxes)))
    return accepted


def order_as_requested(association: Association, contexts: list[PresentationContext]) -> list[PresentationContext]:
    """Return *contexts* with their transfer syntaxes in the requestor's order.

    The archive selects the first proposed syntax that it lists (``TransferCapability.selectTransferSyntax``), but
    pynetdicom selects the first listed syntax that is proposed.
    """
    proposed: dict[str, list[str]] = {}
    for each in get_association_request(association).presentation_context_definition_list:
        proposed.setdefault(str(each.abstract_syntax), []).extend(map(str, each.transfer_syntax))
    ordered = []
    for context in contexts:
        proposed_syntaxes = dict.fromkeys(proposed.get(str(context.abstract_syntax), []))
        listed = dict.fromkeys(map(str, context.transfer_syntax))
        syntaxes = [each for each in proposed_syntaxes if each in listed] + [
            each for each in listed if each not in proposed_syntaxes
        ]
        ordered.append(build_context(context.abstract_syntax or "", syntaxes))
    return ordered
