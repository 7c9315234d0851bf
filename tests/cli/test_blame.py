"""``dcmcfg blame`` on a real slapd: the last writer according to the history and to the directory."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import CliSite

pytestmark = pytest.mark.real

YES = ("--yes", "--no-reload")


def test_at_80_columns_the_user_is_shown(run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("set", "AE:STORESCP", "dicomDescription=one", *YES).exit_code == 0
    (attribute,) = json.loads(run("blame", "AE:STORESCP", "dicomDescription", "--json").stdout)["attributes"]
    monkeypatch.setenv("COLUMNS", "80")
    shown = run("blame", "AE:STORESCP").stdout
    assert f"   {attribute['change']['user']}@"[:12] in shown
    assert "Not shown: Command. --wide shows all columns." in shown


def test_the_writer_of_an_attribute_is_followed_and_compared_with_the_directory(run: Run, site: CliSite) -> None:
    before = run("blame", "AE:STORESCP", "dicomDescription")
    assert before.exit_code == 0, before.stderr
    assert "dicomDescription   unknown" in before.stdout
    assert f"Last write according to the directory: {site.slapd.bind_dn}, " in before.stdout
    assert run("set", "AE:STORESCP", "dicomDescription=one", *YES).exit_code == 0
    assert run("set", "AE:STORESCP", "dicomDescription=two", *YES).exit_code == 0
    assert run("undo", *YES).exit_code == 0
    assert run("ae", "rename", "STORESCP", "SINK", *YES).exit_code == 0

    found = json.loads(run("blame", "AE:SINK", "dicomDescription", "--json").stdout)
    (attribute,) = found["attributes"]
    assert (attribute["change"]["reference"], attribute["change"]["undo_of"]) == ("3", 2)
    assert (attribute["origin"]["reference"], attribute["contradicted"]) == ("1", False)
    assert (found["last_change"]["reference"], found["contradictions"]) == ("4", [])
    shown = run("blame", "AE:SINK", "dicomDescription").stdout
    assert "dicomDescription: change 3 is an undo and has restored the value of change 1" in shown
    (title,) = json.loads(run("blame", "AE:SINK", "dicomAETitle", "--json").stdout)["attributes"]
    assert title["change"]["reference"] == "4"

    modified = f"dn: {found['dn']}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: by hand\n"
    (site.slapd.slapd.folder / "by-hand.ldif").write_text(modified)
    assert site.slapd.run_client("ldapmodify", "-f", str(site.slapd.slapd.folder / "by-hand.ldif")).returncode == 0
    contradicted = run("blame", "AE:SINK").stdout
    assert (
        "Contradiction: dicomDescription: the present values differ from the values of change 3. Somebody has "
        "written the "
        "attribute after this change, without dcmcfg or with a dcmcfg that uses another history"
    ) in contradicted

    assert run("ae", "remove", "SINK", *YES).exit_code == 0
    gone = run("blame", found["dn"])
    assert gone.exit_code == 3
    assert "(change 5)" in gone.stderr
    assert " deleted or renamed the entry at " in gone.stderr
    assert run("blame", "AE:NOSUCH").exit_code == 3
    unknown = run("blame", "dcm4chee-arc", "dcmNoSuchAttribute")
    assert unknown.exit_code == 3
