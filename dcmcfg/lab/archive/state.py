"""What the parts of the stand-in archive share."""

from __future__ import annotations

from dataclasses import dataclass, field

from dcmcfg.lab.archive.ae_cache import AECache
from dcmcfg.lab.archive.configuration import Device
from dcmcfg.lab.archive.database import Database
from dcmcfg.lab.archive.retrieves import Retrieves
from dcmcfg.lab.files import ObjectStore


@dataclass
class ArchiveState:
    """The device as last loaded, the cache of other AEs, the objects, and the retrieves under way."""

    device: Device
    cache: AECache
    database: Database
    store: ObjectStore
    retrieves: Retrieves = field(default_factory=Retrieves)
