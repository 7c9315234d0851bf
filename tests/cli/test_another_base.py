"""A configuration on its way to a site with another base DN, and back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.cli.apply import apply_command
from tests.cli.conftest import Run
from tests.cli.sites import NEW, NEW_DEVICE, CliSite, attributes, every_risk
from tests.running_slapd import PASSWORD, RunningSlapd, of_suffix

pytestmark = pytest.mark.real

ELSEWHERE = "dc=klinik,dc=example"
STOCK = "dc=dcm4che,dc=org"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[RunningSlapd]:
    server = of_suffix(tmp_path / "elsewhere", ELSEWHERE)
    with server.slapd:
        yield server


@pytest.fixture
def there(elsewhere: RunningSlapd, tmp_path: Path) -> tuple[str, ...]:
    """The options that name that server."""
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    named = ("--ldap-url", elsewhere.url, "--base-dn", elsewhere.base_dn, "--bind-dn", elsewhere.bind_dn)
    return (*named, "--bind-password-file", str(password))


def load(run: Run, there: tuple[str, ...], file: Path) -> None:
    """Have the other server hold this one's configuration."""
    export = run("export-ldif", "--with-secrets", "--as-base", ELSEWHERE, "-o", str(file))
    assert (export.exit_code, export.stdout, export.stderr) == (0, "", "")
    loaded = run("apply", str(file), "--yes", "--no-reload", *there)
    assert loaded.exit_code == 0, loaded.output


def test_there_and_back_is_the_same_text(run: Run, stock_site: CliSite, there: tuple[str, ...], tmp_path: Path) -> None:
    load(run, there, tmp_path / "there.ldif")
    for options in ((), ("--with-secrets", "--no-version"), ("--device", "dcm4chee-arc")):
        first = run("export-ldif", *options)
        back = run("export-ldif", "--as-base", STOCK, *options, *there)
        assert (back.exit_code, back.stderr) == (0, "")
        assert back.stdout == first.stdout


def test_update_files_leave_below_another_base_what_they_leave_below_their_own(
    run: Run, stock_site: CliSite, there: tuple[str, ...], upstream: Path, tmp_path: Path
) -> None:
    """As shipped all of them fail there. The stock server has had them: taken back, they are a real change again."""
    load(run, there, tmp_path / "there.ldif")
    (tmp_path / "vendor-data.zip").write_bytes(b"vendor data")
    files = []
    for version in ("5.32.0", "5.33.0", "5.33.1"):
        originals = sorted((upstream / "updates" / version).glob("*.ldif"), key=lambda file: "-dev-" not in file.name)
        files += [str(shutil.copy(original, tmp_path)) for original in originals]
    assert len(files) > 5
    options = ("--allow-file-urls", "--yes", "--no-reload", *every_risk(apply_command))
    refused = run("apply", *files, *options, *there)
    assert refused.exit_code == 3
    assert ": the entry is not below the base DN\n" in refused.stderr
    assert " apply --map-base auto FILE\n" in refused.stderr
    assert run("apply", *files, *options).exit_code == 0
    applied = run("apply", "--map-base", "auto", *files, *options, *there)
    assert applied.exit_code == 0, applied.stderr
    assert run("export-ldif", "--as-base", STOCK, *there).stdout == run("export-ldif").stdout


def test_a_record_for_another_base_is_carried_out_and_undone(
    run: Run, site: CliSite, there: tuple[str, ...], elsewhere: RunningSlapd, tmp_path: Path
) -> None:
    load(run, there, tmp_path / "there.ldif")
    before = {str(entry.dn): attributes(entry) for entry in elsewhere.entries()}
    file = tmp_path / "new.ldif"
    file.write_text(
        f"{NEW_DEVICE}dn: dicomAETitle=NEW,{NEW}\nchangetype: add\nobjectClass: dicomNetworkAE\ndicomAETitle: NEW\n"
        f"dicomNetworkConnectionReference: cn=dicom,{NEW}\ndicomAssociationInitiator: TRUE\n"
        f"dicomAssociationAcceptor: TRUE\ndicomDescription: for {STOCK}\n"
    )
    done = run("apply", "--map-base", "auto", str(file), "--yes", "--no-reload", *there)
    assert done.exit_code == 0, done.stderr
    assert f"dicomDescription of dicomAETitle=NEW,{NEW} still contains {STOCK}: dcmcfg changes only DNs" in done.stderr
    new_dn = NEW.replace(STOCK, ELSEWHERE)
    (ae,) = elsewhere.entries(f"dicomAETitle=NEW,{new_dn}")
    assert ae.texts("dicomNetworkConnectionReference") == (f"cn=dicom,{new_dn}",)
    assert run("undo", "--yes", "--no-reload", *there).exit_code == 0
    assert {str(entry.dn): attributes(entry) for entry in elsewhere.entries()} == before


def test_a_snapshot_goes_to_another_base_by_apply(
    run: Run, site: CliSite, there: tuple[str, ...], tmp_path: Path
) -> None:
    taken = tmp_path / "taken.snapshot"
    assert run("snapshot", str(taken)).exit_code == 0
    refused = run("restore", str(taken), "--yes", *there)
    assert refused.exit_code == 3
    assert f" apply --map-base auto {taken} (dcmcfg help another-base)\n" in refused.stderr
    done = run("apply", "--map-base", "auto", str(taken), "--yes", "--no-reload", *there)
    assert done.exit_code == 0, done.stderr
    whole = ("export-ldif", "--with-secrets")
    assert run(*whole, "--as-base", STOCK, *there).stdout == run(*whole).stdout


def test_a_plan_is_carried_out_elsewhere_as_far_as_it_was_made_of_values(
    run: Run, site: CliSite, there: tuple[str, ...], tmp_path: Path
) -> None:
    load(run, there, tmp_path / "there.ldif")
    plan, strict = tmp_path / "plan.ldif", tmp_path / "strict.ldif"
    change = ("set-external-retrieve", "DCM4CHEE", "--yes", "--no-reload")
    assert run(*change, "--out", str(plan), "--dry-run").exit_code == 0
    assert run(*change, "--out", str(strict), "--dry-run", "--strict").exit_code == 0
    mapped = ("apply", "--map-base", STOCK, "--yes", "--no-reload", *there)
    refused = run(*mapped, str(strict))
    assert refused.exit_code == 3
    assert (
        "the record checks an entryCSN, but this entryCSN is valid only on the server for which the file was written"
        in refused.stderr
    )
    done = run(*mapped, str(plan))
    assert done.exit_code == 0, done.stderr
    again = run(*mapped, str(plan))
    assert again.exit_code == 3
    assert f"{plan}: this file is already applied: " in again.stderr


def test_a_file_is_compared_with_a_tree_of_another_base(
    run: Run, site: CliSite, there: tuple[str, ...], tmp_path: Path
) -> None:
    load(run, there, tmp_path / "there.ldif")
    file = tmp_path / "here.ldif"
    assert run("export-ldif", "--with-secrets", "-o", str(file)).exit_code == 0
    for base, *sides in (
        ("auto", str(file)),
        (STOCK, str(file), "live"),
        ("auto", str(file), str(tmp_path / "there.ldif")),
        (ELSEWHERE, str(file), str(tmp_path / "there.ldif")),
    ):
        equal = run("diff", "--map-base", base, *sides, *there)
        assert (equal.exit_code, equal.stderr) == (0, ""), equal.output
    refused = run("diff", str(file), *there)
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "it does not contain cn=DICOM Configuration," in refused.stderr
    assert refused.stderr.endswith("\n  next: if the base DN of the file differs: --map-base auto\n")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("export-ldif", "--as-base", ""), 2, "--as-base must not be empty"),
        (("export-ldif", "--as-base", "hospital"), 2, "'hospital': not a DN: '=' is missing at character 9"),
        (("apply", "--map-base", "", "FILE"), 2, "--map-base must not be empty"),
        (("apply", "--map-base", "auto", "--resume"), 2, "--resume applies the original plan. Omit "),
        (
            ("apply", "--map-base", "auto", "FILE"),
            3,
            "dcmcfg: FILE: no DN of a record contains cn=DICOM Configuration, so the base DN is unknown\n"
            "  next: specify the base DN with --map-base DN\n",
        ),
    ],
)
def test_what_cannot_be_is_told(run: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    file = tmp_path / "base.ldif"
    file.write_text(f"dn: {STOCK}\nobjectClass: organization\no: x\n")
    result = run(*(str(file) if each == "FILE" else each for each in arguments))
    assert (result.exit_code, result.stdout) == (code, "")
    assert told.replace("FILE", str(file)) in result.stderr


def test_a_base_that_cannot_have_the_name_is_left_out_and_told(run: Run, site: CliSite) -> None:
    result = run("export-ldif", "--as-base", f"ou=pacs,{ELSEWHERE}")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"version: 1\n\ndn: cn=DICOM Configuration,ou=pacs,{ELSEWHERE}\n")
    assert result.stderr == (
        f"warning: The entry {STOCK} is omitted: its object classes do not allow the attribute ou of the new base. "
        f"Create the entry ou=pacs,{ELSEWHERE} before you add the other entries.\n"
    )
