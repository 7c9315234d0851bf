"""What a thing may be called newly."""

from __future__ import annotations

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.edits.new_names import require_name, title_doubts
from dcmcfg.errors import Refused
from dcmcfg.references.kinds import Kind
from dcmcfg.references.referring import References
from dcmcfg.registries import WILDCARD, registrations
from dcmcfg.schema import syntaxes
from dcmcfg.tree import Tree

_NEXT_STEP = "choose another name"


def require_well_formed(tree: Tree, kind: Kind, name: str) -> None:
    """Raise :class:`Refused` when a thing of *kind* cannot be called *name*.

    For an AE that is no title it is :class:`~dcmcfg.errors.MalformedInput`.
    """
    word = kind.value.word
    if kind is Kind.AE:
        # What it doubts is refused below: an entry that the archive cannot change need not be made.
        list(title_doubts(parse_ae_title(name)))
    require_name(name, word, _NEXT_STEP)
    definition = tree.schema.attribute(kind.value.attribute)
    problem = syntaxes.problem(definition.syntax, name.encode()) if definition else ""
    if name == WILDCARD:
        problem = "* stands for any"
    elif "${" in name:
        problem = "the archive reads ${ as the beginning of a system property"
    if problem:
        raise Refused(f"{name!r} is no name for a {word}: {problem}", next_step=_NEXT_STEP)


def require_free(references: References, kind: Kind, name: str) -> None:
    """Raise :class:`Refused` when *name* of *kind*, whose names are unique in the whole tree, is taken."""
    word = kind.value.word
    if carriers := references.named(kind, name):
        raise Refused(f"the name {name} is taken by another {word}", on=str(carriers[0].dn), next_step=_NEXT_STEP)
    if registered := registrations(references.tree, kind, name):
        raise Refused(
            f"{name} is registered, although no {word} carries it",
            on=str(registered[0]),
            next_step="dcmcfg lint --fix --rule registry-orphan takes registrations away that nothing carries",
        )
