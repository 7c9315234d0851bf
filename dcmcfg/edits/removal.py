"""Remove whole subtrees, with the registrations of removed names, and list the references to removed entries.

With a network AE, its unused connections and its unused device are removed too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from dcmcfg.changes import Delete
from dcmcfg.dn import DN, NormalDN
from dcmcfg.edits.edit import Edit, Referrer
from dcmcfg.entry import Entry
from dcmcfg.model.connections import ConnectionUsers, format_users, get_connection_name
from dcmcfg.model.devices import Connection, NetworkAE, find_devices_dn
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.registries import REGISTRIES
from dcmcfg.schema_names import DICOM_NETWORK_CONNECTION_OBJECT_CLASS
from dcmcfg.secret_values import format_value

#: The maximum number of referrers in the warnings.
_MAX_LISTED = 20


def remove_subtrees(references: References, tops: Iterable[DN]) -> Edit:
    """Return the edit that removes the entries at *tops* and all below them from the tree of *references*, in order.

    Registrations are removed with the last entry that has the name. The referrers of the edit are references from
    remaining entries to removed ones; the warnings list the first of them.
    """
    tree = references.tree
    removed_entries = [entry for top in tops for entry in _sort_leaf_first(tree.subtree(top))]
    # The tops may contain each other, but each entry is deleted once.
    removed = {tree.key(entry.dn): entry for entry in removed_entries}
    deletes = [Delete(entry.dn) for entry in removed.values()]
    remaining = [entry for key, entry in tree.entries.items() if key not in removed]
    for registry in REGISTRIES:
        remaining_names = registry.index_names(remaining)
        removed_names = {name for name in registry.index_names(removed.values()) if name not in remaining_names}
        attribute = registry.kind.value.attribute
        deletes += (Delete(entry.dn) for entry in registry.find_entries(tree) if entry.text(attribute) in removed_names)
    found = tuple(find_referrers(references, removed))
    listed = [_describe_referrer(references, reference, entry) for reference, entry in found[:_MAX_LISTED]]
    if more := len(found[_MAX_LISTED:]):
        listed.append(f"and {more} more values that refer to removed entries")
    return Edit(tuple(deletes), tuple(listed), tuple(Referrer(reference, entry.dn) for reference, entry in found))


def _sort_leaf_first(subtree: tuple[Entry, ...]) -> Iterator[Entry]:
    """Yield the entries of *subtree*, parents last, and connections after entries that may refer to them.

    In this order, an interrupted removal leaves no dangling reference, which would prevent the archive from loading the
    device.
    """
    top, *below = subtree
    connections = [entry for entry in below if entry.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS)]
    yield from (entry for entry in reversed(below) if entry not in connections)
    yield from connections
    yield top


def find_referrers(references: References, removed: dict[NormalDN, Entry]) -> Iterator[tuple[Reference, Entry]]:
    """Yield (reference, entry) for each reference from a remaining entry to one of *removed* (normal DN → entry).

    References by a name are included only if no remaining entry has the name.
    """
    tree = references.tree
    for reference in references.all:
        if tree.key(reference.dn) in removed:
            continue
        target = references.resolve(reference)
        if target is None or tree.key(target.dn) not in removed:
            continue
        others = (
            references.find_entries(reference.kind, reference.name) if reference.kind is not EntityKind.ENTRY else ()
        )
        if all(tree.key(other.dn) in removed for other in others):
            yield reference, target


def _describe_referrer(references: References, reference: Reference, target: Entry) -> str:
    base = find_devices_dn(references.tree)
    referrer = reference.dn.relative_to(base)
    if reference.kind is EntityKind.ENTRY:
        return f"{referrer} refers to {target.dn.relative_to(base)} ({reference.attribute})"
    value = format_value(reference.attribute, reference.value)
    return f"{referrer} refers to the {reference.kind.value.label} {reference.name}: {reference.attribute} is {value}"


def remove_network_ae(ae: NetworkAE, *, keep_connection: bool) -> Edit:
    """Return the edit that removes *ae* with its capabilities and its registration.

    Connections that only this AE uses are removed too, unless *keep_connection*. The device is removed with its last
    AE if it contains nothing else but unused connections, as ``dcmldap`` does; a device of an archive is never removed.
    """
    device, tree = ae.device, ae.device.tree
    references = References(tree)
    users = ConnectionUsers(references)
    unused = (
        ()
        if keep_connection
        else tuple(each for each in device.connections if not users.find_users(each, excluding=ae))
    )
    removed = {tree.key(ae.entry.dn), *(tree.key(each.dn) for each in unused)}
    remaining = [child for child in tree.children(device.entry.dn) if tree.key(child.dn) not in removed]
    if not remaining and not device.is_archive:
        edit = remove_subtrees(references, [device.entry.dn])
        warning = (
            f"{ae.title} is the last AE of the device {device.name}. The device contains no other entries, so the "
            "device is removed too."
        )
        return replace(edit, warnings=(warning, *edit.warnings))
    # Unused connections that this AE did not use either are only removed with the whole device.
    unused_own = [each for each in unused if each in ae.connections]
    edit = remove_subtrees(references, [ae.entry.dn, *(each.dn for each in unused_own)])
    return replace(
        edit, warnings=(*_describe_remaining(ae, users, unused_own, keep_connection=keep_connection), *edit.warnings)
    )


def _describe_remaining(
    ae: NetworkAE, users: ConnectionUsers, removed: Collection[Connection], *, keep_connection: bool
) -> Iterator[str]:
    for connection in ae.connections:
        others = users.find_users(connection, excluding=ae)
        if connection not in removed and others:
            yield (
                f"the connection {get_connection_name(connection.dn)} remains, because it is used by "
                f"{format_users(others)}."
            )
    if len(ae.device.network_aes) == 1 and not keep_connection:
        yield f"the device {ae.device.name} remains without an AE, because it contains other entries."
