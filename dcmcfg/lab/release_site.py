"""The directory of a lab that was installed with a release: its schema and default configuration, and two devices."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.entry import Entry
from dcmcfg.errors import LabError
from dcmcfg.files.named_release import read_named_release
from dcmcfg.lab.site import Ports
from dcmcfg.lab.tree import load_site_entries, set_addresses

#: The schema files of a release, in the order in which they depend on one another.
_SCHEMA_NAMES = ("dicom", "dcm4che", "dcm4chee-archive", "dcm4chee-archive-ui")
_SCHEMA_SUFFIX = ".schema"
#: The lab's own devices and AEs, which no release has; those of the release have the lab's addresses.
_OWN_NAMES = ("workstation", "longterm", "WORKSTATION", "LONGTERM")


@dataclass(frozen=True)
class ReleaseSite:
    """The release ``label``: its schema files by name, in loading order, and the entries of the site, parents first."""

    label: str
    schema_files: Mapping[str, str]
    entries: tuple[Entry, ...]


def read_release_site(folder: Path, ports: Ports) -> ReleaseSite:
    """Return the site of the release in *folder* (a folder or a zip file), with the addresses of *ports*.

    The lab's own workstation and external archive are added, as a site adds its devices. Raises :class:`LabError` if
    the schema is missing, and the errors of :func:`~dcmcfg.files.named_release.read_named_release`.
    """
    release = read_named_release(folder)
    own = tuple(each for each in load_site_entries(ports) if _is_own(each))
    entries = (_add_vendor_data(each, release.vendor_data) for each in release.entries)
    return ReleaseSite(release.label, dict(_read_schema_files(folder)), (*set_addresses(entries, ports), *own))


def _add_vendor_data(entry: Entry, vendor_data: bytes | None) -> Entry:
    """Return the archive's device with the vendor data of the release, and any other entry as it is."""
    if vendor_data is None or not entry.is_a("dcmArchiveDevice"):
        return entry
    return entry.with_values("dicomVendorData", [vendor_data])


def _is_own(entry: Entry) -> bool:
    values = {value for rdn in entry.dn.rdns for _, value in rdn.parts}
    return not values.isdisjoint(_OWN_NAMES)


def _read_schema_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of the schema files for slapd.conf in *folder*, a release folder or a zip file."""
    texts = dict(_list_zip(folder) if folder.is_file() else _list_folder(folder))
    for name in _SCHEMA_NAMES:
        found = min((path for path in texts if f"/{path}".endswith(f"/schema/{name}.schema")), key=len, default=None)
        if found is None:
            raise LabError(
                f"the release has no file schema/{name}.schema",
                subject=str(folder),
                next_step="specify the folder or zip file of a release. It must contain a folder named schema",
            )
        yield name, texts[found].decode("utf-8", "replace")


def _list_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield from ((name, archive.read(name)) for name in archive.namelist() if name.endswith(_SCHEMA_SUFFIX))
    except (OSError, zipfile.BadZipFile) as error:
        raise LabError(f"cannot read the schema ({error})", subject=str(path)) from error


def _list_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    try:
        for path in sorted(folder.rglob(f"*{_SCHEMA_SUFFIX}")):
            yield path.relative_to(folder).as_posix(), path.read_bytes()
    except OSError as error:
        raise LabError(f"cannot read the schema ({error.strerror})", subject=str(folder)) from error
