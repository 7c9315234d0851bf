"""``dcmcfg device list``, ``ae list``, ``find``: the whole output on a real directory."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, NAME, CliSite

REGISTRY = "cn=Unique AE Titles Registry,cn=DICOM Configuration,dc=dcm4che,dc=org"

pytestmark = pytest.mark.real


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_what_the_site_has_is_listed_and_found(run: Run, site: CliSite) -> None:
    assert run("set", "AE:AS_RECEIVED", "dcmShareTransferCapabilitiesFromAETitle=DCM4CHEE", "--yes").exit_code == 0
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    assert run("set", "storescp", "dicomInstalled=FALSE", "--yes").exit_code == 0

    aes = run("ae", "list")
    assert (aes.exit_code, aes.stderr) == (0, "")
    assert lines(aes.stdout) == [
        " AE                 Device         Address           TLS   Installed   Capabilities",
        f" {'─' * 110}",
        " AS_RECEIVED        dcm4chee-arc   localhost:11112         yes         182 SCP, 174 SCU, shared from DCM4CHEE",
        "                                   localhost:2762    TLS",
        " DCM4CHEE           dcm4chee-arc   localhost:11112         yes         182 SCP, 174 SCU",
        "                                   localhost:2762    TLS",
        " IOCM_REGULAR_USE   dcm4chee-arc   localhost:11112         yes         10 SCP, 171 SCU, shared from "
        "AS_RECEIVED",
        "                                   localhost:2762    TLS",
        " WORKLIST           dcm4chee-arc   localhost:11112         yes         8 SCP, 2 SCU",
        "                                   localhost:2762    TLS",
        " LONGTERM           longterm       localhost:11119         yes         181 SCP, 1 SCU",
        " STORESCP           storescp       localhost:11115         no          171 SCP",
        " WORKSTATION        workstation    localhost:11117         yes         62 SCP, 10 SCU",
        "7 AEs",
    ]
    (only,) = json.loads(run("ae", "list", "--device", "storescp", "--json").stdout)["aes"]
    connection = {"host": "localhost", "port": 11115, "tls": False, "protocol": "DICOM", "installed": False}
    assert only == {
        "ae_title": "STORESCP",
        "device": "storescp",
        "dn": f"dicomAETitle=STORESCP,dicomDeviceName=storescp,{DEVICES}",
        "description": None,
        "installed": False,
        "connections": [connection],
        "capabilities": {"scp_count": 171, "scu_count": 0, "shared_from": None},
    }
    assert lines(run("ae", "list", "store*").stdout)[-1] == "1 AE"
    nowhere = run("ae", "list", "nowhere")
    assert (nowhere.exit_code, nowhere.stdout, nowhere.stderr) == (1, "0 AEs\n", "")
    misspelt = run("ae", "list", "STROESCP", "--json")
    assert (misspelt.exit_code, json.loads(misspelt.stdout)) == (1, {"aes": []})
    assert misspelt.stderr == "Did you mean STORESCP?\n"
    assert run("ae", "list", "nowhere", "--csv").exit_code == 1

    devices = run("device", "list", "1111?")
    assert (devices.exit_code, devices.stdout) == (1, "0 devices\n"), "a port is no name"
    assert run("device", "list", "lonterm").stderr == "Did you mean longterm?\n"
    assert lines(run("device", "list").stdout) == [
        " Device                   Address           TLS   Installed   AEs",
        f" {'─' * 107}",
        " dcm4chee-arc (archive)   localhost:11112         yes         AS_RECEIVED DCM4CHEE IOCM_REGULAR_USE WORKLIST",
        "                          localhost:2762    TLS",
        "                          localhost:2575",
        "                          localhost:12575   TLS",
        "                          localhost:8080",
        "                          localhost:8443    TLS",
        " longterm                 localhost:11119         yes         LONGTERM",
        " storescp                 localhost:11115         no          STORESCP",
        " workstation              localhost:11117         yes         WORKSTATION",
        "4 devices",
    ]
    devices = json.loads(run("device", "list", "STORE", "--json").stdout)["devices"]
    assert [each["ae_titles"] for each in devices] == [["STORESCP"]]

    found = run("find", "LONGTERM")
    assert (found.exit_code, found.stderr) == (0, "")
    assert [re.split(" {3,}", line.strip()) for line in lines(found.stdout)[2:]] == [
        ["cn=Export to LONGTERM,dicomDeviceName=dcm4chee-arc", "cn", "Export to LONGTERM"],
        ["dcmExporterID", "LONGTERM", "exporter dcm4chee-arc/LONGTERM"],
        ["dcmProperty", "SendingApplicationEntityTitle!=LONGTERM", "AE longterm/LONGTERM"],
        ["dcmExporterID=LONGTERM,dicomDeviceName=dcm4chee-arc", "dcmExporterID", "LONGTERM"],
        ["dcmURI", "dicom:LONGTERM", "AE longterm/LONGTERM"],
        ["dcmStgCmtSCP", "LONGTERM", "AE longterm/LONGTERM"],
        ["dcmStorageID=fs1,dicomDeviceName=dcm4chee-arc", "dcmExternalRetrieveAET", "LONGTERM", "AE longterm/LONGTERM"],
        ["dicomDeviceName=longterm", "dicomDeviceName", "longterm"],
        ["dicomAETitle=LONGTERM,dicomDeviceName=longterm", "dicomAETitle", "LONGTERM"],
        [f"dicomAETitle=LONGTERM,{REGISTRY}", "dicomAETitle", "LONGTERM"],
        ["10 values in 6 entries"],
    ]
    assert json.loads(run("find", NAME[:22].upper(), "--json").stdout) == {
        "text": NAME[:22].upper(),
        "hits": [{"dn": ARCHIVE_DN, "attribute": NAME, "value": "DCM4CHEE", "secret": False, "refers_to": None}],
    }
    nowhere = run("find", "geheim")
    assert (nowhere.exit_code, nowhere.stdout, nowhere.stderr) == (1, "0 values in 0 entries\n", "")
    assert run("find", "").exit_code == 2


MORE_VALUES = "(+N) stands for N more values. --wide shows all values."
LONG_DEVICE = "ct-radiology-building-020-siemens"
LONG_HOST = "ct-020.radiology.university-hospital.example.org"


def shown(*arguments: str, columns: int) -> list[str]:
    return at_terminal(arguments, (), columns=columns)[1].splitlines()


def test_at_a_terminal_each_item_has_one_line(run: Run, site: CliSite) -> None:
    added = run("ae", "add", f"CT_RAD_020@{LONG_HOST}:11132", "--device", LONG_DEVICE, "--yes")
    assert added.exit_code == 0, added.stderr
    assert shown("aes", columns=80) == [
        "",
        " AE                 Device             Address                           TLS",
        f" {'─' * 78}",
        " CT_RAD_020         ct-radiology-bu…   ct-020.radiology.uni….org:11132",
        " AS_RECEIVED        dcm4chee-arc       localhost:11112 (+1)              1 of 2",
        " DCM4CHEE           dcm4chee-arc       localhost:11112 (+1)              1 of 2",
        " IOCM_REGULAR_USE   dcm4chee-arc       localhost:11112 (+1)              1 of 2",
        " WORKLIST           dcm4chee-arc       localhost:11112 (+1)              1 of 2",
        " LONGTERM           longterm           localhost:11119",
        " STORESCP           storescp           localhost:11115",
        " WORKSTATION        workstation        localhost:11117",
        "",
        "Not shown: Installed, Capabilities. --wide shows all columns.",
        MORE_VALUES,
        "8 AEs",
    ]
    at_120 = shown("aes", columns=120)
    assert at_120[1:5] == [
        " AE                 Device                 Address                              TLS      "
        "Installed   Capabilities",
        f" {'─' * 117}",
        " CT_RAD_020         ct-radiology-buildi…   ct-020.radiology.univer….org:11132            yes         any",
        " AS_RECEIVED        dcm4chee-arc           localhost:11112 (+1)                 1 of 2   "
        "yes         10 SCP, 171 SCU",
    ]
    assert at_120[-3:] == ["Some values are shortened. --wide shows the full values.", MORE_VALUES, "8 AEs"]
    assert shown("devices", columns=80) == [
        "",
        " Device                              Address                      AEs",
        f" {'─' * 77}",
        " ct-radiology-building-020-siemens   ct-020.radiolog….org:11132   CT_RAD_020",
        " dcm4chee-arc (archive)              localhost:11112 (+5)         AS_RECEIVED…",
        " longterm                            localhost:11119              LONGTERM",
        " storescp                            localhost:11115              STORESCP",
        " workstation                         localhost:11117              WORKSTATION",
        "",
        "Not shown: TLS, Installed. --wide shows all columns.",
        MORE_VALUES,
        "5 devices",
    ]
    assert shown("connection", "list", LONG_DEVICE, columns=80) == [
        "",
        " Connection                           Address                        Used by",
        f" {'─' * 78}",
        " ct-radiology-building-0…mens/dicom   ct-020.radiology.….org:11132   CT_RAD_020",
        "",
        "Some values are shortened. --wide shows the full values.",
        "1 connection",
    ]
    assert shown("find", "CT_RAD_020", columns=80) == [
        "",
        " Entry                                                Attribute      Value",
        f" {'─' * 78}",
        " dicomAETitle=CT_RAD_020,dicomDeviceName…20-siemens   dicomAETitle   CT_RAD_020",
        " dicomAETitle=CT_RAD_020,cn=Unique AE Ti…che,dc=org   dicomAETitle   CT_RAD_020",
        "",
        "Some values are shortened. --wide shows the full values.",
        "2 values in 2 entries",
    ]
    assert shown("aes", "--wide", columns=80) == run("aes").stdout.splitlines()


def test_at_a_terminal_the_names_of_sop_classes_are_complete(run: Run, site: CliSite) -> None:
    name = "Breast Projection X-Ray Image Storage - For Presentation"
    capabilities = shown("capability", "list", "DCM4CHEE", columns=80)
    assert f" {name.ljust(70)}   SCP" in capabilities
    assert capabilities[-2:] == ["Not shown: UID, Transfer syntaxes. --wide shows all columns.", "356 capabilities"]
    missing = shown("capability", "diff", "DCM4CHEE", "STORESCP", columns=80)
    row = missing.index(" ~   Breast Projection X-Ray Image      SCP    JPEGBaseline8Bit")
    assert missing[row + 1] == "     Storage - For Presentation                JPEGExtended12Bit JPEGLossless"


def test_what_another_ae_lacks_has_a_sign_in_its_colour(run: Run, site: CliSite) -> None:
    arguments = ("capability", "diff", "DCM4CHEE", "STORESCP")
    plain, colored = (lines(run(*arguments, "--color", color).stdout) for color in ("never", "always"))
    signs = {line[1] for line in plain[2:-1]}
    assert signs == {"-", "~"}
    styles = {"-": "\x1b[31m", "~": "\x1b[33m"}
    assert [line[1:6] for line in colored[2:-1]] == [styles[line[1]] for line in plain[2:-1]]
    assert [re.sub(r"\x1b\[\d*m", "", line).rstrip() for line in colored] == plain
