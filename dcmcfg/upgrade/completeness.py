"""Find out whether a tree may lack entries that the bind DN cannot see: an upgrade would take them for removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    DICOM_AE_TITLE,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    OBJECT_CLASS,
)
from dcmcfg.secret_values import is_secret
from dcmcfg.upgrade.trees import UpgradeTree

_MAX_LISTED = 5


def require_complete(tree: Tree, child_counts: Mapping[NormalDN, int | bool]) -> None:
    """Raise :class:`Refused` if *tree* lacks entries, or parts of entries, that the server has.

    *child_counts* are the numbers of children according to the server, or whether there are any.
    """
    found = [*_find_orphans(tree), *_find_hidden_children(tree, child_counts), *_find_hidden_classes(tree)]
    if found:
        raise _build_refusal(found)


def list_missing(site: Tree, base: UpgradeTree) -> tuple[DN, ...]:
    """Return the highest entries of *base* that *site* lacks: those that an upgrade takes for removed."""
    return tuple(each.dn for key, each in base.entries.items() if key not in site.entries and key[1:] in site.entries)


def list_missing_aes(site: Tree, default: Iterable[Entry]) -> tuple[DN, ...]:
    """Return the AEs of the archive's device in *default* that *site* does not have under the same title."""
    titles = {
        title
        for each in default
        if each.is_a(DICOM_NETWORK_AE_OBJECT_CLASS) and len(each.dn.rdns) > 1
        for title in each.texts(DICOM_AE_TITLE)
    }
    devices = [each.dn for each in site.entries.values() if each.is_a(ARCHIVE_DEVICE_OBJECT_CLASS)]
    found = (device.child(DICOM_AE_TITLE, title) for device in devices for title in sorted(titles))
    return tuple(each for each in found if each not in site)


def require_visible(hidden: Sequence[DN]) -> None:
    """Raise :class:`Refused` if there are *hidden* entries, which exist but cannot be seen."""
    if hidden:
        raise _build_refusal([f"{each}: the entry exists, but dcmcfg cannot read the entry" for each in hidden])


def _build_refusal(found: Sequence[str]) -> Refused:
    more = len(found) - _MAX_LISTED
    return Refused(
        "the configuration could not be read completely, and the upgrade would treat the missing entries as removed",
        next_step="use a bind DN that is allowed to read the whole configuration, and check the size limit of the "
        "server",
        details=[*found[:_MAX_LISTED], *([f"and {more} more"] if more > 0 else [])],
    )


def _find_orphans(tree: Tree) -> Iterator[str]:
    highest = min(map(len, tree.entries), default=0)
    for key, entry in tree.entries.items():
        if len(key) > highest and key[1:] not in tree.entries:
            yield f"{entry.dn}: dcmcfg cannot read the parent entry"


def _find_hidden_children(tree: Tree, child_counts: Mapping[NormalDN, int | bool]) -> Iterator[str]:
    seen = Counter(key[1:] for key in tree.entries)
    for key, count in child_counts.items():
        entry = tree.entries.get(key)
        if entry is None or key in tree.referrals:
            continue
        if isinstance(count, bool):
            if count and not seen[key]:
                yield f"{entry.dn}: dcmcfg cannot read the child entries"
        elif count > seen[key]:
            yield f"{entry.dn}: {seen[key]} of {count} child entries can be read"


def _find_hidden_classes(tree: Tree) -> Iterator[str]:
    for entry in tree.entries.values():
        if OBJECT_CLASS not in entry:
            yield f"{entry.dn}: dcmcfg cannot read the object classes of the entry"


def has_secrets(entries: Iterable[Entry]) -> bool:
    """Return whether one of *entries* has a secret, such as the PIN of a key store."""
    return any(is_secret(each.name, value) for entry in entries for each in entry.attributes for value in each.values)


def leave_out_secrets(tree: UpgradeTree) -> UpgradeTree:
    """Return *tree* without secrets, for a site whose secrets are not known."""
    result = tree.copy()
    for key, entry in tree.entries.items():
        for each in entry.attributes:
            kept = tuple(value for value in each.values if not is_secret(each.name, value))
            if len(kept) < len(each.values):
                result.entries[key] = result.entries[key].with_values(each.name, kept)
    return result
