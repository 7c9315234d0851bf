"""The C-STORE sub-operations of objects with local files (``CStoreSCUImpl``, ``RetrieveTaskImpl``)."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context

from dcmcfg.lab.archive.configuration import NetworkAE
from dcmcfg.lab.archive.database import InstanceRecord
from dcmcfg.lab.archive.external_retrieve import ForwardContext
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.requestor import NoContextAccepted, StoreNotSent, open_association, send_file
from dcmcfg.well_known_uids import VERIFICATION

#: CStoreSCUImpl proposes these for every SOP class, regardless of the capabilities.
_ALWAYS_OFFERED = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


def send_local_instances(
    forward_context: ForwardContext, instances: Sequence[InstanceRecord], originator_ae_title: str
) -> bool:
    """Send *instances* to the destination, and return False if the requester cancelled or aborted.

    An association is opened even if *instances* is empty. Raises
    :class:`~dcmcfg.lab.archive.java_exceptions.JavaException` or :class:`~dcmcfg.lab.requestor.AssociationFailed` if
    the destination cannot be reached.
    """
    called = forward_context.called_ae
    connection = forward_context.state.select_connection(forward_context.destination_ae, called)
    # An association needs at least one presentation context, even without objects.
    contexts = _build_contexts(forward_context.state.store, instances, called, forward_context.destination_ae) or [
        build_context(VERIFICATION)
    ]
    try:
        with open_association(
            called.title,
            connection.peer,
            contexts,
            response_timeout_s=connection.local_connection.store_timeout_s,
            accept_timeout_s=connection.local_connection.accept_timeout_s,
            tls=connection.tls,
        ) as association:
            accepted = {context.abstract_syntax for context in association.accepted_contexts}
            sent = [each for each in instances if each.header.SOPClassUID in accepted]
            _count_failed(forward_context, [each for each in instances if each not in sent])
            return _send(forward_context, association, sent, originator_ae_title)
    except NoContextAccepted:
        _count_failed(forward_context, instances)
        _start_pending(forward_context)
        return True


def _send(
    forward_context: ForwardContext, association: Association, local: Sequence[InstanceRecord], originator: str
) -> bool:
    _start_pending(forward_context)
    exchange = forward_context.exchange
    for each in local:
        # A C-CANCEL takes effect between two sub-operations.
        if exchange.is_abandoned or exchange.is_cancelled:
            return False
        try:
            status = send_file(
                association,
                forward_context.state.store.get_path(each.sop_instance_uid),
                originator_ae_title=originator,
                message_id=exchange.request.message_id,
            )
        except StoreNotSent:
            status = None
        if status is None:
            forward_context.counters.count_failed(each.sop_instance_uid)
        else:
            forward_context.counters.count_store(each.sop_instance_uid, status)
    return True


def _start_pending(forward_context: ForwardContext) -> None:
    """Start pending responses, unless an archive sends to this one: then its first response starts them."""
    if not forward_context.returns_to_archive:
        forward_context.pending_sender.start()


def _count_failed(forward_context: ForwardContext, instances: Sequence[InstanceRecord]) -> None:
    for each in instances:
        forward_context.counters.count_failed(each.sop_instance_uid)


def _build_contexts(
    store: ObjectStore, instances: Sequence[InstanceRecord], called: NetworkAE, destination: NetworkAE
) -> list[PresentationContext]:
    """Return contexts for each SOP class in both little endian encodings, and in stored syntaxes that both AEs list."""
    offered = set()
    for each in instances:
        meta = dcmread(store.get_path(each.sop_instance_uid), stop_before_pixels=True).file_meta
        sop_class, stored_syntax = str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)
        offered |= {(sop_class, str(syntax)) for syntax in _ALWAYS_OFFERED}
        if _is_listed(called, "SCU", sop_class, stored_syntax) and (
            not destination.has_scp_capabilities or _is_listed(destination, "SCP", sop_class, stored_syntax)
        ):
            offered.add((sop_class, stored_syntax))
    return [build_context(sop_class, syntax) for sop_class, syntax in sorted(offered)]


def _is_listed(ae: NetworkAE, role: str, sop_class: str, syntax: str) -> bool:
    listed = ae.find_transfer_syntaxes(sop_class, role) or ()
    return listed == ("*",) or syntax in listed
