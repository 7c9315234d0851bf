"""The life of the stand-in archive: start, stop, reload (``ArchiveServiceImpl``)."""

from __future__ import annotations

import logging
from threading import RLock
from typing import Literal

from dcmcfg.lab.archive.ae_cache import AECache
from dcmcfg.lab.archive.listeners import Listeners
from dcmcfg.lab.archive.lookup import Configuration
from dcmcfg.lab.archive.seed import database_of, seed, store_of
from dcmcfg.lab.archive.server import DicomServer
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.move_scp import MoveRecord
from dcmcfg.lab.site import Site

_TITLE = "DCM4CHEE"  # of the listeners only; who is called is decided for each association
_log = logging.getLogger("archive")


class ArchiveService:
    """The archive of a lab's *site*: its device as loaded last, and whether it accepts associations.

    Loading raises :class:`ConfigurationException` or :class:`IllegalArgumentException`.
    """

    def __init__(self, site: Site, configuration: Configuration) -> None:
        self._lock = RLock()
        self._configuration = configuration
        self._device_name = site.device
        device = configuration.load_device(site.device)
        seed(site, device.external_availability)
        cache = AECache(configuration.find_ae)
        cache.stale_timeout_s = device.ae_cache_stale_timeout_s
        self.state = ArchiveState(site, device, cache, database_of(site), store_of(site))
        record = MoveRecord(site.archive_requests)
        self._listeners = Listeners(site, DicomServer(self.state, _TITLE, record), device)
        self._is_started = False

    @property
    def status(self) -> Literal["STARTED", "STOPPED"]:
        """The answer to ``GET ctrl/status``."""
        return "STARTED" if self._is_started else "STOPPED"

    def start(self) -> None:
        """Accept associations.

        Raises :class:`IllegalStateException` when a listener is open already, and :class:`UnableToStart` when one
        cannot be opened.
        """
        with self._lock:
            self._listeners.bind()
            self._is_started = True
            _log.info("started")

    def stop(self) -> None:
        """Accept no more associations; those that are open go on."""
        with self._lock:
            self._listeners.close()
            self._is_started = False
            _log.info("stopped")

    def reload(self) -> None:
        """Take over the device as it is in the directory now, bind what changed, and forget looked-up AEs.

        When the device does not load, everything stays as it was. When a listener cannot be opened, the device is taken
        over, that listener is closed and the AEs are not forgotten.
        """
        with self._lock:
            device = self._configuration.load_device(self._device_name)
            self.state.device = device
            self._listeners.take_over(device)
            self._listeners.rebind()
            self.state.cache.clear()
            self.state.cache.stale_timeout_s = device.ae_cache_stale_timeout_s
            _log.info("reloaded")

    def close(self) -> None:
        """Stop, and close the database."""
        self.stop()
        self.state.database.close()
