"""The lab's configuration tree, from LDIF files that are part of dcmcfg."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import LabError
from dcmcfg.lab.site import LOOPBACK, Ports, Site
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord

#: In an installed package the folder is next to this module, in a clone at the top level.
_FOLDERS = (Path(__file__).parent / "ldif", Path(__file__).parents[2] / "ldif")


def find_ldif_folder() -> Path:
    """Return the folder with the LDIF files (``site/`` and ``examples/``); raises :class:`LabError` if missing."""
    for folder in _FOLDERS:
        if (folder / "site").is_dir():
            return folder
    raise LabError("the LDIF files are missing", subject=str(_FOLDERS[0]), next_step="reinstall dcmcfg")


def list_site_files() -> tuple[Path, ...]:
    """Return the files of the lab's tree in loading order, parents before children."""
    return tuple(sorted((find_ldif_folder() / "site").glob("*.ldif")))


def list_example_files() -> tuple[Path, ...]:
    """Return the example change files, ordered by name."""
    return tuple(sorted((find_ldif_folder() / "examples").glob("*.ldif")))


def load_site_entries(ports: Ports) -> tuple[Entry, ...]:
    """Return the entries of the lab's tree, parents first, with the lab's addresses in the listening connections.

    These are each device's ``cn=dicom`` and the archive's ``cn=dicom-tls`` and ``cn=http``. The other connections keep
    the standard ports of the files; nothing listens on them. Raises :class:`LabError` or
    :class:`~dcmcfg.errors.LdifError`.
    """
    return set_addresses(_load_entries(), ports)


def set_addresses(entries: Iterable[Entry], ports: Ports) -> tuple[Entry, ...]:
    """Return *entries* with the lab's addresses in the listening connections of the lab's devices."""
    addresses = _map_ports(ports)
    return tuple(_set_address(entry, addresses) for entry in entries)


def _load_entries() -> Iterator[Entry]:
    for file in list_site_files():
        with file.open("rb") as source:
            records = read_all(source, file.name, strict=True)
        for record in records:
            if not isinstance(record, ContentRecord):
                raise LabError(
                    "change records are not allowed in the LDIF file of the lab's tree",
                    subject=f"{file.name}:{record.line}",
                )
            yield record.entry


def _map_ports(ports: Ports) -> Mapping[NormalDN, int]:
    devices = DN.parse(f"cn=Devices,cn=DICOM Configuration,{Site.base_dn}")
    connections = {
        (Site.device, "dicom"): ports.archive,
        (Site.device, "dicom-tls"): ports.archive_tls,
        (Site.device, "http"): ports.http,
        ("storescp", "dicom"): ports.storage,
        ("workstation", "dicom"): ports.workstation,
        ("longterm", "dicom"): ports.external,
    }
    return {
        devices.child("dicomDeviceName", device).child("cn", name).normalised(): port
        for (device, name), port in connections.items()
    }


def _set_address(entry: Entry, addresses: Mapping[NormalDN, int]) -> Entry:
    if not entry.is_a("dicomNetworkConnection"):
        return entry
    port = addresses.get(entry.dn.normalised())
    if port is None:
        return entry
    return entry.with_values("dicomHostname", [LOOPBACK.encode()]).with_values("dicomPort", [b"%d" % port])
