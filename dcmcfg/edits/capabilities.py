"""Add, copy and remove transfer capabilities of an AE, with warnings about the consequences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.transfer_capability import TransferCapability
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.capabilities import (
    SCP,
    find_capabilities,
    find_withheld_sop_classes,
    get_sop_class_role,
    index_capabilities,
)
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.schema_names import COMMON_NAME, DICOM_TRANSFER_SYNTAX
from dcmcfg.suggestions import join_limited

_MAX_NAMED = 3


def warn_about_capabilities(
    configuration: Configuration, ae: NetworkAE, capabilities_after: list[Entry]
) -> Iterator[str]:
    """Yield warnings about the consequences for *ae*, if *capabilities_after* become its capabilities."""
    source = ae.capability_source
    if source is not ae:
        yield (
            f"{ae.title} shares the capabilities of {source.title}; the archive ignores the capabilities of "
            f"{ae.title} itself."
        )
        return
    scps = [each for each in capabilities_after if get_sop_class_role(each)[1] == SCP]
    had_scps = any(get_sop_class_role(each)[1] == SCP for each in ae.capabilities)
    # An archive AE accepts only the SOP classes that it lists.
    if ae.device.is_archive:
        if not scps and had_scps:
            yield f"{ae.title} no longer has an SCP capability, so {ae.title} accepts no SOP class."
        return
    # The archive sends everything to a remote AE without SCP capabilities, but only listed SOP classes to any other.
    if had_scps and not scps:
        yield f"{ae.title} no longer lists an SCP capability, so the archive sends all SOP classes to {ae.title}."
    before = find_withheld_sop_classes(configuration, ae.capabilities, ae)
    if names := [
        name for name in find_withheld_sop_classes(configuration, capabilities_after, ae) if name not in before
    ]:
        listed = join_limited(names, _MAX_NAMED)
        if had_scps:
            yield (
                f"{ae.title} no longer lists some SOP classes, so the archive will not send these SOP classes to "
                f"{ae.title}: {listed}."
            )
        else:
            yield (
                f"{ae.title} listed no SCP capability, so the archive sent all SOP classes to {ae.title}. From now "
                f"on, the archive does not send these SOP classes: {listed}."
            )


def add_capabilities(
    configuration: Configuration, ae: NetworkAE, new_capabilities: Iterable[TransferCapability]
) -> Edit:
    """Return the edit that adds *new_capabilities* to *ae*.

    Existing capabilities keep their transfer syntaxes and get the new ones too. Raises :class:`Refused` if the name of
    a new one is used by a capability with another SOP class or role.
    """
    return _build_edit(configuration, ae, new_capabilities, Operation.ADD)


def set_capabilities(configuration: Configuration, ae: NetworkAE, desired: Iterable[TransferCapability]) -> Edit:
    """Return the edit after which *ae* has the capabilities *desired* with exactly their transfer syntaxes.

    Missing ones are added. Of several entries for one SOP class in one role, only the first is kept, because the
    archive would merge their syntaxes. Raises as :func:`add_capabilities`.
    """
    desired = tuple(desired)
    keys = {(each.sop_class, each.role) for each in desired}
    kept = index_capabilities(ae)
    duplicates = [
        each for each in ae.capabilities if (key := get_sop_class_role(each)) in keys and each is not kept[key]
    ]
    edit = _build_edit(configuration, ae, desired, Operation.REPLACE)
    return Edit((*edit.changes, *(Delete(each.dn) for each in duplicates)), edit.warnings)


def _build_edit(
    configuration: Configuration, ae: NetworkAE, capabilities: Iterable[TransferCapability], operation: Operation
) -> Edit:
    """Return the edit that adds *capabilities*; those that *ae* has get their syntaxes by *operation*."""
    existing = index_capabilities(ae)
    # The values of ``cn`` ignore case, so names that differ only in case would be the same entry.
    by_name = {(entry.text(COMMON_NAME) or "").casefold(): entry for entry in ae.capabilities}
    changes: list[Change] = []
    new: list[Entry] = []
    for capability in capabilities:
        existing_entry = existing.get((capability.sop_class, capability.role))
        if existing_entry is not None:
            values = tuple(syntax.encode() for syntax in capability.transfer_syntaxes)
            changes.append(Modify(existing_entry.dn, (Modification(operation, DICOM_TRANSFER_SYNTAX, values),)))
            continue
        if capability.name.casefold() in by_name:
            raise Refused(f"{ae.title} already has a capability {capability.name} with another SOP class or role")
        entry = capability.build_entry(ae.entry.dn)
        by_name[capability.name.casefold()] = entry
        new.append(entry)
    return Edit(
        (*changes, *map(Add, new)),
        tuple(warn_about_capabilities(configuration, ae, [*ae.capabilities, *new])) if new else (),
    )


def copy_capabilities(configuration: Configuration, source: NetworkAE, ae: NetworkAE, *, replace: bool) -> Edit:
    """Return the edit that copies the capabilities of *source* to *ae*, with the same entries and names.

    With *replace*, capabilities of *ae* that *source* does not have are removed. Raises :class:`Refused` if *source*
    has none.
    """
    if not source.capabilities:
        raise Refused(f"{source.title} has no capabilities to copy", next_step=_explain_missing_capabilities(source))
    existing = index_capabilities(ae)
    changes: list[Change] = []
    added: list[Entry] = []
    names = {entry.text(COMMON_NAME) for entry in ae.capabilities}
    if replace:
        source_roles = {get_sop_class_role(each) for each in source.capabilities}
        removed = [each for each in ae.capabilities if get_sop_class_role(each) not in source_roles]
        changes += (Delete(each.dn) for each in removed)
        # The names of removed capabilities are free for the copies.
        names -= {each.text(COMMON_NAME) for each in removed}
    for each in source.capabilities:
        existing_entry = existing.get(get_sop_class_role(each))
        if existing_entry is None:
            new = each.with_dn(each.dn.rebased(source.entry.dn, ae.entry.dn))
            if new.text(COMMON_NAME) in names:
                raise Refused(
                    f"{ae.title} already has a capability {new.text(COMMON_NAME)} with another SOP class or role"
                )
            added.append(new)
            changes.append(Add(new))
        else:
            operation = Operation.REPLACE if replace else Operation.ADD
            changes.append(
                Modify(
                    existing_entry.dn,
                    (Modification(operation, DICOM_TRANSFER_SYNTAX, each.values(DICOM_TRANSFER_SYNTAX)),),
                )
            )
    after = [*added] if replace else [*ae.capabilities, *added]
    return Edit(tuple(changes), tuple(warn_about_capabilities(configuration, ae, after)) if added else ())


def _explain_missing_capabilities(source: NetworkAE) -> str:
    sharing_ae = source.capability_source
    return (
        f"{source.title} shares the capabilities of {sharing_ae.title}, so copy the capabilities from "
        f"{sharing_ae.title}"
        if sharing_ae is not source
        else "a remote AE without capabilities receives all SOP classes; an archive AE without capabilities accepts "
        "no SOP class"
    )


def remove_capabilities(
    configuration: Configuration, ae: NetworkAE, sop_classes: Mapping[str, str], roles: Iterable[str]
) -> Edit:
    """Return the edit that removes *sop_classes* (UID → the name that the user entered) in *roles* from *ae*.

    Raises :class:`~dcmcfg.errors.NotFound` for a SOP class that *ae* has in none of the roles.
    """
    role_names = tuple(roles)
    removed: list[Entry] = []
    for uid, label in sop_classes.items():
        removed += find_capabilities(ae, uid, role_names, label=label)
    remaining = [each for each in ae.capabilities if each not in removed]
    return Edit(
        tuple(Delete(each.dn) for each in removed), tuple(warn_about_capabilities(configuration, ae, remaining))
    )
