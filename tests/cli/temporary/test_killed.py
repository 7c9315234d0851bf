"""``dcmcfg verify --temporary-dest`` killed at every request: the next run finds what was left, and takes it back."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from dcmcfg.lab.studies import get_standard_study
from tests.cli.sites import attributes
from tests.forked import forking
from tests.killing_proxy import KillingProxy
from tests.killing_relay import KillingRelay
from tests.lab.running_site import AE, RunningSite, running_site
from tests.sampling import LONG

pytestmark = pytest.mark.real
KILLED = -9
VERIFY = ("verify", "--study", get_standard_study("local").uid, "--temporary-dest", "--yes", "--json")
CLEAN = ("verify", "--clean-temporary", "--yes")
#: What a reload and a C-MOVE-RQ begin with: the command field 0021H of PS3.7 Annex E.1.
RELOAD = b"POST /dcm4chee-arc/ctrl/reload"
MOVE = b"\x00\x00\x00\x01\x02\x00\x00\x00\x21\x00"
Octets = dict[str, dict[str, frozenset[bytes]]]


@dataclass
class Programs:
    """The program run over and over by an account, with what lies between it and the site."""

    server: subprocess.Popen[str]
    site: RunningSite
    directory: KillingProxy
    control: KillingRelay
    dicom: KillingRelay

    def run(self, *arguments: str, begun: Callable[[int], None] = lambda _: None) -> tuple[int, str]:
        """Run it, and tell *begun* its process number while it starts."""
        assert self.server.stdin
        assert self.server.stdout
        self.server.stdin.write(json.dumps([*arguments]) + "\n")
        self.server.stdin.flush()
        begun(json.loads(self.server.stdout.readline()))
        code, output = json.loads(self.server.stdout.readline())
        return code, output

    def verify(self, begun: Callable[[int], None] = lambda _: None) -> tuple[int, str]:
        return self.run(*VERIFY, "--connect", f"127.0.0.1:{self.dicom.at_port}", begun=begun)

    def octets(self) -> Octets:
        return {str(entry.dn): attributes(entry) for entry in self.site.slapd.entries()}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """A lab whose archive accepts a few destinations only, so that the addition has all its parts."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "lab").mkdir()
    with running_site(folder / "lab", replicated=True) as site, ExitStack() as stack:
        site.put("dcmAcceptedMoveDestination", "STORESCP", "VIEWER", dn=AE)
        site.start("archive")
        ports = site.site.ports
        directory = stack.enter_context(KillingProxy(site.slapd.slapd.port))
        control = stack.enter_context(KillingRelay(ports.http, RELOAD))
        dicom = stack.enter_context(KillingRelay(ports.archive, MOVE))
        settings = {
            "LDAP_URL": directory.url,
            "BIND_PASSWORD": site.slapd.password,
            "ARCHIVE_URL": f"http://127.0.0.1:{control.at_port}/dcm4chee-arc",
        }
        server = stack.enter_context(forking(folder / "state", dict(os.environ), **settings))
        yield Programs(server, site, directory, control, dicom)


def test_killed_at_each_request_to_the_directory_the_next_run_leaves_the_tree_as_it_was(programs: Programs) -> None:
    """All of them where the environment says so, else every third."""
    before = programs.octets()
    request_number, changed_count, every = 1, 0, 1 if LONG else 3
    while True:
        programs.directory.kill_at(request_number, answered=bool(request_number % 2))
        code, output = programs.verify(programs.directory.victim_is)
        if not programs.directory.has_killed:
            break
        assert code == KILLED, output
        programs.directory.let_live()
        changed_count += programs.octets() != before
        if request_number % 2:
            code, output = programs.run(*CLEAN)
            assert code == 0, output
        else:
            code, output = programs.verify()
            assert code == 0, output
        assert programs.octets() == before, (request_number, output)
        request_number += every
    assert code == 0, output
    assert programs.octets() == before
    assert (request_number, changed_count) == ((11, 10) if every == 1 else (13, 4)), "five steps there and five back"
    assert programs.run("status")[1].startswith("STARTED")


@pytest.mark.parametrize(("which", "at", "answered"), [("control", 1, False), ("dicom", 1, True), ("control", 2, True)])
def test_killed_at_a_reload_or_during_the_move_the_next_run_cleans_up_and_reloads(
    programs: Programs, which: str, at: int, answered: bool
) -> None:
    before = programs.octets()
    relay: KillingRelay = getattr(programs, which)
    code, output = programs.verify(lambda victim: relay.kill(at, victim=victim, answered=answered))
    assert code == KILLED, output
    assert (programs.octets() == before) is (at == 2)
    warned = programs.run("status")[1]
    assert "warning: an earlier verify might not have removed the temporary destination DCMCFG_" in warned
    code, output = programs.verify()
    assert code == 0, output
    answer = json.loads(output[output.index("{\n") :])
    assert len(answer["temporary_destination"]["removed_leftovers"]) == 1
    assert programs.octets() == before
