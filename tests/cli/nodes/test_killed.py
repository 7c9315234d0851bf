"""kill -9 of the program after the write, at a replica, at a node, or with a marker in the directory: ``--resume``."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.nodes.two_nodes import AE, DEVICE, PROFILE, TwoNodes
from tests.forked import forking
from tests.killing_proxy import READS, WRITES, KillingProxy
from tests.killing_relay import KillingRelay
from tests.patience import comes_true
from tests.sampling import LONG, sample

pytestmark = pytest.mark.real

NODES = ("node1", "node2")
KILLED = -signal.SIGKILL
RELOAD, SHOWN, ANY = b"POST /dcm4chee-arc/ctrl/reload", b"GET /dcm4chee-arc/aets", b" /dcm4chee-arc/"
_numbers = itertools.count()


@dataclass(frozen=True)
class Point:
    """A request at which the program is killed: before it is sent, or before its answer is heard (``answered``).

    ``place`` is ``writes`` or ``reads`` of the directory, or a node; ``octets`` are those of the requests that count.
    """

    place: str
    number: int
    answered: bool
    octets: bytes = ANY

    def __str__(self) -> str:
        name = self.octets.decode().rpartition("/")[2] or "any"
        request = f"{self.place}-{name}" if self.place in NODES else self.place
        return f"{request}-{self.number}-{'unheard' if self.answered else 'unsent'}"


class Account:
    """An account that runs the program on a site, and the relays between the two."""

    def __init__(self, nodes: TwoNodes, server: subprocess.Popen[str], state: Path, stack: ExitStack) -> None:
        self.nodes, self._server, self._state = nodes, server, state
        self._stack = stack
        self.proxy = stack.enter_context(KillingProxy(nodes.site.ports.ldap))
        nodes.write_profile(site_url=self.proxy.url)

    def lead_through_relay(self, node: str, octets: bytes) -> KillingRelay:
        """Have the program reach *node* through a relay that counts the requests with *octets*."""
        host, port = self.nodes.urls[node].split("/")[2].split(":")
        relay = self._stack.enter_context(KillingRelay(int(port), octets, host))
        url = f"http://127.0.0.1:{relay.at_port}/dcm4chee-arc"
        self.nodes.write_profile(node, site_url=self.proxy.url, archive_url=url)
        return relay

    def start(self, *arguments: str) -> int:
        """Start the program; return its process ID."""
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps([*arguments, "--yes", "--profile", PROFILE]) + "\n")
        self._server.stdin.flush()
        pid = json.loads(self._server.stdout.readline())
        assert isinstance(pid, int)
        self.proxy.victim_is(pid)
        return pid

    def wait(self) -> tuple[int, str]:
        """Return exit code and output of the program that was started."""
        assert self._server.stdout
        code, output = json.loads(self._server.stdout.readline())
        return code, output

    def run(self, *arguments: str) -> tuple[int, str]:
        self.start(*arguments)
        return self.wait()

    def is_killed(self, point: Point, *arguments: str) -> bool:
        """Run the program and kill it at *point*; return False if it ended before."""
        if point.place in NODES:
            relay = self.lead_through_relay(point.place, point.octets)
            relay.kill(point.number, victim=self.start(*arguments), answered=point.answered)
        else:
            counted = WRITES if point.place == "writes" else READS
            self.proxy.kill_at(point.number, answered=point.answered, counted=counted)
            self.start(*arguments)
        code, output = self.wait()
        self.proxy.let_live()
        self.nodes.write_profile(site_url=self.proxy.url)
        assert code in (0, KILLED), output
        return code == KILLED

    def read_node_record(self) -> dict[str, Any]:
        """The record of the nodes of the newest change, as it is on the disk now; empty without one."""
        folders = self._state / "dcmcfg" / "rollouts"
        numbers = [int(each.name) for each in folders.glob("[0-9]*")]
        file = folders / str(max(numbers, default=0)) / "nodes.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}


@pytest.fixture
def account(nodes: TwoNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """The account of the program; what runs in this process has the same folders."""
    state = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with ExitStack() as stack, forking(state, dict(os.environ)) as server:
        yield Account(nodes, server, state, stack)
        nodes.is_in_order = True


def make_change(nodes: TwoNodes, file: Path, *, visible: bool) -> str:
    """Write a change into *file*; return the description that a node shows that has loaded it."""
    number = next(_numbers)
    description = f"description {number}"
    dn, attribute, value = (
        (AE, "dicomDescription", description) if visible else (DEVICE, "dicomManufacturer", f"manufacturer {number}")
    )
    file.write_text(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n-\n")
    if not visible:
        nodes.put("dicomDescription", description)
    return description


def check_finished(account: Account, run: Run, description: str) -> None:
    """Every node has loaded the change, the record says so, and nothing is left in the directory."""
    nodes = account.nodes
    assert nodes.markers() == []
    assert [nodes.description(node) for node in NODES] == [description] * 2
    change = json.loads(run("history", "--json").stdout)["rollouts"][0]
    assert (change["result"], change["reload"]["outcome"]) == ("applied", "loaded")
    assert [(each["name"], each["state"]) for each in change["nodes"]] == [(node, "loaded") for node in NODES]
    marker = account.read_node_record()["marker"]
    assert marker is None or not marker["present"]
    again = account.run("apply", "--resume")
    assert (again[0], "there is no unfinished change" in again[1]) == (3, True)


#: A point of each stage, with a marker; the writes are the change, the marker, and the removal of the marker.
STAGES = (
    Point("writes", 1, answered=False),
    Point("writes", 1, answered=True),
    Point("writes", 2, answered=False),
    Point("writes", 2, answered=True),
    Point("node1", 1, answered=False, octets=RELOAD),
    Point("node1", 1, answered=True, octets=RELOAD),
    Point("node2", 1, answered=False, octets=RELOAD),
    Point("node2", 1, answered=True, octets=RELOAD),
    Point("node1", 2, answered=False, octets=SHOWN),
    Point("writes", 3, answered=False),
    Point("writes", 3, answered=True),
)


@pytest.mark.parametrize("point", sample(STAGES, 0.4), ids=str)
def test_a_change_killed_at_any_stage_is_finished(account: Account, run: Run, tmp_path: Path, point: Point) -> None:
    file = tmp_path / "change.ldif"
    description = make_change(account.nodes, file, visible=True)
    assert account.is_killed(point, "apply", str(file), "--confirm", "marker")
    code, output = account.run("apply", "--resume")
    assert code == 0, output
    check_finished(account, run, description)


def test_a_change_killed_while_it_waits_for_a_replica_is_finished(account: Account, run: Run, tmp_path: Path) -> None:
    nodes, file = account.nodes, tmp_path / "change.ldif"
    nodes.hold_replica("node2")
    description = make_change(nodes, file, visible=False)
    pid = account.start("apply", str(file), "--confirm", "marker")
    assert comes_true(lambda: account.read_node_record().get("marker") is not None and nodes.markers() != [])
    os.kill(pid, signal.SIGKILL)
    assert account.wait()[0] == KILLED
    assert [each["state"] for each in account.read_node_record()["nodes"]] == ["pending"] * 2
    assert nodes.markers() != []
    nodes.mend()
    code, output = account.run("apply", "--resume", "--confirm", "marker")
    assert code == 0, output
    assert "The marker of change 1 is removed from the directory: " in output
    check_finished(account, run, description)


@pytest.mark.skipif(not LONG, reason="some points are tested above")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("place", ["writes", "reads", *NODES])
@pytest.mark.parametrize("kind", ["visible", "hidden", "marked"])
@pytest.mark.parametrize("answered", [False, True], ids=["unsent", "unheard"])
def test_a_change_killed_at_each_request_is_finished(
    account: Account, run: Run, tmp_path: Path, *, place: str, kind: str, answered: bool
) -> None:
    file = tmp_path / "change.ldif"
    options = ("--confirm", "marker") if kind == "marked" else ()
    number = itertools.count(1)
    description, recorded = make_change(account.nodes, file, visible=kind == "visible"), 0
    while account.is_killed(Point(place, next(number), answered), "apply", str(file), *options):
        rollouts = json.loads(run("history", "--json").stdout)["rollouts"]
        code, output = account.run("apply", "--resume")
        if len(rollouts) == recorded:
            # It was killed before it had written anything.
            assert (code, account.nodes.markers()) == (3, [])
            assert file_is_not_applied(account.nodes, description, visible=kind == "visible")
            continue
        assert code in (0, 3), output
        check_finished(account, run, description)
        description, recorded = make_change(account.nodes, file, visible=kind == "visible"), len(rollouts)
    check_finished(account, run, description)


def file_is_not_applied(nodes: TwoNodes, description: str, *, visible: bool) -> bool:
    return not visible or description not in nodes.find(nodes.ldap_url, "(dicomAETitle=DCM4CHEE)", "dicomDescription")
