"""The C-STOREs of objects that the archive has files of (``CStoreSCUImpl``, ``RetrieveTaskImpl``)."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context

from dcmcfg.lab.archive.configuration import NetworkAE
from dcmcfg.lab.archive.database import Instance
from dcmcfg.lab.archive.external_retrieve import Passing
from dcmcfg.lab.listener import VERIFICATION
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.requestor import NothingAccepted, NotSent, associated, send_file

_ALWAYS_OFFERED = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def send_local(passing: Passing, local: Sequence[Instance], originator: str) -> bool:
    """Send *local* to the destination, and return whether the requester let it go on to the end.

    There is an association even where nothing is *local*. Raises :class:`JavaException` or
    :class:`AssociationFailed` when the destination cannot be reached.
    """
    called = passing.called
    line = passing.state.line(passing.destination, called)
    contexts = _contexts(passing.state.store, local, called, passing.destination) or [build_context(VERIFICATION)]
    try:
        with associated(
            called.title,
            line.peer,
            contexts,
            response_timeout_s=line.own.store_timeout_s,
            accept_timeout_s=line.own.accept_timeout_s,
            tls=line.tls,
        ) as association:
            accepted = {context.abstract_syntax for context in association.accepted_contexts}
            sent = [each for each in local if each.header.SOPClassUID in accepted]
            _fail(passing, [each for each in local if each not in sent])
            return _send(passing, association, sent, originator)
    except NothingAccepted:
        _fail(passing, local)
        _start_pending(passing)
        return True


def _send(passing: Passing, association: Association, local: Sequence[Instance], originator: str) -> bool:
    _start_pending(passing)
    exchange = passing.exchange
    for each in local:
        if exchange.is_abandoned or exchange.is_cancelled:
            return False
        try:
            status = send_file(
                association,
                passing.state.store.path(each.uid),
                originator=originator,
                message_id=exchange.request.message_id,
            )
        except NotSent:
            status = None
        if status is None:
            passing.counters.fail(each.uid)
        else:
            passing.counters.record(each.uid, status)
    return True


def _start_pending(passing: Passing) -> None:
    """Begin pending responses; where an archive sends back here, its first one begins them."""
    if not passing.comes_back:
        passing.pending.start()


def _fail(passing: Passing, instances: Sequence[Instance]) -> None:
    for each in instances:
        passing.counters.fail(each.uid)


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
