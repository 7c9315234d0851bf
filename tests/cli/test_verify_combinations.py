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
        ((), "Missing option '--study', or --studies, --query, --recall."),
        (("--study", "1.2.3"), "Missing option '--dest', or --temporary-dest."),
        ((*ONE, "--temporary-dest"), "--temporary-dest takes the place of --dest"),
        ((*ONE, "--temporary-address", "h"), "--temporary-address goes with --temporary-dest"),
        ((*ONE, "--show-plan"), "--show-plan goes with --temporary-dest"),
        ((*ONE, "-y"), "--yes goes with --temporary-dest or --clean-temporary: nothing else is asked"),
        (
            (*ONE, "--require-observation"),
            "--require-observation goes with --receive, --keep or --temporary-dest: "
            "without it nobody of ours can see what arrives",
        ),
        (
            (*MANY, "--require-observation"),
            "--require-observation goes with --receive, --keep or --temporary-dest: "
            "without it nobody of ours can see what arrives",
        ),
        (
            (*ONE, "--replace"),
            "--replace goes with --evidence, --csv, --junit, --html or --output: no other file is written",
        ),
        ((*ONE, "--patient-id-issuer", "H"), "--patient-id-issuer goes with --patient-id"),
        ((*ONE, "--tls-key", "f"), "--tls-key goes with --tls-cert"),
        ((*ONE, "--limit", "3"), "--limit goes with --query"),
        ((*ONE, "--studies", "-"), "name the studies in one way: --study and --studies are two"),
        ((*MANY, "--query", "PatientID=1"), "name the studies in one way: --studies and --query are two"),
        (
            (*ONE, "--rate", "4/s"),
            "--rate is for many studies, and --study names one: leave it out",
        ),
        (
            (*ONE, "--parallel", "4"),
            "--parallel is for many studies, and --study names one: leave it out",
        ),
        (
            (*ONE, "--study", "1.4", "--expect", "3"),
            "--expect is for one study, and a second --study makes them many",
        ),
        ((*MANY, "--image", "1.2.3.4"), "--image is for one study, and --studies makes them many"),
        (
            ("--query", "PatientID=1", "--dest", "A", "--patient-id", "4"),
            "--patient-id is for one study, and --query makes them many",
        ),
        (
            (*ONE, "--results", "r.sqlite", "--evidence", "e.json"),
            "--evidence of many studies takes a folder, and e.json is a file",
        ),
        ((*ONE, "--evidence", "folder"), "--evidence: folder ends neither in .json nor in .html"),
        (
            (*MANY, "--again", "--only-failed"),
            "--again asks for all studies anew, --only-failed for those that failed",
        ),
        ((*RECALL, "--study", "1.2.3"), "--recall takes the place of --study; --query says where it looks"),
        ((*RECALL, "--studies", "f"), "--recall takes the place of --studies; --query says where it looks"),
        ((*RECALL, "--query", "PatientID=X", "--limit", "3"), "--limit is for many studies, and --recall takes one"),
        ((*RECALL, "--rate", "4/s"), "--rate is for many studies, and --recall takes one"),
        ((*RECALL, "--patience-s", "9"), "--patience-s is for many studies, and --recall takes one"),
        ((*RECALL, "--results", "f"), "--results is for many studies, and --recall takes one"),
        (
            (*ONE, "--csv", "-", "--format", "html", "-o", "-"),
            "- is given for several reports",
        ),
        ((*ONE, "--csv", "-", "-o", "report.txt"), "- is given for several reports"),
        ((*ONE, "--csv", "a", "--format", "csv", "-o", "b"), "--csv and --format csv exclude each other"),
        (
            (*MANY, "--csv", "report", "-o", "report"),
            "the same file twice: the list, --results and each report need one of their own",
        ),
        (("--clean-temporary", "-o", "f"), "--clean-temporary moves nothing: --output has no meaning with it"),
        ((*RECALL, "--image", "1.2.3"), "--image is of a study that is known, and --recall takes any"),
        ((*RECALL, "--patient-id", "4711"), "--patient-id is of a study that is known, and --recall takes any"),
        ((*RECALL, "--expect", "3"), "--expect is of a study that is known, and --recall takes any"),
        (("--clean-temporary", "--dest", "A"), "--clean-temporary moves nothing: --dest has no meaning with it"),
        (("--clean-temporary", "--receive"), "--clean-temporary moves nothing: --receive has no meaning with it"),
        (("--clean-temporary", "--no-qido"), "--clean-temporary moves nothing: --no-qido has no meaning with it"),
        (
            ("--clean-temporary", "--timeout-s", "3"),
            "--clean-temporary moves nothing: --timeout-s has no meaning with it",
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
        "--details adds to the report, and --json has all of it anyway"
    )
