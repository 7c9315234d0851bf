"""The AEs that an archive looks up, with the attributes that name them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dcmcfg.lint.context import LintContext
from dcmcfg.model.devices import Device, NetworkAE
from dcmcfg.model.references.index import Reference
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.schema_names import EXPORTER_OBJECT_CLASS, EXTERNAL_RETRIEVE_AE_DESTINATION, RETRIEVE_AET


@dataclass(frozen=True)
class AELookup:
    """An AE that ``archive`` looks up, with the attributes that name it, in order.

    With ``names_peer``, at least one attribute names a peer, not an AE of the archive itself.
    """

    archive: Device
    ae: NetworkAE
    attributes: tuple[str, ...]
    names_peer: bool


def find_looked_up_references(context: LintContext) -> tuple[Reference, ...]:
    """Return the references to AE titles that an archive looks up, without those of its UI configuration."""
    return context.compute_once(_list_looked_up_references)


def _list_looked_up_references(context: LintContext) -> tuple[Reference, ...]:
    return tuple(_iterate_looked_up_references(context))


def _iterate_looked_up_references(context: LintContext) -> Iterator[Reference]:
    for reference in context.references.all:
        if (
            reference.kind is EntityKind.AE
            and reference.use is not NameUse.COMPARED
            and context.is_in_archive(reference)
            and not _is_passed_through(context, reference)
        ):
            yield reference


def _is_passed_through(context: LintContext, reference: Reference) -> bool:
    """Return whether the archive only passes the title to other AEs: a Move Destination, or an AE to retrieve from.

    An exporter's dcmRetrieveAET is recorded as the external archive, and looked up later.
    """
    if reference.attribute == RETRIEVE_AET:
        entry = context.tree.get(reference.dn)
        return entry is None or not entry.is_a(EXPORTER_OBJECT_CLASS)
    # The archive only copies this title into the forwarded C-MOVE request (CommonCMoveSCP).
    return reference.attribute == EXTERNAL_RETRIEVE_AE_DESTINATION


def find_ae_lookups(context: LintContext) -> tuple[AELookup, ...]:
    """Return each AE that an archive looks up and finds, once per archive."""
    return context.compute_once(_collect_ae_lookups)


def _collect_ae_lookups(context: LintContext) -> tuple[AELookup, ...]:
    archives = {context.tree.key(device.entry.dn): device for device in context.archives}
    found: dict[tuple[str, str], list[tuple[Device, NetworkAE, Reference]]] = {}
    for reference in find_looked_up_references(context):
        # Each of these references is in an archive's device, so the key exists.
        archive = archives[context.references.find_device_key(reference.dn) or ()]
        ae = _resolve_ae(context, archive, reference)
        if ae is not None:
            found.setdefault((archive.name, ae.title), []).append((archive, ae, reference))
    return tuple(
        AELookup(
            lookups[0][0],
            lookups[0][1],
            tuple(dict.fromkeys(reference.attribute for _, _, reference in lookups)),
            any(reference.use is NameUse.REMOTE for _, _, reference in lookups),
        )
        for lookups in found.values()
    )


def _resolve_ae(context: LintContext, archive: Device, reference: Reference) -> NetworkAE | None:
    if reference.use is NameUse.LOCAL:
        return next((ae for ae in archive.network_aes if ae.title == reference.name), None)
    return context.find_network_ae(reference.name)
