"""``dcmcfg ae``: what is shown, what the directory then holds, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, CliSite
from tests.ports import free_port

ROOT = "cn=DICOM Configuration,dc=dcm4che,dc=org"
REGISTERED = f"dicomAETitle=WS1,cn=Unique AE Titles Registry,{ROOT}"
DEVICE = f"dicomDeviceName=ws1,{DEVICES}"
AE = f"dicomAETitle=WS1,{DEVICE}"

ADDED = """\
  + registered AE title WS1  (at once)
  + device ws1  (after the cache time PT5M, or reload)
  + connection ws1/dicom: ws1.example.org:104  (after the cache time PT5M, or reload)
  + AE ws1/WS1: ws1.example.org:104; capabilities: any  (after the cache time PT5M, or reload)

To show the LDIF, use --show-ldif. To save the LDIF, use --output FILE.
4 to add, in one transaction
Applied in one transaction.
To revert it: dcmcfg undo 1
The archive has reloaded (204). dcmcfg cannot confirm this change: no service of the archive returns the changed values.
"""
#: The names that are left out of the entries of dcmldap: what the directory itself adds.
ENTRIES = {
    REGISTERED: {"objectclass": {b"dicomUniqueAETitle"}, "dicomaetitle": {b"WS1"}},
    DEVICE: {"objectclass": {b"dicomDevice", b"dcmDevice"}, "dicomdevicename": {b"ws1"}, "dicominstalled": {b"TRUE"}},
    f"cn=dicom,{DEVICE}": {
        "objectclass": {b"dicomNetworkConnection", b"dcmNetworkConnection"},
        "cn": {b"dicom"},
        "dicomhostname": {b"ws1.example.org"},
        "dicomport": {b"104"},
    },
    AE: {
        "objectclass": {b"dicomNetworkAE", b"dcmNetworkAE"},
        "dicomaetitle": {b"WS1"},
        "dicomnetworkconnectionreference": {f"cn=dicom,{DEVICE}".encode()},
        "dicomassociationinitiator": {b"TRUE"},
        "dicomassociationacceptor": {b"TRUE"},
    },
}


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


@pytest.mark.real
def test_an_ae_is_added_again_undone_and_removed(run: Run, stock_site: CliSite) -> None:
    """One server for the life of an AE, on the archive's own default configuration."""
    before = stock_site.octets()
    added = run("ae", "add", "WS1@ws1.example.org:104", "--yes")
    assert lines(added.stdout) == [stock_site.headline, *lines(ADDED)]
    assert (added.exit_code, added.stderr) == (0, "")
    there = stock_site.octets()
    assert {dn: there[dn] for dn in there.keys() - before.keys()} == ENTRIES
    assert {dn: there[dn] for dn in before} == before

    again = run("ae", "add", "WS1@ws1.example.org:104")
    assert (again.exit_code, again.stderr) == (0, "")
    assert again.stdout.endswith(
        "No changes. If the archive has not loaded the configuration yet, run: dcmcfg reload\n"
    )
    assert run("undo", "1", "--yes").exit_code == 0
    assert stock_site.octets() == before

    assert run("ae", "add", "WS1@ws1.example.org:104", "--yes").exit_code == 0
    dry = run("ae", "remove", "ws1/WS1", "--dry-run")
    assert dry.exit_code == 0
    assert (
        dry.stderr
        == "warning: WS1 is the last AE of the device ws1. The device contains no other entries, so the device is "
        "removed too.\n"
    )
    assert "4 to delete, step by step\n" in dry.stdout
    assert run("ae", "remove", "WS1", "--yes").exit_code == 0
    assert stock_site.octets() == before


@pytest.mark.real
def test_connections_are_shared_or_own_and_never_re_pointed(run: Run, stock_site: CliSite, tmp_path: Path) -> None:
    before = stock_site.octets()
    shared = run("ae", "add", "STORE2@localhost:11117", "--device", "storescp", "--yes")
    assert (shared.exit_code, shared.stderr) == (0, "")
    own = run("ae", "add", "STORE3@[2001:db8::1]:104", "--device", "storescp", "--tls", "--yes")
    assert (own.exit_code, own.stderr) == (0, "")
    addition = run("ae", "add", "STORE4@other:104", "--device", "storescp", "--like", "STORE2", "--yes")
    assert addition.stderr == (
        "warning: STORE2 has no capabilities, so STORE4 gets no capabilities.\n"
        "warning: the connection dicom has the address localhost:11117. dcmcfg does not change this connection; STORE4 "
        "gets the new connection dicom-store4.\n"
    )
    there = stock_site.octets()
    assert {dn: there[dn] for dn in before} == before
    device = f"dicomDeviceName=storescp,{DEVICES}"
    assert there[f"cn=dicom-tls,{device}"] == {
        "objectclass": {b"dicomNetworkConnection", b"dcmNetworkConnection"},
        "cn": {b"dicom-tls"},
        "dicomhostname": {b"2001:db8::1"},
        "dicomport": {b"104"},
        "dicomtlsciphersuite": {b"TLS_RSA_WITH_AES_128_CBC_SHA", b"SSL_RSA_WITH_3DES_EDE_CBC_SHA"},
    }
    removal = run("ae", "remove", "STORESCP", "--dry-run")
    assert "warning: the connection dicom remains, because it is used by the AE STORE2.\n" in removal.stderr
    found = json.loads(run("connection", "list", "storescp", "--json").stdout)["connections"]
    assert [(each["name"], each["host"], len(each["used_by"])) for each in found] == [
        ("dicom", "localhost", 2),
        ("dicom-store4", "other", 1),
        ("dicom-tls", "2001:db8::1", 1),
    ]
    for title in ("STORE4", "STORE3", "STORE2"):
        assert run("ae", "remove", title, "--yes").exit_code == 0
    assert stock_site.octets() == before

    file = tmp_path / "capabilities"
    listed = run("capability", "list", "STORESCP", "--lines")
    file.write_text(listed.stdout)
    from_file = run("ae", "add", "WS1@ws1:104", "--capabilities", str(file), "--dry-run")
    assert f"{4 + len(listed.stdout.splitlines())} to add, in one transaction, if" in from_file.stdout


ROLES = {
    "workstation": ("WS1@ws1:104", "TRUE", ()),
    "modality": ("WS1@ws1", "FALSE", ()),
    "archive": ("WS1@ws1:104", "TRUE", ("ARCHIVE",)),
}


@pytest.mark.real
@pytest.mark.parametrize("role", ROLES)
def test_a_role_writes_what_it_writes_in_an_import(run: Run, site: CliSite, tmp_path: Path, role: str) -> None:
    before = site.octets()
    address, acceptor, types = ROLES[role]
    result = run("ae", "add", address, "--role", role.upper(), "--yes", "--no-reload")
    assert result.exit_code == 0, result.stderr
    assert site.values("dicomAssociationAcceptor", AE) == (acceptor,)
    assert site.values("dicomPrimaryDeviceType", DEVICE) == types
    assert site.values("dicomPort", f"cn=dicom,{DEVICE}") == (() if role == "modality" else ("104",))
    added = site.octets()
    again = run("ae", "add", address, "--role", role, "--yes")
    assert (again.exit_code, again.stderr) == (0, "")
    assert run("undo", "--yes", "--no-reload").exit_code == 0
    title, _, host_and_port = address.partition("@")
    host, _, port = host_and_port.partition(":")
    file = tmp_path / "new.csv"
    file.write_text(f"title,host,port,role\n{title},{host},{port},{role}\n")
    assert run("import", str(file), "--yes", "--no-reload").exit_code == 0
    assert site.octets() == added
    if role == "workstation":
        other = run("ae", "add", address, "--role", "modality", "--yes")
        assert (other.exit_code, "the AE has a different value of dicomAssociationAcceptor" in other.stderr) == (
            3,
            True,
        )
    assert run("undo", "--yes", "--no-reload").exit_code == 0
    assert site.octets() == before


@pytest.mark.real
def test_the_plan_says_that_a_modality_with_a_port_does_not_accept_associations(run: Run, stock_site: CliSite) -> None:
    modality = run("ae", "add", "CT9@ct9:104", "--role", "modality", "--dry-run").stdout
    assert "ct9:104; capabilities: any; does not accept associations  (" in modality
    assert "does not accept" not in run("ae", "add", "WS9@ws9:104", "--dry-run").stdout


def test_what_cannot_be_added_or_removed_is_told_and_nothing_changes(run: Run, stock_site: CliSite) -> None:
    before = stock_site.octets()
    cases = {
        ("add", "STORESCP@localhost:11117", "--device", "other"): (
            "dcmcfg: the title STORESCP is already used by an AE of the device storescp\n"
            "  next: to see that AE: dcmcfg show storescp/STORESCP\n"
        ),
        ("add", "storescp@localhost:11117"): (
            "dcmcfg: the device storescp exists and has the AE STORESCP\n"
            "  next: to add storescp to this device: --device storescp; to create another device: --device NAME\n"
        ),
        ("add", "WS1@other:104", "--device", "storescp", "--connection", "dicom"): (
            "dcmcfg: the connection dicom has the address localhost:11117, not other:104\n"
            "  next: to create a new connection: --connection NAME; to change this connection for all entries that "
            "use the connection: "
            "dcmcfg connection set storescp/dicom other:104\n"
        ),
        ("add", "*@other:104"): (
            "dcmcfg: the title '*' matches every AE title, so the archive cannot send to an AE with this title\n"
            "  next: specify a title other than '*'; to add an AE with the title '*', use an LDIF file: "
            "dcmcfg apply FILE\n"
        ),
        (
            "add",
            "WS1@h:104",
            "--like",
            "NOBODY",
        ): "dcmcfg: no AE has the title NOBODY\n  next: to list the AEs: dcmcfg ae list\n",
        ("remove", "storescp"): (
            "dcmcfg: the device storescp has no AE storescp\n  next: AE titles are case-sensitive: did you mean "
            "STORESCP?\n"
        ),
        ("remove", "STORESP"): "dcmcfg: no AE has the title STORESP\n  next: did you mean storescp/STORESCP?\n",
    }
    for arguments, message in cases.items():
        result = run("ae", *arguments, "--yes")
        assert (result.exit_code, result.stdout, result.stderr) == (3, "", message), arguments
    assert stock_site.octets() == before
    assert stock_site.archive.requests == []
    own = run("ae", "remove", "DCM4CHEE", "--dry-run")
    assert own.exit_code == 1, "the plan would be refused"
    assert "refers to the AE DCM4CHEE: dcmExternalRetrieveAEDestination is 'DCM4CHEE'" in own.stderr
    assert ARCHIVE_DN not in own.stdout.replace("\n ", "").split("dn: ")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["add"], "Missing argument 'AET@HOST:PORT'"),
        (["add", "WS1@host"], "'WS1@host': the port is missing"),
        (["add", "WS1@host", "--role", "archive"], "only --role modality requires no port"),
        (["add", "host", "--role", "modality"], "not the address of an AE"),
        (["add", "WS1@host:104", "--role", "modalty"], "'modalty' is not one of 'workstation', 'modality', 'archive'"),
        (["add", "WS1@host:0"], "not a TCP port"),
        (["add", "WS1@host:70000"], "not a TCP port"),
        (["add", "SEVENTEENLETTERSX@host:104"], "the title has 17 characters"),
        (["add", "WS1@a host:104"], "not a host name or IP address"),
        (["add", "WS1@h:1", "--cipher-suite", "AES128-SHA"], "use the Java name, such as TLS_RSA_WITH_AES_128_CBC_SHA"),
        (["add", "WS1@h:1", "--like", "A", "--capabilities", "storage-scp"], "cannot be used together"),
        (["add", "WS1@h:1", "--capabilities", "storage-spc"], "set --capabilities to"),
        (["remove"], "Missing argument"),
    ],
)
def test_usage_errors_exit_2_before_any_server_is_asked(run: Run, arguments: list[str], problem: str) -> None:
    result = run("ae", *arguments, "--ldap-url", f"ldap://127.0.0.1:{free_port()}")
    assert result.exit_code == 2
    assert problem in result.stderr


def test_what_refers_to_what_goes_is_told_as_data(run: Run, site: CliSite) -> None:
    dry = json.loads(run("ae", "remove", "LONGTERM", "--dry-run", "--json").stdout)
    to = f"dicomAETitle=LONGTERM,dicomDeviceName=longterm,{DEVICES}"
    exporter = f"dcmExporterID=LONGTERM,{ARCHIVE_DN}"
    assert dry["referrers"] == [
        {"dn": dn, "attribute": attribute, "value": value, "kind": "AE", "name": "LONGTERM", "target_dn": to}
        for dn, attribute, value in (
            (f"cn=Export to LONGTERM,{ARCHIVE_DN}", "dcmProperty", "SendingApplicationEntityTitle!=LONGTERM"),
            (exporter, "dcmURI", "dicom:LONGTERM"),
            (exporter, "dcmStgCmtSCP", "LONGTERM"),
            (f"dcmStorageID=fs1,{ARCHIVE_DN}", "dcmExternalRetrieveAET", "LONGTERM"),
        )
    ]
    assert len(dry["referrers"]) == sum("refers to the AE LONGTERM" in each for each in dry["warnings"])
    assert not any("no AE has the title" in each for each in dry["warnings"])
    assert len(set(dry["warnings"])) == len(dry["warnings"])
    assert (
        json.loads(run("device", "remove", "longterm", "--dry-run", "--json").stdout)["referrers"] == dry["referrers"]
    )
    assert run("ae", "add", "ALONE@far:104", "--yes").exit_code == 0
    assert json.loads(run("ae", "remove", "ALONE", "--dry-run", "--json").stdout)["referrers"] == []
    assert "referrers" not in json.loads(run("device", "create", "x", "--dry-run", "--json").stdout)
