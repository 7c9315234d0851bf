"""What a tree makes of each change, with the LDAP result that a server would answer with."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.model.tree import TreeDraft
from tests.trees import ARCHIVE, DEVICES, connection, site, site_entries, tree

ARCHIVE_DN = DN.parse(ARCHIVE)


def modify(operation: Operation, name: str, *values: str | bytes, dn: str = ARCHIVE) -> Modify:
    octets = tuple(value.encode() if isinstance(value, str) else value for value in values)
    return Modify(DN.parse(dn), (Modification(operation, name, octets),))


#: A modification after one that would not be taken by itself: slapd looks at each before it makes the first.
LESS = Modification(Operation.DELETE, "dicomInstalled", (b"FALSE",))


def test_names_match_by_the_rule_of_their_attribute() -> None:
    assert site().get(DN.parse(f"DICOMDEVICENAME=DCM4CHEE-ARC,{DEVICES.upper()}")) is not None
    assert site().get(DN.parse(f"dicomAETitle=dcm4chee,{ARCHIVE}")) is None, "AE titles are case-sensitive"


def test_below_gives_parents_before_children() -> None:
    names = [str(entry.dn) for entry in site().subtree(ARCHIVE_DN)]
    assert names[0] == ARCHIVE
    assert all(str(DN.parse(name).parent) in names[:position] for position, name in enumerate(names) if position)


def test_versions_are_kept_apart_from_attributes() -> None:
    entry = Entry.from_values(ARCHIVE, {"cn": "a", "entryCSN": "20260101000000.000000Z#000000#000#000000"})
    with_entry = site().from_entries(site().schema, [entry])
    assert "entryCSN" not in with_entry.entries[with_entry.key(ARCHIVE_DN)]
    assert with_entry.versions[with_entry.key(ARCHIVE_DN)].startswith("2026")


@pytest.mark.parametrize(
    ("change", "result"),
    [
        (Add(Entry.from_values(ARCHIVE, {"dicomDeviceName": "dcm4chee-arc"})), 68),
        (Add(Entry.from_values(f"cn=x,cn=nowhere,{DEVICES}", {"cn": "x"})), 32),
        (Delete(DN.parse(f"cn=nowhere,{DEVICES}")), 32),
        (Delete(ARCHIVE_DN), 66),
        (modify(Operation.ADD, "dicomInstalled", "TRUE"), 20),
        (modify(Operation.ADD, "dicomInstalled", "FALSE"), 19),
        (modify(Operation.REPLACE, "dicomDescription", "a", "A"), 20),
        (modify(Operation.DELETE, "dicomDescription"), 16),
        (modify(Operation.DELETE, "dicomInstalled", "FALSE"), 16),
        (modify(Operation.DELETE, "dicomDeviceName", "dcm4chee-arc"), 67),
        (modify(Operation.INCREMENT, "dicomInstalled", "1"), 21),
        (modify(Operation.ADD, "cn", "x", dn=f"cn=nowhere,{DEVICES}"), 32),
        (Modify(ARCHIVE_DN, (*modify(Operation.REPLACE, "dicomInstalled", "TRUE", "FALSE").modifications, LESS)), 19),
        (Rename(DN.parse(f"cn=nowhere,{DEVICES}"), RDN.of("cn", "x")), 32),
        (Rename(ARCHIVE_DN, RDN.of("dicomDeviceName", "storescp")), 68),
        (Rename(ARCHIVE_DN, RDN.of("dicomDeviceName", "a"), new_superior=DN.parse(f"cn=x,{DEVICES}")), 32),
        (Rename(ARCHIVE_DN, RDN.of("cn", "a"), new_superior=DN.parse(f"cn=dicom,{ARCHIVE}")), 53),
    ],
)
def test_what_does_not_fit_is_refused_with_the_servers_result(change: Change, result: int) -> None:
    with pytest.raises(DoesNotApply) as refusal:
        site().with_changes([change])
    assert refusal.value.result_code == result


def test_values_of_an_attribute_without_equality_rule_are_only_replaced_as_a_whole() -> None:
    with_data = site().with_changes([modify(Operation.ADD, "dicomVendorData", b"PK\x03\x04")])
    for operation in (Operation.ADD, Operation.DELETE):
        with pytest.raises(DoesNotApply) as refusal:
            with_data.with_changes([modify(operation, "dicomVendorData", b"PK\x03\x04")])
        assert refusal.value.result_code == 18
    replaced = with_data.with_changes([modify(Operation.REPLACE, "dicomVendorData", b"new")])
    assert (entry := replaced.get(ARCHIVE_DN)) is not None
    assert entry.values("dicomVendorData") == (b"new",)


def test_a_change_of_case_is_a_change() -> None:
    described = site().with_changes([modify(Operation.ADD, "dicomDescription", "archive")])
    change = Modify(
        ARCHIVE_DN,
        (
            Modification(Operation.DELETE, "dicomDescription", (b"ARCHIVE",)),
            Modification(Operation.ADD, "dicomDescription", (b"Archive",)),
        ),
    )
    entry = described.with_changes([change]).get(ARCHIVE_DN)
    assert entry is not None
    assert entry.values("dicomDescription") == (b"Archive",)


def test_a_rename_takes_the_children_along_and_swaps_the_naming_value() -> None:
    renamed = site().with_changes([Rename(ARCHIVE_DN, RDN.of("dicomDeviceName", "pacs"))])
    new = DN.parse(f"dicomDeviceName=pacs,{DEVICES}")
    entry = renamed.get(new)
    assert entry is not None
    assert entry.texts("dicomDeviceName") == ("pacs",)
    assert {str(e.dn) for e in renamed.subtree(new)} == {
        str(e.dn).replace("dcm4chee-arc", "pacs") for e in site().subtree(ARCHIVE_DN)
    }
    assert renamed.get(ARCHIVE_DN) is None


def test_a_rename_that_changes_case_only_is_made() -> None:
    renamed = site().with_changes([Rename(ARCHIVE_DN, RDN.of("dicomDeviceName", "DCM4CHEE-ARC"))])
    entry = renamed.get(ARCHIVE_DN)
    assert entry is not None
    assert entry.texts("dicomDeviceName") == ("DCM4CHEE-ARC",)
    assert str(entry.dn).startswith("dicomDeviceName=DCM4CHEE-ARC")


def test_a_naming_value_that_an_add_leaves_out_is_added_as_slapd_does() -> None:
    bare = Entry.from_values(
        f"cn=hl7,{ARCHIVE}", {"objectClass": "dicomNetworkConnection", "dicomHostname": "localhost"}
    )
    entry = site().with_changes([Add(bare)]).get(bare.dn)
    assert entry is not None
    assert entry.texts("cn") == ("hl7",)


def test_a_change_that_is_refused_leaves_the_draft_as_it_was() -> None:
    before = site()
    with pytest.raises(DoesNotApply):
        before.with_changes([Add(connection(ARCHIVE, name="new")), Delete(ARCHIVE_DN)])
    assert before.get(DN.parse(f"cn=new,{ARCHIVE}")) is None


def test_an_increment_of_what_is_absent_is_refused() -> None:
    with pytest.raises(DoesNotApply) as refused:
        site().with_changes([modify(Operation.INCREMENT, "dcmSchemaVersion", "1")])
    assert refused.value.result_code == 16


def test_a_rename_that_keeps_the_old_name_in_a_single_valued_attribute_is_refused() -> None:
    with pytest.raises(DoesNotApply) as refused:
        site().with_changes([Rename(ARCHIVE_DN, RDN.of("dicomDeviceName", "new"), delete_old_rdn=False)])
    assert refused.value.result_code == 19


def test_a_name_by_its_alias_is_the_same_attribute() -> None:
    alias, renamed = (
        Entry.from_values(f"commonName=new,{ARCHIVE}", {"dicomHostname": "h"}),
        RDN.of("commonName", "newer"),
    )
    after = site().with_changes([Add(alias), Rename(alias.dn, renamed)])
    found = after.get(ARCHIVE_DN.child("cn", "newer"))
    assert found is not None
    assert found.values("cn") == (b"newer",)
    assert "commonName" not in found


@pytest.mark.parametrize("operation", [Operation.DELETE, Operation.ADD])
def test_a_refusal_does_not_tell_a_secret(operation: Operation) -> None:
    holding = site(userPassword="geheim") if operation is Operation.ADD else site()
    with pytest.raises(DoesNotApply, match=r"\(secret\)") as refused:
        holding.with_changes([modify(operation, "userPassword", "geheim")])
    assert "geheim" not in str(refused.value)


def test_below_a_name_that_is_respelt_a_rename_by_the_old_spelling_keeps_the_new_one() -> None:
    """A server knows an entry by its parent, not by how a request spells that."""
    top, below = DN.parse(f"cn=a,{DEVICES}"), DN.parse(f"cn=b,cn=a,{DEVICES}")
    added = (Entry.from_values(dn, {"objectClass": "dicomDevice", "cn": dn.rdn.parts[0][1]}) for dn in (top, below))
    before = tree(*site_entries(), *added)
    after = before.with_changes(
        [Rename(top, RDN.of("cn", "A"), delete_old_rdn=True), Rename(below, RDN.of("cn", "B"), delete_old_rdn=True)]
    )
    assert [str(entry.dn) for entry in after.subtree(top)] == [f"cn=A,{DEVICES}", f"cn=B,cn=A,{DEVICES}"]


def test_near_misses_are_names_of_the_same_attribute_where_there_are_some() -> None:
    hl7 = Entry.from_values(f"hl7ApplicationName=DCM4CHEE|LAB,{ARCHIVE}", {"objectClass": "hl7Application"})
    with_entry = TreeDraft(tree(*site_entries(), hl7))
    assert [str(rdn) for rdn in with_entry.suggest_rdns(DN.parse(f"dicomAETitle=DCM4CHE,{ARCHIVE}"))] == [
        "dicomAETitle=DCM4CHEE"
    ]
    assert [str(rdn) for rdn in with_entry.suggest_rdns(DN.parse(f"hl7ApplicationName=DCM4CHEE,{ARCHIVE}"))] == [
        "hl7ApplicationName=DCM4CHEE|LAB"
    ]
    assert [str(rdn) for rdn in with_entry.suggest_rdns(DN.parse(f"dicomDeviceNam=storesc,{DEVICES}"))] == [
        "dicomDeviceName=storescp"
    ]


def test_a_name_of_very_many_rdns_is_refused_in_linear_time() -> None:
    """Climbing from such a name, one RDN at a time, would take minutes."""
    deep = ",".join(f"cn=level {number}" for number in range(20_000))
    for change in (Add(Entry.from_values(f"{deep},{DEVICES}", {"cn": "x"})), Delete(DN.parse(f"{deep},{DEVICES}"))):
        with pytest.raises(DoesNotApply) as refused:
            site().with_changes([change])
        assert refused.value.next_step.startswith(f"nearest existing entry: {DEVICES}")


def test_a_subtree_that_is_deeper_than_calls_can_be_is_renamed() -> None:
    above = [f"cn=level {number}" for number in reversed(range(1_050))]
    names = [",".join((*above[start:], ARCHIVE)) for start in reversed(range(len(above)))]
    grown = site().with_changes([Add(Entry.from_values(name, {"cn": name[3 : name.index(",")]})) for name in names])
    renamed = grown.with_changes([Rename(DN.parse(names[0]), RDN.of("cn", "other"))])
    assert len(renamed.subtree(DN.parse(f"cn=other,{ARCHIVE}"))) == len(names)
    assert DN.parse(names[-1]) not in renamed
