"""Changes of entries that were renamed since they were written, as far as earlier roll-outs tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dcmcfg.changes import Add, Rename
from dcmcfg.dn import DN, is_at_or_below
from dcmcfg.errors import DoesNotFit
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Misfit, placed

_NO_SUCH_ENTRY = 32


@dataclass(frozen=True)
class PastRename:
    """A rename that the roll-out of that ``number`` made; ``when`` is UTC, as people write it.

    With ``is_left``, the roll-out was undone in part, so its number cannot be undone once more.
    """

    rename: Rename
    number: int
    when: str
    is_left: bool = False


def names_an_absent_entry(misfit: Misfit) -> bool:
    """Return whether *misfit* does not fit because an entry is not there."""
    return misfit.problem.result_code == _NO_SUCH_ENTRY


def with_new_names(misfits: Sequence[Misfit], tree: Tree, past: Sequence[PastRename]) -> tuple[Misfit, ...]:
    """Return *misfits*, those of entries that *past* renames (the oldest first) have moved with their new names.

    The new name is one that *tree* has.
    """
    return tuple(_renamed(misfit, tree, past) if names_an_absent_entry(misfit) else misfit for misfit in misfits)


def _renamed(misfit: Misfit, tree: Tree, past: Sequence[PastRename]) -> Misfit:
    for dn in _meant(misfit, tree):
        name, made = _followed(dn, tree, past)
        if made and name in tree:
            by = " and ".join(f"roll-out {each.number} ({each.when})" for each in made)
            undo = (
                f"; dcmcfg undo {made[0].number} takes the rename back"
                if len(made) == 1 and not made[0].is_left
                else ""
            )
            problem = DoesNotFit(
                f"there is no such entry: {by} renamed it to {name}",
                on=str(dn),
                next_step=f"write the new name into the file{undo}",
                result_code=_NO_SUCH_ENTRY,
            )
            return replace(misfit, problem=placed(problem, misfit.wanted.place))
    return misfit


def _meant(misfit: Misfit, tree: Tree) -> Iterator[DN]:
    """Yield the entries that the change needs and that *tree* does not have."""
    change = misfit.wanted.change
    above = change.new_superior if isinstance(change, Rename) else None
    for dn in (change.dn.parent if isinstance(change, Add) else change.dn, above):
        if dn is not None and dn not in tree:
            yield dn


def _followed(dn: DN, tree: Tree, past: Sequence[PastRename]) -> tuple[DN, list[PastRename]]:
    """Return the name that *past* renames have led *dn* to, and those that did."""
    made = []
    for each in past:
        if is_at_or_below(tree.key(dn), tree.key(each.rename.dn)):
            dn = dn.rebased(each.rename.dn, each.rename.new_dn)
            made.append(each)
    return dn, made
