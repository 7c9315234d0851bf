"""A configuration of which the bind DN sees only a part is not upgraded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.dn import DN
from dcmcfg.errors import Refused
from dcmcfg.model.tree import Tree
from dcmcfg.upgrade.completeness import has_secrets, leave_out_secrets, require_complete
from dcmcfg.upgrade.trees import UpgradeTree
from tests.trees import ARCHIVE, DEVICES
from tests.upgrade.customised import SCHEMA, Releases
from tests.upgrade.test_merge import COMMON

TREE = Tree.from_entries(SCHEMA, COMMON)
DEVICE, PARENT = TREE.key(DN.parse(ARCHIVE)), TREE.key(DN.parse(DEVICES))


def without(tree: Tree, *keys: object) -> Tree:
    return replace(tree, entries={key: each for key, each in tree.entries.items() if key not in keys})


def test_a_complete_tree_is_accepted() -> None:
    require_complete(TREE, {})
    require_complete(TREE, {DEVICE: True, PARENT: len(TREE.children(DN.parse(DEVICES)))})
    # Of an entry that was deleted in between, only the count is known.
    below = [key for key in TREE.entries if key[-len(DEVICE) :] == DEVICE]
    require_complete(without(TREE, *below), {DEVICE: True})


def test_hidden_children_are_noticed() -> None:
    childless = without(TREE, *[key for key in TREE.entries if key[-len(DEVICE) :] == DEVICE and key != DEVICE])
    with pytest.raises(Refused, match="could not be read completely") as refusal:
        require_complete(childless, {DEVICE: True})
    assert refusal.value.details == (f"{ARCHIVE}: dcmcfg cannot read the child entries",)
    with pytest.raises(Refused) as refusal:
        require_complete(childless, {DEVICE: 7})
    assert refusal.value.details == (f"{ARCHIVE}: 0 of 7 child entries can be read",)


def test_a_hidden_parent_and_hidden_classes_are_noticed() -> None:
    with pytest.raises(Refused) as refusal:
        require_complete(without(TREE, DEVICE), {})
    assert all(each.endswith("dcmcfg cannot read the parent entry") for each in refusal.value.details)
    entry = TREE.entries[DEVICE].with_values("objectClass", ())
    with pytest.raises(Refused) as refusal:
        require_complete(replace(TREE, entries={**TREE.entries, DEVICE: entry}), {})
    assert refusal.value.details == (f"{ARCHIVE}: dcmcfg cannot read the object classes of the entry",)


def test_the_children_of_a_referral_are_on_another_server() -> None:
    require_complete(replace(TREE, referrals={PARENT: "ldap://other"}), {PARENT: 99})


def test_secrets_that_an_export_lacks_are_left_alone(releases: Releases) -> None:
    site = releases.build("pristine", "5.23.0")
    known = UpgradeTree(SCHEMA, site.entries)
    assert has_secrets(site.entries.values())
    export = leave_out_secrets(known)
    assert not has_secrets(export.entries.values())

    upgrade = releases.upgrade(replace(site, entries=export.entries), "5.23.0")

    assert upgrade.decisions == ()
    assert not has_secrets(upgrade.plan.after.entries.values())
    assert any("has no secrets" in each for each in upgrade.warnings)
    plain = releases.upgrade(site, "5.23.0")
    assert plain.warnings == ()
    assert leave_out_secrets(UpgradeTree(SCHEMA, plain.plan.after.entries)).entries == upgrade.plan.after.entries
