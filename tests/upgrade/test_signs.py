"""The release of a tree, found by the signs that update files leave."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Delete
from dcmcfg.dn import DN
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.names import NameMapping
from dcmcfg.upgrade.signs import ReleaseMatch, SignIndex
from dcmcfg.upgrade.tree_status import find_status
from dcmcfg.upgrade.trees import UpgradeTree
from tests.trees import ARCHIVE, BASE, site_entries
from tests.upgrade.customised import Releases
from tests.upgrade.records import add_queue, modify, update_file

SCHEMA = load_bundled_schema()
MAPPING = NameMapping(SCHEMA, DN.parse(BASE), DN.parse(BASE))
FILES = (
    update_file((5, 1), add_queue("A"), modify("add", "dcmProperty", "a=1")),
    update_file((5, 2), add_queue("B"), modify("delete", "dcmProperty", "a=1")),
    update_file((5, 3), modify("replace", "dicomDescription", "new"), Delete(add_queue("A").dn)),
)


def make_states() -> list[UpgradeTree]:
    """Return the trees of 5.0, 5.1, 5.2 and 5.3."""
    tree = UpgradeTree.from_entries(SCHEMA, site_entries())
    states = [tree.copy()]
    for file in FILES:
        for record in file.records:
            tree.apply(record.change)
        states.append(tree.copy())
    return states


def match(site: UpgradeTree, *below: str) -> ReleaseMatch | None:
    index = SignIndex(FILES, MAPPING, site, [(5, 0)])
    return index.match(site, [site.key(DN.parse(each)) for each in below])


@pytest.mark.parametrize("number", range(4))
def test_each_release_is_recognised(number: int) -> None:
    found = match(make_states()[number])
    assert found is not None
    assert (found.first, found.last) == ((5, number), (5, number))
    assert found.matching == found.total


def test_signs_of_missing_entries_do_not_count() -> None:
    site = make_states()[0]
    complete = match(site)
    archive = site.key(DN.parse(ARCHIVE))
    site.entries = {key: each for key, each in site.entries.items() if key[-len(archive) :] != archive}
    assert complete is not None
    assert match(site) is None


def test_releases_without_a_difference_are_a_range() -> None:
    site = make_states()[2]
    files = (*FILES[:2], update_file((5, 2, 1)))
    found = SignIndex(files, MAPPING, site).match(site)
    assert found is not None
    assert (found.first, found.last) == ((5, 2), (5, 2, 1))


def test_a_part_of_the_tree_has_its_own_release() -> None:
    states = make_states()
    site = states[3]
    queue = add_queue("B").dn
    site.entries[site.key(add_queue("A").dn)] = states[1].entries[site.key(add_queue("A").dn)]
    whole, part = match(site), match(site, str(queue))
    assert whole is not None
    assert part is not None
    assert whole.last == (5, 3)
    assert part.first == (5, 2)
    assert part.total < whole.total


def test_a_single_sign_does_not_make_a_part_differ() -> None:
    whole = ReleaseMatch((5, 3), (5, 3), 10, 10, scores={(5, 1): 5, (5, 3): 10})
    assert not ReleaseMatch((5, 1), (5, 1), 59, 59, scores={(5, 1): 59, (5, 3): 57}).differs_from(whole)
    assert ReleaseMatch((5, 1), (5, 1), 59, 59, scores={(5, 1): 59, (5, 3): 56}).differs_from(whole)


@pytest.mark.parametrize("source", ["5.23.0", "5.29.0", "5.31.0", "5.33.1"])
def test_no_part_of_a_new_installation_differs(releases: Releases, source: str) -> None:
    tree = releases.build("pristine", source)
    found = find_status(UpgradeTree(tree.schema, tree.entries), releases.read("5.33.1"))
    assert found.match is not None
    assert found.components
    assert [each.name for each in found.components if each.match.differs_from(found.match)] == []
