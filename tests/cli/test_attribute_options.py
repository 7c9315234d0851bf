"""Attributes with options (RFC 4512 §2.5.2): each is one of its own for every command, as it is for slapd."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.directory.ldap import connect
from dcmcfg.dn import DN
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite
from tests.connecting import server_of

pytestmark = pytest.mark.real

PLAIN, GERMAN, BOTH = "dicomDescription", "dicomDescription;lang-de", "dicomDescription;lang-de;lang-en"


def holding(site: CliSite, **texts: str) -> None:
    """As somebody else: the archive's device with these descriptions, by option, and no others."""
    names = {PLAIN: "", GERMAN: "", BOTH: ""} | {f"{PLAIN}{option}": text for option, text in texts.items()}
    modifications = tuple(
        Modification(Operation.REPLACE, name, (text.encode(),) if text else ()) for name, text in names.items()
    )
    with connect(server_of(site.slapd)) as directory:
        directory.apply(Modify(DN.parse(ARCHIVE_DN), modifications))


def descriptions(site: CliSite) -> dict[str, tuple[str, ...]]:
    return {name: values for name in (PLAIN, GERMAN, BOTH) if (values := site.values(name))}


def test_an_attribute_with_options_does_not_keep_the_plain_one_from_being_set(run: Run, site: CliSite) -> None:
    holding(site, **{";lang-de": "Archiv"})
    before = site.octets()
    done = run("set", "dcm4chee-arc", f"{PLAIN}=archive", "--yes")
    assert (done.exit_code, done.stderr) == (0, "")
    assert descriptions(site) == {PLAIN: ("archive",), GERMAN: ("Archiv",)}
    assert run("undo", "--yes").exit_code == 0
    assert site.octets() == before
    assert run("undo", "2", "--yes").exit_code == 0
    assert descriptions(site) == {PLAIN: ("archive",), GERMAN: ("Archiv",)}


def test_an_undo_fits_where_an_attribute_with_options_came_since(run: Run, site: CliSite) -> None:
    holding(site, **{"": "archive"})
    assert run("unset", "dcm4chee-arc", PLAIN, "--yes").exit_code == 0
    holding(site, **{";lang-de": "Archiv"})
    assert run("undo", "--yes").exit_code == 0
    assert descriptions(site) == {PLAIN: ("archive",), GERMAN: ("Archiv",)}


def test_a_plan_for_it_is_taken_by_ldapmodify(run: Run, site: CliSite, tmp_path: Path) -> None:
    holding(site, **{";lang-de": "Archiv"})
    plan = tmp_path / "plan.ldif"
    assert run("set", "dcm4chee-arc", f"{PLAIN}=archive", "--dry-run", "--out", str(plan)).exit_code == 0
    assert site.slapd.run_client("ldapmodify", "-f", str(plan)).returncode == 0
    assert descriptions(site) == {PLAIN: ("archive",), GERMAN: ("Archiv",)}


def test_snapshot_export_diff_and_restore_keep_each_apart(run: Run, site: CliSite, tmp_path: Path) -> None:
    holding(site, **{";lang-de": "Archiv", ";lang-de;lang-en": "both"})
    before, snapshot, export = site.octets(), str(tmp_path / "snapshot"), tmp_path / "export.ldif"
    taken = run("snapshot", snapshot)
    assert (taken.exit_code, taken.stderr) == (0, "")
    export.write_text(run("export-ldif", "--with-secrets").stdout)
    assert f"{GERMAN}: Archiv\n{BOTH}: both\n" in export.read_text()
    holding(site, **{"": "Archiv", ";lang-de": "ARCHIV"})
    differing = run("diff", str(export), "--ldif")
    assert (differing.exit_code, differing.stdout.partition("changetype: modify\n")[2]) == (
        1,
        f"delete: {PLAIN}\n{PLAIN}: Archiv\n-\nadd: {BOTH}\n{BOTH}: both\n-\n\n",
    )
    assert run("restore", snapshot, "--yes").exit_code == 0
    assert site.octets() == before
    assert "No changes." in run("restore", snapshot, "--yes").stdout
    assert run("diff", str(export)).exit_code == 0


def test_neither_the_order_nor_the_case_of_options_counts(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "order.ldif"
    name = f"{PLAIN};LANG-EN;lang-de"
    file.write_text(f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: {name}\n{name}: both\n")
    done = run("apply", str(file), "--yes")
    assert (done.exit_code, descriptions(site)[BOTH]) == (0, ("both",))
    assert "No changes." in run("apply", str(file), "--yes").stdout
