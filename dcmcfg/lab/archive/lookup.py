"""Lookup of devices and AEs in the directory, with the archive's cache of AEs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import LdapServerSettings, Scope
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError, NotFound
from dcmcfg.lab.archive.configuration import Device, NetworkAE
from dcmcfg.lab.archive.java_exceptions import (
    ConfigurationException,
    ConfigurationNotFoundException,
    NameNotFoundException,
    NamingException,
)
from dcmcfg.lab.archive.loader import build_device
from dcmcfg.lab.site import Site


class DirectoryReader(Protocol):
    """The required interface of a directory."""

    def read(self, base: DN, scope: Scope = "subtree", attributes: Sequence[str] = ("*",)) -> tuple[Entry, ...]:
        """Return the entries in *scope* of *base*; raises :class:`NotFound` if *base* does not exist."""


OpenDirectory = Callable[[], AbstractContextManager[DirectoryReader]]


def make_directory_opener(site: Site) -> OpenDirectory:
    """Return a function that opens a connection to the directory that the node reads, with the current password."""

    @contextmanager
    def open_directory() -> Iterator[DirectoryReader]:
        password = site.password_file.read_text("utf-8").strip()
        server = LdapServerSettings(site.node_ldap_url, DN.parse(site.base_dn), site.bind_dn, password)
        with connect(server) as directory:
            yield directory

    return open_directory


class DirectoryConfiguration:
    """The configuration in the directory, read again at each call."""

    def __init__(self, open_directory: OpenDirectory, base_dn: DN) -> None:
        self._open_directory = open_directory
        self._devices_dn = base_dn.child("cn", "DICOM Configuration").child("cn", "Devices")

    def load_device(self, name: str) -> Device:
        """Return the device *name*.

        Raises :class:`ConfigurationNotFoundException` if it does not exist or refers to a connection that is not its
        own, :class:`ConfigurationException` if the directory cannot be read, and
        :class:`~dcmcfg.lab.archive.java_exceptions.IllegalArgumentException` for a value that cannot be parsed.
        """
        return self._load_device_at(self._devices_dn.child("dicomDeviceName", name))

    def find_ae(self, title: str) -> NetworkAE | None:
        """Return the first AE with exactly this title, with its whole device loaded, or None if there is none.

        Raises the errors of :meth:`load_device`.
        """
        with self._open_for_reading(self._devices_dn) as directory:
            entries = directory.read(self._devices_dn, "subtree", ("objectClass", "dicomAETitle"))
        for entry in entries:
            if entry.is_a("dicomNetworkAE") and title in entry.texts("dicomAETitle"):
                return self._load_device_at(entry.dn.parent).find_ae(title)
        return None

    def read_device(self, name: str) -> tuple[Entry, ...]:
        """Return the entry of the device *name* and all entries below it, without loading them.

        Raises the exceptions of :meth:`load_device` for a device that cannot be read.
        """
        return self._read_entries(self._devices_dn.child("dicomDeviceName", name))

    def _load_device_at(self, dn: DN) -> Device:
        return build_device(self._read_entries(dn))

    def _read_entries(self, dn: DN) -> tuple[Entry, ...]:
        with self._open_for_reading(dn) as directory:
            entries = directory.read(dn)
        # LDAP does not define the order of results.
        return tuple(sorted(entries, key=lambda entry: len(entry.dn.rdns)))

    @contextmanager
    def _open_for_reading(self, dn: DN) -> Iterator[DirectoryReader]:
        try:
            with self._open_directory() as directory:
                yield directory
        except NotFound:
            missing = NameNotFoundException(f"[LDAP: error code 32 - No Such Object]; remaining name '{dn}'")
            raise ConfigurationNotFoundException("Device with specified name not found") from missing
        except (DirectoryError, OSError) as error:
            cause = NamingException(str(error))
            raise ConfigurationException(str(cause)) from cause


@dataclass(frozen=True)
class _Cached:
    ae: NetworkAE | None
    fetched: float


class AECache:
    """Simulates ``ApplicationEntityCache``: an AE, or its absence, is cached until it is stale.

    Without a stale time-out, nothing is read again until :meth:`clear`.
    """

    def __init__(self, find: Callable[[str], NetworkAE | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._clock = clock
        self._lock = Lock()
        self._cached: dict[str, _Cached] = {}
        self.stale_timeout_s: float | None = None

    def clear(self) -> None:
        """Clear the cache."""
        with self._lock:
            self._cached.clear()

    def find_application_entity(self, title: str) -> NetworkAE:
        """Return the AE; raises :class:`ConfigurationNotFoundException` if it is unknown or not installed.

        The AEs of a device that cannot be loaded because of a dangling reference are unknown.
        """
        ae = self._get(title)
        if ae is None:
            raise ConfigurationNotFoundException(f"Unknown AE: {title}")
        if not ae.installed:
            raise ConfigurationNotFoundException(f"AE: {title} not installed")
        return ae

    def _get(self, title: str) -> NetworkAE | None:
        # The lock also covers the lookup, so one AE is fetched only once at a time.
        with self._lock:
            cached = self._cached.get(title)
            if cached is None or self._is_stale(cached):
                cached = _Cached(self._fetch(title), self._clock())
                self._cached[title] = cached
            return cached.ae

    def _is_stale(self, cached: _Cached) -> bool:
        return self.stale_timeout_s is not None and self._clock() > cached.fetched + self.stale_timeout_s

    def _fetch(self, title: str) -> NetworkAE | None:
        try:
            return self._find(title)
        # The archive caches this result too, so an AE added later stays unknown until it is stale.
        except ConfigurationNotFoundException:
            return None
