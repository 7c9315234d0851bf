"""A directory server in a folder of its own, on loopback, as the tests see it."""

from __future__ import annotations

import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from dcmcfg.entry import Entry
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from tests.ports import free_port

BASE_DN = "dc=dcm4che,dc=org"
PASSWORD = "secret"
_START_SECONDS = 120.0


class RunningServer(ABC):
    """A server with the schema of the archive; as a context manager it runs. It dies with the test."""

    base_dn = BASE_DN
    bind_dn: str
    password = PASSWORD

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @abstractmethod
    def prepare(self) -> None:
        """Write the configuration into the folder."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the command line that runs the server."""

    @abstractmethod
    def first_changes(self) -> str:
        """Return the change records for what a new server lacks."""

    def run_client(self, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of OpenLDAP's tools as the administrator, *text* on its standard input."""
        return subprocess.run(
            [f"/usr/bin/{program}", "-x", "-H", self.url, "-D", self.bind_dn, "-w", self.password, *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )

    def add(self, ldif: str) -> None:
        """Add the entries of *ldif*."""
        added = self.run_client("ldapadd", text=ldif.replace("version: 1\n", "", 1))
        assert added.returncode == 0, added.stderr

    def entries(self) -> dict[str, Entry]:
        """Return what the server holds by DN (user attributes), read by OpenLDAP's own tool."""
        found = self.run_client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", self.base_dn)
        assert found.returncode == 0, found.stderr
        records = read_all([found.stdout.encode()], "ldapsearch")
        return {str(record.entry.dn): record.entry for record in records if isinstance(record, ContentRecord)}

    def start(self) -> None:
        """Start the server; it answers on return."""
        output = self.folder / "output"
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *self.command()],
            stdin=subprocess.DEVNULL,
            stdout=output.open("ab"),
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + _START_SECONDS
        while self.run_client("ldapsearch", "-b", "", "-s", "base").returncode:
            assert self._process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        """End the server without warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        self.prepare()
        self.start()
        changed = self.run_client("ldapmodify", text=self.first_changes())
        assert changed.returncode == 0, changed.stderr
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
