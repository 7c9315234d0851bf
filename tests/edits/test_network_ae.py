"""The intent to add a network AE: the entries that dcmldap is documented to write, and where we do otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.changes import Add, Delete
from dcmcfg.dn import DN
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.network_ae import NetworkAEAdder, NewNetworkAE, add_network_ae
from dcmcfg.edits.transfer_capability import TransferCapability
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput, NotFound, Refused
from dcmcfg.ldif.writer import format_entry
from dcmcfg.lint.linter import lint
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, make_plan
from tests.lint.breaking import NOW, REGISTRY, STORESCP_DEVICE, more, put, valid_tree
from tests.trees import BASE, DEVICES, tree

WS1 = NewNetworkAE("WS1", "ws1.example.org", 104)
CT = TransferCapability("CT Image Storage SCP", "1.2.840.10008.5.1.4.1.1.2", "SCP", ("1.2.840.10008.1.2",))


def add(new: NewNetworkAE, tree_before: Tree | None = None) -> Edit:
    return add_network_ae(Configuration(tree_before or valid_tree()), new)


def text_of(edit: Edit) -> str:
    """What is added, as LDIF whose DNs leave out the configuration root."""
    found = "".join(format_entry(change.entry) for change in edit.changes if isinstance(change, Add))
    return found.replace("\n ", "").replace(",cn=DICOM Configuration,dc=dcm4che,dc=org", "")


def after(edit: Edit, tree_before: Tree | None = None) -> Tree:
    return make_plan(tree_before or valid_tree(), [DesiredChange(change) for change in edit.changes]).after


def test_the_entries_are_those_that_dcmldap_writes_in_its_order() -> None:
    """DcmLdap -c: registry, device, connection, AE; no dicomInstalled on AE and connection, no default values."""
    edit = add(WS1)
    assert edit.warnings == ()
    assert text_of(edit) == (
        "dn: dicomAETitle=WS1,cn=Unique AE Titles Registry\n"
        "objectClass: dicomUniqueAETitle\n"
        "dicomAETitle: WS1\n"
        "\n"
        "dn: dicomDeviceName=ws1,cn=Devices\n"
        "objectClass: dicomDevice\n"
        "objectClass: dcmDevice\n"
        "dicomDeviceName: ws1\n"
        "dicomInstalled: TRUE\n"
        "\n"
        "dn: cn=dicom,dicomDeviceName=ws1,cn=Devices\n"
        "objectClass: dicomNetworkConnection\n"
        "objectClass: dcmNetworkConnection\n"
        "cn: dicom\n"
        "dicomHostname: ws1.example.org\n"
        "dicomPort: 104\n"
        "\n"
        "dn: dicomAETitle=WS1,dicomDeviceName=ws1,cn=Devices\n"
        "objectClass: dicomNetworkAE\n"
        "objectClass: dcmNetworkAE\n"
        "dicomAETitle: WS1\n"
        "dicomNetworkConnectionReference: cn=dicom,dicomDeviceName=ws1,cn=Devices\n"
        "dicomAssociationInitiator: TRUE\n"
        "dicomAssociationAcceptor: TRUE\n"
        "\n"
    )


def test_descriptions_tls_and_capabilities_are_written_where_they_belong() -> None:
    suites = ("TLS_RSA_WITH_AES_128_CBC_SHA", "SSL_RSA_WITH_3DES_EDE_CBC_SHA")
    new = replace(
        WS1, cipher_suites=suites, description="Room 3", device_description="Reading room", capabilities=(CT,)
    )
    _, device, connection, ae, capability = (change.entry for change in add(new).changes if isinstance(change, Add))
    assert device.text("dicomDescription") == "Reading room"
    assert str(connection.dn.rdn) == "cn=dicom-tls"
    assert connection.texts("dicomTLSCipherSuite") == suites
    assert ae.text("dicomDescription") == "Room 3"
    assert ae.texts("dicomNetworkConnectionReference") == (str(connection.dn),)
    assert capability == Entry.from_values(
        f"cn=CT Image Storage SCP,dicomAETitle=WS1,dicomDeviceName=ws1,{DEVICES}",
        {
            "objectClass": ("dicomTransferCapability", "dcmTransferCapability"),
            "cn": "CT Image Storage SCP",
            "dicomSOPClass": "1.2.840.10008.5.1.4.1.1.2",
            "dicomTransferRole": "SCP",
            "dicomTransferSyntax": "1.2.840.10008.1.2",
        },
    )


def test_containers_that_are_missing_are_made_first() -> None:
    root = f"cn=DICOM Configuration,{BASE}"
    bare = tree(
        Entry.from_values(BASE, {"objectClass": ("organization", "dcObject"), "o": "dcm4che.org", "dc": "dcm4che"}),
        Entry.from_values(root, {"objectClass": "dicomConfigurationRoot", "cn": "DICOM Configuration"}),
    )
    additions = NetworkAEAdder(Configuration(bare))
    first = additions.add(WS1)
    assert [str(change.dn.rdn) for change in first.changes] == [
        "cn=Unique AE Titles Registry",
        "cn=Devices",
        "dicomAETitle=WS1",
        "dicomDeviceName=ws1",
        "cn=dicom",
        "dicomAETitle=WS1",
    ]
    second = additions.add(replace(WS1, title="WS2"))
    assert len(second.changes) == 4, "the containers are there by then"
    assert lint(after(Edit(first.changes + second.changes), bare), NOW) == lint(bare, NOW)


def test_without_a_configuration_root_nothing_is_added() -> None:
    with pytest.raises(NotFound, match="no DICOM configuration"):
        add(WS1, tree(Entry.from_values(BASE, {"objectClass": "organization", "o": "x"})))


def test_an_equal_connection_is_shared() -> None:
    edit = add(NewNetworkAE("STORE2", "127.0.0.1", 11119, device="storescp"))
    assert edit.warnings == ()
    assert [str(change.dn.rdn) for change in edit.changes] == ["dicomAETitle=STORE2", "dicomAETitle=STORE2"]
    ae = after(edit).get(DN.parse(f"dicomAETitle=STORE2,{STORESCP_DEVICE}"))
    assert ae is not None
    assert ae.texts("dicomNetworkConnectionReference") == (f"cn=dicom,{STORESCP_DEVICE}",)


def test_a_connection_that_leads_elsewhere_is_never_re_pointed() -> None:
    before = valid_tree()
    edit = add(NewNetworkAE("STORE2", "other", 104, device="storescp"))
    assert edit.warnings == (
        "the connection dicom has the address 127.0.0.1:11117. dcmcfg does not change this connection; STORE2 gets "
        "the new connection dicom-store2.",
    ) or edit.warnings == (
        "the connection dicom has the address 127.0.0.1:11119. dcmcfg does not change this connection; STORE2 gets "
        "the new connection dicom-store2.",
    )
    connection_dn = DN.parse(f"cn=dicom,{STORESCP_DEVICE}")
    assert after(edit).get(connection_dn) == before.get(connection_dn)
    ae = after(edit).get(DN.parse(f"dicomAETitle=STORE2,{STORESCP_DEVICE}"))
    assert ae is not None
    assert ae.texts("dicomNetworkConnectionReference") == (f"cn=dicom-store2,{STORESCP_DEVICE}",)


def test_a_connection_by_name_is_shared_made_or_refused() -> None:
    new = NewNetworkAE("STORE2", "127.0.0.1", 11119, device="storescp", connection="dicom")
    assert len(add(new).changes) == 2
    own = add(replace(new, connection="dicom-2"))
    assert [str(change.dn.rdn) for change in own.changes][1] == "cn=dicom-2"
    with pytest.raises(Refused) as refused:
        add(replace(new, port=104))
    assert str(refused.value) == (
        "the connection dicom has the address 127.0.0.1:11119, not 127.0.0.1:104 — to create a new connection: "
        "--connection NAME; to change this connection for all entries that use the connection: dcmcfg connection set "
        "storescp/dicom 127.0.0.1:104"
    )


def test_tls_and_plain_are_not_shared_and_other_suites_are_told() -> None:
    dicom = f"cn=dicom,{STORESCP_DEVICE}"
    secured = valid_tree().with_changes(
        [more(dicom, "dicomTLSCipherSuite", "A"), more(dicom, "dicomTLSCipherSuite", "B")]
    )
    plain = NewNetworkAE("STORE2", "127.0.0.1", 11119, device="storescp")
    assert "cn=dicom-store2" in [str(change.dn.rdn) for change in add(plain, secured).changes]
    with_tls = add(replace(plain, cipher_suites=("B",)), secured)
    assert len(with_tls.changes) == 2
    assert with_tls.warnings == (
        "the archive offers none of the specified cipher suites, so TLS connections will fail.",
        "STORE2 uses an existing connection: dicom has the address 127.0.0.1:11119 with TLS. dcmcfg does not change "
        "the cipher suites of this connection: A, B.",
    )


def test_a_connection_that_is_not_installed_or_of_another_protocol_is_not_shared() -> None:
    plain = NewNetworkAE("STORE2", "127.0.0.1", 11119, device="storescp")
    for attribute, value in (("dicomInstalled", "FALSE"), ("dcmProtocol", "HL7")):
        tree_before = valid_tree().with_changes([put(f"cn=dicom,{STORESCP_DEVICE}", **{attribute: value})])
        assert "cn=dicom-store2" in [str(change.dn.rdn) for change in add(plain, tree_before).changes]


def test_what_is_there_already_counts_as_done() -> None:
    tree_before = after(add(replace(WS1, description="Room 3", capabilities=(CT,))))
    for again in (WS1, replace(WS1, description="Room 3", capabilities=(CT,)), replace(WS1, device="WS1")):
        plan = make_plan(tree_before, [DesiredChange(change) for change in add(again, tree_before).changes])
        assert plan.steps == ()
        assert len(plan.unchanged) >= 4


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        (
            replace(WS1, port=105),
            "the device ws1 already has the AE WS1, but the AE's connection dicom has the address ws1",
        ),
        (
            replace(WS1, description="x"),
            "the device ws1 already has the AE WS1, but the AE has a different value of dicomDescription",
        ),
        (
            replace(WS1, capabilities=(CT,)),
            "but the capability CT Image Storage SCP of the AE is missing or has other values",
        ),
        (replace(WS1, device="reading-room"), "the title WS1 is already used by an AE of the device ws1"),
        (replace(WS1, title="Ws1"), "the device ws1 exists and has the AE WS1"),
        (NewNetworkAE("DCM4CHEE", "h", 1), "the title DCM4CHEE is already used by an AE of the device dcm4chee-arc"),
    ],
)
def test_a_title_or_device_that_is_taken_is_refused(new: NewNetworkAE, problem: str) -> None:
    tree_before = after(add(WS1))
    with pytest.raises(Refused, match=problem):
        add(new, tree_before)


@pytest.mark.parametrize(
    ("port", "suites", "words"),
    [(105, (), "ws1.example.org:105"), (104, ("TLS_RSA_WITH_AES_128_CBC_SHA",), "ws1.example.org:104 --tls")],
)
def test_another_address_of_an_existing_ae_is_refused_with_the_command_that_changes_it(
    port: int, suites: tuple[str, ...], words: str
) -> None:
    with pytest.raises(Refused) as refused:
        add(replace(WS1, port=port, cipher_suites=suites), after(add(WS1)))
    assert refused.value.next_step == (
        f"to see the AE: dcmcfg show ws1/WS1; to change the address: dcmcfg connection set ws1/dicom {words}"
    )


def test_a_title_that_only_the_registry_knows_is_refused_with_what_frees_it() -> None:
    orphan = Entry.from_values(
        f"dicomAETitle=WS1,{REGISTRY}", {"objectClass": "dicomUniqueAETitle", "dicomAETitle": "WS1"}
    )
    with pytest.raises(Refused, match=r"unique AE titles, but no AE has this title — .*--rule registry-orphan"):
        add(WS1, valid_tree().with_changes([Add(orphan)]))


def test_an_ae_whose_registration_is_missing_gets_it_by_being_added_again() -> None:
    tree_before = after(add(WS1)).with_changes([Delete(DN.parse(f"dicomAETitle=WS1,{REGISTRY}"))])
    plan = make_plan(tree_before, [DesiredChange(change) for change in add(WS1, tree_before).changes])
    assert [str(change.dn.rdn) for change in plan.changes] == ["dicomAETitle=WS1"]


def test_the_registry_itself_is_made_for_an_ae_that_is_there() -> None:
    tree_before = after(add(WS1))
    registered = [Delete(entry.dn) for entry in tree_before.sorted_entries() if entry.is_a("dicomUniqueAETitle")]
    tree_before = tree_before.with_changes([*registered, Delete(DN.parse(REGISTRY))])
    plan = make_plan(tree_before, [DesiredChange(change) for change in add(WS1, tree_before).changes])
    assert [str(change.dn.rdn) for change in plan.changes] == ["cn=Unique AE Titles Registry", "dicomAETitle=WS1"]


def test_a_device_without_aes_takes_the_ae_unasked() -> None:
    device = Entry.from_values(
        f"dicomDeviceName=ws1,{DEVICES}", {"objectClass": "dicomDevice", "dicomDeviceName": "ws1"}
    )
    assert len(add(WS1, valid_tree().with_changes([Add(device)])).changes) == 3


@pytest.mark.parametrize(
    ("new", "warning"),
    [
        (replace(WS1, title="wS9", device="ws9"), ""),
        (
            replace(WS1, title="storeScp", device="x"),
            "the AE STORESCP already exists; the two titles differ only in upper and lower case.",
        ),
        (
            replace(WS1, device="storesp"),
            "the device storesp does not exist and will be created; did you mean storescp?",
        ),
        (
            replace(WS1, title="A,B", device="ab"),
            'the title A,B contains one of the characters , + " \\ < > ;. The archive does not escape',
        ),
        (replace(WS1, device="dcm4chee-arc"), "WS1 is an AE of the archive itself and has no capabilities"),
        (replace(WS1, title="OTHER"), "the AE storescp/STORESCP also has the title OTHER (dcmOtherAETitle)."),
    ],
)
def test_what_is_doubtful_is_told(new: NewNetworkAE, warning: str) -> None:
    tree_before = valid_tree().with_changes(
        [more(f"dicomAETitle=STORESCP,{STORESCP_DEVICE}", "dcmOtherAETitle", "OTHER")]
    )
    warnings = add(new, tree_before).warnings
    assert any(each.startswith(warning) for each in warnings) if warning else warnings == ()


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        (replace(WS1, title="*"), "matches every AE title"),
        (replace(WS1, title="A(B"), "cannot find the AE"),
        (replace(WS1, title="A,B"), "the device name a,b contains one of"),
        (replace(WS1, device="a;b"), "the device name a;b contains one of"),
        (replace(WS1, device="#1"), "contains one of"),
        (replace(WS1, title="A=B"), "the device name a=b contains =. A directory server may escape"),
        (replace(WS1, connection="a=b"), "the connection name a=b contains ="),
        (replace(WS1, device=" "), "is not a valid device name"),
        (replace(WS1, device="a\nb"), "is not a valid device name"),
        (replace(WS1, connection='a"b'), 'the connection name a"b contains one of'),
    ],
)
def test_names_that_the_archive_cannot_handle_are_refused(new: NewNetworkAE, problem: str) -> None:
    with pytest.raises(Refused, match=problem):
        add(new)


@pytest.mark.parametrize(
    ("title", "host", "port"),
    [("A" * 17, "h", 1), ("", "h", 1), ("A", "", 1), ("A", "a b", 1), ("A", "h", 0), ("A", "h", 70000)],
)
def test_what_cannot_be_an_address_is_refused_before_all_else(title: str, host: str, port: int) -> None:
    with pytest.raises(MalformedInput):
        NewNetworkAE(title, host, port)


def test_like_copies_the_capabilities_and_says_what_it_does_not_copy() -> None:
    tree_before = valid_tree().with_changes(
        [more(f"dicomAETitle=STORESCP,{STORESCP_DEVICE}", "dcmAcceptedCallingAETitle", "X")]
    )
    like = Configuration(tree_before).get_device("storescp").get_network_ae("STORESCP")
    edit = add(replace(WS1, template=like), tree_before)
    assert edit.warnings == (
        "dcmcfg copies only the capabilities of STORESCP, not these attributes: dcmAcceptedCallingAETitle.",
    )
    ws1 = Configuration(after(edit, tree_before)).get_device("ws1").get_network_ae("WS1")
    assert [each.attributes for each in ws1.capabilities] == [each.attributes for each in like.capabilities]
    archive = Configuration(tree_before).get_device("dcm4chee-arc").get_network_ae("DCM4CHEE")
    assert add(replace(WS1, template=archive)).warnings == (
        "dcmcfg copies only the capabilities of DCM4CHEE, not these attributes: dcmQueryRetrieveViewID, "
        "dcmObjectStorageID.",
    )


def test_additions_have_those_before_them_in_view() -> None:
    additions = NetworkAEAdder(Configuration(valid_tree()))
    first = additions.add(WS1)
    assert additions.add(WS1).changes == first.changes, "the same once more is the same"
    with pytest.raises(Refused, match="the title WS1 is already used"):
        additions.add(replace(WS1, device="other"))
    shared = additions.add(NewNetworkAE("WS1B", "ws1.example.org", 104, device="ws1"))
    assert len(shared.changes) == 2
    many = [additions.add(NewNetworkAE(f"M{n}", f"m{n}", 104)) for n in range(500)]
    desired = [DesiredChange(change) for edit in (first, shared, *many) for change in edit.changes]
    assert lint(make_plan(valid_tree(), desired).after, NOW) == ()
