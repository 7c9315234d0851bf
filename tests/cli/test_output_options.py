"""The output options: ``-o``, ``--format``, ``--json`` and ``--details`` mean the same on every command."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import click
import pytest

from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, NEW_DEVICE, CliSite
from tests.cli.test_given_once import EVERY

#: Read-only command lines, each with the first key of its JSON.
REPORTS = (
    (("ae", "list"), "aes"),
    (("aes",), "aes"),
    (("device", "list"), "devices"),
    (("devices",), "devices"),
    (("connection", "list"), "connections"),
    (("capability", "list", "STORESCP"), "ae"),
    (("capability", "diff", "STORESCP", "DCM4CHEE"), "reference_ae"),
    (("show",), "device"),
    (("find", "STORESCP"), "text"),
    (("get", "dcm4chee-arc", "dicomDeviceName"), "dn"),
    (("explain", "dicomDeviceName"), "attribute"),
    (("check",), "findings"),
    (("diff", "live", "live.ldif"), "source"),
    (("export-ldif",), "entries"),
    (("export-ldif", "--device", "dcm4chee-arc"), "entries"),
    (("history",), "rollouts"),
    (("route", "--dest", "STORESCP", "--state", "local"), "delivered"),
    (("work-order", "--external", "LONGTERM"), "aes"),
    (("results", "list"), "results"),
    (("status",), "archive_url"),
    (("monitor", "--only", "certificates"), "site"),
    (("set", "dcm4chee-arc", "dicomDescription=x", "--dry-run"), "site"),
    (("completion", "bash"), "shell"),
)


def names(command: click.Command) -> set[str]:
    return {name for each in command.params if isinstance(each, click.Option) for name in each.opts}


WRITING = [(name, command) for name, command in EVERY if {"--output", "--format"} & names(command)]


@pytest.fixture
def live(run: Run, site: CliSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliSite:
    monkeypatch.chdir(tmp_path)
    assert run("export-ldif", "-o", "live.ldif").exit_code == 0
    return site


@pytest.mark.parametrize(("name", "command"), EVERY, ids=[" ".join(name) for name, _ in EVERY])
def test_each_command_has_json_and_prints_its_failures_so(
    run: Run, name: tuple[str, ...], command: click.Command
) -> None:
    assert "--json" in names(command)
    for arguments in ((*name, "--json", "--no-such-option"), ("--json", *name, "--no-such-option")):
        result = run(*arguments)
        error = json.loads(result.stdout)["error"]
        # For a monitoring system, 2 is a state of the site.
        code = 3 if name == ("monitor",) else 2
        assert (result.exit_code, error["exit_code"], "--no-such-option" in error["message"]) == (code, code, True)


@pytest.mark.parametrize(("name", "command"), WRITING, ids=[" ".join(name) for name, _ in WRITING])
def test_each_command_with_an_output_file_has_the_short_option_and_the_old_name(
    name: tuple[str, ...], command: click.Command
) -> None:
    outputs = {each.opts[0]: each.hidden for each in command.params if isinstance(each, click.Option)}
    assert (outputs["-o"], outputs["--out"]) == (False, True)


@pytest.mark.real
@pytest.mark.parametrize(("arguments", "key"), REPORTS, ids=[" ".join(arguments) for arguments, _ in REPORTS])
def test_json_before_and_after_the_command_is_the_same_object(
    run: Run, live: CliSite, arguments: tuple[str, ...], key: str
) -> None:
    after, before = run(*arguments, "--json"), run("--json", *arguments)
    assert after.exit_code == before.exit_code in (0, 1), after.stderr
    results = [json.loads(result.stdout) for result in (after, before)]
    for result in results:
        for each in (result, *result.get("parts", ())):
            each.pop("duration_seconds", None)
    assert results[0] == results[1]
    assert key in results[0], list(results[0])


FORMATS = (
    (("ae", "list"), "csv", "--csv", "title,"),
    (("capability", "list", "STORESCP"), "lines", "--lines", "SCP "),
    (("diff", "live", "other.ldif"), "ldif", "--ldif", "version: 1\n# dcmcfg diff: "),
    (("diff", "live", "other.ldif"), "unified", "--unified", "--- "),
    (("route", "--dest", "STORESCP", "--state", "local"), "mermaid", "--mermaid", "sequenceDiagram\n"),
    (("route", "--dest", "STORESCP", "--state", "local"), "svg", None, "<svg "),
    (("work-order", "--external", "LONGTERM"), "csv", None, "title,"),
    (("work-order", "--external", "LONGTERM"), "orthanc", None, "{"),
    (("work-order", "--external", "LONGTERM"), "ldif", None, "version: 1\n"),
)


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "form", "flag", "start"), FORMATS, ids=[f"{each[0][0]} {each[1]}" for each in FORMATS]
)
def test_each_format_is_printed_or_written_and_its_flag_is_hidden(
    run: Run, live: CliSite, arguments: tuple[str, ...], form: str, flag: str | None, start: str
) -> None:
    Path("other.ldif").write_text(Path("live.ldif").read_text() + "\n" + NEW_DEVICE.replace("changetype: add\n", ""))
    printed = run(*arguments, "--format", form)
    assert printed.exit_code in (0, 1), printed.stderr
    assert printed.stdout.startswith(start)
    if flag is not None:
        assert run(*arguments, flag).stdout == printed.stdout
        assert flag not in run(*arguments, "--help").stdout
    written = run(*arguments, "--format", form, "-o", "report")
    assert (written.exit_code, written.stdout) == (printed.exit_code, "")
    assert Path("report").read_text() == printed.stdout


def test_json_and_another_format_exclude_each_other(run: Run) -> None:
    for arguments, message in (
        (("ae", "list", "--json", "--format", "csv"), "--format csv and --json cannot be used together"),
        (("--json", "ae", "list", "--format", "csv"), "--format csv and --json cannot be used together"),
        (("--json", "ae", "list", "--csv"), "--csv and --json cannot be used together"),
        (("ae", "list", "--json", "--csv"), "--json and --csv cannot be used together"),
        (("diff", "a.ldif", "--ldif", "--format", "unified"), "--format unified and --ldif cannot be used together"),
        (
            ("route", "--dest", "A", "--format", "mermaid", "--json"),
            "--format mermaid and --json cannot be used together",
        ),
    ):
        result = run(*arguments)
        assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    result = run("ae", "list", "--format", "xml")
    assert (result.exit_code, "'xml' is not one of 'table', 'csv', 'json'" in result.stderr) == (2, True)


@pytest.mark.real
def test_json_and_format_json_are_one_form(run: Run, site: CliSite) -> None:
    expected = run("ae", "list", "--json")
    assert expected.exit_code == 0
    for arguments in (("--format", "json"), ("--json", "--format", "json"), ("--format=json",)):
        assert run("ae", "list", *arguments).stdout == expected.stdout
    failed = run("ae", "list", "--format", "json", "--ldap-url", "ldap://127.0.0.1:1")
    assert (failed.exit_code, json.loads(failed.stdout)["error"]["exit_code"]) == (3, 3)


@pytest.mark.real
def test_a_report_replaces_the_file_whole_or_not_at_all(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "aes.txt"
    file.write_text("before")
    file.chmod(0o640)
    failed = run("ae", "list", "-o", str(file), "--base-dn", "dc=none")
    assert (failed.exit_code, failed.stdout, file.read_text()) == (3, "", "before")
    table = run("ae", "list").stdout
    for option in ("-o", "--output", "--out"):
        assert run("ae", "list", option, str(file)).stdout == ""
        assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (table, 0o640)
    assert run("ae", "list", "-o", "-").stdout == table
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []
    nowhere = run("ae", "list", "--json", "-o", str(tmp_path / "none" / "aes"))
    assert json.loads(nowhere.stdout)["error"]["message"] == "the file cannot be written (No such file or directory)"


@pytest.mark.real
def test_a_diff_with_secrets_is_readable_by_its_owner_only(run: Run, live: CliSite) -> None:
    run("diff", "live", "live.ldif", "-o", "public")
    run("diff", "live", "live.ldif", "--with-secrets", "-o", "private")
    assert stat.S_IMODE(Path("public").stat().st_mode) & 0o044 == 0o044
    assert stat.S_IMODE(Path("private").stat().st_mode) == 0o600


@pytest.mark.real
def test_a_plan_is_printed_on_standard_output_alone(run: Run, site: CliSite, tmp_path: Path) -> None:
    change = ("set", "dcm4chee-arc", "dicomDescription=x", "--dry-run")
    assert run(*change, "-o", str(tmp_path / "plan.ldif")).exit_code == 0
    printed = run(*change, "-o", "-")
    assert (printed.exit_code, printed.stdout) == (0, (tmp_path / "plan.ldif").read_text())
    assert site.headline in printed.stderr
    both = run(*change, "-o", "-", "--json")
    assert (both.exit_code, json.loads(both.stdout)["error"]["message"]) == (
        2,
        "--output - and --json both write to standard output; specify a file with --output",
    )
    again = run(*change, "-o", str(tmp_path / "plan.ldif"))
    assert (again.exit_code, "the file exists" in again.stderr) == (3, True)


@pytest.mark.real
def test_an_export_as_json_has_all_entries_and_no_secrets(run: Run, site: CliSite, tmp_path: Path) -> None:
    (pin,) = site.values("dcmKeyStorePin")
    exported = run("export-ldif", "--json")
    by_dn = {each["dn"]: each for each in json.loads(exported.stdout)["entries"]}
    assert by_dn.keys() == site.octets().keys()
    archive = by_dn[ARCHIVE_DN]
    assert archive["attributes"]["dicomDeviceName"] == ["dcm4chee-arc"]
    assert (archive["omitted_secrets"], pin in str(archive["attributes"])) == (
        ["dcmKeyStoreKeyPin", "dcmKeyStorePin", "dcmTrustStorePin"],
        False,
    )
    full = json.loads(run("export-ldif", "--json", "--with-secrets", "--device", "dcm4chee-arc").stdout)["entries"]
    assert full[0]["attributes"]["dcmKeyStorePin"] == [pin]
    file = tmp_path / "all.ldif"
    written = run("export-ldif", "--json", "-o", str(file))
    assert json.loads(written.stdout) == {"file": str(file), "entry_count": len(by_dn), "secrets_included": False}
    assert file.read_text() == run("export-ldif").stdout
    assert run("export-ldif", "--json", "--no-version").exit_code == 2


def test_the_completion_script_as_json_and_as_a_file(run: Run, tmp_path: Path) -> None:
    script = run("completion", "zsh").stdout
    assert json.loads(run("completion", "zsh", "--json").stdout) == {
        "shell": "zsh",
        "script": script.removesuffix("\n"),
    }
    assert run("completion", "zsh", "-o", str(tmp_path / "_dcmcfg")).stdout == ""
    assert (tmp_path / "_dcmcfg").read_text() == script


def test_at_a_terminal_the_written_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "script"
    assert at_terminal(("completion", "bash", "-o", str(file)), (), columns=400) == (0, f"Written: {file}\n")
    assert file.stat().st_size > 0


def test_the_page_lists_the_formats_of_each_command() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "output.md").read_text("utf-8")
    rows = dict(re.findall(r"(?m)^\| `?([a-z -]+?)`? \| ((?:`[a-z]+`(?:, )?)+)", page))
    listed = {name: sorted(re.findall(r"[a-z]+", text)) for name, text in rows.items()}
    formats = {
        " ".join(name): sorted(option.type.choices)
        for name, command in EVERY
        for option in command.params
        if "--format" in option.opts and isinstance(option.type, click.Choice)
    }
    changing = listed.pop("changing commands")
    assert listed.keys() <= formats.keys()
    assert {name: listed.get(name, changing) for name in formats} == formats
