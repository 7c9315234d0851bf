"""Checks of the access lists that a plan changes: accepted callers, destinations and SOP classes."""

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
from dcmcfg.suggestions import TYPO_SIMILARITY, join_limited, suggest_names

_MAX_NAMED = 3

#: An entry before (None: it did not exist) and after the plan.
_Pair = tuple[Entry | None, Entry]


def find_unknown_accepted_titles(plan: Plan) -> Iterator[tuple[DN, str, str]]:
    """Yield (entry, attribute, title) of each destination that *plan* accepts, but that the archive cannot find."""
    yield from (
        (entry.dn, access_list.attribute, title)
        for entry, access_list, title, use in _find_titles_without_ae(plan)
        if use is not NameUse.COMPARED
    )


def warn_about_new_restrictions(plan: Plan) -> Iterator[str]:
    """Yield a warning for each list that was empty and accepted everything, and for each title that may be a typo.

    The capabilities of an AE are such a list: if an AE lists any as SCP, the archive sends it nothing else.
    """
    for before, after in _iterate_written_entries(plan):
        for access_list in ACCESS_LISTS:
            listed_values = after.texts(access_list.attribute)
            if listed_values and before is not None and not before.values(access_list.attribute):
                yield (
                    f"{after.dn}: {access_list.attribute} was empty, so the archive accepted every "
                    f"{access_list.member}. After this change, the archive accepts only "
                    f"{join_limited(listed_values, _MAX_NAMED)}. Every other {access_list.member} is "
                    f"{access_list.rejection}"
                )
    yield from _warn_about_typos(plan)
    yield from _warn_about_first_capabilities(plan)


def _warn_about_typos(plan: Plan) -> Iterator[str]:
    # Most plans change no access list, so the titles of all AEs are collected only when they are needed.
    titles: frozenset[str] | None = None
    for entry, access_list, title, use in _find_titles_without_ae(plan):
        titles = _list_titles(plan.after) if titles is None else titles
        if use is NameUse.COMPARED and (similar := suggest_names(title, titles, min_similarity=TYPO_SIMILARITY)):
            yield (
                f"{entry.dn}: {access_list.attribute} contains the title {title!r}, but no AE has this "
                f"title. This is allowed, but did you mean {', '.join(similar)}?"
            )


def _find_titles_without_ae(plan: Plan) -> Iterator[tuple[Entry, AccessList, str, NameUse]]:
    """Yield (entry, list, title, use) for each title that the plan adds to a list and that no AE will have."""
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
    """Yield each entry that *plan* adds or modifies, and that exists after the plan."""
    entries_before: dict[NormalDN, Entry | None] = {}
    for step in plan.steps:
        # Several steps may change one entry; its state before the plan is that before the first of them.
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
    """Yield a warning for each AE of a remote device that gets its first SCP capability."""
    added: dict[NormalDN, list[str]] = {}
    for step in plan.steps:
        match step.change:
            case Add(entry) if (
                entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS) and get_sop_class_role(entry)[1] == SCP
            ):
                added.setdefault(plan.before.key(entry.dn.parent), []).append(get_sop_class_name(entry))
            case _:
                pass
    # AEs that the plan adds are not in this tree: they had no capabilities before, so nothing changes for them.
    for ae in _list_network_aes(plan.before) if added else ():
        listed_values = added.get(plan.before.key(ae.entry.dn))
        if (
            listed_values
            and not ae.device.is_archive
            and not any(get_sop_class_role(each)[1] == SCP for each in ae.capabilities)
        ):
            yield (
                f"{ae.entry.dn}: this AE had no SCP capability, so the archive sent all SOP classes to this AE. "
                f"After this change, the archive sends only {join_limited(listed_values, _MAX_NAMED)}"
            )


def _list_network_aes(tree: Tree) -> tuple[NetworkAE, ...]:
    try:
        return tuple(Configuration(tree).network_aes())
    except NotFound:
        return ()
