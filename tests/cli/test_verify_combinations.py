"""Options of ``dcmcfg verify`` that do not go together are refused before anybody is asked anything."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run

ONE = ("--study", "1.2.3", "--dest", "A")
MANY = ("--studies", "list", "--dest", "A")
RECALL = ("--recall", "--dest", "A")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "Missing option '--study'. Instead of --study, you can specify --studies, --query or --recall."),
        (("--study", "1.2.3"), "Missing option '--dest'. Instead of --dest, you can specify --temporary-dest."),
        ((*ONE, "--temporary-dest"), "--temporary-dest and --dest cannot be used together"),
        ((*ONE, "--temporary-address", "h"), "--temporary-address requires --temporary-dest"),
        ((*ONE, "--show-plan"), "--show-plan requires --temporary-dest"),
        ((*ONE, "-y"), "--yes requires --temporary-dest or --clean-temporary: nothing else requires confirmation"),
        (
            (*ONE, "--require-observation"),
            "--require-observation requires --receive, --keep or --temporary-dest: "
            "otherwise dcmcfg does not receive the instances",
        ),
        (
            (*MANY, "--require-observation"),
            "--require-observation requires --receive, --keep or --temporary-dest: "
            "otherwise dcmcfg does not receive the instances",
        ),
        (
            (*ONE, "--replace"),
            "--replace requires --evidence, --csv, --junit, --html or --output: no other file is written",
        ),
        ((*ONE, "--patient-id-issuer", "H"), "--patient-id-issuer requires --patient-id"),
        ((*ONE, "--tls-key", "f"), "--tls-key requires --tls-cert"),
        ((*ONE, "--limit", "3"), "--limit requires --query"),
        ((*ONE, "--studies", "-"), "--study and --studies cannot be used together"),
        ((*MANY, "--query", "PatientID=1"), "--studies and --query cannot be used together"),
        (
            (*ONE, "--rate", "4/s"),
            "--rate is for many studies, but --study specifies one study",
        ),
        (
            (*ONE, "--parallel", "4"),
            "--parallel is for many studies, but --study specifies one study",
        ),
        (
            (*ONE, "--study", "1.4", "--expect", "3"),
            "--expect is for one study, but a second --study selects many studies",
        ),
        ((*MANY, "--image", "1.2.3.4"), "--image is for one study, but --studies selects many studies"),
        (
            ("--query", "PatientID=1", "--dest", "A", "--patient-id", "4"),
            "--patient-id is for one study, but --query selects many studies",
        ),
        (
            (*ONE, "--results", "r.sqlite", "--evidence", "e.json"),
            "if you verify several studies, --evidence requires a folder, but e.json is a file name",
        ),
        ((*ONE, "--evidence", "folder"), "--evidence: the file name folder must end in .json or .html"),
        (
            (*MANY, "--again", "--only-failed"),
            "--again and --only-failed cannot be used together",
        ),
        ((*RECALL, "--study", "1.2.3"), "--recall cannot be combined with --study; use --query to limit the search"),
        ((*RECALL, "--studies", "f"), "--recall cannot be combined with --studies; use --query to limit the search"),
        (
            (*RECALL, "--query", "PatientID=X", "--limit", "3"),
            "--limit is for many studies, but --recall finds one study",
        ),
        ((*RECALL, "--rate", "4/s"), "--rate is for many studies, but --recall finds one study"),
        ((*RECALL, "--patience-s", "9"), "--patience-s is for many studies, but --recall finds one study"),
        ((*RECALL, "--results", "f"), "--results is for many studies, but --recall finds one study"),
        (
            (*ONE, "--csv", "-", "--format", "html", "-o", "-"),
            "only one report can be written to standard output (-); specify a file for each other report",
        ),
        (
            (*ONE, "--csv", "-", "-o", "report.txt"),
            "only one report can be written to standard output (-); specify a file for each other report",
        ),
        ((*ONE, "--csv", "a", "--format", "csv", "-o", "b"), "--csv and --format csv cannot be used together"),
        (
            (*MANY, "--csv", "report", "-o", "report"),
            "the same file is given twice: --studies, --results and each report require separate files",
        ),
        (("--clean-temporary", "-o", "f"), "--clean-temporary sends no C-MOVE and cannot be combined with --output"),
        ((*RECALL, "--image", "1.2.3"), "--image requires a known study, but --recall searches for a study"),
        ((*RECALL, "--patient-id", "4711"), "--patient-id requires a known study, but --recall searches for a study"),
        ((*RECALL, "--expect", "3"), "--expect requires a known study, but --recall searches for a study"),
        (("--clean-temporary", "--dest", "A"), "--clean-temporary sends no C-MOVE and cannot be combined with --dest"),
        (("--clean-temporary", "--receive"), "--clean-temporary sends no C-MOVE and cannot be combined with --receive"),
        (("--clean-temporary", "--no-qido"), "--clean-temporary sends no C-MOVE and cannot be combined with --no-qido"),
        (
            ("--clean-temporary", "--timeout-s", "3"),
            "--clean-temporary sends no C-MOVE and cannot be combined with --timeout-s",
        ),
    ],
)
def test_what_has_no_meaning_is_refused_by_both_names(run: Run, arguments: tuple[str, ...], problem: str) -> None:
    done = run("verify", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"Error: {problem}\n" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (*ONE, "--image", "1.2.3.4", "--expect", "1", "--results", "kept.sqlite", "--rate", "4/s"),
        ("--query", "PatientID=1", "--limit", "3", "--dest", "A", "--no-qido", "--rate", "4/s", "--keep", "d"),
        (*RECALL, "--query", "PatientID=1", "--qido", "--require-route", "--receive", "--require-observation"),
        ("--study", "1.2.3", "--temporary-dest", "--yes", "--receive", "--json"),
        (*ONE, "--csv", "-", "--details"),
        (*ONE, "--again", "--details"),
        (*RECALL, "--format", "junit"),
        ("--clean-temporary", "--yes", "--format", "json"),
        ("--clean-temporary", "--yes", "--json"),
    ],
)
def test_what_goes_together_gets_as_far_as_the_directory(
    run: Run, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DCMCFG_LDAP_URL", "ldap://127.0.0.1:1")
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", "secret")
    done = run("verify", *arguments)
    assert (done.exit_code, "127.0.0.1:1" in done.output) == (3, True)


@pytest.mark.parametrize("arguments", [("--query", "Modality=MR"), ("--recall", "--query", "PatientID=1,Modality=MR")])
def test_a_key_that_would_not_narrow_it_down_is_refused_with_the_one_meant(
    run: Run, arguments: tuple[str, ...]
) -> None:
    done = run("verify", "--dest", "A", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "dcmcfg: Modality: the archive ignores this key, so all studies would match\n"
        "  next: did you mean ModalitiesInStudy?\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [("verify", "--json"), ("verify", "--format", "json"), ("--json", "verify")],
)
def test_details_are_no_option_for_json(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments, *ONE, "--details")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["message"] == (
        "--details is for the text report. --json always has all details"
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--study", "--dest", "A"), "--study has no value (the next word is --dest)"),
        (("--study", "--receive", "--dest", "A"), "--study has no value (the next word is --receive)"),
        (("--study", "", "--dest", "A"), "--study has no value"),
        (("--study", "1.2.3", "--study", " ", "--dest", "A"), "--study has no value"),
        (("--study", "1.2.3", "--dest", "--receive"), "--dest has no value (the next word is --receive)"),
        (("--study", "1.2.3", "--dest="), "--dest has no value"),
    ],
)
def test_an_empty_shell_variable_is_named_as_the_cause(run: Run, arguments: tuple[str, ...], problem: str) -> None:
    result = run("verify", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"dcmcfg: {problem}; the shell variable might be empty\n"
        '  next: check the variable, and write it in quotation marks: "$NAME"\n'
    )
