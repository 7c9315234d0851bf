"""A command that ``verify`` proposes keeps the options of the run that proposes it."""

from __future__ import annotations

import shlex

import click
import pytest

from dcmcfg.cli.verify.command import verify_command
from dcmcfg.cli.verify.one_study import add_given_options

RECALL = "dcmcfg verify --recall --dest"
ROUTE = "dcmcfg route --dest"
ORDER = "dcmcfg work-order --external"


def understood(*words: str) -> click.Context:
    # click keeps the help option that a command is first asked for: it must be the program's
    return verify_command.make_context("verify", list(words), help_option_names=["-h", "--help"])


@pytest.mark.parametrize(
    ("given", "text", "told"),
    [
        ("", f"{RECALL} A takes a study", f"{RECALL} A takes a study"),
        (
            "--require-route --receive --calling NIGHTJOB",
            f"{RECALL} A takes a study",
            f"{RECALL} A --calling NIGHTJOB --receive --require-route takes a study",
        ),
        ("--ae 'DCM 4' --timeout-s 5", f"{RECALL} 'A B'; or", f"{RECALL} 'A B' --ae 'DCM 4' --timeout-s 5; or"),
        ("--no-qido --priority low", f"{RECALL} A", f"{RECALL} A --priority low --no-qido"),
        ("--keep 'my files' --tls --tls-ca ca", f"{RECALL} A", f"{RECALL} A --keep 'my files' --tls --tls-ca ca"),
        (
            "--temporary-address pacs:104",
            "dcmcfg verify --recall --temporary-dest takes",
            "dcmcfg verify --recall --temporary-dest --temporary-address pacs:104 takes",
        ),
        (
            "--timeout-s 5",
            "specify its UID (dcmcfg verify --study UID --dest A), or",
            "specify its UID (dcmcfg verify --study UID --dest A --timeout-s 5), or",
        ),
        ("--calling NIGHTJOB --receive", f"where {ROUTE} A: that", f"where {ROUTE} A --calling NIGHTJOB: that"),
        ("--series 1.2 --expect 3 --yes --json", f"{RECALL} A, or {ROUTE} A", f"{RECALL} A, or {ROUTE} A"),
        ("--calling NIGHTJOB --device pacs", "dcmcfg echo A", "dcmcfg echo A"),
        (
            "--calling NIGHTJOB --ae DCM4 --tls",
            f"{ORDER} 'A B' --format orthanc gives the lines",
            f"{ORDER} 'A B' --ae DCM4 --calling NIGHTJOB --format orthanc gives the lines",
        ),
        (
            "--calling NIGHTJOB --ae DCM4",
            f"{ORDER} A --calling OTHER lists what to enter",
            f"{ORDER} A --ae DCM4 --calling OTHER lists what to enter",
        ),
    ],
)
def test_what_means_the_same_there_is_kept(given: str, text: str, told: str) -> None:
    with understood("--study", "1.2.3", "--dest", "A", *shlex.split(given)) as context:
        assert add_given_options(context, text) == told
        line = shlex.split(told.partition(" takes")[0].partition(";")[0].partition(", or")[0].partition(":")[0])
    if line[:3] == ["dcmcfg", "verify", "--recall"]:
        with understood(*line[2:]):
            pass
