"""The C-STORE service of the stand-in archive.

Imitates ``StoreServiceEJB`` for recalled objects. An object whose file was purged is stored again only from the AE
that is recorded as its external archive; its availability in the database does not change. Every other object that is
known is answered 0000 and ignored: the default dcmOverwritePolicy SAME_SOURCE does so with an object from another AE.

What queries show of the archive's instances (``AbstractQuery``, ``QueryAttributes``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pydicom.dataset import Dataset
from pynetdicom import evt

from dcmcfg.lab.archive.configuration import Device, NetworkAE
from dcmcfg.lab.archive.database import NO_EXTERNAL_AET, Instance, header_of
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.listener import VERIFICATION, called_title
from dcmcfg.lab.query import HeldInstance, find
from dcmcfg.lab.storage import ReceivedObject, received

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
_log = logging.getLogger("archive.store")


def store(state: ArchiveState, event: evt.Event) -> int:
    """Store, restore or ignore an object and forward it where a retrieve waits for it; return the status."""
    brought = received(event)
    called = state.device.called_ae(brought.called)
    if called is None or not called.object_storages:
        _log.info("%s has no object storage", brought.called)
        return PROCESSING_FAILURE
    known = state.database.instance(brought.sop_instance_uid)
    if known is None:
        _save(state, brought, _new(brought, called))
        _forward(state, event, brought)
    elif known.is_local:
        _log.info("ignored %s: it is here already", brought.sop_instance_uid)
    elif known.external_aet != brought.calling:
        _log.info("ignored %s from %s: held by %s", brought.sop_instance_uid, brought.calling, known.external_aet)
    else:
        storage_id = called.object_storages[0]
        _save(state, brought, replace(known, is_local=True, storage_id=storage_id))
        _forward(state, event, brought)
    return SUCCESS


def _new(brought: ReceivedObject, called: NetworkAE) -> Instance:
    return Instance(
        header_of(brought.dataset),
        is_local=True,
        retrieve_aets=called.retrieve_aets or (called.title,),
        storage_id=called.object_storages[0],
    )


def _save(state: ArchiveState, brought: ReceivedObject, instance: Instance) -> None:
    state.store.save_octets(brought.sop_instance_uid, brought.file)
    state.database.save([instance])
    _log.info("stored %s from %s", brought.sop_instance_uid, brought.calling)


def _forward(state: ArchiveState, event: evt.Event, brought: ReceivedObject) -> None:
    key = move_scp_of(state.device, brought.calling) or brought.originator
    retrieve = state.retrieves.matching(key, brought.dataset)
    if retrieve is None:
        _log.info("%s: no C-MOVE waits for it (move originator %r)", brought.sop_instance_uid, key)
        return
    contexts = [
        context
        for context in event.assoc.accepted_contexts
        if context.abstract_syntax != VERIFICATION  # everything else on the way to a storage SCP is storage
    ]
    retrieve.forward(id(event.assoc), contexts, brought.sop_instance_uid, state.store.path(brought.sop_instance_uid))


def move_scp_of(device: Device, store_scu: str) -> str | None:
    """Return the C-MOVE SCP whose C-STOREs come from *store_scu* (dcmCStoreSCUOfCMoveSCP), None for no entry."""
    return next((move_scp for scu, move_scp in device.move_scp_of_store_scu if scu == store_scu), None)


#: Every answer has these attributes, empty where they have no value (``QueryAttributes``).
IN_EVERY_ANSWER = ("SpecificCharacterSet", "RetrieveAETitle", "InstanceAvailability", "TimezoneOffsetFromUTC")


def answer_find(state: ArchiveState, event: evt.Event) -> Iterator[tuple[Dataset, Dataset | None]]:
    """Answer a C-FIND; the handler of EVT_C_FIND."""
    called = state.device.called_ae(called_title(event.assoc))
    instead = called.return_retrieve_aets if called else ()
    return find(
        event, lambda: [held(each, instead) for each in state.database.within(event.identifier)], IN_EVERY_ANSWER
    )


@dataclass(frozen=True)
class KnownInstance(HeldInstance):
    """An instance as queries show it, with its record in the database."""

    record: Instance = field(kw_only=True)


def held(instance: Instance, instead: tuple[str, ...]) -> KnownInstance:
    """Return *instance* as queries show it; *instead* are the AE titles to name in place of all others, if any."""
    external = () if instance.external_aet == NO_EXTERNAL_AET else (instance.external_aet,)
    titles = instead or (*instance.retrieve_aets, *external)
    return KnownInstance(instance.header, instance.availability, titles, record=instance)
