"""Compare two trees: the plan that turns one into the other, and the selection of the compared entries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dcmcfg.changes import Add, Delete, Modify
from dcmcfg.dn import DN, NormalDN, is_at_or_below, sort_children_first, sort_parents_first
from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.plan import entry_diff
from dcmcfg.plan.entry_comparison import EntryComparison, MissingSecretsPolicy
from dcmcfg.plan.plan import Plan, PlanStep
from dcmcfg.schema_names import DICOM_DEVICE_NAME, DICOM_DEVICE_OBJECT_CLASS


@dataclass(frozen=True)
class TreeDiff:
    """The plan from the first tree to the second, without assertions.

    ``plan.after`` is the resulting tree: values that are equal by the schema keep the spelling of the first tree.
    ``not_compared`` has the names of attributes whose secrets or vendor data were not compared, because one side lacks
    them; for ``dcmProperty``, each secret line by its key.
    """

    plan: Plan
    not_compared: tuple[str, ...] = ()


def diff_trees(before: Tree, after: Tree, *, ignore: Collection[str] = (), with_secrets: bool = False) -> TreeDiff:
    """Return the differences between *before* and *after*, compared by the rules of the schema of *before*.

    The steps add entries (parents first), change values, and then delete entries (children first), so that no reference
    dangles in between. A renamed entry appears as an add and a delete. Attributes in *ignore* (without options) are not
    changed. Secrets and vendor data that one side lacks, as in exports and stock files, are not changed either, unless
    *with_secrets*. Both trees must contain the naming values of their entries.
    """
    policy = MissingSecretsPolicy.DELETE if with_secrets else MissingSecretsPolicy.IGNORE
    comparison = EntryComparison(before.schema, missing_secrets=policy, ignore=ignore)
    entries = dict(before.entries)
    added: dict[NormalDN, PlanStep] = {}
    changed: dict[NormalDN, PlanStep] = {}
    for key, desired in after.entries.items():
        current = before.entries.get(key)
        if current is None:
            entries[key] = desired
            added[key] = PlanStep(Add(desired), None, desired)
        # The comparison returns the same object if both entries are equal by the rules.
        elif (target := comparison.compute_target(current, desired)) is not current:
            entries[key] = target
            changed[key] = PlanStep(
                Modify(current.dn, entry_diff.compute_modifications(current, target, before.schema)), current, target
            )
    deleted = {
        key: PlanStep(Delete(entry.dn), entry, None)
        for key, entry in before.entries.items()
        if key not in after.entries
    }
    for key in deleted:
        del entries[key]
    steps = (
        *(added[key] for key in sort_parents_first(added)),
        *(changed[key] for key in sort_parents_first(changed)),
        *(deleted[key] for key in sort_children_first(deleted)),
    )
    # The entryCSN of a changed entry is unknown in the resulting tree.
    versions = {key: version for key, version in before.versions.items() if key in entries and key not in changed}
    plan = Plan(before, Tree(before.schema, entries, versions), steps)
    return TreeDiff(plan, tuple(sorted(comparison.not_compared.values())))


def select_subtree(tree: Tree, dn: DN) -> Tree:
    """Return the tree of the entry at *dn* and all entries below it; empty if there are none."""
    base = tree.key(dn)
    return _select_entries(tree, {key for key in tree.entries if is_at_or_below(key, base)})


def select_configuration(tree: Tree, root: DN) -> Tree:
    """Return the part of *tree* that an export contains: the configuration *root*, its ancestors and descendants."""
    base = tree.key(root)
    return _select_entries(
        tree, {key for key in tree.entries if is_at_or_below(key, base) or is_at_or_below(base, key)}
    )


def find_device_dn(name: str, *trees: Tree) -> DN:
    """Return the DN of the device *name* in the first of *trees* that has it; case is ignored.

    A tree may be a file with that device only. Raises :class:`NotFound`.
    """
    for tree in trees:
        for entry in tree.entries.values():
            if (entry.text(DICOM_DEVICE_NAME) or "").lower() == name.lower() and entry.is_a(DICOM_DEVICE_OBJECT_CLASS):
                return entry.dn
    raise NotFound(f"neither configuration has a device {name}")


def select_comparable(live: Tree, file_name: str, file: Tree) -> tuple[Tree, Tree]:
    """Return the parts of the *live* tree and of *file* (from the file *file_name*) that are compared by default.

    These are the parts that an export contains. Raises :class:`NotFound` if *file* contains less: everything else would
    appear as deleted.
    """
    try:
        root = Configuration(live).root
    except NotFound:
        return live, file
    if root not in file:
        top = min(file.entries.values(), key=lambda entry: len(entry.dn.rdns)).dn
        suggestion = f'to compare only this part: --only "{top}"'
        next_step = suggestion if top.is_below(root.parent) else "if the base DN of the file differs: --map-base auto"
        raise NotFound(f"it does not contain {root}", subject=file_name, next_step=next_step)
    return select_configuration(live, root), select_configuration(file, root)


def _select_entries(tree: Tree, keys: set[NormalDN]) -> Tree:
    entries = {key: entry for key, entry in tree.entries.items() if key in keys}
    return Tree(tree.schema, entries, {key: version for key, version in tree.versions.items() if key in keys})
