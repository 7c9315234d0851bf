"""A site's own AE with the title of an AE that a release brings: it is not taken for the official one."""

from __future__ import annotations

from typing import Any

import pytest

from dcmcfg.dn import DN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.model.tree import Tree
from dcmcfg.upgrade.merge import Merge
from dcmcfg.upgrade.merge_result import Stage
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.own_parts import find_own_parts
from dcmcfg.upgrade.preparation import OpenQuestion
from tests.sampling import LONG, sample
from tests.trees import ARCHIVE, network_ae, storage_scp
from tests.upgrade.customised import ALL, SCHEMA, TARGET, Releases
from tests.upgrade.test_merge import ARCHIVE_KEY, TITLES, make_tree, registered_title, registry, web_app

TITLE = "WORKLIST"
AE = f"dicomAETitle={TITLE},{ARCHIVE}"
WEB_APP = f"dcmWebAppName={TITLE},{ARCHIVE}"
CASES = [(source, trims, options) for source in ("5.29.0", "5.23.0") for trims in (True, False) for options in (0, 1)]


def customise(releases: Releases, source: str, *, trims: bool = False, removes: bool = False) -> Tree:
    """Return the default of *source* with a copy of the main AE under the title of a later AE."""

    def edit(site: Any) -> None:
        if removes:
            site.remove_ae(TITLE)
        site.clone_ae("DCM4CHEE", TITLE)
        if trims:
            site.trim(TITLE, *releases.generator.TRIMMED)

    return releases.customise(source, edit)


def list_own(tree: Tree) -> dict[object, Entry]:
    tops = [tree.key(DN.parse(each)) for each in (AE, WEB_APP)]
    return {key: each for key, each in tree.entries.items() if any(is_at_or_below(key, top) for top in tops)}


@pytest.mark.parametrize(("source", "trims", "with_gap"), sample(CASES, 1 / len(CASES)))
def test_a_copy_of_the_main_ae_stays_as_it_is_and_is_a_decision(
    releases: Releases, *, source: str, trims: bool, with_gap: int
) -> None:
    options = ALL if with_gap else UpgradeOptions()
    site = customise(releases, source, trims=trims)
    upgrade = releases.upgrade(site, source, options)
    again = releases.upgrade(upgrade.plan.after, source, options)
    for each in (upgrade, again):
        assert [str(decision.dn) for decision in each.decisions] == [AE, WEB_APP]
        assert list_own(each.plan.after) == list_own(site)
    assert again.plan.steps == ()
    # The copied AE is no sign of an update.
    assert upgrade.status.match is not None
    assert upgrade.status.match.first == tuple(map(int, source.split(".")))
    assert [each.titles for each in upgrade.clones] == [(TITLE,)]


def test_the_ae_of_the_release_gets_another_title_on_request(releases: Releases) -> None:
    site = customise(releases, "5.29.0")
    options = UpgradeOptions(roles={TITLE: "MWL"})
    upgrade = releases.upgrade(site, "5.29.0", options)
    assert upgrade.decisions == ()
    assert list_own(upgrade.plan.after) == list_own(site)
    new = upgrade.plan.after.get(DN.parse(f"dicomAETitle=MWL,{ARCHIVE}"))
    assert new is not None
    assert new.texts("dicomDescription") == ("Modality and Unified Worklist",)
    assert upgrade.plan.after.get(DN.parse(f"dcmWebAppName=MWL,{ARCHIVE}")) is not None


def test_a_copy_under_the_title_of_a_removed_ae_is_a_question(releases: Releases) -> None:
    site = customise(releases, "5.31.0", removes=True)
    with pytest.raises(OpenQuestion) as asked:
        releases.upgrade(site, "5.31.0", UpgradeOptions())
    assert asked.value.details == (
        "WORKLIST: the AE WORKLIST of the site is more similar to DCM4CHEE than to WORKLIST of the default "
        "configuration. Candidates and their similarity (0 to 1): WORKLIST (0.29)",
    )
    upgrade = releases.upgrade(site, "5.31.0", UpgradeOptions(roles={TITLE: "-"}))
    assert list_own(upgrade.plan.after) == list_own(site)


@pytest.mark.skipif(not LONG, reason="takes a few seconds; DCMCFG_LONG=1 runs it")
def test_an_official_ae_that_the_site_has_changed_is_not_an_own_one(releases: Releases) -> None:
    installed = releases.upgrade(releases.build("pristine", "5.29.0"), "5.29.0")
    site, key = installed.plan.after, installed.plan.after.key(DN.parse(AE))
    changed = site.entries[key].with_values("dcmQueryRetrieveViewID", [b"hideAll"])
    changed = changed.with_values("dcmAcceptedUserRole", [b"radiologist"])
    upgrade = releases.upgrade(Tree(SCHEMA, {**site.entries, key: changed}), "5.29.0")
    assert upgrade.reconstructed.own.keys == frozenset()
    assert upgrade.plan.steps == ()
    assert upgrade.target.label == TARGET


NEW_AE = network_ae(ARCHIVE, "NEW", dicomDescription="Queries only", dcmQueryRetrieveViewID="hideRejected")
NEW_WEB_APP = web_app("NEW", "NEW").with_values("dcmWebServiceClass", [b"MWL_RS"])


@pytest.mark.parametrize(
    ("values", "is_own"),
    [
        ({}, False),
        ({"dicomDescription": "Of this hospital"}, False),
        # More like another AE of the site than like the official one.
        ({"dcmQueryRetrieveViewID": "", "dicomDescription": "", "dcmObjectStorageID": "fs1"}, True),
        # Nothing of the official AE but its class and the roles of an association.
        ({"dcmQueryRetrieveViewID": "hideAll", "dicomDescription": "Of this hospital", "dcmAETITLE": "X"}, True),
    ],
)
def test_an_ae_is_own_by_its_values(*, values: dict[str, str], is_own: bool) -> None:
    ae = NEW_AE
    for name, value in values.items():
        ae = ae.with_values(name, [value.encode()] if value else [])
    own = find_own_parts(make_tree(ae), make_tree(), [make_tree(), make_tree(NEW_AE)])
    assert bool(own.keys) is is_own
    assert find_own_parts(make_tree(ae), make_tree(), [make_tree(NEW_AE)], ["NEW"]).keys == frozenset()


def test_an_ae_is_own_by_its_capabilities() -> None:
    site = make_tree(NEW_AE, storage_scp(ARCHIVE, "NEW"))
    query = storage_scp(ARCHIVE, "NEW").with_values("dicomSOPClass", [b"1.2.840.10008.5.1.4.31"])
    query = query.with_dn(query.dn.parent.child("cn", "MWL")).with_values("cn", [b"MWL"])
    assert find_own_parts(site, make_tree(), [make_tree(NEW_AE, query)]).titles == {"NEW"}
    assert find_own_parts(site, make_tree(), [make_tree(NEW_AE, storage_scp(ARCHIVE, "NEW"))]).keys == frozenset()


def test_a_web_application_is_own_by_its_services() -> None:
    own = NEW_WEB_APP.with_values("dcmWebServiceClass", [b"STOW_RS"])
    states = [make_tree(NEW_AE, NEW_WEB_APP)]
    assert find_own_parts(make_tree(NEW_AE, NEW_WEB_APP), make_tree(), states).keys == frozenset()
    found = find_own_parts(make_tree(NEW_AE, own), make_tree(), states)
    assert (set(found.titles), set(found.web_apps)) == (set(), {"NEW"})


@pytest.mark.parametrize("stage", Stage)
def test_nothing_is_merged_below_an_own_part(stage: Stage) -> None:
    own = NEW_AE.with_values("dicomDescription", [b"own"])
    base = (registry(TITLES),)
    site = make_tree(*base, own, storage_scp(ARCHIVE, "NEW"), registered_title("NEW"))
    changed = storage_scp(ARCHIVE, "NEW").with_values("dicomTransferSyntax", [b"1.2.840.10008.1.2.1"])
    theirs = make_tree(*base, NEW_AE, changed, registered_title("NEW"), NEW_WEB_APP)
    parts = find_own_parts(make_tree(*base), make_tree(), [])
    assert parts.keys == frozenset()
    own_parts = type(parts)(frozenset({site.key(own.dn)}), frozenset({"NEW"}))
    result = Merge(make_tree(*base), theirs, site, stage, archive_key=ARCHIVE_KEY, own=own_parts).run()
    assert result.tree.entries == site.entries
    assert [str(each.dn) for each in result.decisions] == [str(own.dn)]
    assert [(each.dn, each.reason) for each in result.dropped] == [
        (NEW_WEB_APP.dn, "the site has another AE with the title of the web application's AE")
    ]
    assert own_parts.registers(registered_title("NEW"))
    assert not own_parts.registers(registered_title("OTHER"))
    assert own_parts.leave_out(site).entries == make_tree(*base, registered_title("NEW")).entries
