"""More transfer capabilities of an AE.

What becomes of an AE by the capabilities that it will have.

The transfer capabilities of one AE for another.

Fewer transfer capabilities of an AE.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.transfer_capability import TransferCapability
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound, Refused
from dcmcfg.model.capabilities import (
    SCP,
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
    """Yield what becomes of *ae* once *capabilities_after* are its capabilities."""
    shared = ae.capability_source
    if shared is not ae:
        yield f"{ae.title} shares the capabilities of {shared.title}; its own count for nothing."
        return
    scps = [each for each in capabilities_after if get_sop_class_role(each)[1] == SCP]
    had_scps = any(get_sop_class_role(each)[1] == SCP for each in ae.capabilities)
    if ae.device.is_archive:
        if not scps and had_scps:
            yield f"{ae.title} has no SCP capability any more: it accepts nothing."
        return
    if had_scps and not scps:
        yield f"{ae.title} lists no SCP capability any more, so the archive sends it everything."
    before = find_withheld_sop_classes(configuration, ae.capabilities, ae)
    if names := [
        name for name in find_withheld_sop_classes(configuration, capabilities_after, ae) if name not in before
    ]:
        told = join_limited(names, _MAX_NAMED)
        if had_scps:
            yield f"the archive will not send {ae.title} what it does not list: {told}."
        else:
            yield (
                f"{ae.title} has listed no SCP capability, and was sent everything; from now on the archive will not "
                f"send it {told}."
            )


def add_capabilities(
    configuration: Configuration, ae: NetworkAE, new_capabilities: Iterable[TransferCapability]
) -> Edit:
    """Return the edit that gives *ae* the capabilities *new_capabilities*.

    Those it has keep their syntaxes and get more. Raises :class:`Refused` where the name of one is that of another SOP
    class or role.
    """
    held = index_capabilities(ae)
    by_name = {(entry.text(COMMON_NAME) or "").casefold(): entry for entry in ae.capabilities}
    changes: list[Change] = []
    new: list[Entry] = []
    for capability in new_capabilities:
        there = held.get((capability.sop_class, capability.role))
        if there is not None:
            values = tuple(syntax.encode() for syntax in capability.transfer_syntaxes)
            changes.append(Modify(there.dn, (Modification(Operation.ADD, DICOM_TRANSFER_SYNTAX, values),)))
            continue
        if capability.name.casefold() in by_name:
            raise Refused(f"{ae.title} has a capability {capability.name} already, which is another")
        entry = capability.build_entry(ae.entry.dn)
        by_name[capability.name.casefold()] = entry
        new.append(entry)
    return Edit(
        (*changes, *map(Add, new)),
        tuple(warn_about_capabilities(configuration, ae, [*ae.capabilities, *new])) if new else (),
    )


def copy_capabilities(configuration: Configuration, source: NetworkAE, ae: NetworkAE, *, replace: bool) -> Edit:
    """Return the edit that gives *ae* the capabilities of *source*, entries and names as they are there.

    With *replace* those of its own that *source* does not have go. Raises :class:`Refused` when there are none.
    """
    if not source.capabilities:
        raise Refused(f"{source.title} has no capabilities to copy", next_step=_explain_missing_capabilities(source))
    held = index_capabilities(ae)
    changes: list[Change] = []
    kept: list[Entry] = []
    names = {entry.text(COMMON_NAME) for entry in ae.capabilities}
    if replace:
        wanted = {get_sop_class_role(each) for each in source.capabilities}
        gone = [each for each in ae.capabilities if get_sop_class_role(each) not in wanted]
        changes += (Delete(each.dn) for each in gone)
        names -= {each.text(COMMON_NAME) for each in gone}
    for each in source.capabilities:
        there = held.get(get_sop_class_role(each))
        if there is None:
            new = each.with_dn(each.dn.rebased(source.entry.dn, ae.entry.dn))
            if new.text(COMMON_NAME) in names:
                raise Refused(f"{ae.title} has a capability {new.text(COMMON_NAME)} already, which is another")
            kept.append(new)
            changes.append(Add(new))
        else:
            operation = Operation.REPLACE if replace else Operation.ADD
            changes.append(
                Modify(
                    there.dn,
                    (Modification(operation, DICOM_TRANSFER_SYNTAX, each.values(DICOM_TRANSFER_SYNTAX)),),
                )
            )
    after = [*kept] if replace else [*ae.capabilities, *kept]
    return Edit(tuple(changes), tuple(warn_about_capabilities(configuration, ae, after)) if kept else ())


def _explain_missing_capabilities(source: NetworkAE) -> str:
    shared = source.capability_source
    return f"it shares those of {shared.title}" if shared is not source else "an AE without any can do everything"


def remove_capabilities(
    configuration: Configuration, ae: NetworkAE, sop_classes: Mapping[str, str], roles: Iterable[str]
) -> Edit:
    """Return the edit that takes *sop_classes* (UID → what the user calls it) in *roles* from *ae*.

    Raises :class:`NotFound` for one that it has in none of the roles.
    """
    wanted = tuple(roles)
    going: list[Entry] = []
    for uid, called in sop_classes.items():
        found = [
            each
            for each in ae.capabilities
            if get_sop_class_role(each)[0] == uid and get_sop_class_role(each)[1] in wanted
        ]
        if not found:
            raise NotFound(
                f"{ae.title} has no capability for {called} as {' or '.join(wanted)}",
                next_step=f"dcmcfg capability list {ae.qualified_title} tells what it has",
            )
        going += found
    left = [each for each in ae.capabilities if each not in going]
    return Edit(tuple(Delete(each.dn) for each in going), tuple(warn_about_capabilities(configuration, ae, left)))
