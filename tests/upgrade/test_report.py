"""The report of real upgrades: every change has its official records, or is a difference from a new installation."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Delete, Modify
from dcmcfg.dn import DN
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.report import PlannedChange, list_planned_changes
from tests.sampling import sample
from tests.upgrade.customised import ALL, SOURCES, TARGET, TREES, Releases

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
