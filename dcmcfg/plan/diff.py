"""What turns one tree into another, as a plan that can be read, applied, or taken back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dcmcfg.changes import Add, Delete, Modify
from dcmcfg.dn import NormalDN
from dcmcfg.entry import Entry
from dcmcfg.plan import difference
from dcmcfg.plan.plan import Plan, Step
from dcmcfg.secret_values import is_secret
from dcmcfg.tree import Tree, canonical_name

_VENDOR_DATA = "dicomvendordata"


@dataclass(frozen=True)
class Diff:
    """The plan from the first tree to the second, its changes without assertions.

    ``plan.after`` is the tree that it reaches: values that are equal by the schema keep the first tree's spelling.
    ``passed_over`` names the attributes whose secrets or vendor data were not compared, because one side lacks them.
    """

    plan: Plan
    passed_over: tuple[str, ...] = ()


def diff(before: Tree, after: Tree, *, ignore: Collection[str] = (), with_secrets: bool = False) -> Diff:
    """Return what turns *before* into *after*, compared by the rules of the schema of *before*.

    Entries are added parents first, then values changed, then entries deleted children first, so that no reference
    dangles on the way. A renamed entry is one added and one deleted. Attributes named in *ignore* (options do not
    matter) keep the values that they have. So do secrets and vendor data that one side lacks, as exports and stock
    files do, unless *with_secrets*. Both trees hold the values that their entries' RDNs name.
    """
    comparison = _Comparison(before, ignore, with_secrets=with_secrets)
    reached = dict(before.entries)
    added: dict[NormalDN, Step] = {}
    changed: dict[NormalDN, Step] = {}
    for key, wanted in after.entries.items():
        held = before.entries.get(key)
        if held is None:
            reached[key] = wanted
            added[key] = Step(Add(wanted), None, wanted)
        elif (target := comparison.target(held, wanted)) is not held:
            reached[key] = target
            changed[key] = Step(Modify(held.dn, difference.between(held, target, before.schema)), held, target)
    deleted = {
        key: Step(Delete(entry.dn), entry, None) for key, entry in before.entries.items() if key not in after.entries
    }
    for key in deleted:
        del reached[key]
    steps = (*_parents_first(added), *_parents_first(changed), *reversed(_parents_first(deleted)))
    versions = {key: version for key, version in before.versions.items() if key in reached and key not in changed}
    plan = Plan(before, Tree(before.schema, reached, versions), steps)
    return Diff(plan, tuple(sorted(comparison.passed_over.values())))


def _parents_first(steps: dict[NormalDN, Step]) -> list[Step]:
    return [steps[key] for key in sorted(steps, key=lambda key: key[::-1])]


class _Comparison:
    """How the entries of two trees are compared, with what was passed over so far."""

    def __init__(self, tree: Tree, ignore: Collection[str], *, with_secrets: bool) -> None:
        self._schema = tree.schema
        self._ignored = {self._plain(name) for name in ignore}
        self._with_secrets = with_secrets
        self.passed_over: dict[str, str] = {}

    def target(self, before: Entry, after: Entry) -> Entry:
        """Return *before* with the values of *after*; *before* itself when the two are equal by the rules."""
        if before.attributes == after.attributes:
            return before
        target = before
        names = {attribute.name.lower(): attribute.name for attribute in (*after.attributes, *before.attributes)}
        for name in names.values():
            old, new = before.values(name), after.values(name)
            if old != new and (values := self._values(name, old, new)) != old:
                target = target.with_values(name, values)
        return target

    def _values(self, name: str, old: tuple[bytes, ...], new: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Return the values of *new*, each in the spelling of *old* where it is held; *old* itself for no change."""
        if set(old) == set(new) or (self._ignored and self._plain(name) in self._ignored):
            return old
        if not self._with_secrets:
            new = self._with_what_one_side_lacks(name, old, new)
        held = {self._schema.normal_value(name, value): value for value in old}
        wanted = {self._schema.normal_value(name, value): value for value in new}
        if wanted.keys() == held.keys():
            return old
        return tuple(held.get(normal, value) for normal, value in wanted.items())

    def _with_what_one_side_lacks(self, name: str, old: tuple[bytes, ...], new: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Return *new* with the secrets and vendor data of *old*, if only one of the two has any.

        Of a single-valued attribute one side must lack the value itself: a secret in place of another value is a
        difference.
        """
        definition = self._schema.attribute(name)
        if self._plain(name) == _VENDOR_DATA:
            old_kept, new_kept = old, new
        else:
            old_kept = tuple(value for value in old if is_secret(name, value))
            new_kept = tuple(value for value in new if is_secret(name, value))
        if bool(old_kept) == bool(new_kept):
            return new
        if definition is not None and definition.single_valued and old and new:
            return new
        self.passed_over[name.lower()] = name
        return (*(value for value in new if value not in new_kept), *old_kept)

    def _plain(self, name: str) -> str:
        return canonical_name(self._schema, name).partition(";")[0].lower()
