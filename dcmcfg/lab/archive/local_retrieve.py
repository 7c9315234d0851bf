"""A C-MOVE of objects that the archive has files of (``CStoreSCUImpl``, ``RetrieveTaskImpl``)."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.presentation import PresentationContext, build_context

from dcmcfg.lab.archive.configuration import NetworkAE, peer_of
from dcmcfg.lab.archive.database import Instance
from dcmcfg.lab.archive.java import JavaException, text_of
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.files import ObjectStore
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from dcmcfg.lab.requesting import AssociationFailed, associated, send_file
from dcmcfg.lab.suboperations import UNABLE_TO_PERFORM, SubOperations, pending_responses

_MIXED = "dcmcfg lab: local and purged objects in one C-MOVE: not imitated"


def retrieve_locally(
    state: ArchiveState,
    exchange: MoveExchange,
    called: NetworkAE,
    destination: NetworkAE,
    local: Sequence[Instance],
    purged: Sequence[Instance],
) -> MoveResponse:
    """Send *local* to the destination; *purged* ones of the same request count as failed, which is not imitated."""
    try:
        peer = peer_of(destination, called)
        operations = SubOperations(len(local) + len(purged))
        with (
            associated(
                called.title, peer, _contexts(state.store, local), response_timeout_s=called.store_timeout_s
            ) as association,
            pending_responses(exchange, operations, called.send_pending_interval_s) as pending,
        ):
            pending.start()
            for each in local:
                if exchange.is_abandoned or exchange.is_cancelled:
                    return operations.cancelled()
                status = send_file(
                    association,
                    state.store.path(each.uid),
                    originator=exchange.request.calling,
                    message_id=exchange.request.message_id,
                )
                operations.record(each.uid, status)
    except JavaException as failure:
        return MoveResponse(UNABLE_TO_PERFORM, str(failure))
    except AssociationFailed as failure:
        return MoveResponse(UNABLE_TO_PERFORM, text_of(failure))
    for each in purged:
        operations.record(each.uid, None)
    return operations.final(comment=_MIXED if purged else "")


def _contexts(store: ObjectStore, instances: Sequence[Instance]) -> list[PresentationContext]:
    """Offer each SOP class in both little endian encodings, and in the one in which an object is kept."""
    offered = set()
    for each in instances:
        meta = dcmread(store.path(each.uid), stop_before_pixels=True).file_meta
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, meta.TransferSyntaxUID):
            offered.add((str(meta.MediaStorageSOPClassUID), str(syntax)))
    return [build_context(sop_class, syntax) for sop_class, syntax in sorted(offered)]
