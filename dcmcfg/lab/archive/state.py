"""The state that the parts of the stand-in archive share.

Kept apart: all parts of the stand-in archive use it; anywhere else it would create an import cycle.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dcmcfg.lab.archive.configuration import Device, NetworkAE
from dcmcfg.lab.archive.database import Database
from dcmcfg.lab.archive.forwarded_retrieves import RetrieveRegistry
from dcmcfg.lab.archive.lookup import AECache
from dcmcfg.lab.archive.outgoing_connection import OutgoingConnection, select_connection
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.site import Site


@dataclass(kw_only=True)
class ArchiveState:
    """The site, its last loaded device, the cache of other AEs, the objects, and the active retrieves."""

    site: Site
    device: Device
    cache: AECache
    database: Database
    store: ObjectStore
    retrieves: RetrieveRegistry = field(default_factory=RetrieveRegistry)

    def select_connection(self, remote: NetworkAE, local: NetworkAE) -> OutgoingConnection:
        """Return the connection from *local* to *remote*; raises the errors of :func:`select_connection`."""
        return select_connection(self.site, remote, local)
