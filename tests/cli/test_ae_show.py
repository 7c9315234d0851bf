"""``dcmcfg ae show`` and ``dcmcfg device show``: the whole output on a real directory."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, CliSite

pytestmark = pytest.mark.real

WORKSTATION_DN = f"dicomAETitle=WORKSTATION,dicomDeviceName=workstation,{DEVICES}"


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_an_ae_is_shown_with_what_it_accepts_and_who_refers_to_it(run: Run, site: CliSite) -> None:
    changed = run(
        "ae",
        "set",
        "WORKSTATION",
        "dcmOtherAETitle=WS",
        "dcmAcceptedCallingAETitle=DCM4CHEE",
        "dcmAcceptedCallingAETitle=LONGTERM",
        "dicomDescription=Room 3",
        "dicomAssociationInitiator=FALSE",
        "--yes",
        "--no-reload",
    )
    assert changed.exit_code == 0, changed.stderr
    assert run("set", "AE:DCM4CHEE", "dcmAcceptedMoveDestination+=WORKSTATION", "--yes").exit_code == 0
    result = run("ae", "show", "WORKSTATION")
    assert (result.exit_code, result.stderr) == (0, "")
    (listed,) = json.loads(run("ae", "list", "WORKSTATION", "--json").stdout)["aes"]
    port, counts = listed["connections"][0]["port"], listed["capabilities"]
    assert lines(result.stdout) == [
        "workstation/WORKSTATION",
        f"  DN:               {WORKSTATION_DN}",
        "  Description:      Room 3",
        "  Device:           workstation",
        "  Installed:        yes",
        "  Title registered: yes",
        "  Role:             workstation",
        "  Associations:     accepts",
        "  Other titles:     WS",
        f"  Connections:      dicom: localhost:{port}",
        "  Accepted callers: DCM4CHEE",
        "                    LONGTERM",
        f"  Capabilities:     {counts['scp_count']} SCP, {counts['scu_count']} SCU",
        f" Referring entry{' ' * 65}Attribute{' ' * 20}Value",
        f" {'─' * 120}",
        " dcmuiAetListName=reading,dcmuiConfigName=default,dicomDeviceName=dcm4chee-arc   dcmuiAets                    "
        "WORKSTATION",
        f" dicomAETitle=DCM4CHEE,dicomDeviceName=dcm4chee-arc{' ' * 30}dcmAcceptedMoveDestination   WORKSTATION",
        "2 references to WORKSTATION",
    ]
    shown = json.loads(run("ae", "show", "workstation/WORKSTATION", "--json").stdout)
    ui_list, destination = shown.pop("references")
    assert (ui_list["attribute"], destination) == (
        "dcmuiAets",
        {
            "dn": f"dicomAETitle=DCM4CHEE,{ARCHIVE_DN}",
            "attribute": "dcmAcceptedMoveDestination",
            "value": "WORKSTATION",
        },
    )
    assert shown == {
        **listed,
        "role": "workstation",
        "registered": True,
        "other_ae_titles": ["WS"],
        "accepts_associations": True,
        "initiates_associations": False,
        "accepted_callers": ["DCM4CHEE", "LONGTERM"],
        "settings": {},
    }


def test_an_ae_of_the_archive_is_shown_with_the_retrieve_settings_in_force(run: Run, site: CliSite) -> None:
    assert run("set", "dcm4chee-arc", "dicomInstalled=FALSE", "--yes", "--force-archive-device").exit_code == 0
    result = run("ae", "show", "WORKLIST", "--device", "dcm4chee-arc")
    shown = lines(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert shown[0] == "dcm4chee-arc/WORKLIST"
    assert "  Device:           dcm4chee-arc (archive)" in shown
    assert "  Installed:        no (the device is not installed)" in shown
    assert [" ".join(line.split()) for line in shown if "dcmSendPendingCMoveInterval" in line] == [
        "dcmSendPendingCMoveInterval PT5S device"
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("ae", "show", "STORSCP"), "no AE has the title STORSCP\n  next: did you mean storescp/STORESCP?\n"),
        (
            ("ae", "show", "storescp"),
            "the device storescp has no AE storescp\n  next: AE titles are case-sensitive: did you mean STORESCP?\n",
        ),
        (
            ("ae", "show", "STORESCP", "--device", "longterm"),
            "the device longterm has no AE STORESCP\n  next: AEs of this device: LONGTERM\n",
        ),
        (("device", "show", "STORESCP/STORESCP"), "the device STORESCP/STORESCP does not exist\n"),
        (("device", "show", "LONGTERN"), "the device LONGTERN does not exist\n  next: existing devices: "),
    ],
)
def test_what_is_not_there_is_an_error_with_similar_names(
    run: Run, site: CliSite, arguments: tuple[str, ...], problem: str
) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(f"dcmcfg: {problem}"), result.stderr


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_device_show_is_show_for_a_device(run: Run, site: CliSite, more: tuple[str, ...]) -> None:
    for name in ((), ("StoreSCP",)):
        result = run("device", "show", *name, *more)
        assert (result.exit_code, result.stdout) == (0, run("show", *name, *more).stdout)
    assert run("device", "show", "--device", "longterm").stdout.startswith("longterm\n")
