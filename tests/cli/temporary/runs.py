"""Runs with a temporary destination: how they are asked for, what they say, and what others may have left."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from dataclasses import dataclass

from dcmcfg.dicom.peer import Peer
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.temporary_destination import TemporaryDestination, add_temporary_destination
from dcmcfg.edits.temporary_mark import OwnerProcess
from dcmcfg.lab.studies import get_standard_study
from dcmcfg.model.devices import Configuration
from dcmcfg.timestamps import parse_timestamp
from tests.cli.sites import attributes
from tests.connecting import server_of
from tests.lab.running_site import RunningSite
from tests.patience import PATIENCE_S

LOCAL = get_standard_study("local").uid
VERIFY = ("verify", "--study", LOCAL, "--temporary-dest")
#: What the scripted archive lists; UIDs of its instances have to fit into 64 characters.
MADE = "1.2.826.0.1.3680043.10.7.1"
Octets = dict[str, dict[str, frozenset[bytes]]]


def octets(site: RunningSite) -> Octets:
    return {str(entry.dn): attributes(entry) for entry in site.slapd.entries()}


def masked(text: str) -> str:
    """*text* with what is another in each run."""
    text = re.sub(r"DCMCFG_[0-9A-F]{9}", "DCMCFG_TITLE", text)
    text = re.sub(r"dcmcfg_[0-9a-f]{9}", "dcmcfg_title", text)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)


def masked_lines(text: str) -> list[str]:
    """The lines of *text* below that of the site, masked."""
    return masked(text).splitlines()[1:]


def add(site: RunningSite, maker: OwnerProcess, title: str = "DCMCFG_0A1B2C3D4") -> None:
    """Add a temporary destination as another machine's run does."""
    with connect(server_of(site.slapd)) as directory:
        configuration = Configuration(read_tree(directory))
        new = TemporaryDestination(title, "localhost", 1, maker)
        archive_ae = configuration.get_device("dcm4chee-arc").get_network_ae("DCM4CHEE")
        for change in add_temporary_destination(configuration, archive_ae, new).changes:
            directory.apply(change)


def elsewhere(when: str) -> OwnerProcess:
    timestamp = parse_timestamp(when)
    assert timestamp
    return OwnerProcess(user="ann", host="desk7", pid=4711, started=1_795_000_000, created=timestamp)


@dataclass
class Silent:
    """An archive that keeps silent on a C-MOVE until it is ``over``, and tells when it has got one."""

    peer: Peer
    asked: threading.Event
    over: threading.Event

    @property
    def place(self) -> str:
        return f"{self.peer.host}:{self.peer.port}"

    def started(self, *more: str) -> subprocess.Popen[str]:
        """A verify that asks it, once the C-MOVE was sent."""
        asking = ("verify", "--study", MADE, "--temporary-dest", "--yes", "--connect", self.place)
        command = [sys.executable, "-m", "dcmcfg", *asking, *more]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.asked.wait(PATIENCE_S), process.communicate()
        return process
