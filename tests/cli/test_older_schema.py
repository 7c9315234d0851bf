"""A directory server whose schema is older than what is written: refused before anything is, by file and line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dcmcfg.lab.tree import list_site_files
from dcmcfg.schema.definitions import Schema, load_bundled_schema
from dcmcfg.schema.slapd import format_slapd_schema
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, CliSite, settle_at, undo_files
from tests.running_slapd import RunningSlapd, with_schema

pytestmark = pytest.mark.real

UNKNOWN, NOT_ALLOWED = "dcmFallbackCMoveSCPRetries", "dcmRetrieveAET"
LOAD = (
    "load dcm4chee-archive.schema of the archive's release into the directory server: either run `ldapmodify -x -W -D "
    "cn=admin,cn=config -f ldap/slapd/dcm4chee-archive-modify.ldif`, or replace the file and restart slapd. Then "
    "repeat the dcmcfg command; to let the server decide: --force-server-schema"
)
NO_ATTRIBUTE = f"the server's schema does not define the attribute {UNKNOWN}"
NO_CLASS = f"according to the server's schema, no object class of the entry allows {NOT_ALLOWED}"


def older() -> Schema:
    """The bundled schema without one attribute, and without another in the class of an archive."""
    ours = load_bundled_schema()
    classes = (
        replace(
            each,
            may=tuple(
                name
                for name in each.may
                if name != UNKNOWN
                and (name != NOT_ALLOWED or each.name not in ("dcmArchiveDevice", "dcmArchiveNetworkAE"))
            ),
        )
        for each in ours.object_classes
    )
    return Schema(tuple(each for each in ours.attributes if each.name != UNKNOWN), tuple(classes))


@pytest.fixture
def old_site(monkeypatch: pytest.MonkeyPatch, archive: Scripted, tmp_path: Path) -> Iterator[CliSite]:
    """The lab's tree on a server of that schema."""
    server = with_schema(tmp_path / "older", format_slapd_schema(older()))
    server.slapd.load_files(list_site_files())
    with server.slapd:
        yield settle_at(monkeypatch, RunningSlapd(server.slapd), archive)


def setting(name: str, value: str, dn: str = ARCHIVE_DN) -> str:
    return f"dn: {dn}\nchangetype: modify\nreplace: {name}\n{name}: {value}\n\n"


GOOD = setting("dicomDescription", "fits")


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("more", [("--yes",), ("--dry-run",)])
def test_nothing_is_written_and_file_and_line_are_named(
    run: Run, old_site: CliSite, tmp_path: Path, more: tuple[str, ...]
) -> None:
    before = old_site.octets()
    file = written(tmp_path / "new.ldif", GOOD + setting(UNKNOWN, "3") + setting(NOT_ALLOWED, "A"))
    refused = run("apply", str(file), *more)
    assert (refused.exit_code, refused.stdout, refused.stderr) == (
        3,
        "",
        "dcmcfg: 2 of 3 changes cannot be applied:\n"
        f"  {file}:9: {ARCHIVE_DN}: {NO_ATTRIBUTE}\n"
        f"  {file}:14: {ARCHIVE_DN}: {NO_CLASS}\n"
        f"  next: {LOAD}\n",
    )
    assert old_site.octets() == before
    assert undo_files() == []


def test_with_continue_they_go_into_the_reject_file(run: Run, old_site: CliSite, tmp_path: Path) -> None:
    file = written(tmp_path / "new.ldif", setting(UNKNOWN, "3") + GOOD)
    done = run("apply", str(file), "--continue", "--yes")
    assert (done.exit_code, done.stderr) == (1, f"warning: rejected: {file}:4: {ARCHIVE_DN}: {NO_ATTRIBUTE} — {LOAD}\n")
    assert old_site.values("dicomDescription") == ("fits",)
    rejects = (tmp_path / "new.rejects.ldif").read_text().replace("\n ", "")
    assert setting(UNKNOWN, "3").strip() in rejects


def test_what_neither_side_knows_is_refused_alike(run: Run, old_site: CliSite, tmp_path: Path) -> None:
    file = written(tmp_path / "typo.ldif", setting("dicomDescriptoin", "x"))
    refused = run("apply", str(file), "--yes")
    assert (refused.exit_code, refused.stderr) == (
        3,
        f"dcmcfg: {file}:4: {ARCHIVE_DN}: the server's schema and the schema of dcm4chee-arc 5.35 do not "
        "define the attribute dicomDescriptoin; did you mean dicomDescription?\n"
        "  next: correct the name, or load a schema that defines dicomDescriptoin; to let the server decide: "
        "--force-server-schema\n",
    )


def test_commands_that_set_values_are_refused_alike(run: Run, old_site: CliSite, tmp_path: Path) -> None:
    before = old_site.octets()
    for name, reason in ((UNKNOWN, NO_ATTRIBUTE), (NOT_ALLOWED, NO_CLASS)):
        for end in ("--yes", "--dry-run"):
            refused = run("set", "dcm4chee-arc", f"{name}=3", end)
            assert (refused.exit_code, refused.stderr) == (3, f"dcmcfg: {ARCHIVE_DN}: {reason}\n  next: {LOAD}\n")
    assert old_site.octets() == before


def test_what_the_tree_holds_already_stays_possible(run: Run, old_site: CliSite, tmp_path: Path) -> None:
    file = written(
        tmp_path / "x.ldif", GOOD + setting("dicomPort", "104", f"cn=dicom,dicomDeviceName=storescp,{DEVICES}")
    )
    done = run("apply", str(file), "--yes")
    assert (done.exit_code, done.stderr) == (0, "")
    assert run("undo", "--yes").exit_code == 0


def test_an_undo_leaves_out_what_the_server_no_longer_knows(
    run: Run, monkeypatch: pytest.MonkeyPatch, archive: Scripted, tmp_path: Path
) -> None:
    server = with_schema(tmp_path / "renewed", format_slapd_schema(load_bundled_schema()))
    server.slapd.load_files(list_site_files())
    record = f"dn: {ARCHIVE_DN}\nchangetype: modify\ndelete: {UNKNOWN}\n\n"
    file = written(
        tmp_path / "new.ldif", setting("dicomDescription", "new", f"dicomDeviceName=storescp,{DEVICES}") + record
    )
    with server.slapd:
        site = settle_at(monkeypatch, RunningSlapd(server.slapd), archive)
        before = site.values("dicomDescription", f"dicomDeviceName=storescp,{DEVICES}")
        assert run("set", "dcm4chee-arc", f"{UNKNOWN}=3", "--yes").exit_code == 0
        assert run("apply", str(file), "--step-by-step", "--yes").exit_code == 0
    (tmp_path / "renewed" / "dcm4chee.schema").write_text(format_slapd_schema(older()), "utf-8")
    with server.slapd:
        refused = run("undo", "2", "--yes")
        assert (refused.exit_code, refused.stderr) == (
            3,
            f"dcmcfg: {ARCHIVE_DN}: {NO_ATTRIBUTE}\n"
            f"  next: {LOAD}; to revert the steps that can still be reverted: dcmcfg undo 2 --partial\n",
        )
        rejects = tmp_path / "left.ldif"
        undo_result = run("undo", "2", "--partial", "--yes", "--rejects", str(rejects))
        assert (undo_result.exit_code, undo_result.stderr) == (
            1,
            f"warning: rejected: {ARCHIVE_DN}: {NO_ATTRIBUTE} — {LOAD}\n",
        )
        assert site.values("dicomDescription", f"dicomDeviceName=storescp,{DEVICES}") == before
        assert f"\n{UNKNOWN}: 3\n" in rejects.read_text()
