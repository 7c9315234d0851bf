"""``dcmcfg verify`` of many studies, at an archive that behaves as told."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from junitparser import Error, Failure, JUnitXml, Skipped

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from tests.bulk.archive import GOOD, Archive, archive_of, studies
from tests.cli.at_terminal import at_terminal, interrupted_at_terminal
from tests.cli.conftest import Run
from tests.dicom.dcmtk import LOOPBACK, make_instances, storescu
from tests.ports import free_port
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real
FIVE = studies(5)
HOSTILE = "=HYPERLINK(\x1b[31m<script>alert(1)</script>&"
Verify = Callable[..., Result]


class Script:
    """How the archive answers; a test may change it."""

    def __init__(self) -> None:
        self.answers: dict[str, MoveResponse | None] = {}
        self.on_exchange: Callable[[MoveExchange], None] = lambda _: None

    def on_move(self, uid: str, _number: int) -> MoveResponse | None:
        return self.answers.get(uid, GOOD)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def pacs(script: Script) -> Iterator[Archive]:
    with archive_of(FIVE, script.on_move, on_exchange=lambda each: script.on_exchange(each)) as archive:
        yield archive


@pytest.fixture
def site(slapd: RunningSlapd, monkeypatch: pytest.MonkeyPatch) -> RunningSlapd:
    monkeypatch.setenv("DCMCFG_LDAP_URL", slapd.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", slapd.password)
    return slapd


def command(pacs: Archive) -> tuple[str, ...]:
    return ("verify", "--dest", "STORESCP", "--connect", f"{pacs.peer.host}:{pacs.peer.port}")


@pytest.fixture
def verify(run: Run, site: RunningSlapd, pacs: Archive) -> Verify:
    return lambda *arguments, **extra: run(*command(pacs), *arguments, **extra)


def named(uids: list[str]) -> tuple[str, ...]:
    return tuple(word for uid in uids for word in ("--study", uid))


def plain(text: str, pacs: Archive, slapd: RunningSlapd) -> str:
    """Return *text* without what differs from run to run."""
    text = text.replace(f":{pacs.peer.port}", ":PORT").replace(slapd.url, "LDAP")
    text = re.sub(r"\S*/([0-9a-f]{16})\.sqlite", "STORE", text)
    text = re.sub(r"^( {10}|slowest   ) *[0-9.]+ s  .*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC", "THEN", text)


def test_several_studies_are_one_run_and_the_same_command_again_asks_for_nothing(
    verify: Verify, pacs: Archive, site: RunningSlapd
) -> None:
    done = verify(*named(FIVE))
    assert (done.exit_code, done.stderr) == (0, "")
    assert plain(done.stdout, pacs, site) == (
        "5 studies: 5 reported\n"
        "\n"
        "DCMCFG asked DCM4CHEE@127.0.0.1:PORT to send them to STORESCP\n"
        "5 attempts; instances sent, says the archive: 5\n"
        "route shown for 5\n"
        "\n"
        "results   STORE\n"
    )
    assert sorted(pacs.moves) == FIVE
    again = verify(*named(FIVE))
    assert again.exit_code == 0
    assert again.stdout.startswith("5 studies: 5 reported; nothing asked now, answered until 20")
    assert "note      every study had its answer, nothing was asked: --again asks anew\n" in again.stdout
    assert sorted(pacs.moves) == FIVE


def test_studies_that_fail_are_told_in_groups_and_asked_again_when_that_is_wanted(
    verify: Verify, pacs: Archive, site: RunningSlapd, script: Script
) -> None:
    script.answers = {uid: MoveResponse(0xC801, "Move Destination not allowed") for uid in FIVE[1:3]}
    done = verify(*named(FIVE))
    assert done.exit_code == 1
    assert plain(done.stdout, pacs, site) == (
        "5 studies: 3 reported, 2 not verified\n"
        "\n"
        "DCMCFG asked DCM4CHEE@127.0.0.1:PORT to send them to STORESCP\n"
        "5 attempts; instances sent, says the archive: 3\n"
        "route shown for 3, not shown for 2\n"
        "\n"
        "why not   2 studies: status C801, refused: the archive does not allow this move destination\n"
        f"          {FIVE[1]}\n"
        f"          {FIVE[2]}\n"
        "          next: check: dcmAcceptedMoveDestination of the called AE: add the destination, or remove the "
        "attribute to allow any\n"
        "results   STORE\n"
        "next      once that is mended, the same command with --only-failed asks for those anew\n"
    )
    script.answers = {}
    assert verify(*named(FIVE), "--only-failed").exit_code == 0
    assert Counter(pacs.moves) == Counter(FIVE) + Counter(FIVE[1:3])
    assert verify(*named(FIVE), "--again").exit_code == 0
    assert len(pacs.moves) == 5 + 2 + 5


def test_kept_answers_are_judged_by_what_this_run_requires(verify: Verify, pacs: Archive) -> None:
    assert verify(*named(FIVE)).exit_code == 0
    done = verify(*named(FIVE), "--require-witness")
    assert done.exit_code == 1
    assert done.stdout.startswith("5 studies: 5 not verified, all for like reasons; nothing asked now")
    assert "why not   5 studies: reported, not witnessed, and a witness is required\n" in done.stdout
    assert "          next: --receive or --temporary-dest has dcmcfg itself receive them\n" in done.stdout
    assert verify(*named(FIVE)).exit_code == 0, "what was required is not kept"
    assert sorted(pacs.moves) == FIVE
    assert verify(*named(FIVE), "--require-witness", "--only-failed").exit_code == 1
    assert len(pacs.moves) == 10
    assert verify(*named(FIVE)).exit_code == 0


def test_a_list_with_broken_lines_is_told_whole_and_nothing_is_asked(
    verify: Verify, pacs: Archive, tmp_path: Path
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"{FIVE[0]}\nnonsense\n1.02\n")
    done = verify("--studies", str(listed))
    assert done.exit_code == 2
    assert done.stderr == (
        f"dcmcfg: {listed}: 2 lines hold no Study Instance UID:\n"
        "    line 2: 'nonsense': not a UID: it holds something else than digits and dots\n"
        "    line 3: '1.02': not a UID: a component is empty or begins with a zero, or there is only one component\n"
        "  next: mend them, or put a # before each; nothing was asked\n"
    )
    assert pacs.moves == []
    done = verify("--studies", str(listed), "--results", str(tmp_path / "results.sqlite"))
    assert (done.exit_code, list(tmp_path.glob("results*"))) == (2, [])


def test_a_list_may_come_from_standard_input(verify: Verify, pacs: Archive) -> None:
    done = verify("--studies", "-", "--json", input="\n".join([*FIVE[:2], FIVE[0]]))
    report = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (report["accepted"], report["verified"]) == (True, False), "nobody of ours saw them"
    assert (report["counts"], report["routes"]) == ({"reported": 2, "open": 0}, {"shown": 2})
    assert (report["asked_now"], sorted(report["answered"])) == (True, ["first", "last"])
    assert "1 of the list name a study again, and count once" in report["notes"]
    assert [study["study_instance_uid"] for study in report["studies"]] == FIVE[:2]
    assert sorted(pacs.moves) == FIVE[:2]


def test_the_studies_that_match_a_query_are_counted_and_kept(verify: Verify, pacs: Archive) -> None:
    done = verify("--query", "patientid=P1", "--limit", "3", "--json")
    report = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "3 studies match\n")
    assert "more than 3 studies match: the others are left out (--limit)" in report["notes"]
    assert len(pacs.moves) == 3
    again = json.loads(verify("--query", "patientid=P1", "--limit", "3", "--json").stdout)
    assert again["notes"][-2].startswith("the studies are those that matched at ")
    assert len(pacs.moves) == 3


def test_a_query_on_a_store_of_a_list_is_asked(verify: Verify, pacs: Archive, tmp_path: Path) -> None:
    store = ("--results", str(tmp_path / "mine.sqlite"))
    assert verify(*named(FIVE[:2]), *store).exit_code == 0
    done = verify("--query", "PatientID=P1", *store)
    assert (done.exit_code, done.stderr) == (0, "5 studies match\n")
    assert Counter(pacs.moves) == Counter(FIVE)


def test_very_many_that_match_are_asked_about_at_a_terminal(site: RunningSlapd) -> None:
    with archive_of(studies(101)) as pacs:
        code, shown = at_terminal((*command(pacs), "--query", "PatientID=P1"), [("[y/N]: ", "n")])
        assert (code, pacs.moves) == (1, [])
    assert "101 studies match\nHave 101 studies sent? [y/N]: n\n" in shown
    assert "nothing was sent\n" in shown


def test_a_query_that_nothing_matches_has_nothing_sent(verify: Verify, pacs: Archive) -> None:
    done = verify("--query", "PatientID=NOBODY")
    assert done.exit_code == 3
    assert "no study matches" in done.stderr
    assert pacs.moves == []


def test_very_many_that_match_are_not_asked_for_unless_so_many_are_meant(run: Run, site: RunningSlapd) -> None:
    with archive_of(studies(101)) as pacs:
        done = run(*command(pacs), "--query", "PatientID=P1")
        assert done.exit_code == 1
        assert done.stderr == (
            "101 studies match\n"
            "dcmcfg: 101 studies match, and there is no terminal to ask on; nothing was asked of the archive\n"
            "  next: --limit 101 says that so many are meant\n"
        )
        assert pacs.moves == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--study", "1.2.3", "--studies", "-"), "name the studies in one way"),
        ((), "Missing option '--study'"),
        (("--study", "1.2.3", "--limit", "3"), "--limit goes with --query"),
        (("--studies", "-", "--again", "--only-failed"), "--again asks for all studies anew"),
        (("--studies", "-", "--rate", "fast"), "not a rate"),
        (("--study", "1.2.3", "--study", "1.02"), "not a UID"),
        (("--query", "PatientId2=1"), "did you mean PatientID"),
        (("--study", "1.2.3", "--study", "1.2.4", "--expect", "3"), "--expect is for one study"),
        (("--studies", "-", "--image", "1.2.3.4"), "--series and --image are of one study"),
        (("--query", "PatientID=1", "--patient-id", "4"), "--patient-id is for one study"),
        (("--study", "1.2.3", "--rate", "4/s"), "--rate is for many studies: --results FILE keeps one"),
        (("--study", "1.2.3", "--parallel", "4"), "--parallel is for many studies"),
        (("--studies", "-", "--csv", "-", "--json"), "--json and a report to - are both for standard output"),
        (("--studies", "-", "--csv", "-", "--junit", "-"), "- is given for several reports"),
        (("--studies", "-", "--csv", "report", "--html", "./report"), "the same file twice"),
        (("--studies", "-", "--results", "kept", "--csv", "kept", "--replace"), "the same file twice"),
        (("--studies", "list", "--csv", "list", "--replace"), "the same file twice"),
    ],
)
def test_contradictions_are_told_before_anything_is_asked(
    verify: Verify, pacs: Archive, arguments: tuple[str, ...], problem: str
) -> None:
    done = verify(*arguments, input="1.2.3\n")
    assert (done.exit_code, pacs.associations) == (2, 0)
    assert problem in done.stderr


def test_reports_are_written_and_not_over_a_file_that_exists(
    verify: Verify, pacs: Archive, script: Script, tmp_path: Path
) -> None:
    script.answers = {FIVE[1]: MoveResponse(0xC001, HOSTILE)}
    files = {form: tmp_path / f"report.{form}" for form in ("csv", "junit", "html")}
    wanted = tuple(word for form, path in files.items() for word in (f"--{form}", str(path)))
    done = verify(*named(FIVE[:2]), *wanted)
    assert (done.exit_code, done.stderr) == (1, "".join(f"{form}: {path}\n" for form, path in files.items()))
    assert "\x1b" not in done.stdout

    rows = list(csv.DictReader(io.StringIO(files["csv"].read_text(), newline="")))
    assert [(row["study_instance_uid"], row["outcome"], row["status"], row["completed"]) for row in rows] == [
        (FIVE[0], "reported", "0000", "1"),
        (FIVE[1], "not verified", "C001", "0"),
    ]
    assert rows[1]["comment"] == "'" + HOSTILE.replace("\x1b", "\\x1b")

    suite = next(iter(JUnitXml.fromfile(str(files["junit"]))))
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (2, 1, 0, 0)
    good, bad = suite
    assert (good.name, good.result) == (FIVE[0], [])
    assert isinstance(bad.result[0], Failure)
    assert bad.result[0].message.startswith("status C001")
    assert {each.name: each.value for each in suite.properties()}["destination"] == "STORESCP"  # type: ignore[no-untyped-call]

    page = files["html"].read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "<script" not in page
    assert page.count("<svg") == 3
    assert all(uid in page for uid in FIVE[:2])

    before = {path: path.read_bytes() for path in files.values()}
    refused = verify(*named(FIVE[:2]), *wanted, "--only-failed")
    assert refused.exit_code == 3
    assert "the file exists" in refused.stderr
    assert {path: path.read_bytes() for path in files.values()} == before
    assert len(pacs.moves) == 2
    assert verify(*named(FIVE[:2]), *wanted, "--replace").exit_code == 1
    assert len(pacs.moves) == 2, "a report can be made again without asking"


def test_what_was_not_asked_is_an_error_and_what_is_open_is_skipped_in_junit(
    verify: Verify, pacs: Archive, script: Script, tmp_path: Path
) -> None:
    def stop(exchange: MoveExchange) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        while not exchange.is_cancelled:
            time.sleep(0.01)

    script.on_exchange = stop
    target = tmp_path / "report.xml"
    done = verify(*named(FIVE), "--parallel", "1", "--junit", str(target))
    assert done.exit_code == 1
    assert "5 studies: 5 still to be asked\n" in done.stdout
    assert "next      the same command again goes on: what has its answer is not asked again\n" in done.stdout
    suite = next(iter(JUnitXml.fromfile(str(target))))
    assert all(isinstance(case.result[0], Skipped) for case in suite)
    script.on_exchange = lambda _: None
    assert verify(*named(FIVE)).exit_code == 0
    assert Counter(pacs.moves) == Counter(FIVE) + Counter(FIVE[:1])


def test_at_a_terminal_a_bar_shows_how_it_goes_and_ctrl_c_stops(
    site: RunningSlapd, pacs: Archive, script: Script, run: Run
) -> None:
    third = threading.Event()

    def wait_at_the_third(exchange: MoveExchange) -> None:
        if exchange.request.study_uid == FIVE[2]:
            third.set()
            while not exchange.is_cancelled:
                time.sleep(0.01)

    script.on_exchange = wait_at_the_third
    arguments = (*command(pacs), *named(FIVE), "--parallel", "1")
    code, shown = interrupted_at_terminal(arguments, lambda: third.wait(20))
    assert code == 1
    assert "2/5" in shown
    assert "/s 0:00:0" in shown
    assert "stopping: what is under way is cancelled; Ctrl-C again aborts it\n" in shown
    assert "5 studies: 2 reported, 3 still to be asked\n" in shown
    script.on_exchange = lambda _: None
    assert run(*arguments).exit_code == 0
    assert Counter(pacs.moves) == Counter(FIVE) + Counter(FIVE[2:3])


def test_a_study_whose_query_fails_is_not_asked_for(run: Run, site: RunningSlapd, tmp_path: Path) -> None:
    with archive_of(FIVE[:1]) as pacs:
        target = tmp_path / "report.xml"
        done = run(*command(pacs), *named(FIVE[:1]), "--model", "patient", "--level", "series", "--junit", str(target))
        assert done.exit_code == 0
        done = run(*command(pacs), *named(FIVE[1:2]), "--level", "series", "--junit", str(tmp_path / "second.xml"))
        assert done.exit_code == 3
    cases = list(next(iter(JUnitXml.fromfile(str(tmp_path / "second.xml")))))
    assert [type(result) for case in cases for result in case.result] == [Error]


def test_an_archive_that_is_not_there_is_told_and_nothing_was_sent(run: Run, site: RunningSlapd) -> None:
    with archive_of(FIVE) as pacs:
        pass
    done = run(*command(pacs), *named(FIVE))
    assert done.exit_code == 3
    assert done.stdout.startswith("5 studies: 5 still to be asked\n")
    assert "connection refused: nothing listens there" in done.stdout


def test_a_log_that_tells_nothing_is_told_once(verify: Verify, tmp_path: Path) -> None:
    log = tmp_path / "external.log"
    log.write_text("My thesis\n")
    done = verify(*named(FIVE[:2]), "--external-log", str(log), "--parallel", "2")
    told = done.stdout.split("note ")[1:]
    assert [" ".join(each.split()).startswith(f"of 2 of 2: nothing in {log} is a record") for each in told] == [True]


def test_a_destination_that_no_study_can_reach_ends_it_before_the_first(
    run: Run, site: RunningSlapd, pacs: Archive, tmp_path: Path
) -> None:
    address = f"{pacs.peer.host}:{pacs.peer.port}"
    done = run("verify", "--dest", "WORKSTATON", "--connect", address, *named(FIVE))
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr == (
        "dcmcfg: the tree has no AE WORKSTATON, so the archive would refuse it for each study\n"
        "  next: did you mean WORKSTATION, WORKLIST? Else name another AE with --dest, or dcmcfg ae add WORKSTATON\n"
    )
    change = tmp_path / "change.ldif"
    dn = "cn=dicom,dicomDeviceName=workstation,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
    device = dn.removeprefix("cn=dicom,")
    change.write_text(
        f"version: 1\n\ndn: {device}\nchangetype: modify\nreplace: dicomInstalled\ndicomInstalled: FALSE\n-\n"
    )
    assert site.run_client("ldapmodify", "-f", str(change)).returncode == 0
    done = run("verify", "--dest", "WORKSTATION", "--connect", address, *named(FIVE))
    assert done.exit_code == 3
    assert "WORKSTATION is not installed (dicomInstalled)" in done.stderr
    assert pacs.associations == 0


def test_a_store_is_for_one_question_and_named_by_the_user(verify: Verify, pacs: Archive, tmp_path: Path) -> None:
    store = ("--results", str(tmp_path / "mine.sqlite"))
    assert verify(*named(FIVE[:2]), *store).exit_code == 0
    other = verify(*named(FIVE[:2]), *store, "--calling", "OTHER")
    assert other.exit_code == 3
    assert "another question: calling: DCMCFG there, OTHER here" in other.stderr
    longer = verify(*named(FIVE[:3]), *store)
    assert longer.exit_code == 0
    assert "note      2 had their answer before, the oldest of " in longer.stdout
    assert Counter(pacs.moves) == Counter(FIVE[:3])


def test_that_all_fail_for_like_reasons_is_told_early_and_in_the_end(run: Run, site: RunningSlapd) -> None:
    twelve = studies(12)
    with archive_of(twelve, lambda _, __: MoveResponse(0xA801)) as pacs:
        done = run(*command(pacs), *named(twelve))
    assert done.exit_code == 1
    assert done.stdout.startswith("12 studies: 12 not verified, all for like reasons\n")
    assert done.stderr.startswith("the first 10 studies have all failed for like reasons: status A801, refused: ")
    assert done.stderr.endswith("; Ctrl-C stops\n")
    assert done.stderr.count("\n") == 1


def test_a_yes_to_a_part_is_none_to_another(verify: Verify, pacs: Archive, tmp_path: Path) -> None:
    store = ("--results", str(tmp_path / "mine.sqlite"))
    assert verify("--study", FIVE[0], *store).exit_code == 0
    one = verify("--study", FIVE[0], *store, "--image", "1.2.3.4")
    assert one.exit_code == 3
    assert "another question: level: study there, image here; instances: none there, 1.2.3.4 here" in one.stderr
    two = verify("--study", FIVE[0], *store, "--expect", "2")
    assert two.exit_code == 3
    assert "another question: expected: none there, 2 here" in two.stderr


def test_where_a_report_cannot_be_written_in_the_end_the_answers_are_told(
    verify: Verify, script: Script, tmp_path: Path
) -> None:
    target = tmp_path / "report.csv"

    def take_the_name(_: MoveExchange) -> None:
        target.write_text("somebody else's")

    script.on_exchange = take_the_name
    done = verify(*named(FIVE[:2]), "--csv", str(target))
    assert (done.exit_code, target.read_text()) == (1, "somebody else's")
    assert done.stdout.startswith("2 studies: 2 reported\n")
    assert "the file exists" in done.stderr
    target.unlink()
    told = json.loads(verify(*named(FIVE[:2]), "--again", "--csv", str(target), "--json").stdout)
    assert (told["headline"], told["error"]["what"]) == ("2 studies: 2 reported", "the file exists")


def test_what_was_asked_anew_is_gone_on_with_without_saying_so_again(
    verify: Verify, pacs: Archive, script: Script
) -> None:
    assert verify(*named(FIVE[:2])).exit_code == 0

    def stop(exchange: MoveExchange) -> None:
        if len(pacs.moves) > 3:
            os.kill(os.getpid(), signal.SIGINT)
            while not exchange.is_cancelled:
                time.sleep(0.01)

    script.on_exchange = stop
    stopped = verify(*named(FIVE[:2]), "--again", "--parallel", "1")
    assert "the same command without --again goes on: what has its answer is not asked again\n" in stopped.stdout
    script.on_exchange = lambda _: None
    assert verify(*named(FIVE[:2])).exit_code == 0
    assert len(pacs.moves) == 5


def test_one_receiver_serves_all_and_tells_what_belongs_to_none(
    verify: Verify, pacs: Archive, script: Script, slapd: RunningSlapd, tmp_path: Path
) -> None:
    workstation = Peer("WORKSTATION", LOOPBACK, free_port())
    set_address(slapd, tmp_path, workstation)
    stranger = make_instances(tmp_path / "stranger", "1.2.826.0.9", per_series=1)

    def send(exchange: MoveExchange) -> None:
        uid = exchange.request.study_uid
        files = make_instances(tmp_path / uid, uid, per_series=1).files
        sent = files if uid != FIVE[3] else ()
        also = stranger.files if uid == FIVE[1] else ()
        if sent:
            assert storescu(workstation, [*sent, *also]).returncode == 0

    script.on_exchange = send
    done = verify(*named(FIVE[:4]), "--dest", "WORKSTATION", "--receive", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 1
    assert report["counts"] == {"verified": 3, "not verified": 1, "open": 0}
    assert [study["received"] for study in report["studies"]] == [1, 1, 1, 0]
    assert report["groups"][0]["studies"] == FIVE[3:4], "the one of which nothing came"
    assert "1 instance of no study in the list came, of 1.2.826.0.9" in report["notes"]


def set_address(slapd: RunningSlapd, folder: Path, peer: Peer) -> None:
    change = folder / "change.ldif"
    dn = "cn=dicom,dicomDeviceName=workstation,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
    values = f"replace: dicomHostname\ndicomHostname: {peer.host}\n-\nreplace: dicomPort\ndicomPort: {peer.port}\n-\n"
    change.write_text(f"version: 1\n\ndn: {dn}\nchangetype: modify\n{values}")
    assert slapd.run_client("ldapmodify", "-f", str(change)).returncode == 0


def test_one_study_is_kept_where_a_report_is_wanted(verify: Verify, pacs: Archive, tmp_path: Path) -> None:
    done = verify("--study", FIVE[0], "--csv", "-", "--results", str(tmp_path / "one.sqlite"))
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1].startswith(f"{FIVE[0]},reported,0000,1,1,0,0,,")
    assert list(csv.DictReader(io.StringIO(done.stdout, newline="")))[-1]["study_instance_uid"] == FIVE[0]
    assert done.stderr.startswith("1 study: 1 reported\n"), "what reads the CSV gets nothing else"


def test_a_run_that_was_killed_is_gone_on_with(
    site: RunningSlapd, pacs: Archive, script: Script, tmp_path: Path, run: Run
) -> None:
    arguments = (*command(pacs), *named(FIVE), "--parallel", "1")

    def kill_at_the_third(exchange: MoveExchange) -> None:
        if exchange.request.study_uid == FIVE[2] and process.poll() is None:
            process.kill()
            process.wait()

    script.on_exchange = kill_at_the_third
    process = subprocess.Popen([sys.executable, "-m", "dcmcfg", *arguments], stdout=subprocess.DEVNULL)
    process.wait(60)
    assert process.returncode == -signal.SIGKILL
    done = run(*arguments, "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 0
    assert Counter(pacs.moves) == Counter(FIVE) + Counter(FIVE[2:3])
    assert report["attempts"] == {"number": 6, "without_answer": 1, "made_again": 0}
    assert [[each["outcome"] for each in study["attempts"]] for study in report["studies"]] == [
        ["reported"],
        ["reported"],
        [None, "reported"],
        ["reported"],
        ["reported"],
    ]
