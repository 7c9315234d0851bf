"""``dcmcfg upgrade plan``: the report in each format, on standard output and in files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.json_schemas import require_schema
from tests.upgrade.small_release import ARCHIVE, pack, write_releases, write_tree

HEADLINE = "Upgrade from 5.30.0 to 5.32.0: 7 entries change, 1 decision is open"


@pytest.fixture
def options(tmp_path: Path) -> tuple[str, ...]:
    """The options of an upgrade with ZIP files of two distributions, of the lab's tree with another model name."""
    folders = write_releases(tmp_path)
    for folder, setting in zip(folders, ("old", "new"), strict=True):
        for name in ("sql/psql/update-5.31.0-psql.sql", "sql/psql/update-5.29.0-psql.sql", "sql/psql/create-psql.sql"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("-- nothing\n")
        (folder / "cli").mkdir()
        (folder / "cli" / "adjust.cli").write_text(setting)
        (folder / "cli" / "same.cli").write_text("same")
    professional = folders[1] / "ldap" / "5.31.0" / "update-config-pro-5.31.0.ldif"
    professional.write_text("dn: cn=pro\nchangetype: delete\n")
    old, new = map(pack, folders)
    site = write_tree(tmp_path / "site.ldif", {ARCHIVE: {"dicomManufacturerModelName": "PACS"}})
    return "--from", str(old), "--to", str(new), "--tree", str(site)


def test_each_format_begins_with_the_result(run: Run, options: tuple[str, ...]) -> None:
    page = run("upgrade", "plan", *options, "--format", "html")
    assert (page.exit_code, page.stderr) == (1, "")
    assert page.stdout.startswith("<!DOCTYPE html>\n")
    assert f"<h1>{HEADLINE}</h1>" in page.stdout
    markdown = run("upgrade", "plan", *options, "--format", "markdown")
    assert markdown.stdout.startswith(f"# {HEADLINE}\n")
    found = json.loads(run("upgrade", "plan", *options, "--format", "json").stdout)
    assert (found["headline"], found["source"], found["target"]) == (HEADLINE, "5.30.0", "5.32.0")


def test_reports_and_plan_are_new_private_files(run: Run, options: tuple[str, ...], tmp_path: Path) -> None:
    plan, *reports = (tmp_path / name for name in ("plan.ldif", "board.html", "board.md", "board.json"))
    arguments = ("upgrade", "plan", *options, "-o", str(plan), *(f"--report={each}" for each in reports))
    planned = run(*arguments)
    assert (planned.exit_code, planned.stderr) == (1, "")
    assert planned.stdout.endswith(
        "".join(f"report: {each}\n" for each in reports) + f"plan: {plan}\nTo apply it: dcmcfg upgrade apply {plan}\n"
    )
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in (plan, *reports))
    assert "\n# Open decisions: 1\n" in plan.read_text("utf-8")
    assert f"<h1>{HEADLINE}</h1>" in reports[0].read_text()
    assert reports[1].read_text().startswith(f"# {HEADLINE}\n")
    document = json.loads(reports[2].read_text())
    require_schema("upgrade plan", document)
    assert document["plan_file"] == str(plan)
    plan.unlink()
    refused = run(*arguments)
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert refused.stderr == f"dcmcfg: {reports[0]}: the file exists\n  next: specify a new file\n"
    assert not plan.exists()
    plan.touch()
    refused = run("upgrade", "plan", *options, "-o", str(plan))
    assert refused.stderr == f"dcmcfg: {plan}: the file exists\n  next: specify a new file\n"


def test_the_plan_is_not_written_to_standard_output_with_the_report(run: Run, options: tuple[str, ...]) -> None:
    for command in ("plan", "gap"):
        refused = run("upgrade", command, *options, "-o", "-")
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "the plan cannot be written to standard output" in " ".join(refused.stderr.split())


def test_what_else_to_do_is_read_from_the_distribution(run: Run, options: tuple[str, ...]) -> None:
    found = json.loads(run("upgrade", "plan", *options, "--json").stdout)
    assert found["checklist"] == {
        "sql": ["sql/psql/update-5.31.0-psql.sql"],
        "configuration": [],
        "cli": ["cli/adjust.cli", "cli/same.cli"],
        "unused_updates": ["5.31.0/update-config-pro-5.31.0.ldif"],
    }
    printed = run("upgrade", "plan", *options).stdout
    assert (
        "Also to do (dcmcfg does not change the database and WildFly):\n"
        "  run these scripts of your database in this order: sql/psql/update-5.31.0-psql.sql\n"
        "  run these scripts of WildFly if the release notes say so: cli/adjust.cli, cli/same.cli\n"
        "  update files that dcmcfg does not use: 5.31.0/update-config-pro-5.31.0.ldif\n"
    ) in printed
    folders = [each.removesuffix(".zip") for each in options[:4]]
    unpacked = json.loads(run("upgrade", "plan", *folders, *options[4:], "--json").stdout)
    assert unpacked["checklist"] == found["checklist"]
    ldap = [each if each.startswith("--") else f"{each}/ldap" for each in folders]
    inner = json.loads(run("upgrade", "plan", *ldap, *options[4:], "--json").stdout)
    assert inner["checklist"] == found["checklist"]


def test_damaged_update_files_are_reported_by_all_commands(run: Run, options: tuple[str, ...], tmp_path: Path) -> None:
    name = "5.31.0/update-dev-5.31.0.ldif"
    new = tmp_path / "dcm4chee-arc-5.32.0"
    (new / "ldap" / name).write_text("")
    old, site = options[1], options[-1]
    damage = f"{name}: the file contains no records"
    folders = ("--from", old, "--to", str(new), "--tree", site)
    plan = run("upgrade", "plan", *folders, "--json")
    status = run("upgrade", "status", *folders[2:], "--json")
    assert (plan.exit_code, status.exit_code) == (1, 0)
    for each in (plan, status):
        assert any(damage in warning for warning in json.loads(each.stdout)["warnings"])
    assert damage in run("upgrade", "status", *folders[2:]).stderr
    assert json.loads(status.stdout)["may_be_newer"] is False
    upgraded = tmp_path / "upgraded.ldif"
    names = ("init-baseDN.ldif", "init-config.ldif", "default-config.ldif")
    upgraded.write_text("".join((new / "ldap" / each).read_text("utf-8") for each in names), "utf-8")
    gap = run("upgrade", "gap", *folders[:4], "--tree", str(upgraded), "--json")
    assert any(damage in warning for warning in json.loads(gap.stdout)["warnings"])
    assert json.loads(run("upgrade", "status", *folders[2:4], "--tree", str(upgraded), "--json").stdout)["may_be_newer"]


def test_another_device_than_an_archives_is_refused_with_the_devices_of_archives(
    run: Run, options: tuple[str, ...]
) -> None:
    refused = run("upgrade", "plan", *options, "--archive", "nodev")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert refused.stderr == (
        "dcmcfg: --archive nodev: this is not the device of an archive\n"
        "  next: specify one of these devices: dcm4chee-arc\n"
    )


def test_what_is_not_a_release_is_refused_with_its_path_and_what_to_specify(run: Run, tmp_path: Path) -> None:
    empty, cut, schema = (tmp_path / name for name in ("empty", "cut.zip", "schema"))
    for each in (empty, schema):
        each.mkdir()
    cut.write_bytes(b"PK\x03\x04 cut")
    for name in ("dicom", "dcm4che", "dcm4chee-archive", "dcm4chee-archive-ui"):
        (schema / f"{name}.schema").write_text("attributetype ( 1.2.3 NAME 'x'\n")
    for folder in (tmp_path / "missing", empty, cut):
        for command in (("plan", "--from", str(folder), "--to", str(folder)), ("schema", "--to", str(folder))):
            refused = run("upgrade", *command)
            assert (refused.exit_code, refused.stdout) == (3, ""), refused.stderr
            assert refused.stderr.startswith(f"dcmcfg: {folder}: ")
            assert "  next: specify the " in refused.stderr
    refused = run("upgrade", "schema", "--to", str(schema))
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert refused.stderr.startswith(f"dcmcfg: {schema}/")
    assert "  next: specify the " in refused.stderr
    assert run("upgrade", "status", "--releases", str(tmp_path / "missing"), "--tree", "x").exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--report", "board.pdf"), "board.pdf does not end with .html, .json or .md"),
        (("--report", "a.md", "--report", "./a.md"), "the same file is given twice"),
        (("--details", "--format", "html"), "--details is for the text report"),
    ],
)
def test_report_options_that_say_nothing_are_usage_errors(run: Run, arguments: tuple[str, ...], message: str) -> None:
    refused = run("upgrade", "plan", "--from", "a", "--to", "b", *arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert message in " ".join(refused.stderr.split())
