"""``dcmcfg capability`` on the archive's own default configuration."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, CliSite
from tests.ports import free_port

WS1 = f"dicomAETitle=WS1,dicomDeviceName=ws1,{DEVICES}"


@pytest.mark.real
def test_the_capabilities_of_an_ae(run: Run, stock_site: CliSite) -> None:
    assert run("ae", "add", "WS1@ws1:104", "--yes").exit_code == 0
    before = stock_site.octets()
    everything = run("capability", "diff", "DCM4CHEE", "WS1", "--sending")
    unlisted = "WS1 lists no capabilities, so the archive assumes that WS1 supports everything\n"
    assert (everything.exit_code, everything.stdout) == (0, f"{unlisted}WS1 has all capabilities of DCM4CHEE\n")
    assert run("capability", "diff", "STORESCP", "WS1").stdout == f"{unlisted}WS1 has all capabilities of STORESCP\n"
    wrong = run("capability", "add", "WS1", "1.2.840.10008.1.2.1", "--role", "SCP", "--yes")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "dcmcfg: 1.2.840.10008.1.2.1: not a SOP class: Explicit VR Little Endian (transfer syntax)\n"
        "  next: use the name, the keyword or the UID of a SOP class\n",
    )

    added = run("capability", "add", "WS1", "CT Image Storage", "1.2.528.1.1001.5.1.1.1", "--role", "scp", "--yes")
    assert added.exit_code == 0
    assert added.stderr.startswith(
        "warning: WS1 listed no SCP capability, so the archive sent all SOP classes to WS1. From now on, the archive "
        "does not send these SOP classes: "
    )
    there = stock_site.octets()
    assert {dn.partition(",")[0] for dn in there.keys() - before.keys()} == {
        "cn=CT Image Storage SCP",
        "cn=Private GE Collage Storage SCP",
    }, "a private class is called as the archive calls it"
    assert there[f"cn=CT Image Storage SCP,{WS1}"] == {
        "objectclass": {b"dicomTransferCapability", b"dcmTransferCapability"},
        "cn": {b"CT Image Storage SCP"},
        "dicomsopclass": {b"1.2.840.10008.5.1.4.1.1.2"},
        "dicomtransferrole": {b"SCP"},
        "dicomtransfersyntax": {b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1"},
    }
    more = run("capability", "add", "WS1", "CTImageStorage", "--role", "SCP", "--transfer-syntax", "JPEG2000", "--yes")
    assert (more.exit_code, more.stderr) == (0, "")
    assert "add: dicomTransferSyntax\ndicomTransferSyntax: 1.2.840.10008.1.2.4.91\n" in more.stdout
    listed = run("capability", "list", "ws1/WS1", "--lines")
    assert listed.stdout == (
        "SCP CTImageStorage ImplicitVRLittleEndian ExplicitVRLittleEndian JPEG2000\n"
        "SCP 1.2.528.1.1001.5.1.1.1 ImplicitVRLittleEndian ExplicitVRLittleEndian\n"
    )
    table = run("capability", "list", "WS1")
    assert table.stdout.endswith("\n2 capabilities\n")

    content = json.loads(run("capability", "diff", "DCM4CHEE", "WS1", "--sending", "--json").stdout)
    lacking = content["missing_capabilities"]
    assert "1.2.840.10008.5.1.4.1.1.2" not in [each["sop_class"] for each in lacking]
    assert run("capability", "diff", "DCM4CHEE", "WS1", "--sending").exit_code == 1

    removal = run("capability", "remove", "WS1", "Private GE Collage Storage", "CTImageStorage", "--yes")
    assert (removal.exit_code, removal.stderr) == (
        0,
        "warning: WS1 no longer lists an SCP capability, so the archive sends all SOP classes to WS1.\n",
    )
    assert stock_site.octets() == before

    assert run("capability", "copy", "STORESCP", "WS1", "--yes").exit_code == 0
    assert run("capability", "diff", "STORESCP", "WS1").exit_code == 0
    assert run("undo", "--yes").exit_code == 0
    assert stock_site.octets() == before
    none = run("capability", "copy", "WS1", "STORESCP", "--yes")
    assert (none.exit_code, none.stderr) == (
        3,
        "dcmcfg: WS1 has no capabilities to copy\n"
        "  next: a remote AE without capabilities receives all SOP classes; an archive AE without capabilities accepts "
        "no SOP class\n",
    )
    unknown = run("capability", "add", "WS1", "CT Imag Storage", "--role", "SCP", "--yes")
    assert (unknown.exit_code, unknown.stderr) == (
        2,
        "dcmcfg: 'CT Imag Storage': no SOP class has this name\n"
        "  next: did you mean CT Image Storage, RT Image Storage, MR Image Storage?\n",
    )
    assert stock_site.octets() == before


@pytest.mark.real
def test_set_gives_a_sop_class_exactly_these_transfer_syntaxes(run: Run, stock_site: CliSite) -> None:
    assert run("ae", "add", "WS1@ws1:104", "--yes").exit_code == 0
    before = stock_site.octets()
    syntaxes = ("--transfer-syntax", "JPEG2000", "--transfer-syntax", "1.2.840.10008.1.2.1")
    request = ("capability", "set", "WS1", "CTImageStorage", "MR Image Storage", "--role", "scp", *syntaxes, "--yes")
    assert run("capability", "add", "WS1", "CTImageStorage", "--role", "SCP", "--role", "SCU", "--yes").exit_code == 0
    result = run(*request)
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    entries = stock_site.octets()
    exact = {b"1.2.840.10008.1.2.4.91", b"1.2.840.10008.1.2.1"}
    assert entries[f"cn=CT Image Storage SCP,{WS1}"]["dicomtransfersyntax"] == exact
    assert entries[f"cn=MR Image Storage SCP,{WS1}"]["dicomtransfersyntax"] == exact
    assert entries[f"cn=CT Image Storage SCU,{WS1}"]["dicomtransfersyntax"] == {
        b"1.2.840.10008.1.2",
        b"1.2.840.10008.1.2.1",
    }
    again = run(*request)
    assert (again.exit_code, again.stderr) == (0, "")
    assert (
        again.stdout.splitlines()[-1]
        == "No changes. If the archive has not loaded the configuration yet, run: dcmcfg reload"
    )
    for _ in range(2):
        assert run("undo", "--yes", "--no-reload").exit_code == 0
    assert stock_site.octets() == before
    for arguments, problem in (
        (("WS2", "CTImageStorage"), "no AE has the title WS2\n  next: did you mean ws1/WS1?\n"),
        (
            ("WS1", "CTImageStorag"),
            "'CTImageStorag': no SOP class has this name\n  next: did you mean CTImageStorage, ",
        ),
    ):
        refused = run("capability", "set", *arguments, "--role", "SCP", *syntaxes, "--yes")
        assert (refused.exit_code, refused.stdout) == (3 if arguments[0] == "WS2" else 2, "")
        assert refused.stderr.startswith(f"dcmcfg: {problem}")
    assert stock_site.octets() == before


@pytest.mark.real
def test_show_prints_one_capability_with_all_that_is_set(run: Run, stock_site: CliSite) -> None:
    own = f"dicomAETitle=DCM4CHEE,{ARCHIVE_DN}"
    name = "Study Root Query/Retrieve Information Model - FIND"
    for sop_class in (name, "1.2.840.10008.5.1.4.1.2.2.1", "StudyRootQueryRetrieveInformationModelFind"):
        result = run("capability", "show", "DCM4CHEE", sop_class, "--role", "scp")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == (
            "Study Root Query Retrieve Information Model - FIND SCP of dcm4chee-arc/DCM4CHEE\n"
            f"  DN:                cn=Study Root Query Retrieve Information Model - FIND SCP,{own}\n"
            f"  SOP class:         {name} (1.2.840.10008.5.1.4.1.2.2.1)\n"
            "  Role:              SCP\n"
            "  Transfer syntaxes: Implicit VR Little Endian (1.2.840.10008.1.2)\n"
            "  Other attributes:  dcmCombinedDateTimeMatching=TRUE\n"
            "                     dcmFuzzySemanticMatching=TRUE\n"
            "                     dcmRelationalQueries=TRUE\n"
            "                     dcmTimezoneQueryAdjustment=TRUE\n"
        )
    both = json.loads(run("capability", "show", "DCM4CHEE", "CTImageStorage", "--json").stdout)
    assert [(each["name"], each["role"]) for each in both["capabilities"]] == [
        ("CT Image Storage SCP", "SCP"),
        ("CT Image Storage SCU", "SCU"),
    ]
    for arguments, code, problem in (
        (("STORESCP", "CTImageStorage", "--role", "SCU"), 3, "STORESCP has no capability for CTImageStorage as SCU"),
        (("STORESCP", "CTImageStorag"), 2, "'CTImageStorag': no SOP class has this name"),
        (("STORSCP", "CTImageStorage"), 3, "no AE has the title STORSCP"),
    ):
        refused = run("capability", "show", *arguments)
        assert (refused.exit_code, refused.stdout) == (code, "")
        assert refused.stderr.startswith(f"dcmcfg: {problem}\n  next: ")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["set", "WS1", "CTImageStorage", "--role", "SCP"], "Missing option '--transfer-syntax'"),
        (["set", "WS1", "CTImageStorage", "--transfer-syntax", "JPEG2000"], "Missing option '--role'"),
        (["show", "WS1"], "Missing argument 'SOP-CLASS'"),
        (["add", "WS1", "CTImageStorage"], "Missing option '--role'"),
        (["add", "WS1", "--role", "SCP"], "Missing argument 'SOP-CLASS…'"),
        (["add", "WS1", "1.2.3", "--role", "SCX"], "'SCX' is not one of"),
        (["add", "WS1", "1.2.3", "--role", "SCP", "--transfer-syntax", "JPEG2"], "no transfer syntax has this name"),
    ],
)
def test_usage_errors_exit_2_before_any_server_is_asked(run: Run, arguments: list[str], problem: str) -> None:
    result = run("capability", *arguments, "--ldap-url", f"ldap://127.0.0.1:{free_port()}")
    assert result.exit_code == 2
    assert problem in result.stderr
