"""The configuration as a tree of entries, and the application of changes to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dcmcfg.changes import Add, Change, Delete, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN, NormalDN, sort_parents_first
from dcmcfg.entry import Entry
from dcmcfg.entry_draft import EntryDraft
from dcmcfg.errors import DoesNotApply
from dcmcfg.model.entry_index import EntryIndex
from dcmcfg.schema.definitions import RDNNormaliser, Schema
from dcmcfg.suggestions import join_limited, suggest_names

_VERSION_ATTRIBUTE = "entrycsn"
#: The result code ``referral``. All result codes here are numbers of RFC 4511 Appendix A.
_REFERRAL = 10
#: Comparing names takes about 10 µs each. After so many comparisons a draft returns no more suggestions.
_MAXIMUM_COMPARISONS = 20_000
#: The maximum number of children in a message.
_MAXIMUM_SHOWN_CHILDREN = 3
#: The order of options can differ only if there are at least so many.
_SEVERAL = 2
#: Only the beginning of longer names is compared.
_MAXIMUM_COMPARED_LENGTH = 80


@dataclass(frozen=True)
class Tree:
    """Entries by DN; DNs are compared by the rules of a schema.

    ``versions`` holds the entryCSN of entries that came from a server, so that callers can assert it. ``referrals``
    holds the tops of subtrees on other servers (RFC 3296), with their URLs; they are not entries of this tree.
    """

    schema: Schema
    entries: Mapping[NormalDN, Entry]
    versions: Mapping[NormalDN, str] = field(default_factory=dict)
    referrals: Mapping[NormalDN, str] = field(default_factory=dict)

    @staticmethod
    def from_entries(schema: Schema, entries: Iterable[Entry]) -> Tree:
        """Return the tree of *entries*; an ``entryCSN`` attribute becomes the entry's version."""
        by_key: dict[NormalDN, Entry] = {}
        versions: dict[NormalDN, str] = {}
        normal_rdns = RDNNormaliser(schema)
        for entry in entries:
            key = normal_rdns.normalise_dn(entry.dn)
            by_key[key] = entry
            for attribute in entry.attributes:
                # The length is compared first: lowering the case of every name would slow down reading.
                if len(attribute.name) == len(_VERSION_ATTRIBUTE) and attribute.name.lower() == _VERSION_ATTRIBUTE:
                    remaining = tuple([each for each in entry.attributes if each is not attribute])
                    by_key[key] = Entry(entry.dn, remaining)
                    versions[key] = b"".join(attribute.values[:1]).decode("utf-8", "replace")
        return Tree(schema, by_key, versions)

    def key(self, dn: DN) -> NormalDN:
        """Return the normal form of *dn* in this tree's schema; equal DNs have equal normal forms."""
        return self.schema.normalise_dn(dn)

    def get(self, dn: DN) -> Entry | None:
        """Return the entry at *dn*, or None."""
        return self.entries.get(self.key(dn))

    def __contains__(self, dn: DN) -> bool:
        return self.key(dn) in self.entries

    def subtree(self, dn: DN) -> tuple[Entry, ...]:
        """Return the entry at *dn* and all entries below it, parents first, siblings ordered by RDN."""
        base = self.key(dn)
        depth = len(base)
        keys = [key for key in self.entries if len(key) >= depth and key[len(key) - depth :] == base]
        return tuple(self.entries[key] for key in sort_parents_first(keys))

    def children(self, dn: DN) -> tuple[Entry, ...]:
        """Return the entries directly below *dn*, ordered by RDN."""
        return tuple(self.entries[key] for key in self._children.get(self.key(dn), ()))

    @cached_property
    def _children(self) -> Mapping[NormalDN, tuple[NormalDN, ...]]:
        found: dict[NormalDN, list[NormalDN]] = {}
        for key in self._sorted_names:
            if key:
                found.setdefault(key[1:], []).append(key)
        return {parent: tuple(children) for parent, children in found.items()}

    def sorted_entries(self) -> tuple[Entry, ...]:
        """Return all entries, parents before children, siblings ordered by RDN."""
        return self._sorted_entries

    @cached_property
    def _sorted_names(self) -> list[NormalDN]:
        return sort_parents_first(self.entries)

    @cached_property
    def _sorted_entries(self) -> tuple[Entry, ...]:
        return tuple([self.entries[key] for key in self._sorted_names])

    @cached_property
    def index(self) -> EntryIndex:
        """The entries by object class and attribute, in the order of :meth:`sorted_entries`."""
        return EntryIndex(self._sorted_entries)

    def with_changes(self, changes: Iterable[Change]) -> Tree:
        """Return the tree after *changes*; raises :class:`DoesNotApply` for the first change that the tree rejects."""
        draft = TreeDraft(self)
        for change in changes:
            draft.apply(change)
        return draft.build_tree()


class TreeDraft:
    """A working copy of a tree for applying changes; rejects the changes that a server would reject."""

    def __init__(self, tree: Tree) -> None:
        self.schema = tree.schema
        self._entries = dict(tree.entries)
        self._versions = dict(tree.versions)
        self._origins: dict[NormalDN, NormalDN | None] = {}
        self._referrals = tree.referrals
        self._children: dict[NormalDN, set[NormalDN]] = {}
        self._depths = Counter(map(len, self._entries))
        self._names_compared = 0
        for key in self._entries:
            if key:
                self._children.setdefault(key[1:], set()).add(key)

    def build_tree(self) -> Tree:
        """Return the current state as a tree."""
        return Tree(self.schema, dict(self._entries), dict(self._versions), self._referrals)

    def key(self, dn: DN) -> NormalDN:
        """Return the normal form of *dn*; equal DNs have equal normal forms."""
        return self.schema.normalise_dn(dn)

    def get(self, dn: DN) -> Entry | None:
        """Return the current entry at *dn*, or None."""
        return self._entries.get(self.key(dn))

    def get_version(self, dn: DN) -> str | None:
        """Return the entryCSN of the entry at *dn* in the original tree, or None if the entry has changed."""
        return self._versions.get(self.key(dn))

    def find_original_key(self, dn: DN) -> NormalDN | None:
        """Return the key of the entry at *dn* in the original tree, or None if it was added since."""
        key = self.key(dn)
        return self._origins.get(key, key)

    def count_children(self, dn: DN) -> int:
        """Return the current number of children of the entry at *dn*."""
        return len(self._children.get(self.key(dn), ()))

    def find_highest_missing(self, dn: DN) -> DN:
        """Return the highest missing DN among *dn*, which does not exist, and its ancestors."""
        key = self.key(dn)
        # Only lengths that occur in the tree are looked up: each lookup costs its length, and a DN may have many RDNs.
        depths = sorted((depth for depth in self._depths if 0 < depth < len(key)), reverse=True)
        above = next((depth for depth in depths if key[-depth:] in self._entries), 0)
        return DN(dn.rdns[len(key) - above - 1 :]) if key else dn

    def suggest_rdns(self, dn: DN) -> tuple[RDN, ...]:
        """Return up to three sibling names that are similar to the name of *dn*, the most similar first.

        If siblings have the same naming attribute, others are ignored. The result is for messages only: after very many
        comparisons it is always empty.
        """
        if not dn.rdns or self._names_compared > _MAXIMUM_COMPARISONS:
            return ()
        siblings = self._children.get(self.key(dn)[1:], ())
        self._names_compared += len(siblings)
        rdns = [self._entries[key].dn.rdn for key in sorted(siblings)]
        kinds = _list_attribute_types(dn.rdn)
        by_value = {
            _format_values(rdn): rdn for rdn in [rdn for rdn in rdns if _list_attribute_types(rdn) == kinds] or rdns
        }
        return tuple(by_value[value] for value in suggest_names(_format_values(dn.rdn), by_value))

    def apply(self, change: Change) -> None:
        """Apply *change*; raises :class:`DoesNotApply` with the LDAP result code, and changes nothing then."""
        self.refuse_referrals(change)
        match change:
            case Add(entry):
                self._add(entry)
            case Modify():
                self._modify(change)
            case Rename():
                self._rename(change)
            case Delete(dn):
                self._delete(dn)

    def refuse_referrals(self, change: Change) -> None:
        """Raise :class:`DoesNotApply` if *change* is at, below or above a referral: other servers hold the entries."""
        if not self._referrals:
            return
        for dn in (change.dn, change.new_dn) if isinstance(change, Rename) else (change.dn,):
            key = self.key(dn)
            for top, urls in self._referrals.items():
                if key[max(len(key) - len(top), 0) :] == top:
                    raise DoesNotApply(
                        f"this part of the tree is on other servers: {urls}",
                        subject=str(dn),
                        next_step="make the change on these servers; to change the referral itself: ldapmodify -M",
                        result_code=_REFERRAL,
                    )
                if isinstance(change, Delete | Rename) and top[max(len(top) - len(key), 0) :] == key:
                    raise DoesNotApply(
                        f"a referral to other servers is below the entry: {urls}",
                        subject=str(dn),
                        next_step="delete the referral first (ldapdelete -M)",
                        result_code=_REFERRAL,
                    )

    def _add(self, entry: Entry) -> None:
        if self.get(entry.dn) is not None:
            raise DoesNotApply("the entry already exists", subject=str(entry.dn), result_code=68)
        self._require_parent(entry.dn)
        complete = add_naming_values(self.schema, entry)
        for attribute in complete.attributes:
            self._check_values(entry.dn, attribute.name, attribute.values)
        key = self.key(entry.dn)
        self._insert(key, complete)
        self._origins[key] = None

    def _delete(self, dn: DN) -> None:
        self._require_entry(dn)
        if children := sorted(self._children.get(self.key(dn), ())):
            shown = join_limited([str(self._entries[key].dn.rdn) for key in children], _MAXIMUM_SHOWN_CHILDREN)
            raise DoesNotApply(
                f"the entry has {len(children)} {'child' if len(children) == 1 else 'children'}: {shown}",
                subject=str(dn),
                next_step="first delete the entries below this entry, the lowest entries first. To delete the entry DN "
                "and all entries below it, except the entries in FILE: dcmcfg apply FILE --prune --under DN",
                result_code=66,
            )
        key = self.key(dn)
        self._remove(key)
        self._origins.pop(key, None)

    def _modify(self, change: Modify) -> None:
        draft = EntryDraft(self.schema, self._require_entry(change.dn))
        for modification in change.modifications:
            if modification.operation in (Operation.ADD, Operation.REPLACE):  # a later one may delete the values again
                self._check_values(change.dn, modification.name, modification.values)
            draft.apply(modification)
        # The result is checked too: a value may be a duplicate of an existing one.
        after = draft.build_entry()
        for name in {modification.name.lower(): modification.name for modification in change.modifications}.values():
            self._check_values(change.dn, name, after.values(name))
        self._check_naming_values(after)
        key = self.key(change.dn)
        self._versions.pop(key, None)
        self._entries[key] = after

    def _rename(self, change: Rename) -> None:
        before = self._require_entry(change.dn)
        old, new = self.key(change.dn), self.key(change.new_dn)
        # A rename may change only the case of the name.
        if new != old and new in self._entries:
            raise DoesNotApply("an entry with the new name already exists", subject=str(change.new_dn), result_code=68)
        # Otherwise, the subtree would be its own ancestor, without a connection to the rest of the tree.
        if change.new_superior is not None and new[1:][-len(old) :] == old:
            raise DoesNotApply("an entry cannot move below itself", subject=str(change.new_dn), result_code=53)
        self._require_parent(change.new_dn)
        superior = self._entries.get(new[1:])
        new_dn = DN((change.new_rdn, *superior.dn.rdns)) if superior is not None else change.new_dn
        after = apply_rename(self.schema, before, change).with_dn(new_dn)  # ancestors keep their spelling
        for name in {canonicalise_name(self.schema, kind) for kind, _ in change.new_rdn.parts}:
            self._check_values(change.dn, name, after.values(name))
        subtree = self._subtree(old)
        # A server changes the entryCSN of the renamed entry only, not of the entries below it.
        versions = {key: self._versions[key] for key in subtree if key != old and key in self._versions}
        origins = {key: self._origins.pop(key, key) for key in subtree}
        for key in reversed(subtree):
            subtree[key] = self._remove(key)
        for key, entry in subtree.items():
            new_key = key[: len(key) - len(old)] + new
            self._insert(new_key, entry.with_dn(entry.dn.rebased(change.dn, new_dn)))
            self._origins[new_key] = origins[key]
            if key in versions:
                self._versions[new_key] = versions[key]
        self._entries[new] = after

    def _subtree(self, top: NormalDN) -> dict[NormalDN, Entry]:
        found: dict[NormalDN, Entry] = {}
        pending = [top]
        while pending:
            key = pending.pop()
            found[key] = self._entries[key]
            pending += self._children.get(key, ())
        return found

    def _insert(self, key: NormalDN, entry: Entry) -> None:
        if key not in self._entries:
            self._depths[len(key)] += 1
        self._entries[key] = entry
        if key:
            self._children.setdefault(key[1:], set()).add(key)

    def _remove(self, key: NormalDN) -> Entry:
        self._children.get(key[1:], set()).discard(key)
        self._versions.pop(key, None)
        self._depths[len(key)] -= 1
        if not self._depths[len(key)]:
            del self._depths[len(key)]
        return self._entries.pop(key)

    def _require_entry(self, dn: DN) -> Entry:
        entry = self.get(dn)
        if entry is None:
            raise DoesNotApply(
                "there is no such entry", subject=str(dn), next_step=self._suggest_location(dn), result_code=32
            )
        return entry

    def _suggest_location(self, dn: DN) -> str:
        missing = self.find_highest_missing(dn)
        if not missing.parent.rdns:
            return "check that the entry is below the base DN"
        similar = ", ".join(map(str, self.suggest_rdns(missing)))
        return f"nearest existing entry: {missing.parent}" + (f"; did you mean {similar}?" if similar else "")

    def _require_parent(self, dn: DN) -> None:
        """Reject an entry without parent, except the topmost entry of a tree, whose parent is not part of the tree."""
        if not self._entries or self.key(dn)[1:] in self._entries:
            return
        if len(dn.rdns) > min(self._depths):
            raise DoesNotApply(
                f"the parent entry does not exist: {dn.parent}",
                subject=str(dn),
                next_step=self._suggest_location(dn.parent),
                result_code=32,
            )

    def _check_values(self, dn: DN, name: str, values: tuple[bytes, ...]) -> None:
        normal = [self.schema.normalise_value(name, value) for value in values]
        if len(set(normal)) < len(normal):
            raise DoesNotApply(f"duplicate value of {name}", subject=str(dn), result_code=20)
        definition = self.schema.attribute(name)
        if definition is not None and definition.single_valued and len(values) > 1:
            raise DoesNotApply(
                f"{name} allows only one value, but the entry would have {len(values)} values",
                subject=str(dn),
                result_code=19,
            )

    def _check_naming_values(self, entry: Entry) -> None:
        for name, value in _list_naming_values(self.schema, entry.dn.rdn):
            if not _has_value(self.schema, entry, name, value):
                raise DoesNotApply(
                    f"{name} is part of the entry's name, so this value cannot be removed",
                    subject=str(entry.dn),
                    result_code=67,
                )


def _list_attribute_types(rdn: RDN) -> frozenset[str]:
    return frozenset(kind.lower() for kind, _ in rdn.parts)


def _format_values(rdn: RDN) -> str:
    return "+".join(value for _, value in rdn.parts)[:_MAXIMUM_COMPARED_LENGTH]


def apply_rename(schema: Schema, entry: Entry, change: Rename) -> Entry:
    """Return *entry* after *change*: with the new DN and naming values, without the old ones if requested."""
    after = entry.with_dn(change.new_dn)
    new = _list_naming_values(schema, change.new_rdn)
    naming_values = {(name.lower(), schema.normalise_value(name, value)) for name, value in new}
    if change.delete_old_rdn:
        for name, value in _list_naming_values(schema, change.dn.rdn):
            octets = schema.normalise_value(name, value)
            # The second condition replaces the old spelling if a rename changes only the case of a value.
            if (name.lower(), octets) not in naming_values or (name, value) not in new:
                values = tuple(v for v in after.values(name) if schema.normalise_value(name, v) != octets)
                after = after.with_values(name, values)
    return add_naming_values(schema, after)


def _list_naming_values(schema: Schema, rdn: RDN) -> tuple[tuple[str, bytes], ...]:
    """Return the naming values of *rdn* as pairs of attribute name (as the schema spells it) and value."""
    return tuple((canonicalise_name(schema, kind), _encode_value(value)) for kind, value in rdn.parts)


def add_naming_values(schema: Schema, entry: Entry) -> Entry:
    """Return *entry* with the missing values of its RDN added, in the same way as slapd."""
    # Most entries spell the value as the RDN does, so no normal form is needed.
    if not entry.dn.rdns or all(_encode_value(value) in entry.values(kind) for kind, value in entry.dn.rdn.parts):
        return entry
    for name, value in _list_naming_values(schema, entry.dn.rdn):
        if not _has_value(schema, entry, name, value):
            entry = entry.with_values(name, (*entry.values(name), value))
    return entry


def canonicalise_name(schema: Schema, name: str) -> str:
    """Return attribute description *name* as slapd returns it: aliases and OIDs replaced by the type's first name.

    Neither the case nor the order of options is significant (RFC 4512 §2.5.2).
    """
    base_name, semicolon, options = name.partition(";")
    known = schema.attribute(base_name)
    kind = base_name if known is None or known.name.lower() == base_name.lower() else known.name
    return kind + semicolon + ";".join(sorted(options.lower().split(";")))


def find_spelling_in_entry(schema: Schema, name: str, entry: Entry | None) -> str:
    """Return *name* as *entry* spells it, else its canonical name: a server may keep the order of options."""
    canonical = canonicalise_name(schema, name)
    if entry is None or canonical in entry or canonical.count(";") < _SEVERAL:
        return canonical
    same = (each.name for each in entry.attributes if canonicalise_name(schema, each.name).lower() == canonical.lower())
    return next(same, canonical)


def _has_value(schema: Schema, entry: Entry, name: str, value: bytes) -> bool:
    held_values = entry.values(name)
    if value in held_values:
        return True
    normal = schema.normalise_value(name, value)
    return any(schema.normalise_value(name, held) == normal for held in held_values)


def _encode_value(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")
