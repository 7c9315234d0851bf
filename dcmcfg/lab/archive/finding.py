"""What queries show of the archive's instances (``AbstractQuery``, ``QueryAttributes``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydicom.dataset import Dataset
from pynetdicom import evt

from dcmcfg.lab.archive.database import NO_EXTERNAL_AET, Instance
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.listener import called_title
from dcmcfg.lab.query import HeldInstance, find

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
