"""A directory with the lab's tree, and somebody else's archive in the place of the one that it names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from archive_setup.programs import DCMTK, NO_DELAY, running
from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import LOOPBACK, Ports
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import load_site_entries
from dcmcfg.ldif.writer import format_entry

#: AE titles of the tree: who is asked, where we listen, where somebody else does; and who asks.
ARCHIVE, WITNESS, OTHER, CALLING = "DCM4CHEE", "WORKSTATION", "STORESCP", "DCMCFG"
_PASSWORD = "benchmark"
#: Runs an archive in a folder on the ports, with an environment.
Archive = Callable[[Path, Ports, Mapping[str, str]], AbstractContextManager[None]]


@dataclass(frozen=True)
class Site:
    """Who is where: the archive's port and those of its destinations, the directory, and a folder for our state."""

    ports: Ports
    directory: str
    state: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """What our commands are told by the environment."""
        said = {"DCMCFG_LDAP_URL": self.directory, "DCMCFG_BIND_PASSWORD": _PASSWORD}
        return said | {"XDG_STATE_HOME": str(self.state)}

    def verify(self, *options: str) -> Sequence[str]:
        """Return the command ``dcmcfg verify`` with *options*."""
        return (sys.executable, "-m", "dcmcfg", "verify", *options)

    def movescu(self, study_uid: str) -> Sequence[str]:
        """Return dcmtk's command that has a study sent to the other destination."""
        keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_uid}")
        titles = ("-aet", CALLING, "-aec", ARCHIVE, "-aem", OTHER)
        return (str(DCMTK / "movescu"), "-S", *titles, *keys, LOOPBACK, str(self.ports.archive))


@contextmanager
def site(folder: Path, run: Archive, environment: Mapping[str, str], files: Sequence[Path]) -> Iterator[Site]:
    """Yield a site in *folder* whose archive, which *run* runs with *environment*, holds *files*."""
    ports = choose_ports()
    folder.mkdir()
    directory = Slapd(folder / "slapd", port=ports.ldap, root_password=_PASSWORD)
    directory.prepare()
    directory.load_ldif("".join(map(format_entry, load_site_entries(ports))))
    with directory, run(folder / "archive", ports, environment):
        titles = ("-aet", CALLING, "-aec", ARCHIVE, LOOPBACK, str(ports.archive))
        subprocess.run((str(DCMTK / "storescu"), *titles, *map(str, files)), env=os.environ | NO_DELAY, check=True)
        yield Site(ports, directory.url, folder / "state")


@contextmanager
def dcmqrscp(folder: Path, ports: Ports, environment: Mapping[str, str]) -> Iterator[None]:
    """Run dcmtk's archive, which knows both destinations, until the block ends."""
    storage = folder / "storage"
    storage.mkdir(parents=True)
    configuration = folder / "dcmqrscp.cfg"
    configuration.write_text(
        f"NetworkTCPPort = {ports.archive}\nMaxPDUSize = 131072\nMaxAssociations = 64\nHostTable BEGIN\n"
        f"witness = ({WITNESS}, {LOOPBACK}, {ports.workstation})\nother = ({OTHER}, {LOOPBACK}, {ports.storage})\n"
        "HostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\n{ARCHIVE} {storage} RW (1000, 4096mb) ANY\nAETable END\n"
    )
    with running((DCMTK / "dcmqrscp", "-c", configuration), ARCHIVE, ports.archive, environment):
        yield


@contextmanager
def orthanc(folder: Path, ports: Ports, environment: Mapping[str, str]) -> Iterator[None]:
    """Run Orthanc in the archive's place, which knows both destinations, until the block ends."""
    folder.mkdir()
    basis = {
        "DicomAet": ARCHIVE,
        "DicomPort": ports.archive,
        "DicomCheckModalityHost": False,
        "HttpServerEnabled": False,
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [],
        "DicomModalities": {
            "asking": [CALLING, LOOPBACK, ports.external],
            "witness": [WITNESS, LOOPBACK, ports.workstation],
            "other": [OTHER, LOOPBACK, ports.storage],
        },
    }
    configuration = folder / "orthanc.json"
    configuration.write_text(json.dumps(basis))
    with running(("/usr/sbin/Orthanc", configuration), ARCHIVE, ports.archive, environment):
        yield
