"""The three-way merge, case by case: what the site and the release have each done to the same thing."""

from __future__ import annotations

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.capability_names import align_capabilities
from dcmcfg.upgrade.merge import Merge
from dcmcfg.upgrade.merge_result import MergeResult, Stage
from dcmcfg.upgrade.trees import UpgradeTree
from tests.trees import ARCHIVE, BASE, DEVICES, connection, network_ae, site_entries, storage_scp

SCHEMA = load_bundled_schema()
ARCHIVE_KEY = SCHEMA.normalise_dn(DN.parse(ARCHIVE))
COMMON = site_entries()
TITLES = f"cn=Unique AE Titles Registry,cn=DICOM Configuration,{BASE}"
WEB_APPS = f"cn=Unique Web Application Names Registry,cn=DICOM Configuration,{BASE}"
Texts = str | tuple[str, ...]


def make_tree(*entries: Entry) -> UpgradeTree:
    """Return the common entries and *entries*; an entry of the same name replaces the common one."""
    return UpgradeTree.from_entries(SCHEMA, (*COMMON, *entries))


def merge(base: UpgradeTree, theirs: UpgradeTree, site: UpgradeTree, stage: Stage = Stage.OFFICIAL) -> MergeResult:
    return Merge(base, theirs, site, stage, archive_key=ARCHIVE_KEY).run()


def queue(name: str = "Export1", **values: Texts) -> Entry:
    known: dict[str, Texts] = {"objectClass": "dcmQueue", "dcmQueueName": name}
    return Entry.from_values(f"dcmQueueName={name},{ARCHIVE}", known | values)


def exporter(queue_name: str) -> Entry:
    values = {"objectClass": "dcmExporter", "dcmExporterID": "cloud", "dcmQueueName": queue_name}
    return Entry.from_values(f"dcmExporterID=cloud,{ARCHIVE}", values)


def web_app(name: str, title: str) -> Entry:
    values = {"objectClass": "dcmWebApp", "dcmWebAppName": name, "dicomAETitle": title}
    return Entry.from_values(f"dcmWebAppName={name},{ARCHIVE}", values)


def registered_title(title: str) -> Entry:
    values = {"objectClass": "dicomUniqueAETitle", "dicomAETitle": title}
    return Entry.from_values(f"dicomAETitle={title},{TITLES}", values)


def registered_web_app(name: str) -> Entry:
    values = {"objectClass": "dcmUniqueWebAppName", "dcmWebAppName": name}
    return Entry.from_values(f"dcmWebAppName={name},{WEB_APPS}", values)


def registry(dn: str) -> Entry:
    return Entry.from_values(dn, {"objectClass": "dicomUniqueAETitlesRegistryRoot", "cn": dn[3:].partition(",")[0]})


def get_entry(result: MergeResult, dn: str) -> Entry:
    entry = result.tree.get(DN.parse(dn))
    assert entry is not None
    return entry


def merge_values(name: str, base: tuple[str, ...], theirs: tuple[str, ...], site: tuple[str, ...]) -> MergeResult:
    entries = (queue().with_values(name, [each.encode() for each in values]) for values in (base, theirs, site))
    one, two, three = map(make_tree, entries)
    return merge(one, two, three)


SINGLE, MULTIPLE, KEYED = "dcmMaxRetries", "dicomInstitutionName", "dcmProperty"


@pytest.mark.parametrize(
    ("name", "base", "theirs", "site", "expected"),
    [
        # The release has not changed it.
        (SINGLE, ("1",), ("1",), ("7",), {"7"}),
        (SINGLE, ("1",), ("1",), (), set()),
        (MULTIPLE, ("a", "b"), ("b", "a"), ("c",), {"c"}),
        # The site has it already.
        (SINGLE, ("1",), ("2",), ("2",), {"2"}),
        (MULTIPLE, ("a",), ("a", "b"), ("b", "a"), {"a", "b"}),
        # The site has not changed it.
        (SINGLE, ("1",), ("2",), ("1",), {"2"}),
        (SINGLE, (), ("2",), (), {"2"}),
        (SINGLE, ("1",), (), ("1",), set()),
        (MULTIPLE, ("a", "b"), ("b", "c"), ("b", "a"), {"b", "c"}),
        # Both have changed several values, each its own.
        (MULTIPLE, ("a", "b"), ("b", "c"), ("a", "b", "own"), {"b", "c", "own"}),
        (MULTIPLE, ("a", "b"), ("a",), ("b", "own"), {"own"}),
        (MULTIPLE, (), ("a",), ("own",), {"own", "a"}),
        # A removal needs no value in common.
        (MULTIPLE, ("a",), (), ("own",), {"own"}),
        # Keys are merged one by one.
        (KEYED, ("x=1", "y=1"), ("x=2", "y=1"), ("x=1", "y=7"), {"x=2", "y=7"}),
        (KEYED, ("x=1", "y=1"), ("x=1", "y=1", "z=1"), ("x=7",), {"x=7", "z=1"}),
        (KEYED, ("x=1", "y=1"), ("x=1",), ("x=7", "y=1"), {"x=7"}),
        # A key with several values of the site keeps them.
        (KEYED, ("x=1",), ("x=2",), ("x=1", "y=1", "y=2"), {"x=2", "y=1", "y=2"}),
        ("dcmImageWriteParam", ("x=1", "y=1"), ("x=2", "y=1"), ("x=1", "y=7"), {"x=2", "y=7"}),
    ],
)
def test_values_that_are_merged(
    name: str, base: tuple[str, ...], theirs: tuple[str, ...], site: tuple[str, ...], expected: set[str]
) -> None:
    result = merge_values(name, base, theirs, site)
    assert set(get_entry(result, f"dcmQueueName=Export1,{ARCHIVE}").texts(name)) == expected
    assert result.decisions == []
    assert result.dropped == []


@pytest.mark.parametrize(
    ("name", "base", "theirs", "site", "reason"),
    [
        (SINGLE, ("1",), ("2",), ("7",), "the site and the release have changed the value"),
        (SINGLE, ("1",), ("2",), (), "the site and the release have changed the value"),
        (SINGLE, (), ("2",), ("7",), "the site and the release have changed the value"),
        (SINGLE, ("1",), (), ("7",), "the site and the release have changed the value"),
        (MULTIPLE, ("a",), ("a", "b"), (), "the site has removed the attribute"),
        (MULTIPLE, ("a",), ("a", "b"), ("own",), "the site has only other values"),
        (KEYED, ("x=1", "y=1"), ("x=2", "y=1"), ("x=7", "y=1"), "the site and the release have changed x"),
        (KEYED, ("x=1", "y=1"), ("x=2", "y=1"), ("y=1",), "the site and the release have changed x"),
        (KEYED, ("x=1", "y=1"), ("y=1",), ("x=7", "y=1"), "the site and the release have changed x"),
    ],
)
def test_values_of_the_site_that_stay_until_the_user_decides(
    name: str, base: tuple[str, ...], theirs: tuple[str, ...], site: tuple[str, ...], reason: str
) -> None:
    result = merge_values(name, base, theirs, site)
    assert set(get_entry(result, f"dcmQueueName=Export1,{ARCHIVE}").texts(name)) == set(site)
    (decision,) = result.decisions
    assert (decision.attribute, decision.reason) == (name, reason)


def test_values_are_compared_by_their_matching_rule() -> None:
    result = merge_values("dicomDescription", ("Fast  queue",), ("Slow queue",), ("fast queue",))
    assert get_entry(result, f"dcmQueueName=Export1,{ARCHIVE}").texts("dicomDescription") == ("Slow queue",)


def test_a_reference_to_an_entry_that_the_site_removed_is_left_out() -> None:
    tls = connection(ARCHIVE, "2762", name="dicom-tls")
    both = network_ae(ARCHIVE, "WORKLIST", references=("dicom", "dicom-tls"))
    result = merge(make_tree(tls), make_tree(tls, both), make_tree())
    references = get_entry(result, f"dicomAETitle=WORKLIST,{ARCHIVE}").texts("dicomNetworkConnectionReference")
    assert references == (f"cn=dicom,{ARCHIVE}",)


@pytest.mark.parametrize("name", ["dicomSoftwareVersion", "dicomVendorData"])
def test_what_the_archive_writes_itself_is_never_merged(name: str) -> None:
    result = merge_values(name, ("1",), ("2",), ("1",))
    assert get_entry(result, f"dcmQueueName=Export1,{ARCHIVE}").texts(name) == ("1",)
    assert result.decisions == []


def test_a_new_entry_is_added_with_its_children() -> None:
    new = (network_ae(ARCHIVE, "WORKLIST"), storage_scp(ARCHIVE, "WORKLIST"))
    result = merge(make_tree(), make_tree(*new), make_tree())
    assert all(result.tree.get(each.dn) == each for each in new)


def test_a_new_entry_below_a_missing_entry_is_dropped() -> None:
    site = make_tree()
    del site.entries[SCHEMA.normalise_dn(DN.parse(f"dicomAETitle=AS_RECEIVED,{ARCHIVE}"))]
    new = storage_scp(ARCHIVE, "AS_RECEIVED")
    result = merge(make_tree(), make_tree(new), site)
    assert result.tree.get(new.dn) is None
    assert [each.dn for each in result.dropped] == [new.dn]


def test_an_entry_of_the_site_that_is_part_of_a_new_entry_is_completed() -> None:
    result = merge(make_tree(), make_tree(queue(dcmMaxRetries="3")), make_tree(queue()))
    assert get_entry(result, f"dcmQueueName=Export1,{ARCHIVE}").texts("dcmMaxRetries") == ("3",)
    assert result.decisions == []


def test_an_entry_of_the_site_with_the_name_of_a_new_one_stays_and_nothing_is_added_below_it() -> None:
    own = network_ae(ARCHIVE, "WORKLIST", dicomDescription="own")
    new = (network_ae(ARCHIVE, "WORKLIST", dicomDescription="new"), storage_scp(ARCHIVE, "WORKLIST"))
    result = merge(make_tree(), make_tree(*new), make_tree(own))
    assert result.tree.entries == make_tree(own).entries
    assert [each.dn for each in result.decisions] == [own.dn]
    assert [each.dn for each in result.dropped] == [new[1].dn]


def test_a_removed_entry_stays_removed() -> None:
    unchanged = merge(make_tree(queue()), make_tree(queue()), make_tree())
    changed = merge(make_tree(queue()), make_tree(queue(dcmMaxRetries="3")), make_tree())
    assert unchanged.tree.entries == changed.tree.entries == make_tree().entries
    assert unchanged.dropped == []
    assert [each.dn for each in changed.dropped] == [queue().dn]


def test_an_official_removal_of_an_unchanged_entry_is_made() -> None:
    result = merge(make_tree(queue()), make_tree(), make_tree(queue()))
    assert result.tree.get(queue().dn) is None


def test_a_removal_of_the_gap_is_only_offered() -> None:
    result = merge(make_tree(queue()), make_tree(), make_tree(queue()), Stage.GAP)
    assert result.tree.get(queue().dn) is not None
    assert result.offered_deletes == [queue().dn]


def test_a_removal_of_a_changed_entry_is_a_decision() -> None:
    own = queue(dcmMaxRetries="9")
    result = merge(make_tree(queue()), make_tree(), make_tree(own))
    assert result.tree.get(own.dn) == own
    assert [each.dn for each in result.decisions] == [own.dn]


def test_a_removed_entry_with_own_entries_below_it_is_kept() -> None:
    ae, own = network_ae(ARCHIVE, "OLD"), storage_scp(ARCHIVE, "OLD")
    result = merge(make_tree(ae), make_tree(), make_tree(ae, own))
    assert result.tree.get(ae.dn) == ae
    assert [(each.dn, each.reason) for each in result.dropped] == [
        (ae.dn, "the site has child entries of its own below this entry")
    ]


@pytest.mark.parametrize("stage", Stage)
def test_a_removed_entry_to_which_the_site_refers_is_kept_and_the_referrer_is_named(stage: Stage) -> None:
    site = make_tree(queue(), exporter("Export1"))
    result = merge(make_tree(queue()), make_tree(), site, stage)
    assert result.tree.entries == site.entries
    assert result.offered_deletes == []
    assert [each.reason for each in result.dropped] == ["dcmExporterID=cloud refers to this entry with dcmQueueName"]


def test_a_removed_entry_and_its_only_referrer_are_removed_together() -> None:
    site = make_tree(queue(), exporter("Export1"))
    result = merge(site, make_tree(), site)
    assert result.tree.entries == make_tree().entries


def test_a_web_application_without_its_ae_is_dropped_with_its_registration() -> None:
    base = (registry(TITLES), registry(WEB_APPS))
    new = (web_app("STOW", "GONE"), registered_web_app("STOW"), registered_title("GONE"))
    result = merge(make_tree(*base), make_tree(*base, *new), make_tree(*base))
    assert result.tree.entries == make_tree(*base).entries
    assert {each.dn for each in result.dropped} == {each.dn for each in new}


def test_registrations_come_after_what_they_register() -> None:
    base = (registry(TITLES), registry(WEB_APPS))
    new = (registered_web_app("STOW"), registered_title("NEW"), web_app("STOW", "NEW"), network_ae(ARCHIVE, "NEW"))
    result = merge(make_tree(*base), make_tree(*base, *new), make_tree(*base))
    assert result.dropped == []
    assert all(result.tree.get(each.dn) == each for each in new)


@pytest.mark.parametrize("attribute", ["dicomAETitle", "dcmOtherAETitle"])
def test_a_new_ae_whose_title_the_site_uses_is_a_decision(attribute: str) -> None:
    device = f"dicomDeviceName=ris,{DEVICES}"
    ris = Entry.from_values(device, {"objectClass": "dicomDevice", "dicomDeviceName": "ris"})
    if attribute == "dicomAETitle":
        own = network_ae(device, "WORKLIST")
    else:
        own = network_ae(device, "RIS", dcmOtherAETitle="WORKLIST")
    new = (network_ae(ARCHIVE, "WORKLIST"), storage_scp(ARCHIVE, "WORKLIST"), web_app("WORKLIST", "WORKLIST"))
    site = make_tree(ris, own)
    result = merge(make_tree(), make_tree(*new), site)
    assert result.tree.entries == site.entries
    assert [each.dn for each in result.decisions] == [new[0].dn]
    assert {each.dn for each in result.dropped} == {each.dn for each in new[1:]}


def test_a_capability_moves_only_if_the_other_ae_gets_it() -> None:
    capability, moved = storage_scp(ARCHIVE, "DCM4CHEE"), storage_scp(ARCHIVE, "AS_RECEIVED")
    base, theirs, site = make_tree(), make_tree(moved), make_tree()
    del theirs.entries[SCHEMA.normalise_dn(capability.dn)]

    assert merge(base, theirs, site).tree.entries == theirs.entries

    del site.entries[SCHEMA.normalise_dn(moved.dn.parent)]
    result = merge(base, theirs, site)
    assert result.tree.entries == site.entries
    assert capability.dn in [each.dn for each in result.dropped]


def test_object_classes_are_merged_one_by_one() -> None:
    base, theirs, site = (
        make_tree(network_ae(ARCHIVE, "DCM4CHEE").with_values("objectClass", values))
        for values in ([b"dicomNetworkAE"], [b"dicomNetworkAE", b"dcmNetworkAE"], [b"dicomNetworkAE", b"ownClass"])
    )
    result = merge(base, theirs, site)
    classes = get_entry(result, f"dicomAETitle=DCM4CHEE,{ARCHIVE}").texts("objectClass")
    assert set(classes) == {"dicomNetworkAE", "dcmNetworkAE", "ownClass"}


def test_a_capability_is_the_same_under_any_name() -> None:
    own = storage_scp(ARCHIVE, "AS_RECEIVED")
    own = own.with_dn(own.dn.parent.child("cn", "CT")).with_values("cn", [b"CT"])
    aligned = align_capabilities(make_tree(storage_scp(ARCHIVE, "AS_RECEIVED")), make_tree(own))
    assert aligned.get(own.dn) == own
    assert aligned.get(storage_scp(ARCHIVE, "AS_RECEIVED").dn) is None


def test_a_capability_whose_name_the_site_gave_to_another_one_is_not_lost() -> None:
    ct = storage_scp(ARCHIVE, "AS_RECEIVED")
    enhanced = ct.with_dn(ct.dn.parent.child("cn", "Enhanced")).with_values("cn", [b"Enhanced"])
    enhanced = enhanced.with_values("dicomSOPClass", [b"1.2.840.10008.5.1.4.1.1.2.1"])
    own = ct.with_values("dicomSOPClass", enhanced.values("dicomSOPClass"))

    aligned = align_capabilities(make_tree(ct, enhanced), make_tree(own))

    assert aligned.get(own.dn) == own
    found = [each.text("dicomSOPClass") for each in aligned.entries.values() if each.dn.parent == ct.dn.parent]
    assert sorted(filter(None, found)) == ["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"]
