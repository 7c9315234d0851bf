"""``--color``, ``NO_COLOR``, ``TERM``: where output is coloured, and where it never is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.sites import CliSite

DEVICE = "dn: dicomDeviceName=a,dc=x\nobjectClass: dicomDevice\ndicomDeviceName: a\ndicomInstalled: TRUE\n"
OTHER = "dn: dicomDeviceName=b,dc=x\nobjectClass: dicomDevice\ndicomDeviceName: b\ndicomInstalled: TRUE\n"
CHANGED = DEVICE.replace("TRUE", "FALSE")
COLORED = """\
From a.ldif to b.ldif:

\x1b[33m  ~ \x1b[0mdevice a
\x1b[33m      ~ \x1b[0mdicomInstalled: TRUE → FALSE
\x1b[31m  - \x1b[0m\x1b[31mdevice b\x1b[0m

2 entries differ: 1 to change, 1 to delete
"""
PLAIN = """\
From a.ldif to b.ldif:

  ~ device a
      ~ dicomInstalled: TRUE → FALSE
  - device b

2 entries differ: 1 to change, 1 to delete
"""
UNIFIED = """\
\x1b[1m--- a.ldif\x1b[0m
\x1b[1m+++ b.ldif\x1b[0m
\x1b[36m@@ -3,5 +3,5 @@ dicomDeviceName=a,dc=x\x1b[0m
 dn: dicomDeviceName=a,dc=x
 objectClass: dicomDevice
 dicomDeviceName: a
\x1b[31m-dicomInstalled: TRUE\x1b[0m
\x1b[32m+dicomInstalled: FALSE\x1b[0m
\x20
"""


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``b.ldif`` has a device less than ``a.ldif``, and another changed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    Path("a.ldif").write_text(f"{DEVICE}\n{OTHER}")
    Path("b.ldif").write_text(CHANGED)
    Path("only-a.ldif").write_text(DEVICE)


def shown(*arguments: str, term: str = "xterm-256color") -> str:
    return at_terminal(arguments, (), columns=80, term=term)[1]


def test_a_diff_at_a_terminal_is_coloured() -> None:
    assert shown("diff", "a.ldif", "b.ldif") == COLORED


@pytest.mark.parametrize("arguments", [("--color", "never", "diff"), ("diff", "--color", "never")])
def test_never_holds_before_and_after_the_command(arguments: tuple[str, ...]) -> None:
    assert shown(*arguments, "a.ldif", "b.ldif") == PLAIN


def test_a_dumb_terminal_gets_no_colours() -> None:
    assert shown("diff", "a.ldif", "b.ldif", term="dumb") == PLAIN


def test_no_color_of_any_value_counts_and_an_explicit_option_overrides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "0")
    assert shown("diff", "a.ldif", "b.ldif") == PLAIN
    assert shown("diff", "a.ldif", "b.ldif", "--color", "always") == COLORED
    assert shown("diff", "a.ldif", "b.ldif", "--color", "auto") == PLAIN
    monkeypatch.setenv("NO_COLOR", "")
    assert shown("diff", "a.ldif", "b.ldif") == COLORED


def test_a_pipe_is_coloured_only_with_always(run: Run) -> None:
    assert run("diff", "a.ldif", "b.ldif").stdout == PLAIN
    assert run("diff", "a.ldif", "b.ldif", "--color", "always").stdout == COLORED
    assert run("--color", "always", "diff", "a.ldif", "b.ldif").stdout == COLORED
    assert run("diff", "a.ldif", "b.ldif").stdout == PLAIN, "an option holds for one command"


def test_a_unified_diff_is_coloured_as_that_of_git(run: Run) -> None:
    lines = run("diff", "only-a.ldif", "b.ldif", "--unified").stdout
    assert "\x1b" not in lines
    colored = run("diff", "only-a.ldif", "b.ldif", "--unified", "--color", "always").stdout
    assert colored == UNIFIED.replace("a.ldif", "only-a.ldif")


def test_json_and_ldif_are_never_coloured(run: Run) -> None:
    content = run("diff", "a.ldif", "b.ldif", "--json", "--color", "always").stdout
    assert [each["change_type"] for each in json.loads(content)["changes"]] == ["modify", "delete"]
    ldif = run("diff", "a.ldif", "b.ldif", "--ldif", "--color", "always")
    assert ldif.stdout == run("diff", "a.ldif", "b.ldif", "--ldif").stdout
    assert "\x1b" not in content + ldif.stdout


def test_a_file_is_never_coloured(run: Run) -> None:
    plain = run("diff", "a.ldif", "b.ldif").stdout
    run("diff", "a.ldif", "b.ldif", "--color", "always", "-o", "out.txt")
    assert Path("out.txt").read_text("utf-8") == plain


def test_the_severity_of_a_finding_is_coloured(run: Run) -> None:
    Path("bad.ldif").write_text(CHANGED.replace("FALSE", "MAYBE") + "dicomPort: 104\n")
    text = run("check", "bad.ldif", "--color", "always").stdout
    assert "\x1b[31merror" in text
    assert "\x1b" not in run("check", "bad.ldif").stdout


def test_another_value_is_a_usage_error(run: Run) -> None:
    result = run("diff", "--color", "blue", "a.ldif", "b.ldif")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'blue' is not one of 'auto', 'always', 'never'" in result.stderr


def test_only_the_help_of_the_program_lists_it(run: Run) -> None:
    assert "--color [auto|always|never]" in run("--help").stdout
    assert "--color" not in run("diff", "--help").stdout


@pytest.mark.real
def test_a_plan_is_coloured_where_it_is_printed(run: Run, site: CliSite) -> None:
    """With --json that is standard error."""
    arguments = ("set", "storescp", "dicomDescription=New", "--dry-run", "--color", "always")
    plain = run(*arguments[:-2])
    colored = run(*arguments)
    added = "\x1b[33m      ~ \x1b[0mdicomDescription: Storage SCP → New\n"
    assert added in colored.stdout
    assert "      ~ dicomDescription: Storage SCP → New\n" in plain.stdout
    as_json = run(*arguments, "--json")
    assert added in as_json.stderr
    assert json.loads(as_json.stdout) == json.loads(run(*arguments[:-2], "--json").stdout)
    run(*arguments[:-2], "--out", "plan.ldif")
    run(*arguments, "--out", "colored.ldif")
    assert Path("plan.ldif").read_text() == Path("colored.ldif").read_text()


@pytest.mark.real
def test_show_ldif_prints_all_of_the_plan(run: Run, site: CliSite) -> None:
    arguments = ("ae", "add", "WS1@ws1.example.org:104", "--dry-run")
    assert "changetype" not in run(*arguments).stdout
    shown_ldif = run(*arguments, "--show-ldif").stdout
    assert shown_ldif.count("changetype: add\n") == 4
    assert "--show-ldif prints it" not in shown_ldif
