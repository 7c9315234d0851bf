"""The intent to remove an AE: what goes with it, what stays, who is told to refer to it."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Delete
from dcmcfg.dn import DN
from dcmcfg.edits.devices import remove_device
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.network_ae import NewNetworkAE, add_network_ae
from dcmcfg.edits.removal import remove_network_ae
from dcmcfg.entry import Entry
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, make_plan
from tests.lint.breaking import ARCHIVE, REGISTRY, STORESCP_DEVICE, delete, more, put, valid_tree

WS = f"dicomDeviceName=ws,{STORESCP_DEVICE.partition(',')[2]}"


def with_workstation(*new: NewNetworkAE, changes: tuple[Change, ...] = ()) -> Tree:
    tree = valid_tree()
    for each in new or (NewNetworkAE("WS1", "ws", 104, device="ws"),):
        tree = tree.with_changes(add_network_ae(Configuration(tree), each).changes)
    return tree.with_changes(changes)


def ae_of(tree: Tree, title: str) -> NetworkAE:
    found = Configuration(tree).find_network_ae(title)
    assert found is not None
    return found


def removed(tree: Tree, title: str, *, keep_connection: bool = False) -> tuple[Edit, Tree]:
    edit = remove_network_ae(ae_of(tree, title), keep_connection=keep_connection)
    return edit, make_plan(tree, [DesiredChange(change) for change in edit.changes]).after


def names(edit: Edit) -> list[str]:
    return [str(change.dn.rdn) for change in edit.changes if isinstance(change, Delete)]


def test_the_last_ae_takes_device_connection_and_registration_along() -> None:
    edit, after = removed(with_workstation(), "WS1")
    assert names(edit) == ["dicomAETitle=WS1", "cn=dicom", "dicomDeviceName=ws", "dicomAETitle=WS1"]
    assert edit.warnings == (
        "WS1 is the last AE of the device ws. The device contains no other entries, so the device is removed too.",
    )
    assert after == valid_tree()


def test_a_shared_connection_stays_and_an_own_one_goes_after_the_ae() -> None:
    tree = with_workstation(
        NewNetworkAE("WS1", "ws", 104, device="ws"),
        NewNetworkAE("WS2", "ws", 104, device="ws"),
        NewNetworkAE("WS3", "ws", 105, device="ws"),
    )
    shared, _ = removed(tree, "WS1")
    assert names(shared) == ["dicomAETitle=WS1", "dicomAETitle=WS1"]
    assert shared.warnings == ("the connection dicom remains, because it is used by the AE WS2.",)
    own, _ = removed(tree, "WS3")
    assert names(own) == ["dicomAETitle=WS3", "cn=dicom-ws3", "dicomAETitle=WS3"]
    removal, _ = removed(tree, "WS3", keep_connection=True)
    assert names(removal) == ["dicomAETitle=WS3", "dicomAETitle=WS3"]
    assert removal.warnings == ()


def test_a_connection_that_a_web_application_uses_stays_and_so_does_the_device() -> None:
    app = Entry.from_values(
        f"dcmWebAppName=viewer,{WS}",
        {
            "objectClass": "dcmWebApp",
            "dcmWebAppName": "viewer",
            "dcmWebServiceClass": "WADO_URI",
            "dcmWebServicePath": "/viewer",
            "dicomNetworkConnectionReference": f"cn=dicom,{WS}",
        },
    )
    edit, _ = removed(with_workstation(changes=(Add(app),)), "WS1")
    assert names(edit) == ["dicomAETitle=WS1", "dicomAETitle=WS1"]
    assert edit.warnings == (
        'the connection dicom remains, because it is used by the web application "viewer".',
        "the device ws remains without an AE, because it contains other entries.",
    )


def test_a_connection_named_by_host_and_port_goes_after_what_refers_to_it() -> None:
    """``cn`` sorts before ``dicomAETitle`` and ``dicomHostname`` after it: the order must not hang on that."""
    connection = Entry.from_values(
        f"dicomHostname=ws+dicomPort=105,{WS}",
        {"objectClass": "dicomNetworkConnection", "dicomHostname": "ws", "dicomPort": "105"},
    )
    ae = f"dicomAETitle=WS1,{WS}"
    refer = more(ae, "dicomNetworkConnectionReference", str(connection.dn))
    edit, _ = removed(with_workstation(changes=(Add(connection), refer)), "WS1")
    assert names(edit)[0] == "dicomAETitle=WS1"
    assert names(edit)[-2:] == ["dicomDeviceName=ws", "dicomAETitle=WS1"]


def test_the_archives_device_stays_without_its_last_ae() -> None:
    tree = valid_tree()
    for title in ("AS_RECEIVED", "IOCM_REGULAR_USE", "WORKLIST", "DCM4CHEE"):
        edit, tree = removed(tree, title)
    assert DN.parse(ARCHIVE) in tree
    assert "the device dcm4chee-arc remains without an AE, because it contains other entries." in edit.warnings


def test_who_names_the_ae_is_told_and_left() -> None:
    tree = valid_tree().with_changes([put(ARCHIVE, dcmFallbackCMoveSCP="STORESCP")])
    edit, _ = removed(tree, "STORESCP")
    assert edit.warnings[1:] == (
        "dicomDeviceName=dcm4chee-arc refers to the AE STORESCP: dcmFallbackCMoveSCP is 'STORESCP'",
        "dcmuiAetListName=reading,dcmuiConfigName=default,dicomDeviceName=dcm4chee-arc refers to the AE STORESCP: "
        "dcmuiAets is 'STORESCP'",
    )


def test_of_a_title_that_is_there_twice_the_registration_stays_and_nobody_is_told() -> None:
    twin = NewNetworkAE("TWIN", "ws", 104, device="ws")
    tree = with_workstation(twin, changes=(delete(f"dicomAETitle=TWIN,{REGISTRY}"),))
    tree = tree.with_changes(
        add_network_ae(Configuration(valid_tree()), NewNetworkAE("TWIN", "h", 1, device="zz")).changes
    )
    tree = tree.with_changes([put(ARCHIVE, dcmFallbackCMoveSCP="TWIN")])
    edit, after = removed(tree, "TWIN")
    assert names(edit) == ["dicomAETitle=TWIN", "cn=dicom", "dicomDeviceName=ws"]
    assert DN.parse(f"dicomAETitle=TWIN,{REGISTRY}") in after
    assert len(edit.warnings) == 1


def test_secrets_are_not_told() -> None:
    tree = valid_tree().with_changes([more(ARCHIVE, "dcmFallbackCMoveSCP", "STORESCP")])
    rule = f"cn=Export to LONGTERM,{ARCHIVE}"
    tree = tree.with_changes([more(rule, "dcmProperty", "SendingApplicationEntityTitle.password=STORESCP")])
    assert "password" not in " ".join(removed(tree, "STORESCP")[0].warnings)


@pytest.mark.parametrize("name", ["longterm", "dcm4chee-arc", "storescp"])
def test_a_device_goes_leaf_first_with_all_its_registrations(name: str) -> None:
    tree = valid_tree()
    edit = remove_device(Configuration(tree).get_device(name))
    after = make_plan(tree, [DesiredChange(change) for change in edit.changes]).after
    gone = Configuration(tree).get_device(name).entry.dn
    assert after.subtree(gone) == ()
    still = {str(entry.dn.rdn) for entry in after.sorted_entries() if entry.is_a("dicomUniqueAETitle")}
    assert still == {f"dicomAETitle={ae.title}" for ae in Configuration(after).network_aes()}
    assert not (name == "dcm4chee-arc" and any(entry.is_a("dcmUniqueWebAppName") for entry in after.sorted_entries()))
