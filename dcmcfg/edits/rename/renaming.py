"""The result of a rename (edit, rewritten references, leftovers), and the checks of new names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.changes import Change
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.name_rules import check_new_ae_title, require_valid_name
from dcmcfg.edits.rename.leftovers import NO_LEFTOVERS, LeftoverNames, find_leftover_names
from dcmcfg.edits.rename.rewriting import NameChange, Rewriting, make_rewriting
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound, Refused
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.registries import WILDCARD, find_registrations
from dcmcfg.model.tree import Tree
from dcmcfg.schema import syntaxes
from dcmcfg.suggestions import join_limited

_MAX_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Renaming:
    """The rename of an object of ``kind`` from ``old_name`` to ``new_name``.

    ``references`` are the rewritten references, in their old form; ``leftovers`` are values with the old name.
    """

    kind: EntityKind
    old_name: str
    new_name: str
    edit: Edit
    references: tuple[Reference, ...]
    leftovers: LeftoverNames


def make_renaming(
    references: References,
    new_names: Sequence[NameChange],
    warnings: Sequence[str] = (),
    changes: Sequence[Change] = (),
) -> Renaming:
    """Return the rename of the first of *new_names* together with the others, followed by *changes*.

    Raises the errors of :func:`~dcmcfg.edits.rename.rewriting.make_rewriting`.
    """
    name = new_names[0]
    rewriting = make_rewriting(references, new_names)
    all_changes = (*rewriting.changes, *changes)
    # In this tree, all rewritten values have the new name, so each value with the old one is a leftover.
    after = References(references.tree.with_changes(all_changes))
    all_warnings = (
        *warnings,
        *_warn_about_existing_references(references, name),
        *_warn_about_ambiguous_references(references, name),
        *_warn_about_merged_values(rewriting, name),
    )
    # If only the case changes, the new name matches the old one, so leftovers cannot be recognised.
    is_respelling = name.kind.are_same_name(name.old_name, name.new_name)
    leftovers = (
        NO_LEFTOVERS
        if is_respelling
        else find_leftover_names(
            after, name.kind, name.old_name, name.new_name, keeps_old_name=name.keeps_old_name or name.accepts_old_title
        )
    )
    return Renaming(
        kind=name.kind,
        old_name=name.old_name,
        new_name=name.new_name,
        edit=Edit(all_changes, all_warnings),
        references=rewriting.references,
        leftovers=leftovers,
    )


def make_empty_renaming(kind: EntityKind, name: str) -> Renaming:
    """Return the rename of *name* to itself, which changes nothing."""
    return Renaming(kind=kind, old_name=name, new_name=name, edit=Edit(()), references=(), leftovers=NO_LEFTOVERS)


def rename_references_only(references: References, name: NameChange) -> Renaming:
    """Return the rest of a manual rename: the change of references to the old name.

    Raises :class:`Refused` while an entry has the old name, and :class:`NotFound` if no entry has the new name, or if
    there are no references to the old name.
    """
    word = name.kind.value.label
    carriers = [_find_carriers(references, name, each) for each in (name.old_name, name.new_name)]
    if carriers[0]:
        raise Refused(
            f"the {word} {name.old_name} still exists",
            subject=str(carriers[0][0].dn),
            next_step=f"to rename the {word}: omit --references-only",
        )
    if not carriers[1]:
        raise NotFound(
            f"there is no {word} {name.new_name}",
            next_step=f"with --references-only, NEW must be the current name of the {word}",
        )
    renaming = make_renaming(references, (name,))
    if not renaming.edit.changes:
        raise NotFound(f"there are no dangling references to the {word} {name.old_name}")
    return renaming


def suggest_references_only(references: References, name: NameChange) -> str:
    """Return the next step for a rename of a missing object with references; otherwise an empty text."""
    count = sum(name.is_target_of(each, references) for each in references.find_references(name.kind, name.old_name))
    if not count or not _find_carriers(references, name, name.new_name):
        return ""
    values = f"{count} values refer to" if count > 1 else "1 value refers to"
    return (
        f"{values} {name.old_name}, and {name.new_name} exists. To change these references to "
        f"{name.new_name}: --references-only"
    )


def _find_carriers(references: References, name: NameChange, text: str) -> list[Entry]:
    """Return the entries of the kind with the name *text*; for a part of a device, only those on the same device."""
    carriers = references.find_entries(name.kind, text)
    return [each for each in carriers if not name.device_key or references.find_device_key(each.dn) == name.device_key]


def _warn_about_existing_references(references: References, name: NameChange) -> Iterator[str]:
    if name.entry is None or name.kind.are_same_name(name.old_name, name.new_name):
        return
    device = references.find_device_key(name.entry.dn)
    found = [
        each
        for each in references.find_references(name.kind, name.new_name)
        if not references.find_candidates(each)
        and (name.kind.value.registered or references.find_device_key(each.dn) == device)
    ]
    if found:
        locations = _format_locations(found)
        yield (
            f"some references already contain {name.new_name}, but do not refer to an existing "
            f"{name.kind.value.label}: {locations}. After the rename, these references refer to the renamed "
            f"{name.kind.value.label}. If you later rename the {name.kind.value.label} back, dcmcfg also changes these "
            "references."
        )


def _warn_about_ambiguous_references(references: References, name: NameChange) -> Iterator[str]:
    if name.entry is None:
        return
    ambiguous = [
        each
        for each in references.find_references(name.kind, name.old_name)
        if len(references.find_candidates(each)) > 1
    ]
    own = [each for each in ambiguous if name.is_target_of(each, references)]
    others = [each for each in ambiguous if each not in own]
    prefix = f"{name.old_name} is also the name of another {name.kind.value.label}"
    if own:
        yield (f"{prefix}. References to this {name.kind.value.label} are changed: {_format_locations(own)}.")
    if others:
        yield (
            f"{prefix}. References to the other {name.kind.value.label} stay as they are: {_format_locations(others)}."
        )


def _warn_about_merged_values(rewriting: Rewriting, name: NameChange) -> Iterator[str]:
    for dn, attribute in rewriting.merged_values:
        yield (
            f"{dn}: {attribute} already contains {name.new_name}, so dcmcfg only removes {name.old_name}. If you later "
            f"rename {name.new_name} back, {attribute} will contain only {name.old_name}."
        )


def _format_locations(references: Sequence[Reference]) -> str:
    return join_limited([f"{each.attribute} of {each.dn}" for each in references], _MAX_SHOWN, "; ")


_NEXT_STEP = "choose another name"


def require_well_formed(tree: Tree, kind: EntityKind, name: str) -> None:
    """Raise :class:`Refused` if *name* is not a valid name for *kind*.

    For an invalid AE title, raises :class:`~dcmcfg.errors.MalformedInput`.
    """
    word = kind.value.label
    if kind is EntityKind.AE:
        # A name with a warning is refused below: a rename must not create an entry that the archive cannot change.
        list(check_new_ae_title(parse_ae_title(name)))
    require_valid_name(name, word, _NEXT_STEP)
    definition = tree.schema.attribute(kind.value.attribute)
    problem = syntaxes.find_syntax_problem(definition.syntax, name.encode()) if definition else ""
    if name == WILDCARD:
        problem = "* represents any name"
    elif "${" in name:
        problem = "the archive reads ${ as the start of a system property"
    if problem:
        raise Refused(f"{name!r} is not a valid {word} name: {problem}", next_step=_NEXT_STEP)


def require_free(references: References, kind: EntityKind, name: str) -> None:
    """Raise :class:`Refused` if *name* of *kind*, whose names are unique in the whole tree, is already used."""
    word = kind.value.label
    if carriers := references.find_entries(kind, name):
        raise Refused(
            f"the name {name} is already used by another {word}", subject=str(carriers[0].dn), next_step=_NEXT_STEP
        )
    if registered := find_registrations(references.tree, kind, name):
        raise Refused(
            f"{name} is in the registry of unique names, but no {word} has this name",
            subject=str(registered[0]),
            next_step="to remove unused registrations: dcmcfg check --fix --rule registry-orphan",
        )
