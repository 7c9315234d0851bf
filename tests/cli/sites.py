"""A whole site for the changing commands: a real slapd and a scripted archive, named by the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from dcmcfg.entry import Entry
from tests.archive.scripted import Scripted
from tests.running_slapd import RunningSlapd

ARCHIVE_DN = "dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
NEW = f"dicomDeviceName=new,{DEVICES}"
#: Change records: a device that is not there yet, with a connection.
NEW_DEVICE = f"""\
dn: {NEW}
changetype: add
objectClass: dicomDevice
dicomDeviceName: new
dicomInstalled: TRUE

dn: cn=dicom,{NEW}
changetype: add
objectClass: dicomNetworkConnection
cn: dicom
dicomHostname: localhost
dicomPort: 104

"""
NAME = "dcmExternalRetrieveAEDestination"
#: The last line of a change of which the archive shows no value, such as that of :data:`NAME`.
NOT_CONFIRMED = (
    "The archive has reloaded (204). dcmcfg cannot confirm this change: no service of the archive returns the "
    "changed values."
)


@dataclass(frozen=True)
class CliSite:
    """The site that a command meets, with what a test wants to know of it afterwards."""

    slapd: RunningSlapd
    archive: Scripted

    @property
    def headline(self) -> str:
        return f"{self.slapd.bind_dn} @ {self.slapd.url} · archive {self.archive.url}"

    def octets(self) -> dict[str, dict[str, frozenset[bytes]]]:
        """What the server holds, read by OpenLDAP's own tool."""
        return {str(entry.dn): attributes(entry) for entry in self.slapd.entries()}

    def values(self, name: str, dn: str = ARCHIVE_DN) -> tuple[str, ...]:
        (entry,) = (entry for entry in self.slapd.entries() if str(entry.dn) == dn)
        return entry.texts(name)


def attributes(entry: Entry) -> dict[str, frozenset[bytes]]:
    return {attribute.name.lower(): frozenset(attribute.values) for attribute in entry.attributes}


def settle_at(monkeypatch: pytest.MonkeyPatch, slapd: RunningSlapd, archive: Scripted) -> CliSite:
    """Have the environment name *slapd* and *archive*, which runs."""
    archive.run_as_an_archive_does()
    monkeypatch.setenv("DCMCFG_LDAP_URL", slapd.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", slapd.password)
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", archive.url)
    return CliSite(slapd, archive)


def every_risk(command: click.Command) -> tuple[str, ...]:
    """The options with which *command* is told to take each risk that it would otherwise refuse."""
    return tuple(option for each in command.params for option in each.opts if option.startswith("--force-"))


def undo_files() -> list[Path]:
    """The undo files of what the account that the test runs as has rolled out, oldest first."""
    folders = (Path(os.environ["XDG_STATE_HOME"]) / "dcmcfg" / "rollouts").glob("[0-9]*")
    return [folder / "undo.ldif" for folder in sorted(folders, key=lambda folder: int(folder.name))]
