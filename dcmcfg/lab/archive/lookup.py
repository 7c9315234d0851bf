"""Devices and AEs looked up in the directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from dcmcfg.directory.ldap import connect
from dcmcfg.directory.server import LdapServer, Scope
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError, NotFound
from dcmcfg.lab.archive.configuration import Device, NetworkAE
from dcmcfg.lab.archive.java import (
    ConfigurationException,
    ConfigurationNotFoundException,
    NameNotFoundException,
    NamingException,
)
from dcmcfg.lab.archive.loader import device_of
from dcmcfg.lab.site import Site


class Reader(Protocol):
    """What is needed of a directory."""

    def read(self, base: DN, scope: Scope = "subtree", attributes: Sequence[str] = ("*",)) -> tuple[Entry, ...]:
        """Return the entries in *scope* of *base*; raises :class:`NotFound` when *base* does not exist."""


Open = Callable[[], AbstractContextManager[Reader]]


def ldap_of(site: Site) -> Open:
    """Return what opens a connection to the lab's directory, with the password as it is at that time."""

    @contextmanager
    def open_directory() -> Iterator[Reader]:
        password = site.password_file.read_text("utf-8").strip()
        with connect(LdapServer(site.ldap_url, DN.parse(site.base_dn), site.bind_dn, password)) as directory:
            yield directory

    return open_directory


class Configuration:
    """The configuration in the directory, read anew at each call."""

    def __init__(self, open_directory: Open, base_dn: DN) -> None:
        self._open = open_directory
        self._devices_dn = base_dn.child("cn", "DICOM Configuration").child("cn", "Devices")

    def load_device(self, name: str) -> Device:
        """Return the device called *name*.

        Raises :class:`ConfigurationNotFoundException` when it is not there or refers to a connection that is not
        its own, :class:`ConfigurationException` when the directory cannot be read, and
        :class:`IllegalArgumentException` for a value that cannot be read.
        """
        return self._load(self._devices_dn.child("dicomDeviceName", name))

    def find_ae(self, title: str) -> NetworkAE | None:
        """Return the first AE of exactly this title with its whole device loaded, or None when there is none.

        Raises what :meth:`load_device` raises.
        """
        with self._reading(self._devices_dn) as directory:
            entries = directory.read(self._devices_dn, "subtree", ("objectClass", "dicomAETitle"))
        for entry in entries:
            if entry.is_a("dicomNetworkAE") and title in entry.texts("dicomAETitle"):
                return self._load(entry.dn.parent).ae(title)
        return None

    def _load(self, dn: DN) -> Device:
        with self._reading(dn) as directory:
            entries = directory.read(dn)
        own_first = sorted(entries, key=lambda entry: len(entry.dn.rdns))
        return device_of(own_first)

    @contextmanager
    def _reading(self, dn: DN) -> Iterator[Reader]:
        try:
            with self._open() as directory:
                yield directory
        except NotFound:
            missing = NameNotFoundException(f"[LDAP: error code 32 - No Such Object]; remaining name '{dn}'")
            raise ConfigurationNotFoundException("Device with specified name not found") from missing
        except (DirectoryError, OSError) as error:
            cause = NamingException(str(error))
            raise ConfigurationException(str(cause)) from cause
