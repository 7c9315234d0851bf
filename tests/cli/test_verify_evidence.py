"""``dcmcfg verify --evidence``: what is kept, of a yes and of a no, and what it never does to other files."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from dcmcfg import __version__
from dcmcfg.lab.studies import get_standard_study
from dcmcfg.render.json_schemas.catalogue import EVIDENCE_FILE
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment, recalling_lab
from tests.json_schemas import require_schema
from tests.lab.running_site import RunningSite

pytestmark = pytest.mark.real
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with recalling_lab(tmp_path_factory.mktemp("lab"), "external", "storage", "archive") as lab:
        yield lab


@pytest.fixture(autouse=True)
def named(site: RunningSite, monkeypatch: pytest.MonkeyPatch) -> None:
    name_in_environment(site, monkeypatch)


def verify(run: Run, name: str, *options: str, dest: str = "WORKSTATION") -> Result:
    return run("verify", "--study", get_standard_study(name).uid, "--dest", dest, *options)


class _Page(HTMLParser):
    """What a browser makes of it: the text, and the names of the elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: set[str] = set()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        if tag not in ("meta", "line", "rect", "path"):
            self.open.append(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "rect", "path"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


def test_a_yes_is_kept_with_all_that_it_rests_on(run: Run, site: RunningSite, tmp_path: Path) -> None:
    record, page = tmp_path / "proof.json", tmp_path / "proof.HTML"
    log = ("--external-log", str(site.site.external_move_log))
    done = verify(run, "three", "--receive", *log, "--evidence", str(record), "--evidence", str(page))
    assert (done.exit_code, done.stderr) == (0, f"evidence: {record}\nevidence: {page}\n")

    exported = tmp_path / "export.ldif"
    assert run("export-ldif", "-o", str(exported)).exit_code == 0
    document: dict[str, Any] = json.loads(record.read_text())
    require_schema(EVIDENCE_FILE, document)
    assert (document["format"], document["format_version"], document["versions"]["dcmcfg"]) == (
        "dcmcfg-evidence",
        2,
        __version__,
    )
    assert document["configuration"]["tree"]["sha256"] == hashlib.sha256(exported.read_bytes()).hexdigest()
    assert document["configuration"]["tree"]["entry_count"] == exported.read_text().count("\ndn: ")
    assert document["configuration"]["retrieve_settings"][0] == {
        "name": "dcmExternalRetrieveAEDestination",
        "values": ["DCM4CHEE"],
        "level": "device",
    }
    origins = {each["name"]: each["origin"] for each in document["configuration"]["site"]}
    assert (origins["ldap_url"], origins["device"]) == ("DCMCFG_LDAP_URL", "default")
    assert [path["state"] for path in document["configuration"]["route"]["paths"]] == ["purged"]
    assert (document["verdict"]["verified"], document["verdict"]["route"]["finding"]) == (True, "shown")
    assert {each["sop_instance_uid"] for each in document["received_instances"]} == get_standard_study(
        "three"
    ).sop_instance_uids
    assert all(len(each["sha256"]) == 64 for each in document["received_instances"])
    assert document["received_instances"][0]["sop_class"] == "CT Image Storage"
    assert [(each["called_ae_title"], each["completed"]) for each in document["logged_moves"]] == [("LONGTERM", 3)]
    assert (document["logged_moves"][0]["evidence_source"], document["logged_moves"][0]["forwarded_count"]) == (
        "external archive",
        None,
    )
    legs = [
        (each["calling_ae_title"], each["called_ae_title"], len(each["stores"])) for each in document["verdict"]["legs"]
    ]
    assert legs == [("LONGTERM", "DCM4CHEE", 3), ("DCM4CHEE", document["verdict"]["destination_ae_title"], 3)]
    assert document["started_at"] < document["verdict"]["received"]["receiver"]["started_at"] < document["ended_at"]
    descriptions = [each["description"] for each in document["events"]]
    assert (
        descriptions.index("instances listed: 3")
        < descriptions.index("C-MOVE sent")
        < descriptions.index("final response 0000")
    )
    arrivals = [each["received_at"] for each in document["received_instances"]]
    assert document["started_at"] < min(arrivals) <= max(arrivals) < document["ended_at"]
    times = [document["started_at"], *(each["time"] for each in document["events"]), document["ended_at"]]
    assert all(map(MOMENT.fullmatch, times))
    assert times == sorted(times)
    assert site.slapd.password not in record.read_text() + page.read_text()

    shown = _Page(page.read_text())
    assert not shown.open
    assert "script" not in shown.elements
    assert {"svg", "table", "style"} <= shown.elements
    assert shown.text.startswith(f"dcmcfg verify: {done.stdout.splitlines()[0]}")
    for words in (
        *get_standard_study("three").sop_instance_uids,
        document["configuration"]["tree"]["sha256"],
        "fs1",
        "LONGTERM knows DCM4CHEE",
    ):
        assert words in shown.text


def test_a_no_is_kept_too(run: Run, tmp_path: Path) -> None:
    files = tmp_path / "no.json", tmp_path / "no.html"
    done = verify(run, "one", *[word for file in files for word in ("--evidence", str(file))], dest="WORKSTATION")
    assert done.exit_code == 1
    document = json.loads(files[0].read_text())
    assert (document["verdict"]["reported"]["status_hex"], document["received_instances"]) == ("A702", None)
    assert (
        "into the archive's own storage, but WORKSTATION did not accept the study"
        in document["verdict"]["next_steps"][0]
    )
    assert "not observed" in _Page(files[1].read_text()).text


def test_a_file_that_cannot_be_written_after_all_costs_the_exit_code_and_not_the_verdict(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"

    def lose_the_folder(*_: object) -> tuple[str, ...]:
        folder.rmdir()  # after the study was moved
        return ()

    for options in ((), ("--json",)):
        folder.mkdir()
        monkeypatch.setattr("dcmcfg.verify.judgement.suggest_next_steps", lose_the_folder)
        done = verify(run, "local", "--evidence", str(folder / "proof.json"), *options, dest="STORESCP")
        assert done.exit_code == 1
        assert "reported, not observed: the archive reports 5 of 5 instances as sent to STORESCP" in done.stdout
        assert "proof.json: the file cannot be written (No such file or directory)" in done.stderr


def moves(site: RunningSite) -> int:
    return site.log("archive").count("C-MOVE")


@pytest.mark.parametrize(
    ("name", "exit_code", "words"),
    [
        ("there.json", 3, "the file exists\n  next: specify a new file, or add --replace"),
        ("nowhere/proof.json", 3, "the file cannot be written (No such file or directory)"),
        ("folder.json", 3, "a folder, not a file"),
        ("proof.pdf", 2, "proof.pdf must end in .json or .html"),
        ("proof", 2, "must end in .json or .html"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_asked(
    run: Run, site: RunningSite, tmp_path: Path, name: str, exit_code: int, words: str
) -> None:
    (tmp_path / "there.json").write_text("mine")
    (tmp_path / "folder.json").mkdir()
    moves_before = moves(site)
    done = verify(run, "local", "--evidence", str(tmp_path / name))
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert words in done.stderr
    assert (tmp_path / "there.json").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "xdg") == ["folder.json", "there.json"]
    assert moves(site) == moves_before


def test_the_same_file_twice_is_refused(run: Run, tmp_path: Path) -> None:
    os.chdir(tmp_path)
    done = verify(run, "local", "--evidence", "a.json", "--evidence", str(tmp_path / "a.json"))
    assert (done.exit_code, "the same file is given twice" in done.stderr) == (2, True)


def test_an_existing_file_is_replaced_when_that_is_said(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "there.json"
    file.write_text("old")
    assert verify(run, "local", "--evidence", str(file), "--replace", dest="STORESCP").exit_code == 0
    document = json.loads(file.read_text())
    assert document["verdict"]["database"]["files_before"] == "local"
    assert [path["state"] for path in document["configuration"]["route"]["paths"]] == ["local"]


def test_of_a_temporary_destination_the_configuration_is_kept_that_had_it(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    temporary = ("--temporary-dest", "--yes", "--json", "--evidence", str(file))
    done = run("verify", "--study", get_standard_study("local").uid, *temporary)
    assert done.exit_code == 0, done.output
    document = json.loads(file.read_text())
    assert document["configuration"]["destination"].startswith(document["verdict"]["destination_ae_title"] + "@")
    assert document["configuration"]["route"]["refusal"] is None
    assert len(document["received_instances"]) == 5


def test_of_many_studies_each_answer_has_a_file_with_what_the_database_said(run: Run, tmp_path: Path) -> None:
    """A run that goes on writes what it asks for; nothing is written over."""
    folder = tmp_path / "proofs"
    uids = [get_standard_study(name).uid for name in ("twenty", "local")]
    words = [word for uid in uids for word in ("--study", uid)]
    many = ("verify", *words, "--dest", "WORKSTATION", "--receive", "--qido", "--evidence", str(folder))
    done = run(*many, "--json")
    assert (done.exit_code, done.stderr) == (0, f"evidence: {folder}\n")
    files = {path.name.partition("-")[0]: path for path in folder.iterdir()}
    assert (sorted(files), folder.stat().st_mode & 0o777) == (sorted(uids), 0o700)
    documents = {uid: json.loads(path.read_text()) for uid, path in files.items()}
    assert all(re.fullmatch(rf"{uid}-\d{{8}}T\d{{9}}Z\.json", path.name) for uid, path in files.items())
    assert {each["format"] for each in documents.values()} == {"dcmcfg-evidence"}
    assert [documents[uid]["verdict"]["study_instance_uid"] for uid in uids] == uids
    assert [documents[uid]["verdict"]["database"]["files_before"] for uid in uids] == [
        "not local",
        "local",
    ]
    assert [documents[uid]["verdict"]["route"]["finding"] for uid in uids] == ["shown", "not tried"]
    assert [len(documents[uid]["received_instances"]) for uid in uids] == [20, 5]
    assert all(each["sha256"] for each in documents[uids[0]]["received_instances"])
    assert [event["description"] for event in documents[uids[0]]["events"]].count("C-MOVE sent") == 1
    assert len({each["configuration"]["tree"]["sha256"] for each in documents.values()}) == 1

    assert run(*many).exit_code == 0
    assert len(list(folder.iterdir())) == 2, "nothing was asked"
    assert run(*many, "--again").exit_code == 0
    assert len(list(folder.iterdir())) == 4


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_asked(
    run: Run, site: RunningSite, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    moves_before = moves(site)
    for name, words in (("file", "a file, not a folder"), ("no/proofs", "the file cannot be written")):
        done = verify(run, "local", "--again", "--evidence", str(tmp_path / name))
        assert (done.exit_code, words in done.stderr) == (3, True), done.stderr
    assert moves(site) == moves_before
