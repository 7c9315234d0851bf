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
        (entry.dn, access_list.attribute, title)
        for entry, access_list, title, use in _find_titles_without_ae(plan)
        if use is not NameUse.COMPARED
    )


def warn_about_new_restrictions(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each list that was empty and let everybody in, and for each caller that may be misspelt.

    An AE's capabilities are such a list: one that lists any as SCP is sent nothing else.
    """
    for before, after in _iterate_written_entries(plan):
        for access_list in ACCESS_LISTS:
            listed_values = after.texts(access_list.attribute)
            if listed_values and before is not None and not before.values(access_list.attribute):
                yield (
                    f"{after.dn}: {access_list.attribute} was empty and let every {access_list.member} in; from now on "
                    "each "
                    f"but {join_limited(listed_values, _MAX_NAMED)} is {access_list.rejection}"
                )
    yield from _warn_about_typos(plan)
    yield from _warn_about_first_capabilities(plan)


def _warn_about_typos(plan: Plan) -> Iterator[str]:
    titles: frozenset[str] | None = None
    for entry, access_list, title, use in _find_titles_without_ae(plan):
        titles = _list_titles(plan.after) if titles is None else titles
        if use is NameUse.COMPARED and (similar := suggest_names(title, titles, min_similarity=_MIN_TYPO_LIKENESS)):
            yield (
                f"{entry.dn}: {access_list.attribute} {title!r}: no AE has the title, which a {access_list.member} "
                f"need not have; near misses: {', '.join(similar)}"
            )


def _find_titles_without_ae(plan: Plan) -> Iterator[tuple[Entry, AccessList, str, NameUse]]:
    """Yield each title that comes to such a list and that no AE will have, and what becomes of it."""
    titles: frozenset[str] | None = None
    for before, after in _iterate_written_entries(plan):
        for access_list in ACCESS_LISTS:
            values_before = frozenset(before.values(access_list.attribute) if before is not None else ())
            for value in after.values(access_list.attribute):
                for name in find_names(access_list.attribute, value) if value not in values_before else ():
                    titles = _list_titles(plan.after) if titles is None else titles
                    if name.kind is EntityKind.AE and name.text not in titles:
                        yield after, access_list, name.text, name.use


def _iterate_written_entries(plan: Plan) -> Iterator[_Pair]:
    """Yield each entry that *plan* adds or modifies and that is there in the end."""
    entries_before: dict[NormalDN, Entry | None] = {}
    for step in plan.steps:
        if isinstance(step.change, Add | Modify):
            entries_before.setdefault(plan.after.key(step.change.dn), step.before)
    for key, before in entries_before.items():
        after = plan.after.entries.get(key)
        if after is not None:
            yield before, after


def _list_titles(tree: Tree) -> frozenset[str]:
    aes = (entry for entry in tree.entries.values() if entry.is_a(DICOM_NETWORK_AE_OBJECT_CLASS))
    return frozenset(entry.text(DICOM_AE_TITLE) or "" for entry in aes)


def _warn_about_first_capabilities(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each AE of another device than an archive's that comes to list an SCP capability."""
    added: dict[NormalDN, list[str]] = {}
    for step in plan.steps:
        match step.change:
            case Add(entry) if (
                entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS) and get_sop_class_role(entry)[1] == SCP
            ):
                added.setdefault(plan.before.key(entry.dn.parent), []).append(get_sop_class_name(entry))
            case _:
                pass
    for ae in _list_network_aes(plan.before) if added else ():
        listed_values = added.get(plan.before.key(ae.entry.dn))
        if (
            listed_values
            and not ae.device.is_archive
            and not any(get_sop_class_role(each)[1] == SCP for each in ae.capabilities)
        ):
            yield (
                f"{ae.entry.dn}: it has listed no SCP capability, and was sent everything; from now on the archive "
                f"sends it nothing but {join_limited(listed_values, _MAX_NAMED)}"
            )


def _list_network_aes(tree: Tree) -> tuple[NetworkAE, ...]:
    try:
        return tuple(Configuration(tree).network_aes())
    except NotFound:
        return ()
