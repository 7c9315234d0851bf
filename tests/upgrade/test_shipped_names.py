"""Update files that ran as shipped at a site with other names: what they wrote with names of nothing is repaired."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dcmcfg.changes import Add, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.names import NameMapping
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.preparation import Upgrade, prepare_upgrade
from dcmcfg.upgrade.release import Release, UpdateFile
from dcmcfg.upgrade.report import list_planned_changes
from dcmcfg.upgrade.trees import UpgradeTree
from tests.trees import ARCHIVE, BASE, network_ae, site_entries
from tests.upgrade.records import modify, update_file
from tests.upgrade.test_half_upgraded import apply_as_shipped
from tests.upgrade.test_merge import TITLES, WEB_APPS, registered_title, registered_web_app, registry, web_app

SCHEMA = load_bundled_schema()
RULE = f"dcmUPSProcessingRuleID=RETRIEVE,{ARCHIVE}"
STOW = f"dcmWebAppName=DCM4CHEE-STOW,{ARCHIVE}"
DEFAULT = (*site_entries(), registry(TITLES), registry(WEB_APPS), registered_title("DCM4CHEE"))


def add_rule(title: str = "DCM4CHEE", **values: str) -> Entry:
    known = {
        "objectClass": "dcmUPSProcessingRule",
        "dcmUPSProcessingRuleID": "RETRIEVE",
        "dicomAETitle": title,
        "dcmURI": f"movescu:{title}",
    }
    return Entry.from_values(RULE, known | values)


def add_web_app(name: str, title: str) -> Entry:
    return web_app(name, title).with_values("dcmWebServicePath", [f"/dcm4chee-arc/aets/{title}/rs".encode()])


FILES = (
    update_file((5, 31), Add(add_rule()), modify("add", "dcmStorageVerificationAETitle", "DCM4CHEE")),
    update_file(
        (5, 31), Add(add_web_app("DCM4CHEE-STOW", "DCM4CHEE")), Add(registered_web_app("DCM4CHEE-STOW")), component="ui"
    ),
    update_file((5, 32), modify("add", "dcmProperty", "new=1")),
)


def customise(title: str = "PACS", own: Sequence[Entry] = ()) -> Tree:
    """The default with another title of the main AE."""
    mapping = NameMapping(SCHEMA, DN.parse(BASE), DN.parse(BASE), titles={"DCM4CHEE": title})
    return Tree.from_entries(SCHEMA, (*map(mapping.map_entry, DEFAULT), *own))


def plan(
    site: Tree, files: Sequence[UpdateFile] = FILES, *, take: tuple[str, ...] = (), installed: int = 30
) -> Upgrade:
    """The upgrade from 5.31 to 5.32 of a site that was set up with 5.30."""
    trees = {}
    for minor in (30, 31, 32):
        trees[minor] = UpgradeTree.from_entries(SCHEMA, DEFAULT)
        for file in files:
            for record in file.records:
                if file.version <= (5, minor):
                    trees[minor].apply(record.change)
    releases = {
        minor: Release(f"r{minor}", (5, minor), tuple(tree.entries.values()), updates=tuple(files))
        for minor, tree in trees.items()
    }
    options = UpgradeOptions(take=take, roles={"DCM4CHEE": "PACS"})
    return prepare_upgrade(site, releases[31], releases[32], releases[installed], options=options)


def find(tree: Tree, dn: str) -> Entry:
    entry = tree.get(DN.parse(dn))
    assert entry is not None
    return entry


@pytest.mark.parametrize("installed", [30, 31])
def test_values_and_entries_with_names_of_nothing_get_those_of_the_site(installed: int) -> None:
    site, failed = apply_as_shipped(customise(), FILES[:2], stops=False)
    assert failed == 0
    upgrade = plan(site, installed=installed)
    after = upgrade.plan.after
    assert upgrade.decisions == ()
    assert (find(after, RULE).texts("dicomAETitle"), find(after, RULE).texts("dcmURI")) == (
        ("PACS",),
        ("movescu:PACS",),
    )
    assert find(after, ARCHIVE).texts("dcmStorageVerificationAETitle") == ("PACS",)
    assert find(after, ARCHIVE).texts("dcmProperty") == ("new=1",)
    new = STOW.replace("DCM4CHEE-STOW", "PACS-STOW")
    assert find(after, new).texts("dcmWebServicePath") == ("/dcm4chee-arc/aets/PACS/rs",)
    assert after.get(DN.parse(STOW)) is None
    registered = [each.text("dcmWebAppName") for each in after.entries.values() if each.is_a("dcmUniqueWebAppName")]
    assert registered == ["PACS-STOW"]
    # Each change says which record of which file has written the name.
    assert all(each.places for each in list_planned_changes(upgrade))
    assert plan(after, installed=installed).plan.steps == ()


def test_what_the_site_has_changed_in_such_an_entry_stays() -> None:
    site, _ = apply_as_shipped(customise(), FILES[:2], stops=False)
    rule = find(site, RULE).with_values("dcmURI", [b"movescu:OTHER"]).with_values("dicomDescription", [b"own"])
    stow = find(site, STOW).with_values("dicomDescription", [b"own"])
    changed = {site.key(each.dn): each for each in (rule, stow)}
    upgrade = plan(Tree(SCHEMA, {**site.entries, **changed}))
    assert find(upgrade.plan.after, RULE).texts("dicomAETitle") == ("PACS",)
    assert find(upgrade.plan.after, RULE).texts("dcmURI") == ("movescu:OTHER",)
    assert find(upgrade.plan.after, RULE).texts("dicomDescription") == ("own",)
    assert find(upgrade.plan.after, STOW) == stow
    (decision,) = upgrade.decisions
    assert str(decision.dn) == STOW
    assert "an update file has added this entry for a part that the site has renamed" in decision.reason


def test_a_name_that_another_part_has_is_a_decision() -> None:
    site, _ = apply_as_shipped(customise(), FILES[:1], stops=False)
    copy = network_ae(ARCHIVE, "DCM4CHEE")
    site = Tree(SCHEMA, {**site.entries, site.key(copy.dn): copy})
    upgrade = plan(site)
    assert {(str(each.dn), each.attribute) for each in upgrade.decisions} == {
        (RULE, "dicomAETitle"),
        (RULE, "dcmURI"),
        (ARCHIVE, "dcmStorageVerificationAETitle"),
    }
    assert find(upgrade.plan.after, RULE) == find(site, RULE)
    taken = plan(site, take=(f"{RULE} dicomAETitle",))
    assert find(taken.plan.after, RULE).texts("dicomAETitle") == ("PACS",)
    assert len(taken.decisions) == 2


def test_an_entry_that_a_record_has_renamed_is_found_too() -> None:
    old = add_web_app("DCM4CHEE-RS", "DCM4CHEE")
    rename = Rename(old.dn, RDN.of("dcmWebAppName", "DCM4CHEE-STOW"))
    files = (update_file((5, 31), Add(old), rename), FILES[2])
    site, _ = apply_as_shipped(customise(), files[:1], stops=False)
    after = plan(site, files).plan.after
    assert after.get(DN.parse(STOW)) is None
    assert find(after, STOW.replace("DCM4CHEE", "PACS")).texts("dicomAETitle") == ("PACS",)


def test_what_no_update_file_has_written_stays() -> None:
    exporter = Entry.from_values(
        f"dcmExporterID=own,{ARCHIVE}",
        {"objectClass": "dcmExporter", "dcmExporterID": "own", "dcmURI": "dicom:DCM4CHEE", "dicomAETitle": "DCM4CHEE"},
    )
    site = customise(own=[exporter])
    assert find(plan(site).plan.after, str(exporter.dn)) == exporter
