"""Upgrades of real releases: the user's choices, decisions, and what an upgrade never touches."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from dcmcfg.changes import Add, Delete, Modify
from dcmcfg.dn import DN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply, Refused
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.render.upgrade_places import format_configuration_match
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.options import GAP_KINDS, UpgradeOptions
from dcmcfg.upgrade.preparation import prepare_upgrade
from dcmcfg.upgrade.site_plan import make_upgrade_plan
from dcmcfg.upgrade.tree_status import find_status
from dcmcfg.upgrade.trees import UpgradeTree
from tests.trees import ARCHIVE, BASE, DEVICES
from tests.upgrade.customised import ALL, NONE, SCHEMA, TARGET, Releases, compare

SOURCE = "5.31.0"


def make_zip(**members: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return target.getvalue()


def change(tree: Tree, dn: str, **values: list[str]) -> Tree:
    """Return *tree* with other values at *dn*."""
    entry = tree.get(DN.parse(dn))
    assert entry is not None
    for name, texts in values.items():
        entry = entry.with_values(name, [each.encode() for each in texts])
    return replace(tree, entries={**tree.entries, tree.key(entry.dn): entry})


def add(tree: Tree, *entries: Entry) -> Tree:
    return replace(tree, entries={**tree.entries, **{tree.key(each.dn): each for each in entries}})


def test_a_pristine_site_needs_no_decision_and_loses_nothing(releases: Releases) -> None:
    upgrade = releases.upgrade(releases.build("pristine", SOURCE), SOURCE)
    assert upgrade.decisions == ()
    assert upgrade.dropped == ()
    assert upgrade.clones == ()
    assert upgrade.roles.removed == ()


@pytest.mark.parametrize("tree", ["renamed", "hospital"])
def test_no_step_is_outside_the_configuration(releases: Releases, tree: str) -> None:
    site = releases.build(tree, SOURCE)
    upgrade = releases.upgrade(site, SOURCE)
    root = site.key(upgrade.roles.base_dn.child("cn", "DICOM Configuration"))
    assert upgrade.plan.steps
    assert all(is_at_or_below(site.key(each.dn), root) for each in upgrade.plan.changes)


def test_every_official_change_comes_from_a_record(releases: Releases) -> None:
    upgrade = releases.upgrade(releases.build("renamed", SOURCE), SOURCE, UpgradeOptions())
    assert upgrade.official_entries
    assert all(upgrade.reconstructed.places[key] for key in upgrade.official_entries)


def test_other_names_of_all_capabilities_make_no_difference(releases: Releases) -> None:
    def rename(site: Any) -> None:
        for title in ("DCM4CHEE", "AS_RECEIVED"):
            for number, entry in enumerate(site.capabilities(title)):
                below = [site.pop(key) for key in site.below(entry.dn)]
                new = entry.dn.parent.child("cn", f"{title} {number}")
                for each in below:
                    depth = len(each.dn.rdns) - len(entry.dn.rdns)
                    each.dn = DN((*each.dn.rdns[:depth], *new.rdns))
                    site.put(each)
                entry.set("cn", f"{title} {number}")

    for source in ("5.23.0", SOURCE):
        site = releases.customise(source, rename)
        upgrade = releases.upgrade(site, source)
        plain = releases.upgrade(releases.build("pristine", source), source)
        assert upgrade.decisions == ()
        assert upgrade.dropped == ()
        assert len(upgrade.reconstructed.failing) == len(plain.reconstructed.failing)
        assert _list_capabilities(upgrade.plan.after) == _list_capabilities(plain.plan.after)


def _list_capabilities(tree: Tree) -> set[tuple[object, ...]]:
    return {
        (
            str(each.dn.parent),
            each.text("dicomSOPClass"),
            each.text("dicomTransferRole"),
            frozenset(each.texts("dicomTransferSyntax")),
        )
        for each in tree.entries.values()
        if each.is_a("dicomTransferCapability")
    }


def test_an_earlier_gap_stays_closed_in_the_next_upgrade(releases: Releases) -> None:
    installed, reached = "5.23.0", "5.31.0"
    site = releases.build("pristine", reached)
    upgrade = prepare_upgrade(
        site, releases.read(reached), releases.read(TARGET), releases.read(installed), options=UpgradeOptions()
    )
    direct = releases.upgrade(site, reached, UpgradeOptions())
    assert compare(upgrade.plan.after, direct.plan.after) == NONE


@pytest.mark.parametrize("kind", GAP_KINDS)
def test_only_the_requested_kind_of_gap_is_closed(releases: Releases, kind: str) -> None:
    upgrade = releases.upgrade(releases.build("pristine", "5.29.0"), "5.29.0", UpgradeOptions(gap=frozenset({kind})))
    assert {each.kind for each in upgrade.gap_changes} == set(GAP_KINDS)
    assert all(each.is_made == (each.kind == kind) for each in upgrade.gap_changes)


def _find_decision(releases: Releases, site: Tree, **options: Any) -> Any:
    return releases.upgrade(site, "5.29.0", UpgradeOptions(**options))


def test_a_decision_is_taken_only_on_request(releases: Releases) -> None:
    pristine = releases.build("pristine", "5.29.0")
    plain = releases.upgrade(pristine, "5.29.0", UpgradeOptions())
    # A single-valued attribute that the release changes.
    before, after, name = next(
        (step.before, step.after, each.name)
        for step in plain.plan.steps
        if step.before is not None and step.after is not None
        for each in step.after.attributes
        if (definition := SCHEMA.attribute(each.name)) is not None
        and definition.single_valued
        and definition.syntax == "DirectoryString"
        and each.name != "dicomDescription"
        and step.before.values(each.name)
        and step.before.values(each.name) != each.values
    )
    site = change(pristine, str(before.dn), **{name: ["own value"]})

    kept = _find_decision(releases, site)
    assert [(each.dn, each.attribute) for each in kept.decisions] == [(before.dn, name)]
    assert kept.plan.after.get(before.dn).texts(name) == ("own value",)

    taken = _find_decision(releases, site, take=("1",))
    assert taken.decisions == ()
    assert taken.plan.after.get(before.dn).values(name) == after.values(name)

    for number in (0, 2):
        with pytest.raises(Refused, match=f"no decision {number}"):
            _find_decision(releases, site, take=(str(number),))


def test_vendor_data_is_merged_into_the_plan(releases: Releases) -> None:
    source = replace(releases.read(SOURCE), vendor_data=make_zip(a="1", b="1"))
    target = replace(releases.read(TARGET), vendor_data=make_zip(a="2", b="1"))
    site = releases.build("pristine", SOURCE)
    archive = site.get(DN.parse(ARCHIVE))
    assert archive is not None
    site = add(site, archive.with_values("dicomVendorData", [make_zip(a="1", b="own")]))

    upgrade = prepare_upgrade(site, source, target, source, options=UpgradeOptions())

    assert upgrade.vendor.changed == ("a",)
    merged = upgrade.plan.after.get(archive.dn)
    assert merged is not None
    with zipfile.ZipFile(io.BytesIO(merged.values("dicomVendorData")[0])) as members:
        assert {each: members.read(each) for each in members.namelist()} == {"a": b"2", "b": b"own"}


def test_a_clone_gets_the_changes_of_its_original_on_request(releases: Releases) -> None:
    site, oracle = (releases.build("hospital", each) for each in ("5.29.0", TARGET))
    clones = ("RESEARCH", "TEACHING", "TELERAD")

    without = releases.upgrade(site, "5.29.0")
    assert [(each.original, set(each.titles)) for each in without.clones] == [("DCM4CHEE", set(clones))]

    upgrade = releases.upgrade(site, "5.29.0", replace(ALL, also=clones))
    assert compare(upgrade.plan.after, oracle) == NONE
    assert upgrade.decisions == ()


def test_a_new_device_can_be_declined(releases: Releases) -> None:
    site = releases.build("trimmed", SOURCE)
    upgrade = releases.upgrade(site, SOURCE, UpgradeOptions(without=("storescp",)))
    assert not any("storescp" in str(each.dn) for each in upgrade.plan.changes)


def test_the_target_must_be_newer(releases: Releases) -> None:
    target = releases.read(TARGET)
    with pytest.raises(Refused, match="not newer"):
        prepare_upgrade(releases.build("pristine", SOURCE), target, target, target)


def test_a_target_without_update_files_is_refused(releases: Releases) -> None:
    source, target = releases.read(SOURCE), replace(releases.read(TARGET), updates=())
    with pytest.raises(Refused, match="no update files"):
        prepare_upgrade(releases.build("pristine", SOURCE), source, target, source)


@pytest.mark.parametrize("version", ["5.29.0", "5.31.0"])
def test_the_release_of_a_tree_and_of_its_parts_is_found(releases: Releases, version: str) -> None:
    site = change(
        releases.build("renamed", version),
        "dicomDeviceName=pacs-archive,cn=Devices,cn=DICOM Configuration,dc=hospital,dc=example,dc=org",
        dicomSoftwareVersion=["2023-05-01", "5.32.0", "abcdef"],
    )
    status = find_status(UpgradeTree(SCHEMA, site.entries), releases.read(TARGET), others=[releases.read(version)])
    assert status.match is not None
    assert status.match.first <= tuple(map(int, version.split("."))) <= status.match.last
    assert status.software == (5, 32, 0)
    names = {each.name for each in status.components}
    assert {"archive device", "web interface", "AE HOSPITAL_PACS"} <= names


@pytest.mark.parametrize(("version", "may_be_newer"), [("5.31.0", False), (TARGET, True)])
def test_a_tree_at_the_newest_known_release_may_be_newer(releases: Releases, version: str, may_be_newer: bool) -> None:
    site = releases.build("pristine", version)
    status = find_status(UpgradeTree(SCHEMA, site.entries), releases.read(TARGET))
    assert status.may_be_newer == may_be_newer


def test_a_tree_at_the_oldest_known_release_may_be_older(releases: Releases) -> None:
    target = releases.read(TARGET)
    oldest = min(each.version for each in target.updates)
    for version, may_be_older in (("5.23.0", True), ("5.31.0", False)):
        status = find_status(UpgradeTree(SCHEMA, releases.build("pristine", version).entries), target)
        assert status.match is not None
        assert (status.match.first == oldest, status.may_be_older) == (may_be_older, may_be_older)
        text = format_configuration_match(status)
        assert text.startswith("release 5.23.1 or older (matches " if may_be_older else "release 5.31.0 (matches ")


def _coercion(*classes: str) -> Entry:
    return Entry.from_values(f"cn=Rule,{ARCHIVE}", {"objectClass": classes, "cn": "Rule"})


def _make_small_tree(*entries: Entry) -> Tree:
    top = [
        Entry.from_values(BASE, {"objectClass": ("organization", "dcObject"), "o": "dcm4che.org", "dc": "dcm4che"}),
        Entry.from_values(f"cn=DICOM Configuration,{BASE}", {"objectClass": "dicomConfigurationRoot", "cn": "x"}),
        Entry.from_values(DEVICES, {"objectClass": "dicomDevicesRoot", "cn": "Devices"}),
        Entry.from_values(ARCHIVE, {"objectClass": "dicomDevice", "dicomDeviceName": "dcm4chee-arc"}),
    ]
    return Tree.from_entries(load_bundled_schema(), (*top, *entries))


def test_an_entry_whose_structural_class_changes_is_added_again() -> None:
    old, new = _coercion("dcmArchiveAttributeCoercion"), _coercion("dcmArchiveAttributeCoercion2")
    before, after = _make_small_tree(old), _make_small_tree(new)
    plan = make_upgrade_plan(before, UpgradeTree(before.schema, after.entries))
    assert plan.changes == (Delete(new.dn), Add(new))
    assert compare(plan.after, after) == NONE


def test_an_entry_with_children_whose_structural_class_changes_is_refused() -> None:
    child = Entry.from_values(f"cn=Child,cn=Rule,{ARCHIVE}", {"objectClass": "dcmRule", "cn": "Child"})
    before = _make_small_tree(_coercion("dcmArchiveAttributeCoercion"), child)
    after = _make_small_tree(_coercion("dcmArchiveAttributeCoercion2"), child)
    with pytest.raises(Refused, match="structural class"):
        make_upgrade_plan(before, UpgradeTree(before.schema, after.entries))


def test_an_entry_that_gets_an_auxiliary_class_is_modified() -> None:
    old = Entry.from_values(f"dicomAETitle=A,{ARCHIVE}", {"objectClass": "dicomNetworkAE", "dicomAETitle": "A"})
    new = old.with_values("objectClass", [b"dicomNetworkAE", b"dcmNetworkAE"])
    before, after = _make_small_tree(old), _make_small_tree(new)
    (change,) = make_upgrade_plan(before, UpgradeTree(before.schema, after.entries)).changes
    assert isinstance(change, Modify)


def _change_since(tree: Tree, dn: str, plan: Plan, **values: list[str]) -> Plan:
    """Return *plan* of *tree* as it applies after somebody has changed the entry *dn*."""
    changed = change(tree, dn, **values)
    later = replace(changed, versions={**tree.versions, tree.key(DN.parse(dn)): "later"})
    return make_plan(later, [DesiredChange(each, strict=True) for each in plan.changes])


def test_a_plan_is_refused_if_one_of_its_attributes_has_one_more_value_since() -> None:
    queue = f"dcmQueueName=Q,{ARCHIVE}"
    old = Entry.from_values(
        queue, {"objectClass": "dcmQueue", "dcmQueueName": "Q", "dcmProperty": ("a=1", "b=1"), "dcmMaxRetries": "1"}
    )
    small = _make_small_tree(old)
    before = replace(small, versions=dict.fromkeys(small.entries, "read"))

    def plan(**values: list[str]) -> Plan:
        return make_upgrade_plan(before, UpgradeTree(before.schema, change(before, queue, **values).entries))

    several = plan(dcmProperty=["a=1", "b=2"])
    assert _change_since(before, ARCHIVE, several, dicomDescription=["other"]).changes == several.changes
    with pytest.raises(DoesNotApply, match="has changed since"):
        _change_since(before, queue, several, dcmProperty=["a=1", "b=1", "c=1"])

    single = plan(dcmMaxRetries=["2"])
    assert _change_since(before, queue, single, dcmProperty=["a=1"]).changes == single.changes
    with pytest.raises(DoesNotApply, match="has changed since"):
        _change_since(before, queue, single, dcmMaxRetries=["3"])

    new = plan(dicomDescription=["new"])
    assert _change_since(before, queue, new, dcmProperty=["a=1"]).changes == new.changes
    with pytest.raises(DoesNotApply, match="has changed since"):
        _change_since(before, queue, new, dicomDescription=["own"])
