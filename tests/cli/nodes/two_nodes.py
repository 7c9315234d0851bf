"""A site with two nodes, each of which reads a replica: real slapds and archives, each of which a test can break."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from dcmcfg.lab.parts import prepare_parts
from dcmcfg.lab.ports import choose_ports
from dcmcfg.lab.site import Site, TokenRequirements
from dcmcfg.lab.supervisor import LabPart
from dcmcfg.settings.profile_edits import write_profile
from tests.lab.running_site import dying_with_us
from tests.patience import PATIENCE_S, comes_true
from tests.relay import Relay, end
from tests.running_slapd import PASSWORD

DEVICE = "dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
AE = f"dicomAETitle=DCM4CHEE,{DEVICE}"
CONNECTION = f"cn=dicom,{DEVICE}"
PROFILE = "hospital"
ARCHIVES = {"node1": "archive", "node2": "archive-2"}
REPLICAS = {"node1": "replica-1", "node2": "replica-2"}


class HoldingRelay(Relay):
    """Relays to *port* on loopback, and passes nothing on while it is held: what a replica behind it lacks is late."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._open = threading.Event()
        self._open.set()

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._open.wait()
                target.sendall(data)
        end(target)


class TwoNodes:
    """The site; its parts have the names that ``dcmcfg lab`` gives them.

    The replica of node 1 is in refreshAndPersist mode, that of node 2 polls its provider every *lag_s* seconds.
    """

    def __init__(self, folder: Path, *, lag_s: int) -> None:
        self.site = Site(folder, choose_ports(), node_count=2, replica_lag_s=lag_s)
        self.site.save()
        self.site.password_file.write_text(PASSWORD + "\n")
        self.site.password_file.chmod(0o600)
        self._parts = {each.name: each for each in prepare_parts(self.site, PASSWORD)}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._secured: list[str] = []
        #: Sent with requests to nodes, if it is set.
        self.token = ""
        #: Whether the last test has left everything as it was, apart from texts.
        self.is_in_order = True
        self._relays = {each.node_name: self._lead_through_relay(each) for each in self.site.nodes}
        self.urls = {each.node_name: each.archive_url for each in self.site.nodes}
        self.ldap_urls = {each.node_name: each.node_ldap_url for each in self.site.nodes}

    @property
    def ldap_url(self) -> str:
        return self.site.ldap_url

    def _lead_through_relay(self, node: Site) -> HoldingRelay:
        """Have the replica of *node* follow its provider through a relay."""
        relay = HoldingRelay(self.site.ports.ldap).__enter__()
        settings = node.replica_folder / "slapd.conf"
        settings.write_text(settings.read_text().replace(f"provider={self.ldap_url}", f"provider={relay.url}"))
        return relay

    def hold_replica(self, node: str) -> None:
        """Have the replica of *node* get nothing more from its provider; it answers as before."""
        self._relays[node].hold()

    def start(self, *names: str) -> None:
        """Start the parts *names* that do not run; all without a name."""
        for name in names or tuple(self._parts):
            if name not in self._running or self._running[name].poll() is not None:
                self._start(self._parts[name])

    def _start(self, part: LabPart) -> None:
        log = self.site.folder / f"{part.name}.log"
        with log.open("wb") as output:
            running = subprocess.Popen(dying_with_us(part.command), stdout=output, stderr=output)
        self._running[part.name] = running
        assert comes_true(lambda: running.poll() is not None or _is_ready(part, running, log))
        assert running.poll() is None, log.read_text()

    def signal(self, name: str, number: signal.Signals) -> None:
        self._running[name].send_signal(number)

    def pause(self, name: str) -> None:
        """Have the part *name* take connections, and do nothing."""
        self.signal(name, signal.SIGSTOP)

    def wake(self, name: str) -> None:
        self.signal(name, signal.SIGCONT)

    def kill(self, name: str) -> None:
        self._running[name].kill()
        self._running[name].wait(PATIENCE_S)

    def require_tokens(self, node: str, issuer_url: str) -> None:
        """Have *node* run as an archive that takes tokens of *issuer_url* only, until it is mended."""
        self.kill(ARCHIVES[node])
        replace(self.site, token_requirements=TokenRequirements(issuer_url)).save()
        self.start(ARCHIVES[node])
        self.site.save()
        self._secured.append(node)

    def mend(self) -> None:
        """Have every part run again, every archive be started, and every replica follow."""
        self.token = ""
        for relay in self._relays.values():
            relay.release()
        for each in self._running.values():
            each.send_signal(signal.SIGCONT)
        while self._secured:
            self.kill(ARCHIVES[self._secured.pop()])
        self.start(*self._running)
        for node in self.urls:
            if self.get(node, "/ctrl/status") == {"status": "STOPPED"}:
                self.post(node, "start")

    def end(self) -> None:
        for each in reversed(self._running.values()):
            each.kill()
            each.wait(PATIENCE_S)
        for relay in self._relays.values():
            relay.__exit__(None, None, None)

    def post(self, node: str, command: str) -> int:
        """Send a command to the control service of *node*; return the status of the response."""
        request = urllib.request.Request(f"{self.urls[node]}/ctrl/{command}", method="POST")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code

    def get(self, node: str, path: str) -> Any:
        """The JSON that *node* itself answers."""
        request = urllib.request.Request(self.urls[node] + path)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            return json.load(response)

    def is_running(self, name: str) -> bool:
        return self._running[name].poll() is None

    def description(self, node: str) -> str | None:
        """The description of the archive's AE that *node* has loaded."""
        (ae,) = (each for each in self.get(node, "/aets") if each["dicomAETitle"] == "DCM4CHEE")
        return str(ae.get("dicomDescription", ""))

    def put(self, attribute: str, *values: str, dn: str = AE) -> None:
        """Have *attribute* hold exactly *values* in the provider."""
        lines = "".join(f"{attribute}: {value}\n" for value in values)
        self._run("ldapmodify", text=f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{lines}-\n")

    def find(self, server_url: str, ldap_filter: str, *attributes: str, base: str = DEVICE) -> str:
        """What the directory server at *server_url* answers, as LDIF."""
        return self._run(
            "ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", base, ldap_filter, *attributes, url=server_url
        )

    def markers(self) -> list[str]:
        """The DNs of the markers in the provider."""
        # No matching rule of the schema finds a part of an ID.
        found = self.find(self.ldap_url, "(objectClass=dcmAttributeSet)", "1.1").splitlines()
        return [line for line in found if "dcmcfg-" in line]

    def _run(self, program: str, *arguments: str, url: str = "", text: str | None = None) -> str:
        identity = ("-x", "-H", url or self.ldap_url, "-D", self.site.bind_dn, "-w", PASSWORD)
        done = subprocess.run(
            [f"/usr/bin/{program}", *identity, *arguments], input=text, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def replicas_follow(self) -> None:
        """Wait until every replica holds what the provider holds."""
        assert comes_true(lambda: all(self._csn(url) == self._csn(self.ldap_url) for url in self.ldap_urls.values()))

    def _csn(self, url: str) -> str:
        return self.find(url, "(objectClass=*)", "contextCSN", base=f"{self.site.base_dn}")[:400]

    def write_profile(self, node: str = "", *, site_url: str = "", **own: str) -> None:
        """Write the profile of the site; *own* are further values of *node*."""
        nodes = {
            name: {"archive_url": self.urls[name], "ldap_url": self.ldap_urls[name]} | (own if name == node else {})
            for name in self.urls
        }
        write_profile(
            PROFILE,
            {
                "nodes": nodes,
                "ldap_url": site_url or self.ldap_url,
                "base_dn": self.site.base_dn,
                "bind_dn": self.site.bind_dn,
                "bind_password_file": str(self.site.password_file),
                "device": self.site.device,
                "archive_url": self.urls["node1"],
            },
        )


def _is_ready(part: LabPart, running: subprocess.Popen[bytes], log: Path) -> bool:
    if part.port is None:
        return b"ready" in log.read_bytes().splitlines()
    try:
        sockets = psutil.Process(running.pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == part.port for each in sockets)


@contextmanager
def two_nodes(folder: Path, *parts: str, lag_s: int = 1) -> Iterator[TwoNodes]:
    """A new site of which *parts* run, all without a name."""
    site = TwoNodes(folder, lag_s=lag_s)
    try:
        site.start(*parts)
        yield site
    finally:
        site.end()
