"""A file of another kind than the command takes is named, with the command that takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

CSV = "title,host,port\nCT1,ct1,104\n"
LDIF = "version: 1\n\ndn: cn=a\ncn: a\n"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text(CSV)
    Path("a.ldif").write_text(LDIF)
    Path("a.zip").write_bytes(b"PK\x03\x04\x14\0")


@pytest.mark.parametrize("command", [["apply", "--dry-run"], ["check"], ["check", "--rfc2849"], ["diff", "a.ldif"]])
def test_a_csv_file_is_no_ldif(run: Run, command: list[str]) -> None:
    result = run(*command, "a.csv")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        "dcmcfg: a.csv: the file is a CSV file, not LDIF\n  next: to add the AEs of this file: dcmcfg import a.csv\n"
    )


@pytest.mark.parametrize("command", [["apply", "--dry-run"], ["check"], ["diff", "a.ldif"]])
def test_standard_input_is_named_too(run: Run, command: list[str]) -> None:
    result = run(*command, "-", input=CSV)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("dcmcfg: standard input: the file is a CSV file, not LDIF\n")


def test_of_several_files_each_is_named(run: Run) -> None:
    result = run("apply", "--dry-run", "a.csv", "a.zip", "a.ldif")
    assert "  a.csv: the file is a CSV file, not LDIF — " in result.stderr
    assert "  a.zip: the file is a ZIP file, not LDIF — " in result.stderr


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (
            ["restore", "a.csv"],
            "a.csv: the file is a CSV file, not a snapshot of dcmcfg\n  next: to add the AEs "
            "of this file: dcmcfg import a.csv",
        ),
        (
            ["restore", "a.ldif"],
            "a.ldif: not a snapshot of dcmcfg\n  next: to apply another LDIF file: dcmcfg apply FILE\n",
        ),
        (
            ["import", "a.ldif"],
            "a.ldif: the file is an LDIF file, not a list of AEs\n  next: to apply this file: dcmcfg apply a.ldif",
        ),
        (
            ["import", "--input-format", "csv", "a.zip"],
            "a.zip: the file is a ZIP file, not a list of AEs\n  next: unpack the file, or ",
        ),
        (["verify", "--dest", "X", "--studies", "a.ldif"], "a.ldif: the file is an LDIF file, not a list of studies\n"),
    ],
)
def test_other_commands_name_it_as_well(run: Run, command: list[str], told: str) -> None:
    result = run(*command)
    assert (result.exit_code, result.stdout) in ((3, ""), (2, ""))
    assert result.stderr.startswith(f"dcmcfg: {told}")


def test_a_fault_in_ldif_is_still_that(run: Run) -> None:
    Path("a.ldif").write_text(LDIF + "junk\n")
    result = run("check", "a.ldif")
    assert result.stderr.startswith("dcmcfg: a.ldif:5: this line of 4 octets has no colon\n")
