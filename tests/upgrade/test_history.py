"""The reconstructed base: what of the official files has evidently run at a site."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Delete
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.history import KnownDefault, ReconstructedBase, reconstruct_base
from dcmcfg.upgrade.names import NameMapping
from dcmcfg.upgrade.release import UpdateFile
from dcmcfg.upgrade.trees import UpgradeTree
from tests.trees import ARCHIVE, BASE, network_ae, site_entries, storage_scp
from tests.upgrade.records import add_queue, modify, update_file

SCHEMA = load_bundled_schema()
MAPPING = NameMapping(SCHEMA, DN.parse(BASE), DN.parse(BASE))
NAMES = "ABCDEF"
QUEUES = update_file((5, 1), *(add_queue(name) for name in NAMES))


def make_tree(*changes: Change) -> UpgradeTree:
    tree = UpgradeTree.from_entries(SCHEMA, site_entries())
    for change in changes:
        assert tree.apply(change)
    return tree


def reconstruct(site: UpgradeTree, *files: UpdateFile, **options: object) -> ReconstructedBase:
    arguments = {"tree_version": (5, 1)} | options
    return reconstruct_base(make_tree(), files, MAPPING, site, **arguments)  # type: ignore[arg-type]


def list_queues(tree: UpgradeTree) -> str:
    return "".join(sorted(each.text("dcmQueueName") or "" for each in tree.entries.values() if each.is_a("dcmQueue")))


@pytest.mark.parametrize(
    ("at_site", "in_base"),
    [
        # All have run, none have run, or the first ones.
        ("ABCDEF", "ABCDEF"),
        ("", ""),
        ("AB", "AB"),
        # A record after one that has run has run too: the site has removed the entry.
        ("AC", "ABC"),
        ("F", "ABCDEF"),
        # A short rest has run too.
        ("ABCDE", "ABCDEF"),
    ],
)
def test_records_up_to_the_last_one_with_evidence_have_run(at_site: str, in_base: str) -> None:
    reconstructed = reconstruct(make_tree(*(add_queue(name) for name in at_site)), QUEUES)
    assert list_queues(reconstructed.base) == in_base
    assert list_queues(reconstructed.theirs) == NAMES


def test_a_short_rest_has_not_run_after_a_record_that_could_not() -> None:
    missing = modify("add", "dcmProperty", "a=1", dn=f"dcmQueueName=NONE,{ARCHIVE}")
    file = update_file((5, 1), *(add_queue(name) for name in "ABCDEFG"), missing)
    site = make_tree(*(add_queue(name) for name in "ABCDEFG"))
    assert list_queues(reconstruct(site, file).base) == "ABCDEFG"


def test_files_of_later_releases_have_not_run_without_evidence() -> None:
    later = update_file((5, 2), add_queue("X"), add_queue("Y"))
    assert list_queues(reconstruct(make_tree(), later).base) == ""
    assert list_queues(reconstruct(make_tree(add_queue("X"), add_queue("Y")), later).base) == "XY"


def test_a_later_file_of_which_only_the_last_records_have_run_has_not_run() -> None:
    new = network_ae(ARCHIVE, "NEW")
    below = [
        Add(Entry.from_values(f"cn={number},{new.dn}", {"objectClass": "dicomTransferCapability", "cn": str(number)}))
        for number in range(3)
    ]
    later = update_file((5, 2), Add(new), *below, add_queue("X"), add_queue("Y"))
    reconstructed = reconstruct(make_tree(add_queue("X"), add_queue("Y")), later)
    assert reconstructed.base.key(new.dn) not in reconstructed.base.entries


def test_a_single_missing_entry_was_removed_by_the_site() -> None:
    single = update_file((5, 1), add_queue("X"))
    reconstructed = reconstruct(make_tree(*(add_queue(name) for name in NAMES)), QUEUES, single)
    assert list_queues(reconstructed.base) == f"{NAMES}X"
    assert reconstructed.behind == ()


def test_a_component_without_most_of_its_records_is_behind() -> None:
    files = [update_file((5, 1), add_queue(name), component="storescp") for name in "XYZ"]
    reconstructed = reconstruct(make_tree(), *files)
    assert reconstructed.behind == ("storescp",)
    assert list_queues(reconstructed.base) == ""


def test_a_removed_value_that_the_site_has_is_not_yet_removed() -> None:
    before = make_tree(modify("add", "dcmProperty", "a=1", "b=1"))
    removal = update_file((5, 1), modify("delete", "dcmProperty", "a=1"))
    found = reconstruct_base(before, [removal], MAPPING, before, tree_version=(5, 1))
    archive = found.base.get(DN.parse(ARCHIVE))
    assert archive is not None
    assert archive.texts("dcmProperty") == ("a=1", "b=1")


@pytest.mark.parametrize("value", ["1", "2", "3"])
def test_a_value_of_any_official_state_is_unchanged(value: str) -> None:
    files = [update_file((5, number), modify("replace", "dicomDescription", str(number))) for number in (1, 2, 3)]
    site = make_tree(modify("replace", "dicomDescription", value))
    base = reconstruct(site, *files, tree_version=(5, 2)).base.get(DN.parse(ARCHIVE))
    assert base is not None
    assert base.texts("dicomDescription") == (value,)


def test_an_own_entry_with_the_name_of_a_new_one_is_not_in_the_base() -> None:
    own = add_queue("A").entry.with_values("dicomDescription", [b"own"]).with_values("dcmMaxRetries", [b"9"])
    site = make_tree()
    site.put(own)
    later = update_file((5, 2), add_queue("A", dcmMaxRetries="1", dcmRetryDelay="PT1M"))
    assert list_queues(reconstruct(site, later).base) == ""


def test_what_the_site_has_of_the_newest_default_stays() -> None:
    file = update_file((5, 1), modify("replace", "dicomDescription", "official"), add_queue("A"))
    newest = make_tree(modify("replace", "dicomDescription", "fresh"), add_queue("B"))
    site = newest.copy()
    site.put(add_queue("A").entry)
    found = reconstruct(site, file, known=[KnownDefault((5, 1), newest)])
    archive = found.theirs.get(DN.parse(ARCHIVE))
    assert archive is not None
    assert archive.texts("dicomDescription") == ("fresh",)
    assert list_queues(found.base) == list_queues(found.theirs) == "AB"


def test_only_later_files_change_a_value_of_another_default() -> None:
    files = [update_file((5, number), modify("add", "dcmProperty", f"{number}=1")) for number in (1, 2)]
    source = make_tree(modify("add", "dcmProperty", "own=1"))
    found = reconstruct(source, *files, known=[KnownDefault((5, 2), make_tree()), KnownDefault((5, 1), source)])
    archive = found.theirs.get(DN.parse(ARCHIVE))
    assert archive is not None
    assert set(archive.texts("dcmProperty")) == {"own=1", "2=1"}


def _rename(entry: Entry) -> Entry:
    return entry.with_dn(entry.dn.parent.child("cn", "CT")).with_values("cn", [b"CT"])


@pytest.mark.parametrize("operation", ["modify", "delete"])
def test_a_record_finds_a_capability_that_the_site_has_renamed(operation: str) -> None:
    official = storage_scp(ARCHIVE, "DCM4CHEE")
    site = make_tree()
    own = _rename(official)
    del site.entries[site.key(official.dn)]
    site.put(own)
    change: Change = Delete(official.dn)
    if operation == "modify":
        change = modify("add", "dicomTransferSyntax", "1.2.840.10008.1.2.1", dn=str(official.dn))
    found = reconstruct(site, update_file((5, 1), change))
    assert found.failing == ()
    theirs = found.theirs.get(own.dn)
    assert found.theirs.get(official.dn) is None
    assert found.base.get(own.dn) == own
    if operation == "modify":
        assert theirs is not None
        assert len(theirs.texts("dicomTransferSyntax")) == 2
    else:
        assert theirs is None


def test_records_that_fail_on_the_default_itself_are_reported() -> None:
    file = update_file((5, 1), modify("add", "dcmProperty", "a=1", dn=f"cn=NONE,{ARCHIVE}"), add_queue("A"))
    assert reconstruct(make_tree(), file).failing == (file.records[0].place,)
