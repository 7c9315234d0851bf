"""Compute the changes that restore the configuration of a snapshot exactly, octet by octet."""

from __future__ import annotations

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.dn import RDN, NormalDN, is_at_or_below, sort_children_first, sort_parents_first
from dcmcfg.entry import Entry
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree, canonicalise_name
from dcmcfg.plan import entry_diff
from dcmcfg.plan.stored_form import substitute_stored_form
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import find_structural_classes
from dcmcfg.schema_names import OBJECT_CLASS


def compute_restoration(live: Tree, desired: Tree) -> tuple[Change, ...]:
    """Return the changes after which *live* has the configuration of *desired*, with secrets and in its spelling.

    The configuration is the root with all entries below it; entries that *desired* lacks there are deleted. Missing
    entries above the root are added, but existing ones are not changed, because they do not belong to the archive.
    Entries on other servers (:func:`find_entries_below_referrals`) are omitted.

    An entry with another structural class is deleted with its descendants and added again, because no server can change
    such a class (RFC 4512 §2.4.2). Then names are respelt, entries are added (parents first), values are changed, and
    entries are deleted (children first). In this order, no reference dangles in between.
    """
    root = live.key(Configuration(desired).root)
    desired_entries = {key: entry for key, entry in desired.entries.items() if not _is_below_referral(key, live)}
    target = {key: entry for key, entry in desired_entries.items() if is_at_or_below(key, root)}
    current = {key: entry for key, entry in live.entries.items() if is_at_or_below(key, root)}
    missing_ancestors = {
        key: entry for key, entry in desired_entries.items() if key not in target and key not in live.entries
    }
    replaced = _find_class_changes(current, target, live.schema)
    # The replaced entries are deleted first, so that their names are free for the adds.
    changes: list[Change] = [Delete(current.pop(key).dn) for key in sort_children_first(replaced)]
    changes += _make_respelling_renames(current, target, live.schema)
    # The rest is computed for the tree after the deletes and renames.
    tree_after = live.with_changes(changes)
    missing = missing_ancestors | {key: entry for key, entry in target.items() if key not in current}
    # The adds come before the changes of values, which may refer to the added entries.
    changes += [Add(missing[key]) for key in sort_parents_first(missing)]
    for key in sort_parents_first(current.keys() & target.keys()):
        stored_form = substitute_stored_form(tree_after.entries[key], target[key], live.schema)
        if modifications := entry_diff.compute_modifications(tree_after.entries[key], stored_form, live.schema):
            changes.append(Modify(target[key].dn, modifications))
    changes += [Delete(tree_after.entries[key].dn) for key in sort_children_first(current.keys() - target.keys())]
    return tuple(changes)


def find_entries_below_referrals(live: Tree, desired: Tree) -> tuple[Entry, ...]:
    """Return the entries of *desired* at or below a referral of *live*, in the order of *desired*."""
    return tuple(entry for entry in desired.sorted_entries() if _is_below_referral(live.key(entry.dn), live))


def _is_below_referral(key: NormalDN, live: Tree) -> bool:
    return any(is_at_or_below(key, top) for top in live.referrals)


def _find_class_changes(current: dict[NormalDN, Entry], target: dict[NormalDN, Entry], schema: Schema) -> set[NormalDN]:
    """Return the keys of *current* whose structural class differs in *target*, and the keys below them."""
    changed_keys = {
        key for key in current.keys() & target.keys() if _has_other_class(current[key], target[key], schema)
    }
    return (
        {key for key in current if any(key[depth:] in changed_keys for depth in range(len(key)))}
        if changed_keys
        else set()
    )


def _has_other_class(one: Entry, other: Entry, schema: Schema) -> bool:
    if one.values(OBJECT_CLASS) == other.values(OBJECT_CLASS):
        return False
    return find_structural_classes(schema, one) != find_structural_classes(schema, other)


def _make_respelling_renames(
    current: dict[NormalDN, Entry], target: dict[NormalDN, Entry], schema: Schema
) -> list[Change]:
    """Return the renames to the spelling of *target*; the spelling of attribute types is ignored."""
    found: list[Change] = []
    for key in sort_parents_first(current.keys() & target.keys()):
        entry, desired_rdn = current[key], target[key].dn.rdn
        if _normalise_rdn(entry.dn.rdn, schema) == _normalise_rdn(desired_rdn, schema) or _differs_in_blanks_only(
            entry, target[key], schema
        ):
            continue
        found.append(Rename(entry.dn, desired_rdn, delete_old_rdn=True))
    return found


def _differs_in_blanks_only(current: Entry, desired: Entry, schema: Schema) -> bool:
    """Return whether the names differ only in spaces, which 389 Directory Server keeps in values, but not in a DN."""
    names = [canonicalise_name(schema, kind) for kind, _ in desired.dn.rdn.parts]
    folded = (
        {(kind, " ".join(text.split())) for kind, text in _normalise_rdn(each.dn.rdn, schema)}
        for each in (current, desired)
    )
    return all(set(current.values(name)) == set(desired.values(name)) for name in names) and next(folded) == next(
        folded
    )


def _normalise_rdn(rdn: RDN, schema: Schema) -> frozenset[tuple[str, str]]:
    return frozenset(
        (known.name.lower() if (known := schema.attribute(kind)) else kind.lower(), value) for kind, value in rdn.parts
    )
