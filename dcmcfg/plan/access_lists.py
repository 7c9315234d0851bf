"""What a plan puts on the lists that say who is let in."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.changes import Add, Modify
from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound
from dcmcfg.model.capabilities import SCP, get_sop_class_name, get_sop_class_role
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.references.attributes import ACCESS_LISTS, AccessList
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.model.references.rewriting import find_names
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Plan
from dcmcfg.schema_names import DICOM_AE_TITLE, DICOM_NETWORK_AE_OBJECT_CLASS, DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS
from dcmcfg.suggestions import join_limited, suggest_names

#: Titles of one site look alike; one that needs no AE is taken for misspelt only when nearly all of it agrees.
_MIN_TYPO_LIKENESS = 0.85
_MAX_NAMED = 3

#: An entry as it was (None: it was not there) and as it will be.
_Pair = tuple[Entry | None, Entry]


def find_unknown_accepted_titles(plan: Plan) -> Iterator[tuple[DN, str, str]]:
    """Yield (entry, attribute, title) of each destination that *plan* lets in and that the archive will not find."""
    yield from (
        (entry.dn, admission.attribute, title)
        for entry, admission, title, use in _find_titles_without_ae(plan)
        if use is not NameUse.COMPARED
    )


def warn_about_new_restrictions(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each list that was empty and let everybody in, and for each caller that may be misspelt.

    An AE's capabilities are such a list: one that lists any as SCP is sent nothing else.
    """
    for before, after in _written_entries(plan):
        for admission in ACCESS_LISTS:
            listed = after.texts(admission.attribute)
            if listed and before is not None and not before.values(admission.attribute):
                yield (
                    f"{after.dn}: {admission.attribute} was empty and let every {admission.member} in; from now on "
                    "each "
                    f"but {join_limited(listed, _MAX_NAMED)} is {admission.rejection}"
                )
    yield from _warn_about_typos(plan)
    yield from _warn_about_first_capabilities(plan)


def _warn_about_typos(plan: Plan) -> Iterator[str]:
    titles: frozenset[str] | None = None
    for entry, admission, title, use in _find_titles_without_ae(plan):
        titles = _titles(plan.after) if titles is None else titles
        if use is NameUse.COMPARED and (near := suggest_names(title, titles, min_similarity=_MIN_TYPO_LIKENESS)):
            yield (
                f"{entry.dn}: {admission.attribute} {title!r}: no AE has the title, which a {admission.member} need "
                "not "
                f"have; near misses: {', '.join(near)}"
            )


def _find_titles_without_ae(plan: Plan) -> Iterator[tuple[Entry, AccessList, str, NameUse]]:
    """Yield each title that comes to such a list and that no AE will have, and what becomes of it."""
    titles: frozenset[str] | None = None
    for before, after in _written_entries(plan):
        for admission in ACCESS_LISTS:
            held = frozenset(before.values(admission.attribute) if before is not None else ())
            for value in after.values(admission.attribute):
                for name in find_names(admission.attribute, value) if value not in held else ():
                    titles = _titles(plan.after) if titles is None else titles
                    if name.kind is EntityKind.AE and name.text not in titles:
                        yield after, admission, name.text, name.use


def _written_entries(plan: Plan) -> Iterator[_Pair]:
    """Yield each entry that *plan* adds or modifies and that is there in the end."""
    befores: dict[NormalDN, Entry | None] = {}
    for step in plan.steps:
        if isinstance(step.change, Add | Modify):
            befores.setdefault(plan.after.key(step.change.dn), step.before)
    for key, before in befores.items():
        after = plan.after.entries.get(key)
        if after is not None:
            yield before, after


def _titles(tree: Tree) -> frozenset[str]:
    aes = (entry for entry in tree.entries.values() if entry.is_a(DICOM_NETWORK_AE_OBJECT_CLASS))
    return frozenset(entry.text(DICOM_AE_TITLE) or "" for entry in aes)


def _warn_about_first_capabilities(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each AE of another device than an archive's that comes to list an SCP capability."""
    found: dict[NormalDN, list[str]] = {}
    for step in plan.steps:
        match step.change:
            case Add(entry) if (
                entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS) and get_sop_class_role(entry)[1] == SCP
            ):
                found.setdefault(plan.before.key(entry.dn.parent), []).append(get_sop_class_name(entry))
            case _:
                pass
    for ae in _aes(plan.before) if found else ():
        listed = found.get(plan.before.key(ae.entry.dn))
        if (
            listed
            and not ae.device.is_archive
            and not any(get_sop_class_role(each)[1] == SCP for each in ae.capabilities)
        ):
            yield (
                f"{ae.entry.dn}: it has listed no SCP capability, and was sent everything; from now on the archive "
                f"sends it nothing but {join_limited(listed, _MAX_NAMED)}"
            )


def _aes(tree: Tree) -> tuple[NetworkAE, ...]:
    try:
        return tuple(Configuration(tree).network_aes())
    except NotFound:
        return ()
