"""The C-STORE and C-FIND services of the stand-in archive.

C-STORE simulates ``StoreServiceEJB`` for recalled objects. A purged object is stored again only if the sender is its
recorded external archive; its availability in the database does not change. All other known objects are answered with
0000 and ignored, as the default dcmOverwritePolicy SAME_SOURCE does with objects from another AE. C-FIND simulates
``AbstractQuery`` and ``QueryAttributes``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pydicom.dataset import Dataset
from pynetdicom import evt

from dcmcfg.dicom.status import PROCESSING_FAILURE, SUCCESS
from dcmcfg.lab.archive.configuration import Device, NetworkAE
from dcmcfg.lab.archive.database import NO_EXTERNAL_AET, InstanceRecord, extract_header
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.listener import get_called_ae_title
from dcmcfg.lab.query import QueryInstance, handle_find
from dcmcfg.lab.storage import ReceivedObject, read_store_request
from dcmcfg.well_known_uids import VERIFICATION

_log = logging.getLogger("archive.store")


def serve_store(state: ArchiveState, event: evt.Event) -> int:
    """Store, restore or ignore an object, and forward it if a retrieve waits for it; return the status."""
    received = read_store_request(event)
    called = state.device.find_called_ae(received.called_ae_title)
    if called is None or not called.object_storages:
        _log.info("%s has no object storage", received.called_ae_title)
        return PROCESSING_FAILURE
    known = state.database.find_instance(received.sop_instance_uid)
    if known is None:
        _save(state, received, _make_record(received, called))
        _forward(state, event, received)
    elif known.is_local:
        _log.info("ignored object %s: the archive already stores this object", received.sop_instance_uid)
    # StoreServiceEJB accepts a recalled object only from the recorded external archive.
    elif known.external_aet != received.calling_ae_title:
        _log.info(
            "ignored object %s from %s: the database records %s as its external archive",
            received.sop_instance_uid,
            received.calling_ae_title,
            known.external_aet,
        )
    else:
        storage_id = called.object_storages[0]
        _save(state, received, replace(known, is_local=True, storage_id=storage_id))
        _forward(state, event, received)
    return SUCCESS


def _make_record(received: ReceivedObject, called: NetworkAE) -> InstanceRecord:
    return InstanceRecord(
        extract_header(received.dataset),
        is_local=True,
        retrieve_aets=called.retrieve_aets or (called.title,),
        storage_id=called.object_storages[0],
    )


def _save(state: ArchiveState, received: ReceivedObject, instance: InstanceRecord) -> None:
    state.store.save_file(received.sop_instance_uid, received.file_content)
    state.database.save([instance])
    _log.info("stored %s from %s", received.sop_instance_uid, received.calling_ae_title)


def _forward(state: ArchiveState, event: evt.Event, received: ReceivedObject) -> None:
    # An external archive may omit the Move Originator, so the mapping takes precedence.
    key = find_move_scp(state.device, received.calling_ae_title) or received.move_originator_ae_title
    retrieve = state.retrieves.find_matching(key, received.dataset)
    if retrieve is None:
        _log.info("%s: no active C-MOVE has requested this object (move originator %r)", received.sop_instance_uid, key)
        return
    contexts = [
        context
        for context in event.assoc.accepted_contexts
        if context.abstract_syntax != VERIFICATION  # all other contexts of a storage SCP are for storage
    ]
    retrieve.forward(
        id(event.assoc), contexts, received.sop_instance_uid, state.store.get_path(received.sop_instance_uid)
    )


def find_move_scp(device: Device, store_scu: str) -> str | None:
    """Return the C-MOVE SCP that sends as *store_scu* (dcmCStoreSCUOfCMoveSCP), or None without entry."""
    return next((move_scp for scu, move_scp in device.move_scp_of_store_scu if scu == store_scu), None)


#: Attributes of every response, empty if they have no value (``QueryAttributes``).
ALWAYS_RETURNED = ("SpecificCharacterSet", "RetrieveAETitle", "InstanceAvailability", "TimezoneOffsetFromUTC")


def serve_find(state: ArchiveState, event: evt.Event) -> Iterator[tuple[Dataset, Dataset | None]]:
    """Yield the responses to a C-FIND; the handler of EVT_C_FIND."""
    called = state.device.find_called_ae(get_called_ae_title(event.assoc))
    replacement_ae_titles = called.return_retrieve_aets if called else ()
    return handle_find(
        event,
        lambda: [
            make_query_instance(each, replacement_ae_titles)
            for each in state.database.find_candidates(event.identifier)
        ],
        ALWAYS_RETURNED,
    )


@dataclass(frozen=True)
class ArchiveQueryInstance(QueryInstance):
    """An instance in query results, with its database record."""

    record: InstanceRecord = field(kw_only=True)


def make_query_instance(instance: InstanceRecord, replacement_ae_titles: tuple[str, ...]) -> ArchiveQueryInstance:
    """Return *instance* for query results.

    *replacement_ae_titles*, if any, replace all other retrieve AE titles.
    """
    external = () if instance.external_aet == NO_EXTERNAL_AET else (instance.external_aet,)
    titles = replacement_ae_titles or (*instance.retrieve_aets, *external)
    return ArchiveQueryInstance(instance.header, instance.availability, titles, record=instance)
