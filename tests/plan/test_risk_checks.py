"""Risks of a plan: each with a plan that runs it and one that does not."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.plan.recorded_names import RecordedName, RecordedStudies
from dcmcfg.plan.risk_checks import Risk, find_record_risks, find_risks
from tests.trees import ARCHIVE, DEVICES, STORESCP, connection, network_ae, site, site_entries, tree

CONNECTION = DN.parse(f"cn=dicom,{ARCHIVE}")
AE = f"dicomAETitle=DCM4CHEE,{ARCHIVE}"
#: The site with devices enough that a single one is not many.
MANY = tree(*site_entries(), *(connection(STORESCP, name=f"c{number}") for number in range(30)))


def risks_of(
    *changes: Change, before: Tree = MANY, device: str = "dcm4chee-arc", under: str | None = None
) -> dict[str, Risk]:
    plan = make_plan(before, [DesiredChange(change) for change in changes])
    found = find_risks(plan, device=device, subtree=DN.parse(under) if under else None)
    assert len({risk.name for risk in found}) == len(found)
    return {risk.name: risk for risk in found}


def replacement(dn: DN | str, name: str, *values: bytes) -> Modify:
    dn = DN.parse(dn) if isinstance(dn, str) else dn
    return Modify(dn, (Modification(Operation.REPLACE, name, values),))


def described(number: int) -> Change:
    return replacement(f"cn=c{number},{STORESCP}", "dcmBindAddress", b"x")


def dropped(number: int) -> Change:
    return Delete(DN.parse(f"cn=c{number},{STORESCP}"))


def test_an_everyday_change_is_no_risk() -> None:
    assert risks_of(replacement(ARCHIVE, "dicomDescription", b"x"), Add(connection(ARCHIVE, name="new"))) == {}
    assert risks_of() == {}


@pytest.mark.parametrize(("each", "name"), [(described, "many-changes"), (dropped, "many-deletes")])
def test_more_than_thirty_per_cent_are_many(each: object, name: str) -> None:
    """41 entries are below the configuration root, 30 of them connections of one device."""
    assert callable(each)
    assert risks_of(*(each(number) for number in range(12))) == {}
    risk = risks_of(*(each(number) for number in range(13)))[name]
    assert "13 of 41 entries would be" in risk.description
    assert len(risk.entries) == 13
    assert str(risk).endswith(" and 10 more")


def test_an_entry_counts_once_however_often_it_changes() -> None:
    assert risks_of(*(replacement(f"cn=c0,{STORESCP}", "dcmBindAddress", b"%d" % n) for n in range(20))) == {}


@pytest.mark.parametrize("name", ["many-changes", "many-deletes"])
def test_an_entry_counts_under_the_name_that_the_plan_gives_it(name: str) -> None:
    new = DN.parse(f"dicomDeviceName=other,{DEVICES}")
    names = [new.child("cn", f"c{number}") for number in range(13)]
    each = [replacement(dn, "dcmBindAddress", b"x") if name == "many-changes" else Delete(dn) for dn in names]
    assert f"cn=c0,{STORESCP}" in risks_of(Rename(DN.parse(STORESCP), new.rdn), *each)[name].entries


def test_new_entries_are_no_changes() -> None:
    assert risks_of(*(Add(connection(ARCHIVE, name=f"n{number}")) for number in range(40))) == {}


def test_many_items_are_counted_if_the_files_list_all() -> None:
    changes = [described(number) for number in range(12)]
    assert risks_of(*changes, under=STORESCP)["many-changes"].description == "12 of 34 entries would be changed"
    assert risks_of(*changes, under=ARCHIVE) == {}


def test_few_entries_are_never_many() -> None:
    small = tree(*site_entries()[:9])
    assert risks_of(Delete(DN.parse(str(small.sorted_entries()[-1].dn))), before=small, under=ARCHIVE) == {}


def whole_device(top: str) -> tuple[Change, ...]:
    return tuple(Delete(entry.dn) for entry in reversed(MANY.subtree(DN.parse(top))))


def test_the_archives_own_device_is_not_deleted_in_passing() -> None:
    assert risks_of(*whole_device(ARCHIVE))["archive-device"].entries == (ARCHIVE,)
    assert "archive-device" in risks_of(*whole_device(ARCHIVE), device="other")  # its class says so
    assert "archive-device" in risks_of(*whole_device(STORESCP), device="STORESCP")  # the settings do
    assert "archive-device" not in risks_of(*whole_device(STORESCP))


@pytest.mark.parametrize("top", [ARCHIVE, DEVICES])
def test_nor_is_it_renamed_or_what_is_above_it(top: str) -> None:
    dn = DN.parse(top)
    assert "archive-device" in risks_of(Rename(dn, RDN(((dn.rdn.parts[0][0], "other"),))))
    assert "archive-device" not in risks_of(Rename(dn, RDN(((dn.rdn.parts[0][0], dn.rdn.parts[0][1].upper()),))))


def test_a_reference_to_what_is_deleted_dangles() -> None:
    found = risks_of(Delete(CONNECTION))["dangling-reference"].entries
    assert found == tuple(
        f"dicomAETitle={title},{ARCHIVE} (dicomNetworkConnectionReference: {CONNECTION})"
        for title in ("DCM4CHEE", "AS_RECEIVED")
    )


def test_a_reference_to_what_was_never_there_dangles() -> None:
    to_nothing = replacement(AE, "dicomNetworkConnectionReference", f"cn=none,{ARCHIVE}".encode())
    assert "dangling-reference" in risks_of(to_nothing)
    assert "dangling-reference" in risks_of(Add(network_ae(ARCHIVE, "NEW", references=("none",))))
    assert risks_of(Add(network_ae(ARCHIVE, "NEW", references=("DICOM",)))) == {}


def test_a_reference_to_what_the_plan_adds_or_out_of_the_tree_does_not() -> None:
    assert risks_of(Add(connection(ARCHIVE, name="n")), Add(network_ae(ARCHIVE, "NEW", references=("n",)))) == {}
    assert risks_of(replacement(AE, "dicomNetworkConnectionReference", b"cn=elsewhere,dc=other")) == {}


def test_a_rename_leaves_references_behind() -> None:
    assert "dangling-reference" in risks_of(Rename(CONNECTION, RDN.of("cn", "other")))
    mended = [
        replacement(
            f"dicomAETitle={title},{ARCHIVE}", "dicomNetworkConnectionReference", b"cn=other," + ARCHIVE.encode()
        )
        for title in ("DCM4CHEE", "AS_RECEIVED")
    ]
    assert risks_of(Rename(CONNECTION, RDN.of("cn", "other")), *mended) == {}


def test_references_that_dangled_before_the_plan_are_ignored() -> None:
    before = tree(*MANY.sorted_entries(), network_ae(STORESCP, "OLD", references=("none",)))
    dn = DN.parse(f"dicomAETitle=OLD,{STORESCP}")
    assert risks_of(replacement(dn, "dicomDescription", b"x"), before=before) == {}
    assert risks_of(Rename(dn, RDN.of("dicomAETitle", "OLDER")), before=before) == {}
    assert risks_of(Delete(DN.parse(f"cn=c1,{STORESCP}")), before=before) == {}


def test_vendor_data_is_not_changed_in_passing() -> None:
    with_vendor_data = make_plan(MANY, [DesiredChange(replacement(ARCHIVE, "dicomVendorData", b"zip"))]).after
    for change, before in (
        (replacement(ARCHIVE, "dicomVendorData", b"zip"), MANY),
        (replacement(ARCHIVE, "dicomVendorData", b"other"), with_vendor_data),
        (replacement(ARCHIVE, "dicomVendorData"), with_vendor_data),
    ):
        assert risks_of(change, before=before)["vendor-data"].entries == (ARCHIVE,)
    assert "vendor-data" in risks_of(*whole_device(ARCHIVE), before=with_vendor_data)
    assert risks_of(replacement(ARCHIVE, "dicomDescription", b"x"), before=with_vendor_data) == {}
    new = connection(STORESCP, name="new").with_values("dicomVendorData", (b"zip",))
    assert risks_of(Add(new), before=with_vendor_data) == {}


def test_without_a_configuration_root_everything_counts() -> None:
    entries = [entry for entry in MANY.sorted_entries() if not entry.is_a("dicomConfigurationRoot")]
    bare = Tree(site().schema, {MANY.key(entry.dn): entry for entry in entries})
    found = risks_of(*(described(number) for number in range(13)), before=bare)
    assert "of 41 entries" in found["many-changes"].description


TITLE = RecordedName(EntityKind.AE, "LONGTERM", (DN.parse("dicomAETitle=LONGTERM,dicomDeviceName=longterm"),))
ON_STORAGE = RecordedName(EntityKind.STORAGE, "fs1", (DN.parse("dcmStorageID=fs1"),))


def test_a_name_without_records_is_no_risk() -> None:
    assert find_record_risks([RecordedStudies(TITLE), RecordedStudies(ON_STORAGE)]) == ()


def test_titles_and_storages_are_a_risk_each_with_what_is_recorded_and_what_is_unknown() -> None:
    found = find_record_risks(
        [
            RecordedStudies(TITLE, purged=3, local=2),
            RecordedStudies(TITLE, unknown_reason="no connection"),
            RecordedStudies(TITLE, purged=1, unknown_reason="the database of b is not asked"),
            RecordedStudies(ON_STORAGE, local=7),
            RecordedStudies(ON_STORAGE, unknown_reason="HTTP 404"),
        ]
    )
    assert [(each.name, each.description, each.has_recorded_studies) for each in found] == [
        (
            "recorded-studies",
            "after this change, the archive might be unable to fetch studies: the database has studies recorded under "
            "LONGTERM (at least 3 purged and 2 still local); it is unknown whether studies are recorded under LONGTERM "
            "(no connection); the database has studies recorded under LONGTERM (at least 1 purged and 0 still "
            "local; the full number is unknown: the database of b is not asked)",
            True,
        ),
        (
            "stored-objects",
            "after this change, the archive might be unable to find stored files: the database has studies stored on "
            "fs1 (at least 7); it is unknown whether studies are stored on fs1 (HTTP 404)",
            True,
        ),
    ]
    assert not find_record_risks([RecordedStudies(TITLE, unknown_reason="HTTP 404")])[0].has_recorded_studies
