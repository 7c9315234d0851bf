"""Records of files, taken to another base DN."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.ldif.records import ChangeRecord, ContentRecord, Record
from dcmcfg.model.rebasing import Rebasing, RebasingReport
from dcmcfg.plan import assertions
from dcmcfg.plan.assertions import AllOf, AnyOf, Equals, Filter, Not, Present
from dcmcfg.plan.rebasing import find_base, find_site_base, rebase_files
from dcmcfg.schema.definitions import ObjectClass, Schema, load_bundled_schema
from tests.trees import ARCHIVE, BASE, network_ae, site, site_entries, tree

NEW = "dc=hospital,dc=org"
THERE = ARCHIVE.replace(BASE, NEW)
REFERENCE = "dicomNetworkConnectionReference"


def rebased(*changes: Change, onto: str = NEW) -> list[Change]:
    records = tuple(ChangeRecord(change, line) for line, change in enumerate(changes))
    notes = RebasingReport(Rebasing(load_bundled_schema(), DN.parse(BASE), DN.parse(onto)))
    ((name, found),) = rebase_files([("f.ldif", records)], notes, tree())
    assert name == "f.ldif"
    return [record.change for record in found if isinstance(record, ChangeRecord)]


def modify(*asserted: Filter) -> Modify:
    reference = f"cn=dicom,{ARCHIVE}".encode()
    modification = Modification(Operation.ADD, REFERENCE, (reference,))
    return Modify(DN.parse(ARCHIVE), (modification,), assertions.build_control(asserted))


def test_every_kind_of_change_is_taken_along() -> None:
    archive, there = DN.parse(ARCHIVE), DN.parse(THERE)
    add, delete, rename, modified = rebased(
        Add(network_ae(ARCHIVE, "NEW")),
        Delete(archive),
        Rename(archive, RDN.of("dicomDeviceName", "new"), new_superior=archive.parent),
        modify(),
    )
    assert add == Add(network_ae(THERE, "NEW"))
    assert delete == Delete(there)
    assert rename == Rename(there, RDN.of("dicomDeviceName", "new"), new_superior=there.parent)
    assert modified == Modify(there, (Modification(Operation.ADD, REFERENCE, (f"cn=dicom,{THERE}".encode(),)),))


def test_assertions_are_taken_along_with_the_names_in_them() -> None:
    reference, there = (Equals(REFERENCE, f"cn=dicom,{dn}".encode()) for dn in (ARCHIVE, THERE))
    rest = (Not(Present("dcmRetrieveAET")), AnyOf((Present("cn"), Equals("cn", BASE.encode()))))
    (change,) = rebased(modify(AllOf((reference, *rest))))
    (control,) = change.controls
    assert assertions.decode_control(control) == AllOf((there, *rest))
    assert control.critical


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (modify(Equals("entryCSN", b"20260101")), "checks an entryCSN"),
        (
            Delete(DN.parse(ARCHIVE), (Control("1.2.3", critical=True, value=b"?"),)),
            "does not know the format of the control's value",
        ),
        (
            Delete(DN.parse(ARCHIVE), (Control(assertions.OID, critical=True, value=b"?"),)),
            "does not know the format of the control's value",
        ),
    ],
)
def test_what_cannot_be_taken_along_is_refused_with_its_place(change: Change, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as refused:
        rebased(change)
    assert refused.value.subject == "f.ldif:0"


def test_a_control_without_value_stays() -> None:
    manage = Control("2.16.840.1.113730.3.4.2", critical=True)
    (change,) = rebased(Delete(DN.parse(ARCHIVE), (manage,)))
    assert change.controls == (manage,)


def content(entry: Entry) -> Record:
    return ContentRecord(entry, 1)


def added(entry: Entry) -> Record:
    return ChangeRecord(Add(entry), 1)


def names_of(records: Iterable[Record]) -> list[str]:
    return [str(each.entry.dn if isinstance(each, ContentRecord) else each.change.dn) for each in records]


@pytest.mark.parametrize("record", [content, added])
def test_the_entry_of_the_base_belongs_to_the_site_that_has_one(record: Callable[[Entry], Record]) -> None:
    notes = RebasingReport(Rebasing(load_bundled_schema(), DN.parse(BASE), DN.parse(NEW)))
    records = tuple(record(entry) for entry in site_entries()[:2])
    there = tree(Entry.from_values(NEW, {"objectClass": "organization", "o": "Hospital", "dc": "hospital"}))
    names = []
    for onto in (tree(), there):
        ((_, found),) = rebase_files([("f.ldif", records)], notes, onto)
        names.append(names_of(found))
    assert names == [[NEW, f"cn=DICOM Configuration,{NEW}"], [f"cn=DICOM Configuration,{NEW}"]]


@pytest.mark.parametrize("record", [content, added])
def test_the_entry_of_the_base_that_cannot_have_the_name_is_left_out(record: Callable[[Entry], Record]) -> None:
    domain = ObjectClass("domain", "0.9.2342.19200300.100.4.13", "structural", must=("dc",))
    schema = Schema(load_bundled_schema().attributes, (*load_bundled_schema().object_classes, domain))
    notes = RebasingReport(Rebasing(schema, DN.parse(BASE), DN.parse("l=town,dc=org")))
    base = Entry.from_values(BASE, {"objectClass": "domain", "dc": "dcm4che"})
    ((_, found),) = rebase_files([("f.ldif", (record(base),))], notes, tree())
    assert found == ()
    assert list(notes.format_warnings()) == [
        f"The entry {BASE} is omitted: its object classes do not allow the attribute l of the new base. "
        "Create the entry l=town,dc=org before you add the other entries."
    ]


def test_records_of_another_base_only_are_refused() -> None:
    with pytest.raises(Refused, match=f"no record is at or below {BASE}"):
        rebased(Delete(DN.parse(THERE)))


def test_the_base_is_found_in_any_record_that_is_below_the_root() -> None:
    update = ChangeRecord(Delete(DN.parse(ARCHIVE.replace("cn=DICOM Configuration", "CN=dicom  configuration"))), 1)
    base = ContentRecord(site_entries()[0], 1)
    assert str(find_base([("base.ldif", (base,)), ("update.ldif", (update,))])) == BASE


@pytest.mark.parametrize(
    ("dns", "reason"), [((BASE,), "the base DN is unknown"), ((ARCHIVE, THERE), f"several base DNs: {BASE}; {NEW}")]
)
def test_an_ambiguous_base_must_be_specified(dns: tuple[str, ...], reason: str) -> None:
    with pytest.raises(Refused, match=reason) as refused:
        find_base([("f.ldif", tuple(ChangeRecord(Delete(DN.parse(dn)), 1) for dn in dns))])
    assert "--map-base DN" in refused.value.next_step


def test_the_sites_base_is_what_stands_above_its_root() -> None:
    assert str(find_site_base(site(), DN.parse("dc=org"))) == BASE
    assert str(find_site_base(tree(), DN.parse("dc=org"))) == "dc=org"
