"""What somebody makes of entries that he was shown, as changes."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.edits.text_edit import ShownEntry, hide_secrets, make_edit
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.ldif.writer import format_for_editor
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from tests.trees import ARCHIVE, STORESCP, connection, network_ae, site, site_entries, tree

AE = f"dicomAETitle=DCM4CHEE,{ARCHIVE}"


def changes(before: Tree, dn: str, replacements: dict[str, str], *, with_secrets: bool = False) -> tuple[Change, ...]:
    """What comes of the text of *dn* and all below it once each of *replacements* was made in it."""
    shown = [hide_secrets(entry, with_secrets=with_secrets) for entry in before.subtree(DN.parse(dn))]
    text = "".join(format_for_editor(each.entry) for each in shown)
    for old, new in replacements.items():
        assert old in text
        text = text.replace(old, new)
    records = read_all([text.encode()], "text")
    return make_edit(
        load_bundled_schema(), before, shown, [record.entry for record in records if isinstance(record, ContentRecord)]
    ).changes


def test_a_text_that_stays_as_it_is_changes_nothing() -> None:
    hostile = {"dicomDescription": "Ä ö\n", "dcmKeyStorePin": "geheim", "dicomStationName": " : <x"}
    assert changes(site(**hostile), ARCHIVE, {}) == ()


def test_what_differs_is_replaced_and_nothing_else() -> None:
    found = changes(site(dicomDescription="Äpfel"), ARCHIVE, {"Äpfel": "Birnen", "dcmObjectStorageID: fs1\n": ""})
    assert found == (
        Modify(DN.parse(ARCHIVE), (Modification(Operation.REPLACE, "dicomDescription", (b"Birnen",)),)),
        Modify(DN.parse(AE), (Modification(Operation.REPLACE, "dcmObjectStorageID", ()),)),
    )


def test_connections_come_before_those_who_may_refer_to_them_and_go_after() -> None:
    """However they are named: ``dicomHostname=…`` sorts after ``dicomAETitle=…``."""
    named = Entry.from_values(
        f"dicomHostname=host+dicomPort=104,{STORESCP}",
        {"objectClass": "dicomNetworkConnection", "dicomHostname": "host", "dicomPort": "104"},
    )
    ae = network_ae(STORESCP, "SECOND").with_values("dicomNetworkConnectionReference", [str(named.dn).encode()])
    both = tree(*site_entries(), named, ae)
    device, *_ = shown_below(both)
    more = [entry for entry in shown_below(both) if entry.entry.dn in (named.dn, ae.dn)]
    added = make_edit(load_bundled_schema(), site(), [device], [device.entry, *(each.entry for each in more)])
    assert [change.dn for change in added.changes] == [named.dn, ae.dn]
    gone = make_edit(load_bundled_schema(), both, [device, *more], [device.entry])
    assert [change.dn for change in gone.changes] == [ae.dn, named.dn]


def shown_below(before: Tree) -> list[ShownEntry]:
    return [hide_secrets(entry, with_secrets=False) for entry in before.subtree(DN.parse(STORESCP))]


def test_an_attribute_by_another_of_its_names_is_the_same() -> None:
    assert (
        changes(site(), STORESCP, {"dicomInstalled": "DICOMINSTALLED", "dicomAETitle: ": "1.2.840.10008.15.0.3.7: "})
        == ()
    )


def test_what_is_not_shown_stays_unless_it_is_given_anew() -> None:
    properties = Entry.from_values(
        f"cn=x,{ARCHIVE}",
        {"objectClass": "dcmExporter", "cn": "x", "dcmProperty": ("a=1", "password=geheim"), "dcmKeyStorePin": "1234"},
    )
    both = tree(*site_entries(), properties)
    dn = str(properties.dn)
    assert changes(both, dn, {"dcmProperty: a=1": "dcmProperty: a=2"}) == (
        Modify(properties.dn, (Modification(Operation.REPLACE, "dcmProperty", (b"a=2", b"password=geheim")),)),
    )
    assert changes(both, dn, {"dcmProperty: a=1\n": ""}) == (
        Modify(properties.dn, (Modification(Operation.REPLACE, "dcmProperty", (b"password=geheim",)),)),
    )
    assert changes(both, dn, {"cn: x\n": "cn: x\ndcmKeyStorePin: new\n"}) == (
        Modify(properties.dn, (Modification(Operation.REPLACE, "dcmKeyStorePin", (b"new",)),)),
    )
    (gone,) = changes(both, dn, {"dcmKeyStorePin: 1234\n": ""}, with_secrets=True)
    assert gone == Modify(properties.dn, (Modification(Operation.REPLACE, "dcmKeyStorePin", ()),))
    text = format_for_editor(hide_secrets(properties, with_secrets=False).entry)
    assert "geheim" not in text
    assert "1234" not in text


def test_a_record_that_is_left_out_is_deleted_and_one_that_is_new_is_added_in_an_order_that_works() -> None:
    before = site()
    (ae, below) = before.subtree(DN.parse(f"dicomAETitle=STORESCP,{STORESCP}"))
    new = f"dn: cn=new,{STORESCP}\nobjectClass: dicomNetworkConnection\ncn: new\ndicomHostname: far.away\n\n"
    found = changes(before, STORESCP, {format_for_editor(ae): "", format_for_editor(below): new})
    assert [type(change) for change in found] == [Add, Delete, Delete]
    assert [str(change.dn) for change in found] == [f"cn=new,{STORESCP}", str(below.dn), str(ae.dn)]
    assert set(before.with_changes(found).entries) == set(before.entries) - {
        before.key(ae.dn),
        before.key(below.dn),
    } | {before.key(DN.parse(f"cn=new,{STORESCP}"))}


@pytest.mark.parametrize(
    ("old", "new", "next_step"),
    [
        (
            f"dn: {AE}\n",
            f"dn: {AE.replace('DCM4CHEE', 'OTHER', 1)}\n",
            "to rename the entry and update all references to the entry: dcmcfg ae rename",
        ),
        ("DCM4CHEE", "OTHER", "to rename the entry and update all references to the entry: dcmcfg ae rename"),
        (
            f"dn: cn=dicom,{ARCHIVE}\n",
            f"dn: cn=DICOM,{ARCHIVE}\n",
            "to add a connection with another name: dcmcfg connection add",
        ),
        ("CT Image Storage SCP", "CT", "add an entry with the new name"),
    ],
)
def test_a_name_is_not_edited_and_the_next_step_gives_another(old: str, new: str, next_step: str) -> None:
    with pytest.raises(Refused, match=next_step):
        changes(site(), ARCHIVE, {old: new})


def test_an_ae_moves_to_a_new_connection_and_the_old_one_goes_in_one_text() -> None:
    before = site()
    found = changes(before, STORESCP, {f"cn=dicom,{STORESCP}": f"cn=moved,{STORESCP}", "cn: dicom": "cn: moved"})
    old, new = (DN.parse(f"cn={name},{STORESCP}") for name in ("dicom", "moved"))
    assert [(type(each), each.dn) for each in found] == [
        (Add, new),
        (Modify, DN.parse(f"dicomAETitle=STORESCP,{STORESCP}")),
        (Delete, old),
    ]
    with_another = tree(*site_entries(), network_ae(STORESCP, "OTHER"))
    assert [
        type(each) for each in changes(with_another, STORESCP, {"cn=dicom,": "cn=moved,", "cn: dicom": "cn: moved"})
    ] == [
        Add,
        Modify,
        Modify,
        Delete,
    ]


def test_a_connection_that_something_still_refers_to_does_not_become_another() -> None:
    outside = network_ae(ARCHIVE, "OUTSIDE").with_values(
        "dicomNetworkConnectionReference", [f"cn=dicom,{STORESCP}".encode()]
    )
    text = {f"cn=dicom,{STORESCP}": f"cn=moved,{STORESCP}", "cn: dicom": "cn: moved"}
    with pytest.raises(Refused, match="would not change the references to the entry"):
        changes(tree(*site_entries(), outside), STORESCP, text)
    with pytest.raises(Refused, match="would not change the references to the entry"):
        changes(site(), STORESCP, {f"dn: cn=dicom,{STORESCP}": f"dn: cn=moved,{STORESCP}", "cn: dicom": "cn: moved"})


def test_another_entry_beside_one_that_is_gone_is_no_rename() -> None:
    gone = connection(STORESCP, "1", name="gone")
    new = connection(STORESCP, "2", name="new", dicomHostname="far", dicomTLSCipherSuite="x", dicomInstalled="TRUE")
    found = make_edit(
        load_bundled_schema(), tree(*site_entries(), gone), [hide_secrets(gone, with_secrets=False)], [new]
    ).changes
    assert [type(each) for each in found] == [Add, Delete]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("dicomPort: 11115", "dicomPort: 0x", "not a whole number"),
        ("dicomPort: 11115", "dcmProtocol: HL7", "the entry's object classes do not allow dcmProtocol"),
        ("dicomHostname: localhost\n", "", "dicomNetworkConnection requires dicomHostname"),
        ("cn: dicom\n", "", "cn is part of the DN of the entry"),
        ("dicomPort: 11115", "dicomPorts: 11115", "unknown attribute dicomPorts; did you mean dicomPort?"),
    ],
)
def test_what_check_would_call_an_error_is_refused(old: str, new: str, problem: str) -> None:
    with pytest.raises(Refused, match=problem):
        changes(site(), f"cn=dicom,{STORESCP}", {old: new})
    wrong_before = tree(*site_entries(dicomInstalled="yes"))
    assert changes(wrong_before, ARCHIVE, {"dcmObjectStorageID: fs1": "dcmObjectStorageID: fs2"})


def test_what_was_not_shown_cannot_be_written_over_and_nothing_stands_twice() -> None:
    before = site()
    one = before.subtree(DN.parse(STORESCP))[0]
    with pytest.raises(Refused, match="the entry exists, but was not part of the edited text"):
        make_edit(
            load_bundled_schema(),
            before,
            [hide_secrets(one, with_secrets=False)],
            [one, network_ae(ARCHIVE, "DCM4CHEE")],
        )
    with pytest.raises(Refused, match="the text contains the entry twice"):
        make_edit(load_bundled_schema(), before, [hide_secrets(one, with_secrets=False)], [one, one])
