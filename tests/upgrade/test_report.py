"""The report of real upgrades: every change has its official records, or is a difference from a new installation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.changes import Add, Delete, Modify
from dcmcfg.dn import DN
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.preparation import prepare_upgrade
from dcmcfg.upgrade.report import PlannedChange, list_planned_changes
from tests.sampling import sample
from tests.trees import ARCHIVE
from tests.upgrade.customised import ALL, SOURCES, TARGET, TREES, Releases
from tests.upgrade.test_preparation import change

AE = f"dicomAETitle=AS_RECEIVED,{ARCHIVE}"
CASES = [(tree, source) for tree in TREES for source in SOURCES]


@pytest.mark.parametrize(("tree", "source"), sample(CASES, 2 / len(CASES)))
def test_every_change_has_records_of_its_attribute_or_is_a_gap(releases: Releases, tree: str, source: str) -> None:
    upgrade = releases.upgrade(releases.build(tree, source), source, ALL)
    records = {each.place: each.change for file in releases.read(TARGET).list_updates() for each in file.records}
    changes = list_planned_changes(upgrade)
    assert {(str(each.dn), each.attribute) for each in changes if not each.places and not each.is_gap} == set()
    for each in changes:
        for place in each.places:
            match records[place]:
                case Add(entry):
                    # An entry that is deleted and added again also loses attributes.
                    assert not each.attribute or each.attribute in entry or each.removed, place
                case Modify(_, modifications):
                    assert not each.attribute or each.attribute in {one.name for one in modifications}, place
                case Delete():
                    assert each.kind == "delete" or each.removed, place
    made = {str(each.dn) for each in upgrade.gap_changes if each.is_made}
    assert {str(each.dn) for each in changes if each.is_gap} <= made
    assert {str(each.dn) for each in changes} == {str(each.dn) for each in upgrade.plan.changes}


def test_changes_of_a_clone_have_the_records_of_its_original(releases: Releases) -> None:
    upgrade = releases.upgrade(
        releases.build("hospital", "5.31.0"), "5.31.0", UpgradeOptions(also=("TELERAD", "RESEARCH"))
    )
    (offer,) = upgrade.clones
    assert offer.titles == ("TEACHING",)
    changes = list_planned_changes(upgrade)

    def of(title: str) -> dict[tuple[str, str], PlannedChange]:
        top = f"dicomAETitle={title},{upgrade.status.view.device.dn}"
        return {
            (str(each.dn.relative_to(DN.parse(top))), each.attribute): each
            for each in changes
            if str(each.dn).endswith(f",{top}")
        }

    original, clone = of(offer.original), of("TELERAD")
    assert len(clone) > 100
    assert {each.change_class for each in clone.values()} == {"clone"}
    assert {key: each.places for key, each in clone.items()} == {key: original[key].places for key in clone}
    assert of("TEACHING") == {}


def test_values_of_the_site_that_stay_of_a_removed_attribute_are_checked_first(releases: Releases) -> None:
    pristine = releases.build("pristine", "5.31.0")
    site = change(pristine, AE, dcmAcceptedUserRole=["admin", "radiologist"])
    changes = {
        (str(each.dn), each.attribute): each
        for each in list_planned_changes(releases.upgrade(site, "5.31.0", UpgradeOptions()))
    }
    changed = changes[AE, "dcmAcceptedUserRole"]
    assert (changed.change_class, changed.removed, changed.after[0].values) == (
        "careful",
        (b"admin",),
        (b"radiologist",),
    )
    assert changed.check == (
        "decides who can use this; before: 'admin', 'radiologist'; after: 'radiologist'; the release removes "
        "dcmAcceptedUserRole, which gives access to all users, but the values that the site has added stay"
    )
    others = [each for (dn, name), each in changes.items() if name == changed.attribute and dn != AE]
    assert others
    assert {each.check for each in others} == {"decides who can use this"}


def test_the_settings_of_a_storage_are_checked_first_also_as_a_difference_from_a_new_installation(
    releases: Releases,
) -> None:
    source, target = releases.read("5.31.0"), releases.read(TARGET)
    storage = next(each for each in target.entries if each.is_a("dcmStorage"))
    moved = storage.with_values("dcmProperty", [b"pathFormat=other"]).with_values("dicomDescription", [b"other"])
    target = replace(target, entries=tuple(moved if each is storage else each for each in target.entries))
    upgrade = prepare_upgrade(releases.build("pristine", "5.31.0"), source, target, source, options=ALL)
    checks = {
        each.attribute: (each.change_class, bool(each.check))
        for each in list_planned_changes(upgrade)
        if each.dn == storage.dn and each.is_gap
    }
    assert checks == {"dcmProperty": ("gap", True), "dicomDescription": ("gap", False)}
