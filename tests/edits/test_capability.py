"""The intents on capabilities, and what an AE that lists some is not sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.changes import Delete, Modify
from dcmcfg.dn import DN
from dcmcfg.edits.capabilities import add_capabilities, copy_capabilities, remove_capabilities, set_capabilities
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.network_ae import NewNetworkAE, add_network_ae
from dcmcfg.edits.transfer_capability import TransferCapability
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound, Refused
from dcmcfg.model.capabilities import find_missing_capabilities, get_sop_class_role, map_sop_class_names
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from tests.lint.breaking import DCM4CHEE, put, valid_tree

CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
CT_SCP = TransferCapability("CT Image Storage SCP", CT, "SCP", (IMPLICIT,))


def with_ws1(*capabilities: TransferCapability) -> Tree:
    new = NewNetworkAE("WS1", "ws1", 104, capabilities=capabilities)
    return valid_tree().with_changes(add_network_ae(Configuration(valid_tree()), new).changes)


def ae(tree: Tree, title: str = "WS1") -> NetworkAE:
    found = Configuration(tree).find_network_ae(title)
    assert found is not None
    return found


def add(tree: Tree, *capabilities: TransferCapability, title: str = "WS1") -> Edit:
    return add_capabilities(Configuration(tree), ae(tree, title), capabilities)


def planned(tree: Tree, edit: Edit) -> Plan:
    return make_plan(tree, [DesiredChange(change) for change in edit.changes])


def test_the_entry_is_as_the_default_configuration_has_it() -> None:
    tree = with_ws1()
    after = planned(tree, add(tree, CT_SCP)).after
    dn = DN.parse("cn=CT Image Storage SCP,dicomAETitle=WS1,dicomDeviceName=ws1,cn=Devices,cn=DICOM Configuration")
    assert after.get(DN((*dn.rdns, *valid_tree().sorted_entries()[0].dn.rdns))) == Entry.from_values(
        f"{dn},dc=dcm4che,dc=org",
        {
            "objectClass": ("dicomTransferCapability", "dcmTransferCapability"),
            "cn": "CT Image Storage SCP",
            "dicomSOPClass": CT,
            "dicomTransferRole": "SCP",
            "dicomTransferSyntax": IMPLICIT,
        },
    )


def test_the_first_scp_capability_of_another_system_warns_of_what_it_is_no_longer_sent() -> None:
    (warning,) = add(with_ws1(), CT_SCP).warnings
    assert warning.startswith(
        "WS1 listed no SCP capability, so the archive sent all SOP classes to WS1. From now on, the archive does "
        "not send these SOP classes: 12-lead ECG Waveform Storage, "
    )
    tree = with_ws1(CT_SCP)
    assert add(tree, TransferCapability("MR Image Storage SCP", MR, "SCP", (IMPLICIT,))).warnings == ()
    assert add(with_ws1(), TransferCapability("CT Image Storage SCU", CT, "SCU", (IMPLICIT,))).warnings == ()


def test_set_leaves_exactly_these_transfer_syntaxes_in_one_entry() -> None:
    tree = with_ws1(
        CT_SCP, TransferCapability("Second CT", CT, "SCP", (EXPLICIT,)), replace(CT_SCP, name="X", role="SCU")
    )
    desired = (replace(CT_SCP, transfer_syntaxes=(EXPLICIT,)), TransferCapability("MR SCP", MR, "SCP", (IMPLICIT,)))
    edit = set_capabilities(Configuration(tree), ae(tree), desired)
    plan = planned(tree, edit)
    assert {(get_sop_class_role(each), each.texts("dicomTransferSyntax")) for each in ae(plan.after).capabilities} == {
        ((CT, "SCP"), (EXPLICIT,)),
        ((CT, "SCU"), (IMPLICIT,)),
        ((MR, "SCP"), (IMPLICIT,)),
    }
    assert plan.undo().after == tree
    assert not planned(plan.after, set_capabilities(Configuration(plan.after), ae(plan.after), desired)).steps


def test_one_that_is_there_gets_more_transfer_syntaxes_or_counts_as_done() -> None:
    tree = with_ws1(CT_SCP)
    more = planned(tree, add(tree, TransferCapability("Other name", CT, "SCP", (IMPLICIT, EXPLICIT))))
    (change,) = more.changes
    assert isinstance(change, Modify)
    assert ae(more.after).capabilities[0].texts("dicomTransferSyntax") == (IMPLICIT, EXPLICIT)
    assert planned(tree, add(tree, CT_SCP)).steps == ()


def test_a_name_that_is_taken_by_another_is_refused() -> None:
    with pytest.raises(Refused, match="already has a capability ct image storage SCP with another SOP class or role"):
        add(with_ws1(CT_SCP), TransferCapability("ct image storage SCP", MR, "SCP", (IMPLICIT,)))


def test_removing_tells_what_is_sent_then() -> None:
    tree = with_ws1(CT_SCP)
    edit = remove_capabilities(Configuration(tree), ae(tree), {CT: "CT"}, ("SCU", "SCP"))
    assert planned(tree, edit).after == with_ws1()
    assert edit.warnings == ("WS1 no longer lists an SCP capability, so the archive sends all SOP classes to WS1.",)
    with pytest.raises(
        NotFound,
        match=r"WS1 has no capability for CT as SCU — to list its capabilities: dcmcfg "
        r"capability list ws1/WS1",
    ):
        remove_capabilities(Configuration(tree), ae(tree), {CT: "CT"}, ("SCU",))


def test_the_archives_own_ae_without_an_scp_capability_accepts_nothing() -> None:
    tree = valid_tree()
    own = ae(tree, "DCM4CHEE")
    every = {get_sop_class_role(each)[0]: "" for each in own.capabilities if get_sop_class_role(each)[1] == "SCP"}
    edit = remove_capabilities(Configuration(tree), own, every, ("SCP",))
    assert edit.warnings == ("DCM4CHEE no longer has an SCP capability, so DCM4CHEE accepts no SOP class.",)


def test_an_ae_that_shares_is_told_that_its_own_count_for_nothing() -> None:
    tree = valid_tree().with_changes(
        [put(DCM4CHEE.replace("DCM4CHEE,", "WORKLIST,", 1), dcmShareTransferCapabilitiesFromAETitle="DCM4CHEE")]
    )
    edit = add(tree, CT_SCP, title="WORKLIST")
    assert edit.warnings == (
        "WORKLIST shares the capabilities of DCM4CHEE; the archive ignores the capabilities of WORKLIST itself.",
    )


def test_copying_takes_the_entries_over_as_they_are_and_again_is_nothing_to_do() -> None:
    tree = with_ws1(
        TransferCapability("My CT", CT, "SCP", (EXPLICIT,)), TransferCapability("X", "1.2.3", "SCU", ("1.2",))
    )
    source = ae(tree, "STORESCP")

    def copied(source: Tree, *, replace: bool) -> Plan:
        edit = copy_capabilities(Configuration(source), ae(source, "STORESCP"), ae(source), replace=replace)
        return planned(source, edit)

    more = copied(tree, replace=False)
    assert not any(isinstance(change, Delete) for change in more.changes)
    assert {get_sop_class_role(each) for each in ae(more.after).capabilities} == {
        ("1.2.3", "SCU"),
        *map(get_sop_class_role, source.capabilities),
    }
    equal = copied(tree, replace=True)
    assert {
        get_sop_class_role(each): set(each.texts("dicomTransferSyntax")) for each in ae(equal.after).capabilities
    } == {get_sop_class_role(each): set(each.texts("dicomTransferSyntax")) for each in source.capabilities}
    assert copied(equal.after, replace=True).steps == ()
    assert (
        find_missing_capabilities(source, ae(equal.after)) == find_missing_capabilities(ae(equal.after), source) == ()
    )
    with pytest.raises(Refused, match="WS1 has no capabilities to copy"):
        copy_capabilities(Configuration(with_ws1()), ae(with_ws1()), source, replace=False)


def test_what_one_can_and_another_cannot_is_found_with_the_syntaxes() -> None:
    tree = with_ws1(TransferCapability("CT Image Storage SCP", CT, "SCP", (IMPLICIT, "1.2.3")))
    found = {each.sop_class: each for each in find_missing_capabilities(ae(tree, "STORESCP"), ae(tree))}
    assert CT in found
    assert (found[CT].sop_class_supported, found[CT].transfer_syntaxes) == (True, (EXPLICIT,))
    assert (found[MR].sop_class_supported, found[MR].name, found[MR].role) == (False, "MR Image Storage", "SCP")
    (other_way,) = find_missing_capabilities(ae(tree), ae(tree, "STORESCP"))
    assert (other_way.transfer_syntaxes, other_way.sop_class_supported) == (("1.2.3",), True)


def test_what_may_be_sent_and_is_not_taken() -> None:
    tree = with_ws1(CT_SCP)
    sent = find_missing_capabilities(ae(tree, "DCM4CHEE"), ae(tree), sending=True)
    assert CT not in [each.sop_class for each in sent], "one syntax in common is enough"
    assert MR in [each.sop_class for each in sent]
    assert find_missing_capabilities(ae(tree, "DCM4CHEE"), ae(with_ws1()), sending=True) == (), (
        "no SCP capability: it is sent everything"
    )
    any_class = with_ws1(TransferCapability("Any", "*", "SCP", ("*",)))
    assert find_missing_capabilities(ae(tree, "DCM4CHEE"), ae(any_class), sending=True) == ()


def test_an_ae_of_another_system_that_lists_nothing_can_everything_and_one_of_an_archive_nothing() -> None:
    tree = with_ws1()
    assert (
        find_missing_capabilities(ae(tree, "STORESCP"), ae(tree))
        == find_missing_capabilities(ae(tree, "DCM4CHEE"), ae(tree))
        == ()
    )
    sends = with_ws1(TransferCapability("CT Image Storage SCU", CT, "SCU", (IMPLICIT,)))
    assert {each.role for each in find_missing_capabilities(ae(sends, "DCM4CHEE"), ae(sends))} == {"SCU"}, (
        "it is sent everything still"
    )
    own = ae(tree, "DCM4CHEE")
    bare = tree.with_changes([Delete(each.dn) for each in own.capabilities])
    assert len(find_missing_capabilities(ae(bare, "STORESCP"), ae(bare, "DCM4CHEE"))) == len(
        ae(bare, "STORESCP").capabilities
    )


def test_names_in_use_are_those_of_the_entries() -> None:
    tree = with_ws1(TransferCapability("Private Thing Storage SCP", "1.2.3.4", "SCP", (IMPLICIT,)))
    assert map_sop_class_names(Configuration(tree))["Private Thing Storage"] == "1.2.3.4"
