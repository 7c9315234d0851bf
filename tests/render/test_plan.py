"""A plan as it is printed: whole outputs at 80 and 120 columns, without a terminal, in colours."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.render.plan import print_plan
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.render.terminal.styles import ColorMode, override_color_mode
from tests.trees import ARCHIVE, BASE, DEVICES, STORESCP, connection, network_ae, site

BELOW = f"dicomAETitle=STORESCP,{STORESCP}"
VIEWER = f"dicomDeviceName=viewer,{DEVICES}"
HOST = "viewer-7.radiology.university-hospital.example.org"
DESCRIPTION = '"Viewer of the emergency ward"'
HINT = "To show the LDIF, use --show-ldif. To save the LDIF, use --output FILE."


def capability(number: int, below: str = BELOW, role: str = "SCP") -> Entry:
    values = {"objectClass": "dicomTransferCapability", "cn": f"c{number} {role}", "dicomTransferRole": role}
    more = {"dicomSOPClass": f"1.2.{number}", "dicomTransferSyntax": "1.2.840.10008.1.2"}
    return Entry.from_values(f"cn=c{number} {role},{below}", values | more)


def printed(
    changes: list[Change], *before: Entry, width: int | None = None, show_ldif: bool = False, color: bool = False
) -> list[str]:
    tree = site().with_changes(Add(entry) for entry in before)
    plan = make_plan(tree, [DesiredChange(change) for change in changes])
    mode = ColorMode.ALWAYS if color else ColorMode.AUTO
    with pytest.MonkeyPatch.context() as patch, override_color_mode(mode):
        patch.setenv("COLUMNS", str(width)) if width else patch.delenv("COLUMNS", raising=False)
        console = make_stdout_console()
        with console.capture() as captured:
            print_plan(console, plan, show_ldif=show_ldif)
    return captured.get().splitlines()


def make_viewer() -> list[Change]:
    """A device with an AE over TLS that has 12 capabilities."""
    device = {"objectClass": "dicomDevice", "dicomDeviceName": "viewer", "dicomDescription": "HP workstation"}
    address = {"dicomHostname": HOST, "dicomTLSCipherSuite": "TLS_RSA_WITH_AES_128_CBC_SHA"}
    ae = network_ae(VIEWER, "VIEWER", dicomDescription="Viewer of the emergency ward")
    scps = [capability(number, str(ae.dn)) for number in range(10)]
    scus = [capability(number, str(ae.dn), "SCU") for number in range(2)]
    entries = (Entry.from_values(VIEWER, device), connection(VIEWER, "11112", **address), ae, *scps, *scus)
    return [Add(entry) for entry in entries]


def modify(dn: str, *modifications: tuple[Operation, str, tuple[str, ...]]) -> Modify:
    encoded = (
        Modification(operation, name, tuple(map(str.encode, values))) for operation, name, values in modifications
    )
    return Modify(DN.parse(dn), tuple(encoded))


def test_an_added_ae_is_summarized_in_one_line() -> None:
    assert printed(make_viewer()) == [
        "",
        '  + device viewer: "HP workstation"  (reload)',
        f"  + connection viewer/dicom: {HOST}:11112 TLS  (reload)",
        f"  + AE viewer/VIEWER: {HOST}:11112 TLS; capabilities: 10 SCP, 2 SCU; {DESCRIPTION}  (reload)",
        "",
        HINT,
    ]


def test_an_added_entry_with_several_names_is_called_by_that_in_its_dn() -> None:
    values = {"objectClass": "dcmExporter", "dcmExporterID": "PACS3", "dcmURI": "dicom:STORESCP"}
    assert printed([Add(Entry.from_values(f"dcmExporterID=PACS2,{ARCHIVE}", values))])[1] == (
        "  + exporter dcm4chee-arc/PACS2: 3 attributes  (reload)"
    )


def test_at_80_columns_lines_are_wrapped_between_words() -> None:
    assert printed(make_viewer(), width=80) == [
        "",
        '  + device viewer: "HP workstation"  (reload)',
        "  + connection viewer/dicom:",
        f"      {HOST}:11112 TLS  (reload)",
        f"  + AE viewer/VIEWER: {HOST}:11112",
        '      TLS; capabilities: 10 SCP, 2 SCU; "Viewer of the emergency ward"  (reload)',
        "",
        HINT,
    ]


def test_at_120_columns_fewer_lines_are_wrapped() -> None:
    assert printed(make_viewer(), width=120) == [
        "",
        '  + device viewer: "HP workstation"  (reload)',
        f"  + connection viewer/dicom: {HOST}:11112 TLS  (reload)",
        f"  + AE viewer/VIEWER: {HOST}:11112 TLS; capabilities: 10 SCP, 2 SCU;",
        '      "Viewer of the emergency ward"  (reload)',
        "",
        HINT,
    ]


def test_removed_entries_are_described_like_added_ones() -> None:
    entries = [change.entry for change in make_viewer() if isinstance(change, Add)]
    assert printed([Delete(entry.dn) for entry in reversed(entries)], *entries) == [
        "",
        f"  - AE viewer/VIEWER: {HOST}:11112 TLS; capabilities: 10 SCP, 2 SCU; {DESCRIPTION}  (reload)",
        f"  - connection viewer/dicom: {HOST}:11112 TLS  (reload)",
        '  - device viewer: "HP workstation"  (reload)',
        "",
        HINT,
    ]


CHANGES: list[Change] = [
    modify(
        ARCHIVE,
        (Operation.REPLACE, "dcmFuzzyAlgorithmClass", ("org.dcm4che3.soundex.Metaphone",)),
        (Operation.ADD, "dicomDescription", ("Archive",)),
        (Operation.ADD, "dcmKeyStorePin", ("geheim",)),
        (Operation.ADD, "dcmProperty", tuple(f"k{number}=v" for number in range(9))),
        (Operation.DELETE, "dicomInstalled", ()),
    )
]


def test_each_attribute_of_a_changed_entry_has_old_and_new_values() -> None:
    """No secret is shown, and of many values the first."""
    assert printed(CHANGES) == [
        "",
        "  ~ device dcm4chee-arc  (reload · restart)",
        "      ~ dcmFuzzyAlgorithmClass: org.dcm4che3.soundex.ESoundex → org.dcm4che3.soundex.Metaphone",
        "      + dcmKeyStorePin: (secret)",
        "      + dcmProperty",
        *(f"          + k{number}=v" for number in range(5)),
        "          + … and 4 more",
        "      + dicomDescription: Archive",
        "      - dicomInstalled: TRUE",
        "",
        HINT,
    ]


def test_added_is_green_removed_red_and_changed_yellow() -> None:
    assert printed(CHANGES, color=True)[1:7] == [
        "\x1b[33m  ~ \x1b[0mdevice dcm4chee-arc\x1b[2m  (reload · restart)\x1b[0m",
        "\x1b[33m      ~ \x1b[0mdcmFuzzyAlgorithmClass: org.dcm4che3.soundex.ESoundex → org.dcm4che3.soundex.Metaphone",
        "\x1b[32m      + \x1b[0m\x1b[32mdcmKeyStorePin: (secret)\x1b[0m",
        "\x1b[32m      + \x1b[0m\x1b[32mdcmProperty\x1b[0m",
        "\x1b[32m          + \x1b[0m\x1b[32mk0=v\x1b[0m",
        "\x1b[32m          + \x1b[0m\x1b[32mk1=v\x1b[0m",
    ]
    assert printed(CHANGES, color=True)[12] == "\x1b[31m      - \x1b[0m\x1b[31mdicomInstalled: TRUE\x1b[0m"
    assert not [line for line in printed(CHANGES) if "\x1b" in line]


def test_several_values_have_their_own_signs() -> None:
    changes: list[Change] = [
        modify(BELOW, (Operation.ADD, "dcmOtherAETitle", ("X", "Y")), (Operation.DELETE, "dcmOtherAETitle", ("A",))),
        modify(STORESCP, (Operation.ADD, "objectClass", ("dcmDevice",))),
        modify(STORESCP, (Operation.REPLACE, "dicomPrimaryDeviceType", ("CT", "MR"))),
    ]
    tree_change = modify(BELOW, (Operation.ADD, "dcmOtherAETitle", ("A", "B")))
    tree = site().with_changes([tree_change, modify(STORESCP, (Operation.ADD, "dicomPrimaryDeviceType", ("MR", "CT")))])
    console = make_stdout_console()
    with console.capture() as captured:
        print_plan(console, make_plan(tree, [DesiredChange(change) for change in changes[:2]]), show_short_ldif=False)
    assert captured.get().splitlines() == [
        "",
        "  ~ AE storescp/STORESCP  (reload)",
        "      ~ dcmOtherAETitle",
        "          - A",
        "          + X",
        "          + Y",
        "  ~ device storescp  (reload)",
        "      ~ objectClass: + dcmDevice",
        "",
        HINT,
    ]


def test_a_rename_shows_both_names() -> None:
    changes: list[Change] = [
        Rename(DN.parse(BELOW), RDN.of("dicomAETitle", "STORE2")),
        Rename(DN.parse(f"cn=dicom,{STORESCP}"), RDN.of("cn", "plain"), new_superior=DN.parse(ARCHIVE)),
    ]
    assert printed(changes)[:4] == [
        "",
        "  ~ AE storescp/STORESCP → AE storescp/STORE2  (reload)",
        "  ~ connection storescp/dicom → connection dcm4chee-arc/plain  (reload)",
        "",
    ]


def test_capabilities_of_an_existing_ae_are_counted_or_listed_if_few() -> None:
    changes: list[Change] = [Add(capability(number)) for number in range(170)]
    assert printed([*changes, Add(connection(STORESCP, "104", name="more"))]) == [
        "",
        "  + 170 capabilities of AE storescp/STORESCP: 170 SCP  (reload)",
        "  + connection storescp/more: localhost:104  (reload)",
        "",
        HINT,
    ]
    assert printed(changes[:3])[1:4] == [
        f"  + capability c{number} SCP of AE storescp/STORESCP: 1 transfer syntax  (reload)" for number in range(3)
    ]
    entries = [capability(number) for number in range(20)]
    assert printed([Delete(entry.dn) for entry in entries], *entries)[1] == (
        "  - 20 capabilities of AE storescp/STORESCP: 20 SCP  (reload)"
    )


def test_capabilities_of_an_ae_that_is_renamed_in_the_same_plan_are_counted() -> None:
    rename = Rename(DN.parse(BELOW), RDN.of("dicomAETitle", "STORE2"))
    renamed = f"dicomAETitle=STORE2,{STORESCP}"
    assert printed([rename, *(Add(capability(number, renamed)) for number in range(9))])[1:4] == [
        "  ~ AE storescp/STORESCP → AE storescp/STORE2  (reload)",
        "  + 9 capabilities of AE storescp/STORE2: 9 SCP  (reload)",
        "",
    ]


def test_the_first_of_many_similar_entries_are_shown() -> None:
    queues = [
        Entry.from_values(f"dcmQueueName=q{n},{ARCHIVE}", {"objectClass": "dcmQueue", "dcmQueueName": f"q{n}"})
        for n in range(9)
    ]
    assert printed([Add(queue) for queue in queues]) == [
        "",
        *(f"  + queue dcm4chee-arc/q{number}: 2 attributes  (reload)" for number in range(3)),
        "  + … and 6 more below dicomDeviceName=dcm4chee-arc  (reload)",
        "",
        HINT,
    ]
    assert len(printed([Add(queue) for queue in queues[:6]])) == 6 + 3


def test_the_first_of_many_different_entries_are_shown() -> None:
    parents = [connection(STORESCP, "104", name=f"p{number}") for number in range(45)]
    below = [Delete(entry.dn.child("cn", "below")) for entry in parents]
    children = [Entry.from_values(each.dn, {"objectClass": "top", "cn": "below"}) for each in below]
    lines = printed(list(below), *parents, *children)
    assert lines[1] == "  - cn=below,cn=p0,dicomDeviceName=storescp: 2 attributes  (reload)"
    assert lines[-3:] == ["", "… and 5 more steps", HINT]
    assert len(lines) == 40 + 4


def test_an_entry_outside_the_devices_is_shown_by_its_dn() -> None:
    entry = Entry.from_values(f"ou=people,{BASE}", {"objectClass": "organizationalUnit", "ou": "people"})
    assert printed([Add(entry)])[1] == f"  + ou=people,{BASE}: 2 attributes  (at once)"


@pytest.mark.parametrize(("count", "is_shown"), [(7, True), (8, False)])
def test_ldif_of_up_to_12_lines_is_shown(count: int, is_shown: bool) -> None:
    """Two lines of name, one of the change's type, the attribute, its values, and the end of the modification."""
    change = modify(ARCHIVE, (Operation.ADD, "dcmProperty", tuple(f"k{number}=v" for number in range(count))))
    lines = printed([change])
    ldif = [
        "dn: dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4ch",
        " e,dc=org",
        "changetype: modify",
        "add: dcmProperty",
        *(f"dcmProperty: k{number}=v" for number in range(count)),
        "-",
        "",
    ]
    summary_end = lines.index("", 1)
    assert lines[summary_end + 1 :] == (ldif if is_shown else [HINT])
    assert printed([change], show_ldif=True)[summary_end + 1 :] == ldif


def test_ldif_is_coloured_by_operation() -> None:
    lines = printed(CHANGES, show_ldif=True, color=True)
    ldif = lines[lines.index("", 1) + 1 :]
    green, red, yellow, end = "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
    assert "geheim" not in "".join(lines)
    assert ldif[:4] == [
        "# secret value omitted: dcmKeyStorePin",
        "dn: dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4ch",
        " e,dc=org",
        "changetype: modify",
    ]
    assert {line for line in ldif if "\x1b" not in line} == {*ldif[:4], "-", ""}
    assert f"{green}dicomDescription: Archive{end}" in ldif
    assert f"{red}dicomInstalled: TRUE{end}" in ldif or f"{red}delete: dicomInstalled{end}" in ldif
    renamed = printed([Rename(DN.parse(BELOW), RDN.of("dicomAETitle", "STORE2"))], color=True)
    assert f"{yellow}newrdn: dicomAETitle=STORE2{end}" in renamed
    deleted = printed([Delete(DN.parse(f"cn=c0 SCP,{BELOW}"))], capability(0), color=True)
    assert deleted[-2:] == [f"{red}changetype: delete{end}", ""]
