"""Results of ``verify`` from before the format number: listed, reported, and gone on with."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result
from junitparser import JUnitXml

from dcmcfg.lab.move_scp import MoveResponse
from tests.bulk.archive import Archive, archive_of, studies
from tests.cli.before_format.conftest import Holding
from tests.cli.before_format.files import FOLDER, before
from tests.cli.conftest import Run
from tests.cli.many.scripted import Script, command

pytestmark = pytest.mark.real
FIVE = studies(5)
#: What an answer holds that no wording changes.
NUMBERS = ("status", "comment", "expected", "completed", "failed", "warning", "received")
NOT_ALLOWED = MoveResponse(0xC801)


@dataclass(frozen=True)
class Bulk:
    """An archive with five studies, and ``verify`` of them with the results of a fixture."""

    archive: Archive
    script: Script
    run: Run
    replacements: dict[str, str]
    held: list[str]

    def verify(self, *arguments: str) -> Result:
        return self.run(*command(self.archive), "--ae", "DCM4CHEE", "--parallel", "1", *arguments)

    def put(self, name: str, target: Path) -> Path:
        """Write the store *name* to *target*, as it is after kill -9: changes are in its write-ahead log."""
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = target.with_name("aside.sqlite")
        shutil.copyfile(FOLDER / "results" / name, aside)
        with closing(sqlite3.connect(aside, isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            for old, new in self.replacements.items():
                connection.execute("UPDATE fact SET value = replace(value, ?, ?)", (old, new))
                connection.execute("UPDATE attempt SET answer = replace(answer, ?, ?)", (old, new))
            for kind in ("", "-wal"):
                shutil.copyfile(f"{aside}{kind}", f"{target}{kind}")
        aside.unlink()
        assert Path(f"{target}-wal").stat().st_size
        return target

    def put_into_state_folder(self, name: str) -> Path:
        """Have the store in the state folder, under the name that stands for its question."""
        aside = self.put(name, Path(os.environ["XDG_STATE_HOME"]) / "aside" / name)
        with closing(sqlite3.connect(aside)) as connection:
            facts = dict(connection.execute("SELECT name, value FROM fact"))
        question = json.dumps([sorted(json.loads(facts["asked"]).items()), facts["listed from"]])
        key = hashlib.sha256(question.encode()).hexdigest()[:16]
        return self.put(name, Path(os.environ["XDG_STATE_HOME"]) / "dcmcfg" / "verify" / f"{key}.sqlite")


@pytest.fixture
def bulk(holding: Holding, run: Run, tmp_path: Path) -> Iterator[Bulk]:
    site, script = holding(before()), Script()
    script.answers[FIVE[1]] = NOT_ALLOWED
    (tmp_path / "studies.txt").write_text("".join(f"{uid}\n" for uid in FIVE))
    held = list(FIVE)
    with archive_of(held, script.on_move, on_exchange=lambda each: script.on_exchange(each)) as archive:
        yield Bulk(
            archive,
            script,
            run,
            {
                "@PORT@": str(site.slapd.slapd.port),
                "@ARCHIVE-PORT@": str(archive.peer.port),
                "@WORK@": str(tmp_path),
            },
            held,
        )


def stored_results(name: str) -> list[tuple[str, str]]:
    """The outcome and the stored answer of each study in the store *name*."""
    query = "SELECT outcome, answer FROM study JOIN attempt ON answered_by = number ORDER BY position"
    with closing(sqlite3.connect(f"file:{FOLDER / 'results' / name}?immutable=1", uri=True)) as store:
        return store.execute(query).fetchall()


def outcomes(report: str) -> list[list[str | None]]:
    return [[each["outcome"] for each in study["attempts"]] for study in json.loads(report)["studies"]]


def test_a_run_that_was_killed_is_listed_and_cleared(bulk: Bulk, run: Run) -> None:
    store = bulk.put_into_state_folder("killed.sqlite")
    (listed,) = json.loads(run("results", "list", "--json").stdout)["results"]
    assert (listed["name"], listed["file"], listed["finished_count"], listed["pending_count"]) == (
        store.stem,
        str(store),
        3,
        2,
    )
    assert listed["request"]["archive"] == f"DCM4CHEE@127.0.0.1:{bulk.archive.peer.port}"
    assert listed["request"]["destination"] == "STORESCP"
    assert listed["source"].endswith("/studies.txt")
    shown = run("results", "list")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert store.stem in shown.stdout
    cleared = run("results", "clear", store.stem[:6], "--yes")
    assert (cleared.exit_code, list(store.parent.iterdir())) == (0, [])


def test_the_same_command_continues_a_run_that_was_killed(bulk: Bulk) -> None:
    """The key of a store, by which the command finds it, is the same as before."""
    bulk.put_into_state_folder("killed.sqlite")
    done = bulk.verify("--studies", "studies.txt", "--json")
    assert done.exit_code == 1, done.stderr
    assert bulk.archive.moves == FIVE[3:]
    report = json.loads(done.stdout)
    assert report["outcome_counts"] == {"reported": 4, "not_verified": 1, "pending": 0}
    assert report["attempts"] == {"count": 6, "interrupted_count": 1, "retry_count": 0}
    assert outcomes(done.stdout) == [["reported"], ["not verified"], ["reported"], [None, "reported"], ["reported"]]
    assert bulk.verify("--studies", "studies.txt").exit_code == 1
    assert bulk.archive.moves == FIVE[3:], "nothing is asked again"


def test_results_in_a_named_file_are_continued(bulk: Bulk, tmp_path: Path) -> None:
    store = bulk.put("killed.sqlite", tmp_path / "mine.sqlite")
    assert bulk.verify("--studies", "studies.txt", "--results", str(store)).exit_code == 1
    assert bulk.archive.moves == FIVE[3:]


def test_a_query_continues_with_the_studies_that_it_found_then(bulk: Bulk) -> None:
    """The archive has a sixth study by now: a run that goes on does not ask for it, one that begins anew does."""
    bulk.put_into_state_folder("query.sqlite")
    bulk.held.append("1.2.826.0.1.6")
    done = bulk.verify("--query", "PatientID=P1", "--json")
    assert done.exit_code == 1, done.stderr
    assert bulk.archive.moves == FIVE[3:]
    assert len(outcomes(done.stdout)) == 5
    again = bulk.verify("--query", "PatientID=P1", "--again", "--json")
    assert len(outcomes(again.stdout)) == 6


def test_only_failed_requests_failures_and_accepts_earlier_results_of_the_same_tree(bulk: Bulk, tmp_path: Path) -> None:
    store = str(bulk.put("killed.sqlite", tmp_path / "mine.sqlite"))
    del bulk.script.answers[FIVE[1]]
    done = bulk.verify("--studies", "studies.txt", "--results", store, "--only-failed", "--json")
    assert done.exit_code == 0, done.stderr
    assert Counter(bulk.archive.moves) == Counter([FIVE[1], *FIVE[3:]])
    assert json.loads(done.stdout)["tree"]["results_from_other_tree_count"] == 0


def test_again_requests_all_studies_and_keeps_the_attempts(bulk: Bulk, tmp_path: Path) -> None:
    store = str(bulk.put("killed.sqlite", tmp_path / "mine.sqlite"))
    done = bulk.verify("--studies", "studies.txt", "--results", store, "--again", "--json")
    assert done.exit_code == 1
    assert bulk.archive.moves == FIVE
    assert [len(each) for each in outcomes(done.stdout)] == [2, 2, 2, 2, 1]


def test_another_question_is_refused(bulk: Bulk, tmp_path: Path) -> None:
    store = bulk.put("killed.sqlite", tmp_path / "mine.sqlite")
    other = bulk.verify("--studies", "studies.txt", "--results", str(store), "--calling", "OTHER")
    assert other.exit_code == 3
    assert "DCMCFG" in other.stderr
    assert "OTHER" in other.stderr
    assert bulk.archive.moves == []


@pytest.fixture
def finished(bulk: Bulk, tmp_path: Path) -> Callable[..., Result]:
    """Report what the finished runs have kept; nothing is asked."""
    store = str(bulk.put("finished.sqlite", tmp_path / "finished.sqlite"))
    named = [word for uid in FIVE[:3] for word in ("--study", uid)]

    def report(*arguments: str) -> Result:
        done = bulk.verify(*named, "--results", store, *arguments)
        assert (done.exit_code, bulk.archive.moves) == (1, []), done.stderr
        return done

    return report


def test_finished_runs_are_reported_as_text(finished: Callable[..., Result]) -> None:
    shown = finished()
    assert shown.stderr == ""
    assert FIVE[1] in shown.stdout
    assert "C801" in shown.stdout
    assert shown.stdout.startswith("3 studies: 2 reported as sent by the archive, 1 not verified")


def test_finished_runs_are_reported_as_json(finished: Callable[..., Result]) -> None:
    report = json.loads(finished("--json").stdout)
    assert (report["accepted"], report["outcome_counts"]) == (False, {"reported": 2, "not_verified": 1, "pending": 0})
    assert report["attempts"] == {"count": 5, "interrupted_count": 0, "retry_count": 2}
    assert outcomes(json.dumps(report)) == [
        ["reported"],
        ["not verified", "not verified"],
        ["not verified", "reported"],
    ]
    for study, (outcome, text) in zip(report["studies"], stored_results("finished.sqlite"), strict=True):
        stored = json.loads(text)
        assert study["outcome"] == outcome
        assert {name: study[name] for name in NUMBERS} == {name: stored[name] for name in NUMBERS}
        assert study["from_other_tree"] is False
        assert all(each["started_at"] <= each["ended_at"] for each in study["attempts"])


def test_finished_runs_are_reported_as_csv_junit_and_html(finished: Callable[..., Result], tmp_path: Path) -> None:
    files = {kind: tmp_path / f"report.{kind}" for kind in ("csv", "junit", "html")}
    finished(*(word for kind, path in files.items() for word in (f"--{kind}", str(path))))
    rows = list(csv.DictReader(io.StringIO(files["csv"].read_text("utf-8-sig"))))
    assert len(rows) == 3
    assert [uid for uid, row in zip(FIVE, rows, strict=False) if uid in row.values()] == FIVE[:3]
    assert ["reported" in row.values() for row in rows] == [True, False, True]
    suite = next(iter(JUnitXml.fromfile(str(files["junit"]))))
    assert [bool(case.result) for case in suite] == [False, True, False]
    assert FIVE[1] in files["html"].read_text("utf-8")


def test_every_attempt_is_kept_when_the_current_program_has_used_the_store(
    finished: Callable[..., Result], tmp_path: Path
) -> None:
    finished("--json")
    with closing(sqlite3.connect(tmp_path / "finished.sqlite")) as store:
        assert store.execute("SELECT count(*) FROM attempt WHERE answer IS NOT NULL").fetchone() == (5,)
