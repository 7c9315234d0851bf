"""``dcmcfg get``, ``set`` and ``unset``: the output, then the state of the tree."""

from __future__ import annotations

import json
import re
import stat
import zipfile
from pathlib import Path

import pytest

from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, CliSite
from tests.ports import free_port
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real

STORESCP_DN = f"dicomAETitle=STORESCP,dicomDeviceName=storescp,{DEVICES}"
PIN = "dcmKeyStorePin"


def test_values_are_set_added_removed_and_taken_back_to_the_octet(run: Run, site: CliSite) -> None:
    before = site.octets()
    result = run("set", "AE:STORESCP", "dcmothersAETitle=A")
    assert (result.exit_code, result.stdout, result.stderr) == (
        3,
        "",
        "dcmcfg: unknown attribute dcmothersAETitle\n  next: did you mean dcmOtherAETitle, dcmAETitle?\n",
    )
    result = run("set", "AE:STORESCP", "dcmotherAETitle=B", "dcmOtherAETitle=A", "dcmObjectStorageID=fs1", "--yes")
    assert (result.exit_code, result.stderr) == (
        0,
        "warning: the object class dcmArchiveNetworkAE is only for AEs of an archive, but the device storescp is not "
        "an archive.\n"
        f"warning: {STORESCP_DN}: dcmObjectStorageID: the storage fs1 belongs to another device (rule: "
        "storage-unknown)\n",
    )
    assert [line.rstrip() for line in result.stdout.splitlines()] == [
        site.headline,
        "",
        "  ~ AE storescp/STORESCP  (after the cache time PT5M, or reload)",
        "      + dcmObjectStorageID: fs1",
        "      + dcmOtherAETitle",
        "          + B",
        "          + A",
        "      ~ objectClass: + dcmArchiveNetworkAE",
        "",
        "To show the LDIF, use --show-ldif. To save the LDIF, use --output FILE.",
        "1 to change, in one change",
        "Applied in one change.",
        "To revert it: dcmcfg undo 1",
        "The archive has reloaded (204). dcmcfg cannot confirm this change: no service of the archive returns "
        "the changed values.",
    ]
    assert set(site.values("dcmOtherAETitle", STORESCP_DN)) == {"A", "B"}
    assert run("set", "AE:STORESCP", "dcmOtherAETitle+=A", "dcmOtherAETitle+=C", "--yes").exit_code == 0
    assert set(site.values("dcmOtherAETitle", STORESCP_DN)) == {"A", "B", "C"}
    removal = run("set", "AE:STORESCP", "dcmOtherAETitle-=B", "dcmOtherAETitle-=CC", "--yes")
    assert (removal.exit_code, removal.stderr) == (
        0,
        f"warning: {STORESCP_DN}: dcmOtherAETitle has no value 'CC' to delete; did you mean 'C'?\n",
    )
    assert set(site.values("dcmOtherAETitle", STORESCP_DN)) == {"A", "C"}
    assert run("unset", "AE:STORESCP", "dcmOtherAETitle", "--yes").exit_code == 0
    assert site.values("dcmOtherAETitle", STORESCP_DN) == ()
    again = run("unset", "AE:STORESCP", "dcmOtherAETitle")
    assert (again.exit_code, again.stderr) == (0, "")
    assert f"unchanged: {STORESCP_DN} (dcmOtherAETitle is not set)\n" in again.stdout
    for number in (4, 3, 2, 1):
        assert run("undo", str(number), "--yes").exit_code == 0
    assert site.octets() == before


def test_what_cannot_be_is_refused_before_the_plan_with_what_would_be_right(run: Run, site: CliSite) -> None:
    before = site.octets()
    connection = f"cn=dicom,dicomDeviceName=storescp,{DEVICES}"
    for arguments, problem in (
        (
            ("set", connection, "dicomPort=0x"),
            f"{connection}: dicomPort '0x': not a whole number: expected, for example, 300 or -1\n",
        ),
        (
            ("unset", connection, "dicomHostname"),
            f"{connection}: dicomNetworkConnection requires dicomHostname\n",
        ),
        (
            ("set", "storescp", "dicomDeviceName=pacs"),
            f"dicomDeviceName=storescp,{DEVICES}: dicomDeviceName is part of the DN of the entry and must keep "
            "the value 'storescp'\n"
            "  next: to rename the entry and update all references to the entry: dcmcfg device rename\n",
        ),
        (
            ("set", "dcm4chee-arc", "dicomPort=104"),
            f"{ARCHIVE_DN}: dicomPort is not allowed on an entry with the object classes dicomDevice, dcmDevice, "
            "dcmArchiveDevice\n  next: object classes that allow dicomPort: dicomNetworkConnection\n",
        ),
    ):
        result = run(*arguments, "--yes")
        assert (result.exit_code, result.stdout, result.stderr) == (3, "", f"dcmcfg: {problem}")
    dangling = run("set", "AE:STORESCP", f"dicomNetworkConnectionReference+=cn=x,{ARCHIVE_DN}", "--yes")
    assert dangling.exit_code == 3
    assert "--force-unloadable" in dangling.stderr
    accepted = run("set", "AE:DCM4CHEE", "dcmAcceptedMoveDestination+=STORSCP", "--yes")
    ae = f"dicomAETitle=DCM4CHEE,{ARCHIVE_DN}"
    assert (accepted.exit_code, accepted.stderr) == (
        3,
        f"warning: {ae}: dcmAcceptedMoveDestination was empty, so the archive accepted every destination. After "
        "this change, the archive accepts only STORSCP. Every other destination is refused (C801)\n"
        f"warning: {ae}: dcmAcceptedMoveDestination: no AE has the title STORSCP; did you mean STORESCP? (rule: "
        "accepted-destination-unknown)\n"
        f"dcmcfg: the plan is refused: dangling-reference: a reference would point to a missing entry: {ae} "
        "(dcmAcceptedMoveDestination: STORSCP)\n"
        "  next: to apply the plan anyway: --force-dangling-reference\n",
    )
    assert site.octets() == before
    enumerated = run("set", "dcm4chee-arc", "dcmOverwritePolicy=SOMETIMES", "--dry-run")
    assert enumerated.exit_code == 1, "a dry run shows the plan that would be refused"
    assert "this requires --force-unloadable" in enumerated.stderr
    assert "dcmOverwritePolicy 'SOMETIMES': the value must be one of NEVER, ALWAYS, " in enumerated.stderr
    offered = run("set", "dcm4chee-arc", "hl7PatientArrivalMessageType=ADT^A99", "--dry-run")
    assert offered.exit_code == 0
    assert "hl7PatientArrivalMessageType 'ADT^A99': the web form offers ADT^A10" in offered.stderr


def test_the_title_of_an_unknown_ae_is_refused(run: Run, site: CliSite) -> None:
    before = site.octets()
    result = run("set", "dcm4chee-arc", "dcmFallbackCMoveSCP=LONGTERN", "--yes")
    assert (result.exit_code, site.octets()) == (3, before)
    assert result.stderr == (
        "dcmcfg: the plan is refused: unusable-reference: 1 setting refers to an AE that is missing or not suitable\n"
        f"    {ARCHIVE_DN}: dcmFallbackCMoveSCP 'LONGTERN': no AE has the title LONGTERN; did you mean LONGTERM? "
        "Fix: Add the AE, or use the title of an existing AE.\n"
        "  next: correct dcmFallbackCMoveSCP (dcmcfg explain dcmFallbackCMoveSCP); to apply the plan anyway: "
        "--force-unusable-reference\n"
    )
    accepted = run("set", "dcm4chee-arc", "dcmFallbackCMoveSCP=LONGTERN", "--yes", "--force-unusable-reference")
    assert accepted.exit_code == 0
    assert "warning: unusable-reference: " in accepted.stderr
    assert run("set", "dcm4chee-arc", "dicomDescription=x", "--yes").exit_code == 0, "the title is no new one"


def test_the_title_of_an_unknown_ae_is_a_warning_of_a_dry_run_on_screen_and_in_json(run: Run, site: CliSite) -> None:
    result = run("set", "dcm4chee-arc", "dcmFallbackCMoveSCP=LONGTERN", "--dry-run", "--json")
    warning = (
        f"{ARCHIVE_DN}: dcmFallbackCMoveSCP 'LONGTERN': no AE has the title LONGTERN; did you mean LONGTERM? "
        "Fix: Add the AE, or use the title of an existing AE."
    )
    assert (result.exit_code, result.stderr.count(f"warning: {warning}\n")) == (1, 1)
    content = json.loads(result.stdout)
    assert warning in content["warnings"]
    assert [each["name"] for each in content["risks"]] == ["unusable-reference"]


def test_get_shows_a_value_a_line_and_which_level_it_is_from(run: Run, site: CliSite) -> None:
    whole = run("get", "storescp")
    assert (whole.exit_code, whole.stderr) == (0, "")
    assert whole.stdout.splitlines()[0] == f"dn: dicomDeviceName=storescp,{DEVICES}"
    assert "dicomInstalled: TRUE" in whole.stdout.splitlines()
    got = run("get", "dcm4chee-arc/DCM4CHEE", "dcmsendPendingCMoveInterval", "dcmObjectStorageID", "dcmRetrieveAET")
    assert (got.exit_code, got.stdout, got.stderr) == (
        1,
        "# from the device dcm4chee-arc:\n"
        "dcmSendPendingCMoveInterval: PT5S\n"
        "dcmObjectStorageID: fs1\n"
        "# dcmRetrieveAET is not set\n",
        "",
    )
    as_json = run("get", "AE:DCM4CHEE", "dcmSendPendingCMoveInterval", "dcmRetrieveAET", "--json")
    assert json.loads(as_json.stdout) == {
        "dn": f"dicomAETitle=DCM4CHEE,{ARCHIVE_DN}",
        "attributes": {
            "dcmSendPendingCMoveInterval": {"values": ["PT5S"], "secret": False, "level": "device"},
            "dcmRetrieveAET": {"values": [], "secret": False, "level": None},
        },
    }


def test_on_the_archives_own_configuration_each_command_is_taken_back_to_the_octet(
    run: Run, stock_site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stock_site.octets()
    monkeypatch.setenv("VISUAL", "sed -i s/hideRejected/regularUse/")
    for command in (
        ("set", "dcm4chee-arc", "dcmSendPendingCMoveInterval=PT1S", "dcmRetrieveAET=A", "dcmRetrieveAET=B"),
        ("unset", "AE:DCM4CHEE", "dicomDescription", "dcmQueryRetrieveViewID"),
        ("set", "cn=dicom,dicomDeviceName=dcm4chee-arc", "dcmBlacklistedHostname+=a", "dcmBlacklistedHostname+=b"),
        ("set", "AE:DCM4CHEE", f"dicomNetworkConnectionReference-=cn=dicom-tls,{ARCHIVE_DN}"),
        ("edit", "dcm4chee-arc/DCM4CHEE"),
    ):
        result = run(*command, "--yes")
        assert result.exit_code == 0, result.stderr
        changed = {dn for dn, entry in stock_site.octets().items() if before[dn] != entry}
        assert len(changed) == 1
        assert run("undo", "--yes").exit_code == 0
        assert stock_site.octets() == before


def vendor_data(path: Path, **files: str) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.xsl", text)
    return path.read_bytes()


def test_of_vendor_data_the_files_that_change_are_shown_and_get_writes_it(
    run: Run, site: CliSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = vendor_data(tmp_path / "a.zip", same="1", gone="22", other="333")
    added = run("set", "dcm4chee-arc", "dicomVendorData=@a.zip", "--yes", "--force-vendor-data")
    assert added.exit_code == 0, added.stderr
    assert re.findall(r" {10}(\S+) (\w+\.xsl \(\d octets\))\n", added.stdout) == [
        ("+", "gone.xsl (2 octets)"),
        ("+", "other.xsl (3 octets)"),
        ("+", "same.xsl (1 octets)"),
    ]
    assert run("get", "dcm4chee-arc", "dicomVendorData").stdout == (
        f"dicomVendorData: ({len(first)} octets)\n"
        "#   same.xsl (1 octets)\n#   gone.xsl (2 octets)\n#   other.xsl (3 octets)\n"
    )
    written = run("get", "dcm4chee-arc", "dicomVendorData", "--out", "out.zip")
    assert (written.exit_code, written.stdout, written.stderr) == (0, "", "")
    assert Path("out.zip").read_bytes() == first
    assert stat.S_IMODE(Path("out.zip").stat().st_mode) == 0o600
    again = run("get", "dcm4chee-arc", "dicomVendorData", "--out", "out.zip")
    assert (again.exit_code, again.stderr) == (3, "dcmcfg: out.zip: the file exists\n  next: specify a new file\n")

    assert run("export-ldif", "--with-secrets", "-o", "before.ldif").exit_code == 0
    second = vendor_data(tmp_path / "b.zip", same="1", other="3333", new="")
    changed = run("set", "dcm4chee-arc", "dicomVendorData=@b.zip", "--yes", "--force-vendor-data")
    shown = (
        f"      ~ dicomVendorData: ({len(first)} octets) → ({len(second)} octets)\n"
        "          - gone.xsl (2 octets)\n"
        "          + new.xsl (0 octets)\n"
        "          ~ other.xsl (3 octets) → other.xsl (4 octets)\n"
    )
    assert shown in changed.stdout, changed.stdout
    assert shown in run("diff", "before.ldif", "live").stdout
    (change,) = json.loads(run("diff", "before.ldif", "live", "--json").stdout)["changes"]
    assert change["attributes"][0]["files"] == [
        {"name": "gone.xsl", "size_before": 2, "size_after": None},
        {"name": "new.xsl", "size_before": None, "size_after": 0},
        {"name": "other.xsl", "size_before": 3, "size_after": 4},
    ]
    assert site.octets()[ARCHIVE_DN]["dicomvendordata"] == {second}


def test_get_writes_one_value_and_no_secret(run: Run, site: CliSite, tmp_path: Path) -> None:
    out = ("--out", str(tmp_path / "out"))
    assert run("get", "dcm4chee-arc", "dicomDeviceName", "--out", "-").stdout == "dcm4chee-arc"
    several = run("get", "dcm4chee-arc", "objectClass", *out)
    assert (several.exit_code, "values, but dcmcfg can write only a single value to a file" in several.stderr) == (
        3,
        True,
    )
    secret = run("get", "dcm4chee-arc", "dcmKeyStorePin", *out)
    assert (secret.exit_code, secret.stderr) == (
        3,
        f"dcmcfg: {ARCHIVE_DN}: the value of dcmKeyStorePin is a secret\n"
        "  next: to write secrets: dcmcfg export-ldif --with-secrets\n",
    )
    unset = run("get", "dcm4chee-arc", "dicomStationName", *out)
    assert (unset.exit_code, unset.stdout) == (1, "# dicomStationName is not set\n")
    assert run("get", "dcm4chee-arc", *out).exit_code == 2
    assert not (tmp_path / "out").exists()
    as_json = run("get", "dcm4chee-arc", "--json", *out)
    assert (as_json.exit_code, as_json.stdout) == (0, "")
    assert (tmp_path / "out").read_text() == run("get", "dcm4chee-arc", "--json").stdout
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600


def test_a_secret_is_taken_from_a_file_or_a_terminal_and_never_shown(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.write_text("geheim\n")
    result = run("set", "dcm4chee-arc", f"{PIN}=@{file}", "--yes")
    assert result.exit_code == 0, result.stderr
    assert site.values(PIN) == ("geheim",)
    shown = result.output + run("get", "dcm4chee-arc").output + run("history", "1").output
    assert "geheim" not in shown
    assert "dcmKeyStorePin: (secret)" in shown
    as_json = json.loads(run("get", "dcm4chee-arc", PIN, "--json").stdout)
    assert as_json["attributes"] == {PIN: {"values": [None], "secret": True, "level": "entry"}}
    exit_code, seen = at_terminal(
        ["set", "dcm4chee-arc", f"{PIN}=@-"],
        [(f"{PIN}: ", "geheimer"), ("Repeat for confirmation: ", "geheimer"), ("[y/N]: ", "y")],
    )
    assert exit_code == 0, seen
    assert site.values(PIN) == ("geheimer",)
    assert "geheimer" not in seen
    piped = run("set", "dcm4chee-arc", "dicomDescription=@-", "--yes", input="@eins\nzwei\r\n")
    assert piped.exit_code == 0, piped.stderr
    assert site.values("dicomDescription") == ("@eins\nzwei",)
    assert run("set", "dcm4chee-arc", "dicomDescription=@@eins", "--yes").exit_code == 0
    assert site.values("dicomDescription") == ("@eins",)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("dicomInstalled=",), "dicomInstalled= has no value. To remove the attribute: dcmcfg unset"),
        (("dicomInstalled-=",), "dicomInstalled-= has no value. To remove the attribute: dcmcfg unset"),
        (("dicomInstalled",), "'dicomInstalled' does not have the form ATTR=VALUE, ATTR+=VALUE or ATTR-=VALUE"),
        (("dicomInstalled+",), "'dicomInstalled+' does not have the form ATTR=VALUE, ATTR+=VALUE or ATTR-=VALUE"),
        (("+=TRUE",), "'+=TRUE' does not have the form ATTR=VALUE"),
        (("a=@-", "b+=@-"), "only one value can be read from standard input"),
        ((f"{PIN}+=geheim",), f"{PIN}: the value is a secret. Do not write a secret on the command line"),
        ((f"{PIN}=geheim",), f"{PIN}: the value is a secret. Do not write a secret on the command line"),
        (
            ("dcmProperty=x.password=geheim",),
            "dcmProperty: the value is a secret. Do not write a secret on the command line",
        ),
        (("a=@-", "b=@-"), "only one value can be read from standard input"),
    ],
)
def test_what_is_written_wrongly_exits_2_before_any_server_is_asked(
    run: Run, arguments: tuple[str, ...], problem: str
) -> None:
    result = run("set", "x", *arguments, "--ldap-url", f"ldap://127.0.0.1:{free_port()}")
    assert result.exit_code == 2
    assert problem in result.stderr
    assert "geheim" not in result.output


def test_a_newer_schema_is_asked_where_ours_does_not_know(
    run: Run, monkeypatch: pytest.MonkeyPatch, newer_slapd: RunningSlapd
) -> None:
    monkeypatch.setenv("DCMCFG_LDAP_URL", newer_slapd.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", newer_slapd.password)
    target = "cn=future,dc=dcm4che,dc=org"
    assert run("get", target, "dcmfromthefuture").stdout == "dcmFromTheFuture: Soon\n"
    result = run("set", target, "dcmfromthefuture=Now", "--yes", "--no-reload")
    assert result.exit_code == 0, result.stderr
    assert run("get", target, "dcmFromTheFuture").stdout == "dcmFromTheFuture: Now\n"


def test_adding_a_value_and_removing_it_leaves_the_entry_as_it_was(run: Run, site: CliSite) -> None:
    before = site.octets()
    name = "dcmObjectStorageID"
    for back in (
        ("set", "AE:STORESCP", f"{name}-=fs1"),
        ("remove-value", "AE:STORESCP", f"{name}=fs1"),
        ("unset", "AE:STORESCP", name),
    ):
        assert run("set", "AE:STORESCP", f"{name}+=fs1", "--yes").exit_code == 0
        assert "dcmArchiveNetworkAE" in site.values("objectClass", STORESCP_DN)
        assert run(*back, "--yes").exit_code == 0
        assert site.octets() == before
    for named in (
        ("set", "AE:STORESCP", f"{name}+=fs1", "objectClass+=dcmArchiveNetworkAE"),
        ("add-value", "AE:STORESCP", f"{name}=fs1", "objectClass=dcmArchiveNetworkAE"),
    ):
        assert run(*named, "--yes").exit_code == 0
        assert run("set", "AE:STORESCP", f"{name}-=fs1", "--yes").exit_code == 0
        assert "dcmArchiveNetworkAE" in site.values("objectClass", STORESCP_DN), "it was requested"
        assert run("set", "AE:STORESCP", "objectClass-=dcmArchiveNetworkAE", "--yes").exit_code == 0
        assert site.octets() == before


def test_one_plan_sets_adds_and_removes(run: Run, site: CliSite) -> None:
    assert run("set", "AE:WORKSTATION", "dcmOtherAETitle=A", "dcmOtherAETitle=B", "--yes").exit_code == 0
    before = site.octets()
    dn = f"dicomAETitle=WORKSTATION,dicomDeviceName=workstation,{DEVICES}"
    result = run(
        "set",
        "AE:WORKSTATION",
        "dcmOtherAETitle-=A",
        "dicomDescription=x+=y-=z=",
        "dcmOtherAETitle+=C",
        "dcmOtherAETitle+=B",
        "dcmOtherAETitle-=BB",
        "--yes",
        "--no-reload",
    )
    assert (result.exit_code, result.stderr) == (
        0,
        f"warning: {dn}: dcmOtherAETitle has no value 'BB' to delete; did you mean 'B'?\n",
    )
    assert [line.rstrip() for line in result.stdout.splitlines()] == [
        site.headline,
        "",
        "  ~ AE workstation/WORKSTATION  (after the cache time PT5M, or reload)",
        "      ~ dcmOtherAETitle: A → C",
        "      + dicomDescription: x+=y-=z=",
        "",
        "dn: dicomAETitle=WORKSTATION,dicomDeviceName=workstation,cn=Devices,cn=DICOM",
        "  Configuration,dc=dcm4che,dc=org",
        "changetype: modify",
        "delete: dcmOtherAETitle",
        "dcmOtherAETitle: A",
        "-",
        "add: dcmOtherAETitle",
        "dcmOtherAETitle: C",
        "-",
        "add: dicomDescription",
        "dicomDescription: x+=y-=z=",
        "-",
        "",
        "1 to change, in one change",
        "Applied in one change.",
        "To revert it: dcmcfg undo 2",
        "The archive was not reloaded. To reload it: dcmcfg reload",
    ]
    assert set(site.values("dcmOtherAETitle", dn)) == {"B", "C"}
    assert site.values("dicomDescription", dn) == ("x+=y-=z=",)
    assert run("undo", "--yes", "--no-reload").exit_code == 0
    assert site.octets() == before


@pytest.mark.parametrize(
    ("command", "alias"),
    [
        (("set", "AE:STORESCP", "dcmOtherAETitle+=A"), ("add-value", "AE:STORESCP", "dcmOtherAETitle=A")),
        (("set", "AE:STORESCP", "dicomDescription-=x"), ("remove-value", "AE:STORESCP", "dicomDescription=x")),
        (("set", "AE:STORESCP", "dcmOtherAETitle+=A"), ("add-value", "AE:STORESCP", "dcmOtherAETitle+=A")),
        (("set", "AE:STORESCP", "dcmOtherAETitle+=A"), ("ae", "set", "STORESCP", "dcmOtherAETitle+=A")),
        (
            ("set", "storescp/STORESCP", "dcmOtherAETitle=A"),
            ("ae", "set", "STORESCP", "dcmOtherAETitle=A", "--device", "StoreSCP"),
        ),
        (("set", "storescp", "dicomManufacturer=A"), ("device", "set", "storescp", "dicomManufacturer=A")),
    ],
)
def test_commands_that_set_values_make_the_same_plan(
    run: Run, site: CliSite, command: tuple[str, ...], alias: tuple[str, ...]
) -> None:
    expected = run(*command, "--dry-run")
    result = run(*alias, "--dry-run")
    assert (result.exit_code, result.stdout, result.stderr) == (0, expected.stdout, expected.stderr)


def test_an_unknown_or_ambiguous_entry_is_an_error_with_similar_names(run: Run, site: CliSite) -> None:
    before = site.octets()
    assert run("device", "clone", "storescp", "other", "--ae", "STORESCP=OTHER", "--yes").exit_code == 0
    second = f"dn: dicomAETitle=STORESCP,dicomDeviceName=other,{DEVICES}\nchangetype: add\n"
    entry = "".join(
        f"{line}\n" for line in run("get", "other/OTHER").stdout.replace("OTHER", "STORESCP").splitlines()[1:]
    )
    added = run("apply", "-", "--yes", "--no-reload", "--force-unloadable", input=second + entry)
    assert added.exit_code == 0, added.stderr
    value = "dicomDescription=x"
    for arguments, problem in (
        (("ae", "set", "STORSCP", value), "no AE has the title STORSCP\n  next: did you mean "),
        (("ae", "set", "STORESCP", value), "STORESCP matches other/STORESCP and storescp/STORESCP\n  next: "),
        (("ae", "set", "STORESCP", value, "--device", "oter"), "the device oter does not exist\n  next: "),
        (("ae", "set", "LONGTERM", value, "--device", "other"), "the device other has no AE LONGTERM\n  next: "),
        (("device", "set", "storscp", value), "the device storscp does not exist\n  next: existing devices: "),
        (("device", "set", "STORESCP/STORESCP", value), "the device STORESCP/STORESCP does not exist\n  next: "),
    ):
        result = run(*arguments, "--yes")
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr.startswith(f"dcmcfg: {problem}"), result.stderr
    assert run("ae", "set", "STORESCP", value, "--device", "other", "--yes", "--no-reload").exit_code == 0
    assert site.values("dicomDescription", f"dicomAETitle=STORESCP,dicomDeviceName=other,{DEVICES}") == ("x",)
    for _ in range(3):
        assert run("undo", "--yes", "--no-reload").exit_code == 0
    assert site.octets() == before


def test_unset_refuses_a_value_and_names_the_command_that_removes_it(run: Run) -> None:
    result = run("unset", "AE:A B", f"{PIN}=geheim", "--ldap-url", f"ldap://127.0.0.1:{free_port()}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(
        f"Error: {PIN}=… specifies a value, but dcmcfg unset removes all values of {PIN}. To remove one value: dcmcfg "
        f"set 'AE:A B' {PIN}-=VALUE\n"
    )
