"""``--format markdown`` and ``--format html``: a report on standard output, the text of a plan on standard error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import CliSite

pytestmark = pytest.mark.real
SET = ("set", "dcm4chee-arc", "dicomDescription=New | text")


def test_a_plan_is_a_report_with_the_command_the_values_and_how_to_revert_it(run: Run, site: CliSite) -> None:
    planned = run(*SET, "--dry-run", "--format", "markdown")
    assert planned.exit_code == 0
    assert planned.stdout.startswith("# Plan: 1 to change\n\n- Site: ")
    assert "+     dicomDescription: New | text\n" in planned.stdout
    assert "- Preconditions: 1 of 1 step: the directory server changes an entry only if" in planned.stdout
    assert "```sh\ndcmcfg undo NUMBER\n```\n" in planned.stdout
    assert "~ dicomDescription: " in planned.stderr
    page = run(*SET, "--dry-run", "--format", "html")
    assert "<h1>Plan: 1 to change</h1>" in page.stdout
    assert page.stdout.endswith("</html>\n")


def test_an_applied_plan_its_record_and_its_undo_are_reports(run: Run, site: CliSite) -> None:
    applied = run(*SET, "--yes", "--no-reload", "--format", "markdown")
    assert (applied.exit_code, applied.stdout.splitlines()[0]) == (0, "# Change 1 was applied: 1 changed")
    assert "- Result: The archive was not reloaded. To reload it: dcmcfg reload\n" in applied.stdout
    assert "```sh\ndcmcfg undo 1\n```\n" in applied.stdout
    change = run("history", "1", "--format", "markdown").stdout
    assert change.startswith("# Change 1: applied\n")
    assert "+     dicomDescription: New | text\n" in change
    assert "```sh\ndcmcfg undo 1\n```\n" in change
    assert "<h1>1 change</h1>" in run("history", "--format", "html").stdout
    undo = run("undo", "1", "--dry-run", "--format", "markdown").stdout
    assert "- Reverts: change 1\n" in undo
    assert "-     dicomDescription: New | text\n" in undo
    assert run("undo", "1", "--yes", "--no-reload").exit_code == 0
    assert run("history", "1", "--format", "markdown").stdout.startswith("# Change 1: reverted by 2\n")
    same = run("set", "dcm4chee-arc", "dicomInstalled=TRUE", "--dry-run", "--format", "markdown")
    assert same.stdout.startswith("# No changes\n")


def test_a_secret_is_in_no_report(run: Run, site: CliSite, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("sesame42")
    pin = f"dcmKeyStorePin=@{tmp_path / 'pin'}"
    applied = run("set", "dcm4chee-arc", pin, "--yes", "--no-reload", "--format", "html")
    assert applied.exit_code == 0
    reports = [applied.stdout]
    reports += [run("history", "1", "--format", form).stdout for form in ("markdown", "html")]
    reports += [run("undo", "1", "--dry-run", "--format", form).stdout for form in ("markdown", "html")]
    for report in reports:
        assert "dcmKeyStorePin" in report
        assert "sesame42" not in report


def test_a_diff_and_findings_are_reports(run: Run, site: CliSite, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("diff") / "old.ldif"
    assert run("export-ldif", "-o", str(file)).exit_code == 0
    name = "dcmSendPendingCMoveInterval"
    file.write_text(file.read_text("utf-8").replace(f"{name}: PT5S", f"{name}: 5"))
    diff = run("diff", str(file), "live", "--format", "markdown")
    assert (diff.exit_code, diff.stdout.splitlines()[0]) == (1, "# 1 entry differs: 1 changed")
    assert "-     dcmSendPendingCMoveInterval: 5\n+     dcmSendPendingCMoveInterval: PT5S\n" in diff.stdout
    equal = run("diff", "live", "live", "--format", "html")
    assert equal.exit_code == 2
    checked = run("check", str(file), "--format", "markdown")
    assert checked.exit_code == 1
    assert "| File |" in checked.stdout
    assert "## Rules\n\n| Rule | Requirement | Reason |\n" in checked.stdout
    page = run("check", "--format", "html")
    assert "<h2>Findings</h2>" in page.stdout
    assert "rules of dcmcfg check</h1>" in run("check", "--list-rules", "--format", "html").stdout


@pytest.mark.parametrize("arguments", [(*SET, "-o", "-", "--dry-run"), ("set-external-retrieve", "A", "--ldif", "-")])
def test_a_report_and_ldif_cannot_both_go_to_standard_output(run: Run, arguments: tuple[str, ...]) -> None:
    refused = run(*arguments, "--format", "markdown")
    assert (refused.exit_code, refused.stdout) == (2, "")
    option = "--ldif" if "--ldif" in arguments else "--output"
    assert f"and --format markdown both write to standard output; specify a file with {option}" in " ".join(
        refused.stderr.split()
    )
