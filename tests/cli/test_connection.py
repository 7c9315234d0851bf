"""``dcmcfg connection`` on the lab's tree."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import DEVICES, CliSite
from tests.ports import free_port

STORESCP = f"dicomDeviceName=storescp,{DEVICES}"
DICOM = f"cn=dicom,{STORESCP}"
MOVED = """\
  ~ connection storescp/dicom  (after the cache time PT5M, or reload)
      ~ dicomHostname: localhost → ws1.example.org
      ~ dicomPort: 11117 → 104
To show the LDIF, use --show-ldif. To save the LDIF, use --output FILE.
1 to change, in one change
Applied in one change.
To revert it: dcmcfg undo 1
The archive has reloaded (204). dcmcfg cannot confirm this change: no service of the archive returns the changed values.
"""


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


@pytest.mark.real
def test_the_life_of_a_connection(run: Run, stock_site: CliSite) -> None:
    before = stock_site.octets()
    result = run("connection", "set", "storescp", "ws1.example.org:104", "--yes")
    assert lines(result.stdout) == [stock_site.headline, *lines(MOVED)]
    assert (result.exit_code, result.stderr) == (0, "")
    port = run("connection", "set", "storescp", ":105", "--yes")
    assert (port.exit_code, port.stderr) == (0, "")
    values = stock_site.octets()[f"cn=dicom,{STORESCP}"]
    assert values["dicomhostname"] | values["dicomport"] == {b"ws1.example.org", b"105"}
    for number in ("2", "1"):
        assert run("undo", number, "--yes").exit_code == 0
    assert stock_site.octets() == before

    added = run("connection", "add", "storescp/dicom-tls", "ws1:2762", "--tls", "--bind-address", "127.0.0.1", "--yes")
    assert (added.exit_code, added.stderr) == (0, "")
    assert stock_site.octets()[f"cn=dicom-tls,{STORESCP}"]["dcmbindaddress"] == {b"127.0.0.1"}
    plain = run("connection", "set", "storescp/dicom-tls", "--no-tls", "--bind-address", "", "--yes")
    assert (plain.exit_code, plain.stderr) == (0, "")
    assert stock_site.octets()[f"cn=dicom-tls,{STORESCP}"].keys() == {"objectclass", "cn", "dicomhostname", "dicomport"}

    refused = run("connection", "remove", "storescp/dicom", "--yes")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert refused.stderr == (
        "dcmcfg: the connection dicom of storescp is used by the AE STORESCP; without the connection, the archive "
        "would not load the device\n  next: to also remove the reference to the connection from each of these entries: "
        "--detach (only if the entry has another connection); to give an AE another connection: dcmcfg connection add "
        "storescp/NAME HOST:PORT --ae AET\n"
    )
    which = run("connection", "remove", "storescp", "--yes")
    assert which.stderr == (
        "dcmcfg: the device storescp has several connections\n  next: specify one of storescp/dicom, "
        "storescp/dicom-tls\n"
    )
    listed = run("connection", "list", "storescp")
    assert lines(listed.stdout) == [
        " Connection           Address           TLS   Protocol   Used by    Cipher suites",
        " " + "─" * 80,
        " storescp/dicom       localhost:11117                    STORESCP",
        " storescp/dicom-tls   ws1:2762                           none",
        "2 connections",
    ]
    assert run("connection", "remove", "storescp/dicom-tls", "--yes").exit_code == 0
    assert stock_site.octets() == before
    every = json.loads(run("connection", "list", "--json").stdout)["connections"]
    assert {each["protocol"] for each in every} == {"DICOM", "HL7", "HTTP", "SYSLOG_TLS", "SYSLOG_UDP"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["set", "storescp"], "Specify HOST:PORT, or an option that changes the connection"),
        (["set", "storescp", "h:0"], "not a TCP port"),
        (["set", "storescp", "a b"], "not a host name"),
        (["set", "storescp", "--no-tls", "--cipher-suite", "TLS_A_B"], "cannot be used together"),
        (["set", "storescp", "--protocol", "dicom"], "'dicom' is not one of"),
        (["add", "storescp/x", "::1:104"], "an IPv6 address requires brackets"),
        (["add", "storescp/x"], "Missing argument 'HOST[:PORT]'"),
    ],
)
def test_usage_errors_exit_2_before_any_server_is_asked(run: Run, arguments: list[str], problem: str) -> None:
    result = run("connection", *arguments, "--ldap-url", f"ldap://127.0.0.1:{free_port()}")
    assert result.exit_code == 2
    assert problem in result.stderr


@pytest.mark.real
def test_show_prints_one_connection_with_all_that_is_set(run: Run, stock_site: CliSite) -> None:
    changed = run(
        "set",
        DICOM,
        "dicomTLSCipherSuite=TLS_RSA_WITH_AES_128_CBC_SHA",
        "dcmTLSProtocol=TLSv1.2",
        "dcmTLSProtocol=TLSv1.3",
        "dcmIdleTimeout=60000",
        "--yes",
        "--no-reload",
    )
    assert changed.exit_code == 0, changed.stderr
    for target in ("storescp", "StoreSCP/dicom", "storescp/STORESCP"):
        result = run("connection", "show", target)
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == (
            "storescp/dicom\n"
            f"  DN:               {DICOM}\n"
            "  Address:          localhost:11117\n"
            "  Protocol:         DICOM\n"
            "  Installed:        yes\n"
            "  TLS:              TLSv1.2, TLSv1.3\n"
            "  Cipher suites:    TLS_RSA_WITH_AES_128_CBC_SHA\n"
            "  Used by:          storescp/STORESCP\n"
            "  Other attributes: dcmIdleTimeout=60000\n"
        )
    listed = json.loads(run("connection", "list", "storescp", "--json").stdout)["connections"][0]
    assert json.loads(run("connection", "show", "storescp", "--json").stdout) == {
        **listed,
        "tls_versions": ["TLSv1.2", "TLSv1.3"],
        "other_attributes": {"dcmIdleTimeout": ["60000"]},
    }
    for target, problem in (
        ("dcm4chee-arc", "the device dcm4chee-arc has several connections"),
        ("storescp/dicm", "the device storescp has no connection dicm"),
        ("storscp", "the device storscp does not exist"),
    ):
        refused = run("connection", "show", target)
        assert (refused.exit_code, refused.stdout) == (3, "")
        assert refused.stderr.startswith(f"dcmcfg: {problem}\n  next: ")
