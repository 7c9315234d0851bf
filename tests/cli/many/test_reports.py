"""The reports of ``dcmcfg verify`` of many studies."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from junitparser import Failure, JUnitXml

from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from tests.bulk.archive import Archive
from tests.cli.many.scripted import FIVE, Script, Verify, named

pytestmark = pytest.mark.real
HOSTILE = "=HYPERLINK(\x1b[31m<script>alert(1)</script>&"


def test_reports_are_written_and_not_over_a_file_that_exists(
    verify: Verify, pacs: Archive, script: Script, tmp_path: Path
) -> None:
    script.answers = {FIVE[1]: MoveResponse(0xC001, HOSTILE)}
    files = {form: tmp_path / f"report.{form}" for form in ("csv", "junit", "html")}
    report_options = tuple(word for form, path in files.items() for word in (f"--{form}", str(path)))
    done = verify(*named(FIVE[:2]), *report_options)
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
    assert page.count('role="img"') == 3
    assert all(uid in page for uid in FIVE[:2])

    before = {path: path.read_bytes() for path in files.values()}
    refused = verify(*named(FIVE[:2]), *report_options, "--only-failed")
    assert refused.exit_code == 3
    assert "the file exists" in refused.stderr
    assert {path: path.read_bytes() for path in files.values()} == before
    assert len(pacs.moves) == 2
    assert verify(*named(FIVE[:2]), *report_options, "--replace").exit_code == 1
    assert len(pacs.moves) == 2, "a report can be made again without asking"


def test_where_a_report_cannot_be_written_in_the_end_the_answers_are_told(
    verify: Verify, script: Script, tmp_path: Path
) -> None:
    target = tmp_path / "report.csv"

    def take_the_name(_: MoveExchange) -> None:
        target.write_text("somebody else's")

    script.on_exchange = take_the_name
    done = verify(*named(FIVE[:2]), "--csv", str(target))
    assert (done.exit_code, target.read_text()) == (1, "somebody else's")
    assert done.stdout.startswith("2 studies: 2 reported as sent by the archive\n")
    assert "the file exists" in done.stderr
    target.unlink()
    content = json.loads(verify(*named(FIVE[:2]), "--again", "--csv", str(target), "--json").stdout)
    assert (content["headline"], content["error"]["message"]) == (
        "2 studies: 2 reported as sent by the archive",
        "the file exists",
    )


def test_one_study_is_kept_where_a_report_is_wanted(verify: Verify, pacs: Archive, tmp_path: Path) -> None:
    done = verify("--study", FIVE[0], "--csv", "-", "--results", str(tmp_path / "one.sqlite"))
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1].startswith(f"{FIVE[0]},reported,0000,1,1,0,0,,")
    assert list(csv.DictReader(io.StringIO(done.stdout, newline="")))[-1]["study_instance_uid"] == FIVE[0]
    assert done.stderr.startswith("1 study: 1 reported as sent by the archive\n"), (
        "what reads the CSV gets nothing else"
    )


def test_commands_that_are_proposed_keep_the_options_of_the_run(verify: Verify, script: Script, tmp_path: Path) -> None:
    script.answers = dict.fromkeys(FIVE[:2], MoveResponse(0xB000, completed=0, failed=1, warning=0))
    table = tmp_path / "report.csv"
    options = ("--calling", "NIGHTJOB", "--device", "dcm4chee-arc", "--csv", str(table))
    done = verify(*named(FIVE[:2]), *options)
    route = "run dcmcfg --device dcm4chee-arc route --dest STORESCP --calling NIGHTJOB"
    assert (done.exit_code, done.stdout.count(route)) == (1, 1), done.stdout
    assert [route in row["next_step"] for row in csv.DictReader(table.open(newline=""))] == [True, True]
    content = json.loads(verify(*named(FIVE[:2]), *options[:4], "--json").stdout)
    assert all(route in each["next_step"] for each in (*content["failure_groups"], *content["studies"]))
