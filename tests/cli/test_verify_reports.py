"""The reports of ``dcmcfg verify`` on one study: the forms and files that many studies have."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path

import pytest
from junitparser import Error, JUnitXml

from dcmcfg.dicom.peer import Peer
from tests.cli.verifying import STUDY, Verify, load_verdict
from tests.ports import free_port

pytestmark = pytest.mark.real


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_one_study_has_the_reports_of_many_beside_its_verdict(verify: Verify, plain_pacs: Peer, tmp_path: Path) -> None:
    files = {form: tmp_path / f"report.{form}" for form in ("csv", "junit", "html")}
    done = verify(plain_pacs, "--receive", "--details", *(f"--{form}={path}" for form, path in files.items()))
    assert (done.exit_code, done.stdout.startswith("verified: ")) == (0, True), done.output
    assert done.stderr.endswith("".join(f"{form}: {path}\n" for form, path in files.items()))
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}

    (row,) = rows(files["csv"].read_text())
    assert (row["study_instance_uid"], row["outcome"], row["status"], row["attempt_count"]) == (
        STUDY,
        "verified",
        "0000",
        "1",
    )
    assert row["received"] == row["completed"] != "0"
    suite = next(iter(JUnitXml.fromfile(str(files["junit"]))))
    assert (suite.tests, suite.failures, suite.errors) == (1, 0, 0)
    assert [case.name for case in suite] == [STUDY]
    page = files["html"].read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert ("1 study: 1 verified" in page, STUDY in page, "Results file" in page) == (True, True, False)

    again = verify(plain_pacs, "--receive", "--csv", str(files["csv"]))
    assert (again.exit_code, "the file exists" in again.stderr) == (3, True)
    assert verify(plain_pacs, "--receive", "--csv", str(files["csv"]), "--replace").exit_code == 0


@pytest.mark.parametrize("form", ["csv", "junit", "html"])
def test_format_and_output_are_what_the_option_of_that_name_is(
    verify: Verify, plain_pacs: Peer, tmp_path: Path, form: str
) -> None:
    file = tmp_path / "report"
    done = verify(plain_pacs, "--receive", "--format", form, "-o", str(file))
    assert (done.exit_code, done.stdout.startswith("verified: ")) == (0, True)
    printed = verify(plain_pacs, "--receive", "--format", form)
    assert (printed.exit_code, "verified: " in printed.stderr) == (0, True)
    assert STUDY in printed.stdout
    assert printed.stdout.splitlines()[0] == file.read_text().splitlines()[0]
    other_option = verify(plain_pacs, "--receive", f"--{form}", "-")
    assert other_option.stdout.splitlines()[0] == printed.stdout.splitlines()[0]


def test_the_verdict_goes_to_a_private_file(verify: Verify, plain_pacs: Peer, tmp_path: Path) -> None:
    text, content = tmp_path / "verdict.txt", tmp_path / "verdict.json"
    done = verify(plain_pacs, "--receive", "-o", str(text))
    assert (done.exit_code, done.stdout) == (0, "")
    assert text.read_text().startswith("verified: ")
    done = verify(plain_pacs, "--receive", "--json", "--output", str(content))
    assert (done.exit_code, done.stdout) == (0, "")
    assert json.loads(content.read_text())["verified"] is True
    assert {stat.S_IMODE(path.stat().st_mode) for path in (text, content)} == {0o600}
    refused = verify(plain_pacs, "--receive", "--json", "-o", str(content))
    assert (refused.exit_code, load_verdict(refused)["error"]["message"]) == (3, "the file exists")
    assert verify(plain_pacs, "--receive", "--json", "-o", str(content), "--replace").exit_code == 0


def test_an_archive_that_is_not_there_is_an_error_in_the_reports(verify: Verify, tmp_path: Path) -> None:
    nobody = Peer("DCM4CHEE", "127.0.0.1", free_port())
    file = tmp_path / "report.xml"
    done = verify(nobody, "--junit", str(file), "--csv", str(tmp_path / "report.csv"), "--json")
    assert done.exit_code == 3
    (case,) = next(iter(JUnitXml.fromfile(str(file))))
    assert ([type(each) for each in case.result], case.name) == ([Error], STUDY)
    (row,) = rows((tmp_path / "report.csv").read_text())
    assert (row["outcome"], row["status"], row["attempt_count"]) == ("not sent", "", "1")
    assert row["headline"].startswith("no C-MOVE was sent: ")
    assert load_verdict(done)["error"]["exit_code"] == 3
