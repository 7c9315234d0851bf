"""The command that corrects a misspelt name in a reference. Kept apart: rules of several files use it."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.lint.context import LintContext
from dcmcfg.model.references.index import Reference
from dcmcfg.model.references.rewriting import rewrite_name
from dcmcfg.suggestions import suggest_names

#: Minimum similarity of two names for a suggested correction: one different letter of eight, or two swapped letters.
_MISSPELLING_SIMILARITY = 0.8


def build_correction(
    context: LintContext, reference: Reference, existing_names: Iterable[str]
) -> tuple[tuple[str, ...], ...]:
    """Return the command that replaces the name in *reference* by the most similar one of *existing_names*.

    Empty if none is so similar that the name is probably a typo. The command adds and removes in one change, because an
    empty list in between may admit everybody.
    """
    suggestions = suggest_names(reference.name, existing_names, min_similarity=_MISSPELLING_SIMILARITY)
    entry = context.tree.get(reference.dn)
    if not suggestions or entry is None:
        return ()
    attribute, target = reference.attribute, context.format_target(entry)
    corrected = rewrite_name(attribute, reference.value, reference.kind, old=reference.name, new=suggestions[0])
    old, new = (value.decode("utf-8", "replace") for value in (reference.value, corrected))
    definition = context.tree.schema.attribute(attribute)
    if definition is not None and definition.single_valued:
        return (("set", target, f"{attribute}={new}"),)
    # A server rejects a value that the attribute already has (20).
    addition = () if corrected in entry.values(attribute) else (f"{attribute}+={new}",)
    return (("set", target, *addition, f"{attribute}-={old}"),)
