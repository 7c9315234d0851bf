"""``dcmcfg verify --temporary-dest`` on a lab: what is shown, what is done, and that nothing of it is left."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dcmcfg.bulk.store_file import hold
from dcmcfg.devices import Configuration
from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.tls import TlsFiles
from dcmcfg.directory.ldap import connect
from dcmcfg.directory.reading import read_tree
from dcmcfg.edits.temporary_destination import TemporaryDestination, add_temporary_destination
from dcmcfg.edits.temporary_mark import Maker
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.studies import study
from dcmcfg.ldif.writer import format_entry
from dcmcfg.moments import parsed
from dcmcfg.settings.folders import state_folder
from dcmcfg.temporary.claim import claims
from tests.archive.scripted import scripted_archive as scripted_control
from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.sites import attributes, settle_at
from tests.connecting import server_of
from tests.dicom.certificates import make_pki
from tests.dicom.dcmtk import Made, make_instances, storescu
from tests.lab.running_site import AE, DEVICE, RunningSite, running_site
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd
from tests.verify.scripted_archive import scripted_archive

pytestmark = pytest.mark.real
LOCAL = study("local").uid
VERIFY = ("verify", "--study", LOCAL, "--temporary-dest")
#: What the scripted archive lists; UIDs of its instances have to fit into 64 characters.
MADE = "1.2.826.0.1.3680043.10.7.1"
ACCEPTED = "dcmAcceptedMoveDestination"
Octets = dict[str, dict[str, frozenset[bytes]]]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """One site for all tests of this file: none leaves anything in the directory."""
    with running_site(tmp_path_factory.mktemp("lab")) as site:
        site.start("external", "archive")
        yield site


@pytest.fixture
def site(lab: RunningSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSite]:
    """The lab as the environment names it; afterwards it holds what it held before."""
    monkeypatch.setenv("DCMCFG_LDAP_URL", lab.slapd.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", lab.slapd.password)
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", lab.site.archive_url)
    before = octets(lab)
    yield lab
    assert octets(lab) == before


def octets(site: RunningSite) -> Octets:
    return {str(entry.dn): attributes(entry) for entry in site.slapd.entries()}


def masked(text: str) -> str:
    """*text* with what is another in each run."""
    text = re.sub(r"DCMCFG_[0-9A-F]{9}", "DCMCFG_TITLE", text)
    text = re.sub(r"dcmcfg_[0-9a-f]{9}", "dcmcfg_title", text)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)


def told(text: str) -> list[str]:
    """The lines of *text* below that of the site, masked."""
    return masked(text).splitlines()[1:]


def add(site: RunningSite, maker: Maker, title: str = "DCMCFG_0A1B2C3D4") -> None:
    """Add a temporary destination as another machine's run does."""
    with connect(server_of(site.slapd)) as directory:
        configuration = Configuration(read_tree(directory))
        new = TemporaryDestination(title, "localhost", 1, maker)
        asked = configuration.device("dcm4chee-arc").network_ae("DCM4CHEE")
        for change in add_temporary_destination(configuration, asked, new).changes:
            directory.apply(change)


def elsewhere(when: str) -> Maker:
    moment = parsed(when)
    assert moment
    return Maker("ann", "desk7", 4711, 1_795_000_000, moment)


def test_it_is_added_received_as_and_taken_back_and_the_archive_forgets_it(run: Run, site: RunningSite) -> None:
    done = run(*VERIFY, "--yes")
    headline = masked(done.stdout).splitlines()[0]
    assert (done.exit_code, headline.partition(";")[0]) == (0, "verified: 5 of 5 instances received by DCMCFG_TITLE")
    assert told(done.stderr) == [
        "added for this run: DCMCFG_TITLE, a device dcmcfg_title with its connection and AE, and the registration of "
        "the title (--show-plan shows all of it)",
        "warning: LONGTERM is asked to send straight to DCMCFG_TITLE, which it does not know: what is not in the "
        "archive's own storage will not arrive (dcmcfg set-external-retrieve has it sent by way of the archive).",
        "the archive is to call DCMCFG_TITLE at 127.0.0.1:PORT, by which this machine reaches 127.0.0.1",
        "the archive reloads twice, when it is added and when it is removed; nothing of it is left then",
        "added DCMCFG_TITLE in one transaction, roll-out 1",
        "the archive has reloaded",
        "taken back DCMCFG_TITLE, roll-out 2",
        "the archive has reloaded",
    ]
    assert "dcmcfg verify --recall --temporary-dest takes a study that is really purged" in done.stdout
    rows = [line.split()[3:8] for line in run("history").stdout.splitlines() if line[:3].strip().isdigit()]
    assert rows == [["4", "deleted", "done", "dcmcfg", "verify"], ["4", "added", "undone", "by", "2"]]
    title = re.findall(r"DCMCFG_[0-9A-F]{9}", done.stdout)[0]
    again = run("verify", "--study", LOCAL, "--dest", title, "--json")
    assert (again.exit_code, json.loads(again.stdout)["reported"]["status_hex"]) == (1, "A801")


def test_a_list_of_accepted_destinations_holds_it_only_meanwhile(run: Run, site: RunningSite) -> None:
    site.put(ACCEPTED, "STORESCP", dn=AE)
    site.reload()
    held = octets(site)
    try:
        done = run(*VERIFY, "--yes", "--json")
        assert octets(site) == held
    finally:
        site.put(ACCEPTED, dn=AE)
        site.reload()
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["verified"], answer["destination"]) == (
        0,
        True,
        answer["temporary_destination"]["title"],
    )
    assert {
        name: answer["temporary_destination"][name] for name in ("host", "added", "taken_back", "gone", "cleaned")
    } == {
        "host": "127.0.0.1",
        "added": 1,
        "taken_back": 2,
        "gone": True,
        "cleaned": [],
    }


def test_a_purged_study_comes_by_way_of_the_archive(run: Run, site: RunningSite) -> None:
    site.put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
    try:
        done = run("verify", "--study", study("three").uid, "--temporary-dest", "--yes", "--json")
    finally:
        site.put("dcmExternalRetrieveAEDestination")
        site.reload()
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["received"]["number"], answer["route"]["finding"]) == (0, 3, "shown")
    assert "straight" not in done.stderr
    assert [len(each["sha256"]) for each in answer["received"]["instances"]] == [64] * 3


def test_what_it_receives_is_kept_where_that_is_asked_for(run: Run, site: RunningSite, tmp_path: Path) -> None:
    done = run(*VERIFY, "--yes", "--json", "--keep", str(tmp_path / "kept"))
    assert done.exit_code == 0, done.stderr
    assert len([path for path in (tmp_path / "kept").rglob("*") if path.is_file()]) == 5


def test_an_ae_that_calls_with_tls_only_gets_a_destination_that_listens_so(
    run: Run, site: RunningSite, made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pki = make_pki(tmp_path)
    own = f"cn=dicom,{DEVICE}"
    site.put("dicomTLSCipherSuite", "TLS_AES_128_GCM_SHA256", dn=own)
    site.put("dcmTLSProtocol", "TLSv1.3", dn=own)

    def send(exchange: MoveExchange) -> MoveResponse:
        title = exchange.request.destination
        name = f"cn=dicom-tls,dicomDeviceName={title.lower()},"
        (there,) = (each for each in site.slapd.entries() if str(each.dn).startswith(name))
        assert there.texts("dcmTLSProtocol") == ("TLSv1.3",)
        options = ["+tls", str(pki.client.key), str(pki.client.certificate), "+cf", str(pki.ca)]
        peer = Peer(title, there.text("dicomHostname") or "", int(there.text("dicomPort") or 0))
        assert storescu(peer, made.files, calling="DCM4CHEE", options=options).returncode == 0
        return MoveResponse(0, completed=len(made.files))

    context = TlsFiles(None, pki.server.certificate, pki.server.key).server_context()
    shown = ("--tls-ca", str(pki.ca), "--tls-cert", str(pki.server.certificate), "--tls-key", str(pki.server.key))
    try:
        with scripted_control() as control, scripted_archive(made, send, tls=context) as peer:
            control.run_as_an_archive_does()
            monkeypatch.setenv("DCMCFG_ARCHIVE_URL", control.url)
            asked = ("verify", "--study", MADE, "--temporary-dest", "--yes")
            ask = (*asked, "--json", "--no-qido", "--connect", f"{peer.host}:{peer.port}")
            without = run(*ask, "--tls-ca", str(pki.ca))
            done = run(*ask, *shown)
    finally:
        for name in ("dicomTLSCipherSuite", "dcmTLSProtocol"):
            site.put(name, dn=own)
    assert (without.exit_code, json.loads(without.stdout)["error"]["what"]) == (
        3,
        "a server needs a certificate to accept TLS",
    )
    assert (done.exit_code, json.loads(done.stdout)["received"]["finding"]) == (0, "complete"), done.stderr


def test_an_address_at_which_the_archive_does_not_find_us_is_a_no_that_says_so(run: Run, site: RunningSite) -> None:
    done = run(*VERIFY, "--yes", "--json", "--temporary-address", "nowhere.invalid:4242")
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["verified"], answer["temporary_destination"]["gone"]) == (1, False, True)
    assert answer["next_steps"] == [
        "the archive's machine or container cannot resolve nowhere.invalid: --temporary-address HOST[:PORT] takes "
        "another name of this machine, or its address"
    ]


def test_an_external_archive_that_does_not_know_it_is_not_told_as_the_archive_that_did_not_reload(
    run: Run, site: RunningSite
) -> None:
    done = run("verify", "--study", study("one").uid, "--temporary-dest", "--yes", "--json")
    steps = json.loads(done.stdout)["next_steps"]
    assert (done.exit_code, len(steps)) == (1, 1)
    assert steps[0].startswith("the archive passed the request on with its original destination, and the external")


def test_the_whole_plan_is_shown_where_that_is_asked_for(run: Run, site: RunningSite) -> None:
    done = run(*VERIFY, "--show-plan")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "\nchangetype: add\n" in done.stderr


def test_a_port_that_is_taken_is_3_before_anything_is_shown(run: Run, site: RunningSite) -> None:
    done = run(*VERIFY, "--yes", "--temporary-address", f"127.0.0.1:{site.site.ports.archive}")
    assert (done.exit_code, done.stdout) == (3, "")
    assert f"port {site.site.ports.archive} is taken by " in done.stderr
    assert done.stderr.splitlines()[-1].startswith("  next: --temporary-address HOST:PORT names another port")


def test_nobody_to_ask_and_no_are_a_no_with_nothing_changed(run: Run, site: RunningSite) -> None:
    done = run(*VERIFY)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.endswith(
        "dcmcfg: there is no terminal to ask on, nothing was changed\n  next: --yes answers yes\n"
    )
    question = "for the time of this run? [y/N]: "
    code, shown = at_terminal(VERIFY, [(question, "\x03")])
    assert (code, shown.splitlines()[-1]) == (130, "dcmcfg: interrupted, nothing was changed")
    assert run("history").stdout == "nothing was rolled out from this account\n"


def test_an_address_that_is_none_is_2(run: Run, site: RunningSite) -> None:
    done = run(*VERIFY, "--temporary-address", "h:x")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "not HOST or HOST:PORT" in done.stderr


def test_an_archive_that_does_not_reload_costs_nothing_but_says_4_when_it_may_know_it(
    run: Run, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted_control() as control:
        control.run_as_an_archive_does()
        control.by_path["ctrl/reload"] = (500, b"Address already in use")
        monkeypatch.setenv("DCMCFG_ARCHIVE_URL", control.url)
        done = run(*VERIFY, "--yes", "--json")
        answer = json.loads(done.stdout)
        assert (done.exit_code, answer["error"]["exit_code"]) == (4, 4)
        assert "the directory is as it was, but the archive did not reload and may know DCMCFG_" in done.stderr
        assert answer["error"]["next_step"] == "dcmcfg verify --clean-temporary has it reload once it answers"
        assert (answer["temporary_destination"]["taken_back"], answer["temporary_destination"]["gone"]) == (2, False)
        status = run("status")
        assert masked(status.stderr).startswith(
            "warning: a verify may have left the temporary destination DCMCFG_TITLE"
        )
        control.run_as_an_archive_does()
        cleaned = run("verify", "--clean-temporary", "--yes")
        assert (cleaned.exit_code, masked(cleaned.stdout)) == (0, "removed DCMCFG_TITLE\n")
        assert run("status").stderr == ""


def test_a_reload_that_fails_once_is_3_with_everything_taken_back(
    run: Run, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted_control() as control:
        control.run_as_an_archive_does()
        control.once["ctrl/reload"] = (409, b'{"errorMessage":"x"}')
        monkeypatch.setenv("DCMCFG_ARCHIVE_URL", control.url)
        done = run(*VERIFY, "--yes")
    assert (done.exit_code, done.stdout, control.reloads) == (3, "", 2)
    assert "did not reload, so it does not know DCMCFG_" in done.stderr
    assert "; it was taken back, nothing is changed\n" in done.stderr


def test_an_archive_that_is_away_is_found_out_before_anything_is_asked(
    run: Run, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", "http://127.0.0.1:1/dcm4chee-arc")
    done = run(*VERIFY, "--yes")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "nothing was changed; it has to reload, to know a new destination" in done.stderr


def test_two_at_once_have_one_each(site: RunningSite) -> None:
    command = [sys.executable, "-m", "dcmcfg", *VERIFY, "--yes", "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ended = [(each.communicate(timeout=60), each.returncode) for each in both]
    assert [code for _, code in ended] == [0, 0], ended
    titles = {json.loads(out)["temporary_destination"]["title"] for (out, _), _ in ended}
    assert len(titles) == 2


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_instances(tmp_path_factory.mktemp("made"), MADE)


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
        assert self.asked.wait(30), process.communicate()
        return process


@pytest.fixture
def silent(made: Made) -> Iterator[Silent]:
    asked, over = threading.Event(), threading.Event()

    def wait(_: MoveExchange) -> MoveResponse | None:
        asked.set()
        over.wait(30)
        return None

    with scripted_archive(made, wait) as peer:
        yield Silent(peer, asked, over)
        over.set()


def test_sigterm_during_a_run_over_many_studies_has_it_taken_back(site: RunningSite, silent: Silent) -> None:
    with silent.started("--study", LOCAL) as process:
        process.terminate()
        silent.over.set()
        _, problem = process.communicate(timeout=60)
    assert process.returncode in (1, 130), problem
    assert "taken back DCMCFG_TITLE, roll-out 2\nthe archive has reloaded\n" in masked(problem)


def test_a_directory_that_is_away_at_the_end_is_4_with_the_command_that_does_it(
    run: Run, site: RunningSite, silent: Silent
) -> None:
    with silent.started("--json") as process:
        site.slapd.slapd.stop()
        silent.over.set()
        out, _ = process.communicate(timeout=60)
        site.slapd.slapd.start()
    answer = json.loads(out)
    assert (process.returncode, answer["verified"], answer["temporary_destination"]["gone"]) == (4, False, False)
    assert masked(answer["error"]["what"]).startswith("DCMCFG_TITLE could not be taken back: ")
    assert answer["error"]["next_step"].endswith("dcmcfg verify --clean-temporary takes it back")
    assert run("verify", "--clean-temporary", "--yes").exit_code == 0


def test_what_a_run_works_with_is_left_alone_by_every_account_that_can_tell(
    run: Run, site: RunningSite, silent: Silent, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with silent.started() as process:
        mine = run("verify", "--clean-temporary", "--yes").stdout
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
        theirs = run("verify", "--clean-temporary", "--yes").stdout
        monkeypatch.setattr("socket.gethostname", lambda: "another")
        elsewhere = run("verify", "--clean-temporary", "--yes").stdout
        silent.over.set()
        process.communicate(timeout=60)
    assert (mine, theirs, elsewhere) == ("no temporary destination is left\n",) * 3


def test_ctrl_c_at_a_terminal_during_the_move_has_it_taken_back(site: RunningSite, silent: Silent) -> None:
    arguments = [*VERIFY, "--connect", silent.place]
    code, shown = at_terminal(arguments, [("run? [y/N]: ", "y"), ("the archive has reloaded\r\n", "\x03")])
    assert code in (1, 130), shown
    assert "taken back DCMCFG_TITLE, roll-out 2" in masked(shown)


def test_what_another_machine_may_work_with_is_told_and_left_until_somebody_says_so(
    run: Run, site: RunningSite
) -> None:
    add(site, elsewhere("2999-01-01T00:00:00Z"))
    left = "DCMCFG_0A1B2C3D4 (of ann@desk7 (process 4711), 2999-01-01 00:00:00 UTC; it may be in use)"
    done = run("verify", "--study", LOCAL, "--dest", "STORESCP")
    assert (
        f"warning: a verify has left the temporary destination {left}; "
        "dcmcfg verify --clean-temporary removes it\n" in done.stderr
    )
    done = run(*VERIFY, "--yes", "--json")
    assert (done.exit_code, json.loads(done.stdout)["temporary_destination"]["cleaned"]) == (0, [])
    assert f"left behind, and left alone; dcmcfg verify --clean-temporary removes it: {left}\n" in done.stderr
    status = run("status", "--directory", "--json")
    assert (status.exit_code, json.loads(status.stdout)["left"]) == (0, ["DCMCFG_0A1B2C3D4"])
    assert f"warning: a verify may have left the temporary destination {left}; " in status.stderr
    done = run("verify", "--clean-temporary")
    assert (done.exit_code, done.stdout) == (1, "")
    done = run("verify", "--clean-temporary", "--yes")
    assert (done.exit_code, done.stdout) == (0, "removed DCMCFG_0A1B2C3D4\n")
    done = run("verify", "--clean-temporary", "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"removed": []})


def test_what_another_machine_has_left_long_ago_goes_first(run: Run, site: RunningSite) -> None:
    add(site, elsewhere("2026-01-01T00:00:00Z"))
    done = run(*VERIFY, "--yes", "--json")
    answer = json.loads(done.stdout)["temporary_destination"]
    assert (done.exit_code, answer["cleaned"], answer["added"]) == (0, ["DCMCFG_0A1B2C3D4"], 2)


def test_a_terminal_that_is_closed_during_the_move_has_it_taken_back(site: RunningSite, silent: Silent) -> None:
    """The hang-up arrives as SIGHUP, and nothing can be said any more."""
    pid, terminal = pty.fork()
    if pid == 0:
        asking = ("verify", "--study", MADE, "--temporary-dest", "--yes", "--connect", silent.place)
        os.execv(sys.executable, [sys.executable, "-m", "dcmcfg", *asking])
    while not silent.asked.is_set():
        if select.select([terminal], [], [], 0.1)[0]:
            os.read(terminal, 65536)
    os.close(terminal)
    silent.over.set()
    os.waitpid(pid, 0)
    assert [str(dn) for dn in octets(site) if "dcmcfg_" in dn] == []
    assert claims(state_folder()) == ()


def test_what_may_not_be_removed_is_3_with_nothing_changed(
    run: Run, lab: RunningSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add(lab, elsewhere("2026-01-01T00:00:00Z"))
    entries = tmp_path / "entries.ldif"
    entries.write_text("".join(map(format_entry, sorted(lab.slapd.entries(), key=lambda each: len(each.dn.rdns)))))
    slapd = Slapd(tmp_path / "slapd", port=free_port(), root_password=PASSWORD, extra_database="readonly on")
    slapd.prepare()
    slapd.load([entries])
    with slapd, scripted_control() as control:
        settle_at(monkeypatch, RunningSlapd(slapd), control)
        done = run("verify", "--clean-temporary", "--yes")
        assert (done.exit_code, done.stdout, control.reloads) == (3, "", 0)
        assert "DCMCFG_0A1B2C3D4 could not be taken back: " in done.stderr
        assert "LDAP result 53" in done.stderr
        monkeypatch.setenv("DCMCFG_LDAP_URL", lab.slapd.url)
        assert run("verify", "--clean-temporary", "--yes").exit_code == 0


def test_many_studies_have_one_for_the_whole_run(run: Run, site: RunningSite) -> None:
    site.put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
    try:
        uids = [study(name).uid for name in ("local", "one")]
        named = [word for uid in uids for word in ("--study", uid)]
        done = run("verify", *named, "--temporary-dest", "--yes", "--json")
        answer = json.loads(done.stdout)
        with hold(Path(answer["results"])):
            held = run("verify", *named, "--temporary-dest", "--yes")
    finally:
        site.put("dcmExternalRetrieveAEDestination")
        site.reload()
    assert done.exit_code == 0, done.output
    assert (answer["temporary_destination"]["added"], answer["temporary_destination"]["taken_back"]) == (1, 2)
    assert (answer["counts"]["open"], answer["instances"], answer["next_steps"]) == (0, 6, [])
    assert held.exit_code == 3
    assert held.stderr.startswith("dcmcfg: "), "nothing was added for a store that another run has"
    assert "another run uses this store of results" in held.stderr
