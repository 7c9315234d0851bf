"""A lab's site as the tests see it: its directory and the processes of its DICOM peers, each real."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import LOOPBACK, Site, TokenRequirements
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import load_site_entries
from dcmcfg.ldif.writer import format_entry
from tests.patience import PATIENCE_S
from tests.running_slapd import PASSWORD, RunningSlapd

DEVICE = "dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
AE = f"dicomAETitle=DCM4CHEE,{DEVICE}"


@dataclass(frozen=True)
class WebResponse:
    status: int
    content_type: str
    body: str


class RunningSite:
    def __init__(self, site: Site, slapd: RunningSlapd, stack: ExitStack) -> None:
        self.site = site
        self.slapd = slapd
        self._stack = stack
        self._started: dict[str, subprocess.Popen[str]] = {}

    @property
    def archive(self) -> Peer:
        return Peer("DCM4CHEE", LOOPBACK, self.site.ports.archive)

    @property
    def external(self) -> Peer:
        return Peer("LONGTERM", LOOPBACK, self.site.ports.external)

    @property
    def storage(self) -> Peer:
        return Peer("STORESCP", LOOPBACK, self.site.ports.storage)

    def start(self, *modules: str) -> None:
        """Start ``dcmcfg.lab.<module>`` for each of *modules*; they end with the site."""
        for module in modules:
            self._started[module] = self._stack.enter_context(process(module, self.site))

    @contextmanager
    def standing_still(self, module: str) -> Iterator[None]:
        """Have a process that was started take connections, and do nothing, until the block ends."""
        self._started[module].send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._started[module].send_signal(signal.SIGCONT)

    def process(self, module: str) -> AbstractContextManager[subprocess.Popen[str]]:
        """``dcmcfg.lab.<module>`` until the block ends."""
        return process(module, self.site)

    def modify(self, ldif: str) -> None:
        """Change the directory with ldapmodify."""
        path = self.site.folder / "change.ldif"
        path.write_text(ldif)
        done = self.slapd.run_client("ldapmodify", "-f", str(path))
        assert done.returncode == 0, done.stderr

    def put(self, attribute: str, *values: str, dn: str = DEVICE) -> None:
        """Have *attribute* hold exactly *values* in the directory."""
        lines = "".join(f"{attribute}: {value}\n" for value in values)
        self.modify(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{lines}-\n")

    def control(self, command: str, method: str = "POST") -> WebResponse:
        request = urllib.request.Request(f"{self.site.archive_url}/ctrl/{command}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
                return WebResponse(response.status, response.headers.get("Content-Type", ""), response.read().decode())
        except urllib.error.HTTPError as error:
            return WebResponse(error.code, error.headers.get("Content-Type", ""), error.read().decode())

    def reload(self) -> None:
        assert self.control("reload") == WebResponse(204, "", "")

    def external_knows(self, **known: Peer) -> None:
        table = {title: [peer.host, peer.port] for title, peer in known.items()}
        self.site.external_known_aes_file.write_text(json.dumps(table))

    def external_moves(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.site.external_move_log.read_text().splitlines()]

    def received(self) -> set[str]:
        """The SOP Instance UIDs that the lab's storage SCP has."""
        return {path.stem for path in self.site.storage_folder.glob("*.dcm")}

    def log(self, module: str) -> str:
        return (self.site.folder / f"{module}.log").read_text()


@contextmanager
def running_site(
    folder: Path, secured: TokenRequirements | None = None, *, replicated: bool = False, more_studies: int = 0
) -> Iterator[RunningSite]:
    """A new site whose directory runs; nothing else does yet. With *secured* its archive wants tokens.

    Beside the studies that every lab has there are *more_studies*.

    A *replicated* directory is changed step by step, since replicas may follow it.
    """
    site = Site(folder, choose_ports(), secured, more_studies)
    site.save()
    site.password_file.write_text(PASSWORD + "\n")
    site.password_file.chmod(0o600)
    slapd = Slapd(
        site.slapd_folder,
        port=site.ports.ldap,
        root_password=PASSWORD,
        extra_global="moduleload syncprov" if replicated else "",
        extra_database="overlay syncprov" if replicated else "",
    )
    slapd.prepare()
    slapd.load_ldif("".join(format_entry(entry) for entry in load_site_entries(site.ports)))
    with slapd, ExitStack() as stack:
        yield RunningSite(site, RunningSlapd(slapd), stack)


@contextmanager
def process(module: str, site: Site) -> Iterator[subprocess.Popen[str]]:
    """``python -m dcmcfg.lab.<module>`` until the block ends, which it does with exit status 0 on SIGTERM."""
    command = [sys.executable, "-P", "-m", f"dcmcfg.lab.{module}", str(site.folder)]
    with (site.folder / f"{module}.log").open("a") as log:
        running = subprocess.Popen(dying_with_us(command), stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n", (site.folder / f"{module}.log").read_text()
        yield running
        if running.poll() is not None:
            return  # the test has ended it
        running.terminate()
        assert running.wait(PATIENCE_S) == 0, (site.folder / f"{module}.log").read_text()
        assert running.stdout.read() == ""
    finally:
        running.kill()
        running.communicate()


def dying_with_us(command: Iterable[str]) -> list[str]:
    setpriv = shutil.which("setpriv") or "/usr/bin/setpriv"
    return [setpriv, "--pdeathsig", "KILL", "--", *command]
