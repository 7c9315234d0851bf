"""``dcmcfg apply`` with files of entries: each becomes as it stands there, and with --prune nothing else is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, NAME, CliSite, undo_files

pytestmark = pytest.mark.real

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
STORESCP = f"dicomDeviceName=storescp,{DEVICES}"
NOTHING = "No changes. If the archive has not loaded the configuration yet, run: dcmcfg reload\n"


def exported(run: Run, path: Path, *options: str) -> Path:
    result = run("export-ldif", *options)
    assert result.exit_code == 0, result.stderr
    path.write_text(result.stdout)
    return path


def slapcat(site: CliSite, path: Path) -> Path:
    """The tree with all that the server keeps about it, as a dump of its database has it."""
    found = site.slapd.run_client("ldapsearch", "-LLL", "-b", "dc=dcm4che,dc=org", "*", "+")
    assert found.returncode == 0
    path.write_text(found.stdout)
    return path


def test_an_export_without_secrets_is_nothing_to_do(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file = exported(run, tmp_path / "site.ldif")
    assert "dcmKeyStorePin:" not in file.read_text()
    result = run("apply", str(file), "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith(NOTHING)
    assert "\n1079 entries are unchanged\n" in result.stdout
    assert site.octets() == before


def test_a_dump_with_operational_attributes_is_nothing_to_do(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = slapcat(site, tmp_path / "dump.ldif")
    result = run("apply", str(file), "--yes")
    assert result.exit_code == 0
    assert result.stdout.endswith(NOTHING)
    assert result.stderr.startswith(
        f"warning: {file}: dcmcfg ignored these operational attributes, because only the server can set them: "
        "createTimestamp, "
    )
    assert result.stderr.count("\n") == 1


def test_an_entry_becomes_as_the_file_has_it_and_back(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file = tmp_path / "connection.ldif"
    file.write_text(
        f"dn: cn=dicom,{STORESCP}\nobjectClass: dicomNetworkConnection\ncn: dicom\n"
        "dicomHostname: elsewhere\ndicomInstalled: TRUE\n"
    )
    result = run("apply", str(file), "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    now = site.octets()[f"cn=dicom,{STORESCP}"]
    assert {name: set(values) for name, values in now.items()} == {
        "objectclass": {b"dicomNetworkConnection"},
        "cn": {b"dicom"},
        "dicomhostname": {b"elsewhere"},
        "dicominstalled": {b"TRUE"},
    }
    assert run("apply", str(file), "--yes").stdout.endswith(NOTHING)
    assert run("apply", str(undo_files()[0]), "--yes").exit_code == 0
    assert site.octets() == before


def test_prune_leaves_what_the_files_hold_and_is_undone(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file = exported(run, tmp_path / "storescp.ldif")
    own = {dn: entry for dn, entry in before.items() if dn.endswith(STORESCP)}
    extra = tmp_path / "extra.ldif"
    extra.write_text(
        f"dn: cn=tls,{STORESCP}\nobjectClass: dicomNetworkConnection\ncn: tls\ndicomHostname: h\n\n"
        f"dn: dicomAETitle=EXTRA,{STORESCP}\nobjectClass: dicomNetworkAE\ndicomAETitle: EXTRA\n"
        f"dicomNetworkConnectionReference: cn=tls,{STORESCP}\n"
        "dicomAssociationInitiator: TRUE\ndicomAssociationAcceptor: TRUE\n\n"
        f"dn: cn=CT,dicomAETitle=EXTRA,{STORESCP}\nobjectClass: dicomTransferCapability\ncn: CT\n"
        "dicomSOPClass: 1.2.840.10008.5.1.4.1.1.2\ndicomTransferRole: SCP\ndicomTransferSyntax: 1.2.840.10008.1.2\n"
    )
    assert run("apply", str(extra), "--yes").exit_code == 0
    with_extra = site.octets()
    arguments = ("apply", str(file), "--prune", "--under", STORESCP)
    result = run(*arguments, "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "3 to delete" in result.stdout
    assert {dn: entry for dn, entry in site.octets().items() if dn.endswith(STORESCP)} == own
    assert site.octets() == before
    assert run(*arguments, "--yes").stdout.endswith(NOTHING)
    assert run("apply", str(undo_files()[-1]), "--yes").exit_code == 0
    assert site.octets() == with_extra


@pytest.mark.parametrize(
    ("text", "under", "told"),
    [
        (
            "",
            STORESCP,
            "the files contain no entry of this subtree, so --prune would delete the whole subtree",
        ),
        (f"dn: {STORESCP}\nchangetype: delete\n", STORESCP, "--prune accepts entries only, not change records"),
        (f"dn: {STORESCP}\nobjectClass: dicomDevice\n", "dc=org", "this DN is not below the base DN"),
    ],
)
def test_prune_refuses_what_would_delete_by_mistake(
    run: Run, site: CliSite, tmp_path: Path, text: str, under: str, told: str
) -> None:
    before = site.octets()
    file = tmp_path / "file.ldif"
    file.write_text(text)
    result = run("apply", str(file), "--prune", "--under", under, "--yes")
    assert (result.exit_code, result.stdout) == (3, "")
    assert told in result.stderr
    assert site.octets() == before


def test_prune_and_under_go_together(run: Run, site: CliSite) -> None:
    for arguments in (["--prune"], ["--under", STORESCP]):
        assert run("apply", "-", *arguments, input="").exit_code == 2


def test_what_is_refused_says_why(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file = tmp_path / "file.ldif"
    file.write_text(
        f"dn: cn=dicom,{STORESCP}\nobjectClass: dicomNetworkAE\ncn: dicom\n\n"
        f"dn: dicomDeviceName=a,{DEVICES}\nobjectClass: dicomDevice\ndicomDeviceName: b\n"
    )
    result = run("apply", str(file), "--yes")
    assert result.exit_code == 3
    assert "the structural object class of an entry cannot change" in result.stderr
    assert "the value of dicomDeviceName differs from the value in the DN of the record" in result.stderr
    assert site.octets() == before


def test_the_archives_own_defaults_twice_are_nothing_to_do(run: Run, stock_site: CliSite, upstream: Path) -> None:
    before = stock_site.octets()
    files = [str(upstream / "5.33.1" / f"{name}.ldif") for name in ("default-config", "init-config", "init-baseDN")]
    result = run("apply", *files, "--yes")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.endswith(NOTHING)
    assert stock_site.octets() == before


def test_the_wikis_add_on_a_stock_tree_is_nothing_to_do(run: Run, stock_site: CliSite, tmp_path: Path) -> None:
    """The stock tree holds the value, so ldapmodify ends with 20."""
    file = tmp_path / "wiki.ldif"
    file.write_text(f"dn: {ARCHIVE_DN}\nchangetype: modify\nadd: {NAME}\n{NAME}: DCM4CHEE\n-\n")
    assert stock_site.values(NAME) == ("DCM4CHEE",)
    assert stock_site.slapd.run_client("ldapmodify", "-f", str(file)).returncode == 20
    assert run("apply", str(file), "--yes").stdout.endswith(NOTHING)


def test_json_tells_what_is_so_already(run: Run, site: CliSite, tmp_path: Path) -> None:
    result = run("apply", str(exported(run, tmp_path / "site.ldif")), "--yes", "--json")
    content = json.loads(result.stdout)
    assert (content["steps"], content["risks"], content["rejected"], content["changed"]) == ([], [], [], False)
    assert len(content["unchanged"]) == len(site.octets())
