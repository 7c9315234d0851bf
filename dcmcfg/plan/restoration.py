"""What brings the configuration in one tree back to exactly the octets of another."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.dn import RDN, NormalDN, is_at_or_below, root_first
from dcmcfg.entry import Entry
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree, canonical_name
from dcmcfg.plan import entry_diff
from dcmcfg.plan.stored_form import in_held_form
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import structural_classes


def restoration(live: Tree, wanted: Tree) -> tuple[Change, ...]:
    """Return the changes after which *live* holds the configuration of *wanted*, secrets and spelling included.

    That is the configuration root and all below it: what *wanted* lacks there is deleted. Of the entries above the
    root only those that *live* lacks are added, and no others are touched, since they are not the archive's. What other
    servers hold (:func:`held_elsewhere`) is left out.

    An entry whose structural class differs goes with all below it and comes back, as no server changes such a
    class (RFC 4512 §2.4.2). After those, names are respelt, entries added parents first, values changed, and entries
    deleted children first, so that no reference dangles on the way.
    """
    root = live.key(Configuration(wanted).root)
    wanted_here = {key: entry for key, entry in wanted.entries.items() if not _is_elsewhere(key, live)}
    target = {key: entry for key, entry in wanted_here.items() if is_at_or_below(key, root)}
    held = {key: entry for key, entry in live.entries.items() if is_at_or_below(key, root)}
    above = {key: entry for key, entry in wanted_here.items() if key not in target and key not in live.entries}
    anew = _of_another_class(held, target, live.schema)
    changes: list[Change] = [Delete(held.pop(key).dn) for key in _children_first(anew)]
    changes += _respelt(held, target, live.schema)
    now = live.after(changes)
    missing = above | {key: entry for key, entry in target.items() if key not in held}
    changes += [Add(missing[key]) for key in _parents_first(missing)]
    for key in _parents_first(held.keys() & target.keys()):
        in_form = in_held_form(now.entries[key], target[key], live.schema)
        if modifications := entry_diff.between(now.entries[key], in_form, live.schema):
            changes.append(Modify(target[key].dn, modifications))
    changes += [Delete(now.entries[key].dn) for key in _children_first(held.keys() - target.keys())]
    return tuple(changes)


def held_elsewhere(live: Tree, wanted: Tree) -> tuple[Entry, ...]:
    """Return the entries of *wanted* that stand at or below a referral of *live*, in the order of *wanted*."""
    return tuple(entry for entry in wanted.ordered() if _is_elsewhere(live.key(entry.dn), live))


def _is_elsewhere(key: NormalDN, live: Tree) -> bool:
    return any(is_at_or_below(key, top) for top in live.elsewhere)


def _of_another_class(held: dict[NormalDN, Entry], target: dict[NormalDN, Entry], schema: Schema) -> set[NormalDN]:
    """Return the keys of *held* whose structural class is another in *target*, and those below them."""
    tops = {key for key in held.keys() & target.keys() if _is_another(held[key], target[key], schema)}
    return {key for key in held if any(key[depth:] in tops for depth in range(len(key)))} if tops else set()


def _is_another(one: Entry, other: Entry, schema: Schema) -> bool:
    if one.values("objectClass") == other.values("objectClass"):
        return False
    return structural_classes(schema, one) != structural_classes(schema, other)


def _respelt(held: dict[NormalDN, Entry], target: dict[NormalDN, Entry], schema: Schema) -> list[Change]:
    """Return the renames to the spelling of *target*; a type is the same however a server spells it."""
    found: list[Change] = []
    for key in _parents_first(held.keys() & target.keys()):
        entry, wanted = held[key], target[key].dn.rdn
        if _values(entry.dn.rdn, schema) == _values(wanted, schema) or _is_own(entry, target[key], schema):
            continue
        found.append(Rename(entry.dn, wanted, delete_old_rdn=True))
    return found


def _is_own(held: Entry, wanted: Entry, schema: Schema) -> bool:
    """Return whether only blanks of the names differ, which 389 Directory Server keeps in values and not in a DN."""
    names = [canonical_name(schema, kind) for kind, _ in wanted.dn.rdn.parts]
    folded = (
        {(kind, " ".join(text.split())) for kind, text in _values(each.dn.rdn, schema)} for each in (held, wanted)
    )
    return all(set(held.values(name)) == set(wanted.values(name)) for name in names) and next(folded) == next(folded)


def _values(rdn: RDN, schema: Schema) -> frozenset[tuple[str, str]]:
    return frozenset(
        (known.name.lower() if (known := schema.attribute(kind)) else kind.lower(), value) for kind, value in rdn.parts
    )


def _parents_first(keys: Iterable[NormalDN]) -> list[NormalDN]:
    return sorted(keys, key=root_first)


def _children_first(keys: Iterable[NormalDN]) -> list[NormalDN]:
    return sorted(keys, key=root_first, reverse=True)
