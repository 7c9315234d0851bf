"""The service of the stand-in archive: start, stop, reload (``ArchiveServiceImpl``), and initial data.

A new archive knows the lab's studies as archived in the external archive and purged.
"""

from __future__ import annotations

import logging
from threading import RLock
from typing import Literal

from dcmcfg.lab.archive.database import Database, InstanceRecord, extract_header
from dcmcfg.lab.archive.device_json import build_device_json
from dcmcfg.lab.archive.listeners import Listeners
from dcmcfg.lab.archive.lookup import AECache, DirectoryConfiguration
from dcmcfg.lab.archive.server import DicomServer
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.move_scp import MoveLog
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.query import AVAILABILITIES
from dcmcfg.lab.site import Site
from dcmcfg.lab.studies import StudyLocation, make_all_studies

EXTERNAL_AE_TITLE = "LONGTERM"
ARCHIVE_AE_TITLE = "DCM4CHEE"


def get_object_store(site: Site) -> ObjectStore:
    """Return the archive's object store."""
    return ObjectStore(site.archive_folder / "objects")


def open_database(site: Site) -> Database:
    """Return the archive's database, opened."""
    return Database(site.archive_folder / "database.sqlite")


def seed(site: Site, external_availability: str | None = None) -> None:
    """Create the studies of an empty archive: purged studies with an external AE title, and a local study.

    *external_availability* is the storage's dcmExternalRetrieveInstanceAvailability, which a purge records if it is
    worse than ONLINE (``PurgeStorageScheduler``). Without it, purged instances stay ONLINE.
    """
    availability = external_availability if external_availability in AVAILABILITIES else "ONLINE"
    database = open_database(site)
    try:
        # A restart must not undo recalls.
        if database.is_empty():
            database.save(_make_records(get_object_store(site), availability, site.extra_study_count))
    finally:
        database.close()


def _make_records(store: ObjectStore, purged_availability: str, extra_count: int) -> list[InstanceRecord]:
    records, titles = [], (ARCHIVE_AE_TITLE,)
    for study in make_all_studies(extra_count):
        for dataset in study.instances:
            header = extract_header(dataset)
            match study.location:
                case StudyLocation.LOCAL:
                    store.save(dataset)
                    records.append(InstanceRecord(header, is_local=True, retrieve_aets=titles))
                case StudyLocation.EXTERNAL:
                    records.append(
                        InstanceRecord(
                            header,
                            is_local=False,
                            external_aet=EXTERNAL_AE_TITLE,
                            availability=purged_availability,
                            retrieve_aets=titles,
                        )
                    )
                case StudyLocation.UNKNOWN_TO_ARCHIVE:
                    pass
    return records


_LISTENER_AE_TITLE = "DCM4CHEE"  # only for the listeners; the called AE is determined for each association
_log = logging.getLogger("archive")


class ArchiveService:
    """The archive of a lab's *site*: its last loaded device, and whether it accepts associations.

    Loading raises :class:`~dcmcfg.lab.archive.java_exceptions.ConfigurationException` or
    :class:`~dcmcfg.lab.archive.java_exceptions.IllegalArgumentException`.
    """

    def __init__(self, site: Site, configuration: DirectoryConfiguration) -> None:
        self._lock = RLock()
        self._configuration = configuration
        self._device_name = site.device
        device = configuration.load_device(site.device)
        seed(site, device.external_availability)
        cache = AECache(configuration.find_ae)
        cache.stale_timeout_s = device.ae_cache_stale_timeout_s
        self.state = ArchiveState(
            site=site, device=device, cache=cache, database=open_database(site), store=get_object_store(site)
        )
        move_log = MoveLog(site.archive_move_log)
        self._listeners = Listeners(site, DicomServer(self.state, _LISTENER_AE_TITLE, move_log), device)
        self._is_started = False

    @property
    def status(self) -> Literal["STARTED", "STOPPED"]:
        """The status in the response to ``GET ctrl/status``."""
        return "STARTED" if self._is_started else "STOPPED"

    def start(self) -> None:
        """Start accepting associations.

        Raises :class:`~dcmcfg.lab.archive.java_exceptions.IllegalStateException` if a listener is already open, and
        :class:`~dcmcfg.lab.archive.java_exceptions.UnableToStart` if a listener cannot be opened.
        """
        with self._lock:
            self._listeners.bind()
            self._is_started = True
            _log.info("started")

    def stop(self) -> None:
        """Stop accepting associations; open associations continue."""
        with self._lock:
            self._listeners.close()
            self._is_started = False
            _log.info("stopped")

    def reload(self) -> None:
        """Load the device from the directory, bind listeners with changed settings, and clear the cache of AEs.

        If the device cannot be loaded, nothing changes. If a listener cannot be opened, the new device is in force,
        that listener is closed, and the cache is not cleared.
        """
        with self._lock:
            device = self._configuration.load_device(self._device_name)
            # The device is in force before its ports are bound, so a failed binding does not undo it
            # (Device.reconfigure).
            self.state.device = device
            self._listeners.set_device(device)
            self._listeners.rebind()
            # Observed on 5.35.1: after a failed binding, the cache is not cleared.
            self.state.cache.clear()
            self.state.cache.stale_timeout_s = device.ae_cache_stale_timeout_s
            _log.info("reloaded")

    def show_device(self, name: str) -> str:
        """Return the JSON of the device *name* as the directory has it now.

        Raises :class:`~dcmcfg.lab.archive.java_exceptions.ConfigurationNotFoundException` if there is no such device,
        and :class:`~dcmcfg.lab.archive.java_exceptions.ConfigurationException` if the directory cannot be read.
        """
        return build_device_json(self._configuration.read_device(name))

    def close(self) -> None:
        """Stop, and close the database."""
        self.stop()
        self.state.database.close()
