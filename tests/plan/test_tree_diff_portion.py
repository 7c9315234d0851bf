"""Portions of trees: what is compared where nobody said, and where somebody did."""

from __future__ import annotations

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound
from dcmcfg.plan.tree_diff import diff_trees, find_device_dn, select_comparable, select_subtree
from tests.trees import BASE, DEVICES, STORESCP, site, site_entries, tree


def test_a_subtree_is_the_entry_and_what_is_below_it() -> None:
    found = select_subtree(site(), DN.parse(STORESCP.upper()))
    assert {str(entry.dn) for entry in found.entries.values()} == {
        str(e.dn) for e in site().subtree(DN.parse(STORESCP))
    }


def test_beside_the_live_tree_only_what_an_export_holds_is_compared() -> None:
    people = Entry.from_values(f"ou=people,{BASE}", {"objectClass": "organizationalUnit", "ou": "people"})
    live, file = select_comparable(tree(*site_entries(), people), "site.ldif", site())
    assert diff_trees(live, file).plan.steps == ()
    assert len(live.entries) == len(site().entries)


def test_a_file_of_one_device_is_not_compared_with_all_of_the_live_tree() -> None:
    file = tree(*site().subtree(DN.parse(STORESCP)))
    with pytest.raises(NotFound) as refused:
        select_comparable(site(), "device.ldif", file)
    assert refused.value.next_step == f'to compare only this part: --only "{STORESCP}"'


def test_a_device_is_found_in_a_file_that_holds_nothing_else() -> None:
    file = tree(*site().subtree(DN.parse(STORESCP)))
    assert str(find_device_dn("StoreSCP", tree(), file)) == STORESCP
    with pytest.raises(NotFound, match="neither configuration has a device pacs"):
        find_device_dn("pacs", file, site())


def test_without_a_live_configuration_everything_is_compared() -> None:
    live = tree(*site_entries()[:1])
    before, after = select_comparable(live, "site.ldif", site())
    assert str(diff_trees(before, after).plan.changes[1].dn) == DEVICES
