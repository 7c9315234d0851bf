"""What turns one tree into another, as a plan that can be read, applied, or reverted; and what is compared."""

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
    """The plan from the first tree to the second, its changes without assertions.

    ``plan.after`` is the tree that it reaches: values that are equal by the schema keep the first tree's spelling.
    ``not_compared`` names the attributes whose secrets or vendor data were not compared, because one side lacks them;
    of ``dcmProperty``, each secret line by its key.
    """

    plan: Plan
    not_compared: tuple[str, ...] = ()


def diff_trees(before: Tree, after: Tree, *, ignore: Collection[str] = (), with_secrets: bool = False) -> TreeDiff:
    """Return what turns *before* into *after*, compared by the rules of the schema of *before*.

    Entries are added parents first, then values changed, then entries deleted children first, so that no reference
    dangles on the way. A renamed entry is one added and one deleted. Attributes named in *ignore* (options do not
    matter) keep the values that they have. So do secrets and vendor data that one side lacks, as exports and stock
    files do, unless *with_secrets*. Both trees hold the values that their entries' RDNs name.
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
    versions = {key: version for key, version in before.versions.items() if key in entries and key not in changed}
    plan = Plan(before, Tree(before.schema, entries, versions), steps)
    return TreeDiff(plan, tuple(sorted(comparison.not_compared.values())))


def select_subtree(tree: Tree, dn: DN) -> Tree:
    """Return the entry at *dn* and all below it; empty when the tree has nothing there."""
    base = tree.key(dn)
    return _select_entries(tree, {key for key in tree.entries if is_at_or_below(key, base)})


def select_configuration(tree: Tree, root: DN) -> Tree:
    """Return what an export holds: the entries from the top down to the configuration *root*, and all below it."""
    base = tree.key(root)
    return _select_entries(
        tree, {key for key in tree.entries if is_at_or_below(key, base) or is_at_or_below(base, key)}
    )


def find_device_dn(name: str, *trees: Tree) -> DN:
    """Return the DN of device *name* in the first of *trees* that has it, a file of that device alone included.

    The case of the name is not significant. Raises :class:`NotFound`.
    """
    for tree in trees:
        for entry in tree.entries.values():
            if (entry.text(DICOM_DEVICE_NAME) or "").lower() == name.lower() and entry.is_a(DICOM_DEVICE_OBJECT_CLASS):
                return entry.dn
    raise NotFound(f"neither side has a device {name}")


def select_comparable(live: Tree, file_name: str, file: Tree) -> tuple[Tree, Tree]:
    """Return the portions of the *live* tree and of *file* (called *file_name*) that are compared by default.

    That is what an export holds. Raises :class:`NotFound` when *file* holds less: all else would seem to be deleted.
    """
    try:
        root = Configuration(live).root
    except NotFound:
        return live, file
    if root not in file:
        top = min(file.entries.values(), key=lambda entry: len(entry.dn.rdns)).dn
        suggestion = f'to compare a part: --only "{top}"'
        next_step = suggestion if top.is_below(root.parent) else "it is at another base DN: --map-base auto"
        raise NotFound(f"{root} is not in it", subject=file_name, next_step=next_step)
    return select_configuration(live, root), select_configuration(file, root)


def _select_entries(tree: Tree, keys: set[NormalDN]) -> Tree:
    entries = {key: entry for key, entry in tree.entries.items() if key in keys}
    return Tree(tree.schema, entries, {key: version for key, version in tree.versions.items() if key in keys})
