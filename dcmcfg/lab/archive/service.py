"""The life of the stand-in archive: start, stop, reload (``ArchiveServiceImpl``)."""

from __future__ import annotations

import logging
import ssl
from contextlib import ExitStack
from threading import RLock
from typing import Literal

from dcmcfg.lab.archive.ae_cache import AECache
from dcmcfg.lab.archive.configuration import Device
from dcmcfg.lab.archive.java import IllegalStateException
from dcmcfg.lab.archive.lookup import Configuration
from dcmcfg.lab.archive.securing import server_context
from dcmcfg.lab.archive.seed import database_of, seed, store_of
from dcmcfg.lab.archive.server import DicomServer
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.move_record import MoveRecord
from dcmcfg.lab.site import Site

_TITLE = "DCM4CHEE"  # of the listener only; who is called is decided for each association
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
        self.state = ArchiveState(device, cache, database_of(site), store_of(site))
        record = MoveRecord(site.archive_requests)
        self._servers = [DicomServer(self.state, _TITLE, site.ports.archive, record)]
        if (secured := _secured(site, device)) is not None:
            self._servers.append(DicomServer(self.state, _TITLE, site.ports.archive_tls, record, secured))
        self._serving: ExitStack | None = None

    @property
    def status(self) -> Literal["STARTED", "STOPPED"]:
        """What ``GET ctrl/status`` tells."""
        return "STOPPED" if self._serving is None else "STARTED"

    def start(self) -> None:
        """Accept associations; raises :class:`IllegalStateException` when that is so already."""
        with self._lock:
            if self._serving is not None:
                raise IllegalStateException("already listening")
            with ExitStack() as serving:
                for each in self._servers:
                    serving.enter_context(each.serving())
                self._serving = serving.pop_all()
            _log.info("started")

    def stop(self) -> None:
        """Accept no more associations; those that are open go on."""
        with self._lock:
            if self._serving is not None:
                self._serving.close()
                self._serving = None
                _log.info("stopped")

    def reload(self) -> None:
        """Take over the device as it is in the directory now, and forget the AEs that were looked up.

        When it does not load, everything stays as it was.
        """
        with self._lock:
            device = self._configuration.load_device(self._device_name)
            self.state.device = device
            self.state.cache.clear()
            self.state.cache.stale_timeout_s = device.ae_cache_stale_timeout_s
            _log.info("reloaded")

    def close(self) -> None:
        """Stop, and close the database."""
        self.stop()
        self.state.database.close()


def _secured(site: Site, device: Device) -> ssl.SSLContext | None:
    """Return what secures the archive's TLS port; None without certificates, or such a port of the device."""
    if not site.tls_folder.exists():
        return None
    own = (each for each in device.connections if each.tls and each.installed and each.port == site.ports.archive_tls)
    connection = next(own, None)
    return server_context(site, connection) if connection else None
