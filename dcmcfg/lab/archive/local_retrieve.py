"""The C-STOREs of objects that the archive has files of (``CStoreSCUImpl``, ``RetrieveTaskImpl``)."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.presentation import PresentationContext, build_context

from dcmcfg.lab.archive.configuration import NetworkAE, peer_of
from dcmcfg.lab.archive.database import Instance
from dcmcfg.lab.archive.external_retrieve import Passing
from dcmcfg.lab.files import ObjectStore
from dcmcfg.lab.requesting import associated, send_file
from dcmcfg.lab.suboperations import pending_responses

_ALWAYS_OFFERED = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def send_local(passing: Passing, local: Sequence[Instance], originator: str) -> bool:
    """Send *local* to the destination, and tell whether the requester let it go on to the end.

    Raises :class:`JavaException` or :class:`AssociationFailed` when the destination cannot be reached.
    """
    exchange, called, operations = passing.exchange, passing.called, passing.operations
    store = passing.state.store
    peer = peer_of(passing.destination, called)
    contexts = _contexts(store, local, called, passing.destination)
    with (
        associated(called.title, peer, contexts, response_timeout_s=called.store_timeout_s) as association,
        pending_responses(exchange, operations, called.send_pending_interval_s) as pending,
    ):
        pending.start()
        for each in local:
            if exchange.is_abandoned or exchange.is_cancelled:
                return False
            status = send_file(
                association, store.path(each.uid), originator=originator, message_id=exchange.request.message_id
            )
            operations.record(each.uid, status)
    return True


def _contexts(
    store: ObjectStore, instances: Sequence[Instance], called: NetworkAE, destination: NetworkAE
) -> list[PresentationContext]:
    """Offer each SOP class in both little endian encodings, and as an object is kept where both AEs list that."""
    offered = set()
    for each in instances:
        meta = dcmread(store.path(each.uid), stop_before_pixels=True).file_meta
        sop_class, kept = str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)
        offered |= {(sop_class, str(syntax)) for syntax in _ALWAYS_OFFERED}
        if _lists(called, "SCU", sop_class, kept) and (
            not destination.lists_scp or _lists(destination, "SCP", sop_class, kept)
        ):
            offered.add((sop_class, kept))
    return [build_context(sop_class, syntax) for sop_class, syntax in sorted(offered)]


def _lists(ae: NetworkAE, role: str, sop_class: str, syntax: str) -> bool:
    listed = ae.syntaxes(sop_class, role) or ()
    return listed == ("*",) or syntax in listed
