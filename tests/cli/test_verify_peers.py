"""``dcmcfg verify`` tells of each kind of peer what it did, and accepts only what is right."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from dcmcfg.lab.slapd import Slapd
from dcmcfg.limits import override_limits
from tests.cli.conftest import Run
from tests.dicom.dcmtk import LOOPBACK, dcmqrscp, movescu, storescu
from tests.patience import PATIENCE_S
from tests.peers.archives import EVERY_ARCHIVE, Archive
from tests.peers.destinations import EVERY_DESTINATION, Destination
from tests.peers.finding import lists
from tests.peers.moving import ALL_SENT
from tests.peers.outputs import expected, make_output
from tests.peers.stage import STUDY, Stage, make_stage
from tests.peers.storing import destination
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd, copy_database
from tests.verify.scripted_archive import scripted_archive

pytestmark = pytest.mark.real
WORKSTATION = "dicomDeviceName=workstation,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
Verify = Callable[..., Result]
#: Seconds for an archive that never answers; it shall not hold up the others, and must answer the query in that time.
WITH_A_SILENT_ONE_S = 3


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return make_stage(tmp_path_factory.mktemp("stage"), Peer("WORKSTATION", LOOPBACK, free_port()))


@pytest.fixture(scope="module")
def site_of_peers(
    stage: Stage, site_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSlapd]:
    """A directory with the lab's tree, in which WORKSTATION is the destination of the stage."""
    folder = tmp_path_factory.mktemp("slapd")
    server = Slapd(folder, port=free_port(), root_password=PASSWORD)
    server.prepare()
    copy_database(site_database, server)
    with server:
        slapd = RunningSlapd(server)
        change = folder / "workstation.ldif"
        change.write_text(
            f"dn: cn=dicom,{WORKSTATION}\nchangetype: modify\n"
            f"replace: dicomPort\ndicomPort: {stage.destination.port}\n-\n"
            f"replace: dicomHostname\ndicomHostname: {stage.destination.host}\n-\n"
        )
        assert slapd.run_client("ldapmodify", "-f", str(change)).returncode == 0
        before = slapd.entries()
        yield slapd
        assert slapd.entries() == before, "verify changes no configuration"


@pytest.fixture
def verify(run: Run, site_of_peers: RunningSlapd, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Verify]:
    monkeypatch.setenv("DCMCFG_LDAP_URL", site_of_peers.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", site_of_peers.password)
    # Bounds that are wide for real peers, and would be long ones for tests.
    monkeypatch.setattr("dcmcfg.dicom.move.STANDSTILL_FACTOR", 1)
    monkeypatch.setattr("dcmcfg.verify.receiver_options.LATE_ARRIVAL_WAIT_S", 0.1)  # nothing comes late

    def verify_study(archive: Peer, *arguments: str, patience_s: float = PATIENCE_S) -> Result:
        where = ("--connect", f"{archive.host}:{archive.port}", "--timeout-s", f"{patience_s:g}", "--no-qido")
        return run("verify", "--study", STUDY, "--dest", "WORKSTATION", *where, *arguments)

    with override_limits({"find-responses": 100}):
        yield verify_study


@pytest.mark.parametrize("archive", EVERY_ARCHIVE, ids=lambda archive: archive.name)
def test_what_the_archive_does_is_told(
    archive: Archive, verify: Verify, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_find = archive.finding(stage) if archive.finding else None
    if archive.sends_late:
        monkeypatch.setattr("dcmcfg.verify.receiver_options.LATE_ARRIVAL_WAIT_S", PATIENCE_S)
    patience_s = WITH_A_SILENT_ONE_S if archive.is_silent else PATIENCE_S
    with scripted_archive(stage.made, archive.moving(stage), on_find=on_find) as peer:
        result = verify(peer, *archive.arguments, patience_s=patience_s)
    answer = make_output(result, {peer.port: "ARCHIVE", stage.destination.port: "PORT"})
    assert answer == expected(archive.name, answer)
    with closing(socket.socket()) as probe:
        assert probe.connect_ex((stage.destination.host, stage.destination.port)) != 0, "the receiver is gone"


@pytest.fixture(scope="module")
def dcmtk_archive(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """dcmtk's dcmqrscp as DCM4CHEE, with the study."""
    with _dcmtk_archive(stage, tmp_path_factory.mktemp("patient"), PATIENCE_S, PATIENCE_S) as peer:
        yield peer


@pytest.fixture(scope="module")
def impatient_archive(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """The same, that does not wait long until the destination answers a C-STORE, or its release then."""
    with _dcmtk_archive(stage, tmp_path_factory.mktemp("impatient"), 1, WITH_A_SILENT_ONE_S) as peer:
        yield peer


@contextmanager
def _dcmtk_archive(stage: Stage, folder: Path, dimse_s: float, acse_s: float) -> Iterator[Peer]:
    knows = {"WORKSTATION": stage.destination}
    options = ("-td", f"{dimse_s:g}", "-ta", f"{acse_s:g}")
    with dcmqrscp(folder, ae_title="DCM4CHEE", knows=knows, options=options) as peer:
        sent = storescu(peer, stage.made.files)
        assert sent.returncode == 0, sent.stderr
        yield peer


@pytest.mark.parametrize("met", EVERY_DESTINATION, ids=lambda met: met.name)
def test_what_the_destination_does_is_told_as_movescu_hears_it(
    met: Destination, verify: Verify, stage: Stage, request: pytest.FixtureRequest
) -> None:
    archive: Peer = request.getfixturevalue("impatient_archive" if met.takes_long else "dcmtk_archive")
    with destination(stage.destination, met.storing, met.sop_classes, met.title):
        result = verify(archive)
        movescu_result = movescu(archive, STUDY, "WORKSTATION") if not met.takes_long else None
    answer = make_output(result, {archive.port: "ARCHIVE", stage.destination.port: "PORT"})
    assert answer == expected(met.name, answer)
    if movescu_result is None:
        return
    (status,) = re.findall(r"Received Final Move Response \((.*)\)", movescu_result.stderr)
    assert (status == "Success") == (result.exit_code == 0), movescu_result.stderr


@pytest.fixture
def verify_many(run: Run, verify: Verify, stage: Stage) -> Callable[[Peer], dict[str, Any]]:
    """Verify both studies in one run, one after the other on one association; return what ``--json`` says."""

    def verify_both(archive: Peer) -> dict[str, Any]:
        where = ("--connect", f"{archive.host}:{archive.port}", "--timeout-s", f"{PATIENCE_S:g}", "--no-qido")
        both = ("--study", stage.made.study_uid, "--study", stage.other.study_uid, "--parallel", "1")
        result = run("verify", *both, "--dest", "WORKSTATION", "--receive", *where, "--json")
        content: dict[str, Any] = json.loads(result.stdout)
        return content

    return verify_both


def test_of_many_studies_each_is_proved_only_by_what_came_after_it_was_asked_for(
    verify_many: Callable[[Peer], dict[str, Any]], stage: Stage
) -> None:
    def swapping(exchange: MoveExchange) -> MoveResponse:
        if exchange.request.study_uid == stage.made.study_uid:
            stage.send(stage.others)
        return ALL_SENT

    on_find = lists(lambda stage: [*stage.study, *stage.others])(stage)
    with scripted_archive(stage.made, swapping, on_find=on_find) as peer:
        headlines = verify_many(peer)
    assert {each["study_instance_uid"]: each["outcome"] for each in headlines["studies"]} == {
        stage.made.study_uid: "not verified",
        stage.other.study_uid: "not verified",
    }
