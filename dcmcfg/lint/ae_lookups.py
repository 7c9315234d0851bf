"""Which AEs an archive will look up, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dcmcfg.lint.context import Survey
from dcmcfg.model.devices import Device, NetworkAE
from dcmcfg.model.references.index import Reference
from dcmcfg.model.references.kinds import Kind, Use


@dataclass(frozen=True)
class Call:
    """An AE that ``archive`` looks up, with the attributes that name it, in order.

    ``abroad`` says whether one of them names a peer, not an AE of the archive's own that it acts as.
    """

    archive: Device
    ae: NetworkAE
    attributes: tuple[str, ...]
    abroad: bool


def looked_up(survey: Survey) -> Iterator[Reference]:
    """Yield the AE titles that an archive looks up; what is for the UI is left out."""
    for reference in survey.references.all:
        if (
            reference.kind is Kind.AE
            and reference.use is not Use.COMPARED
            and survey.in_archive(reference)
            and not _is_handed_on(survey, reference)
        ):
            yield reference


def _is_handed_on(survey: Survey, reference: Reference) -> bool:
    """Tell whether the title is only told to others: the move destination, and where to retrieve from.

    An exporter's dcmRetrieveAET is recorded as the external archive, and looked up later.
    """
    if reference.attribute == "dcmRetrieveAET":
        entry = survey.tree.get(reference.dn)
        return entry is None or not entry.is_a("dcmExporter")
    return reference.attribute == "dcmExternalRetrieveAEDestination"


def calls(survey: Survey) -> tuple[Call, ...]:
    """Return each AE that an archive looks up and finds, once for an archive."""
    archives = {survey.tree.key(device.entry.dn): device for device in survey.archives}
    found: dict[tuple[str, str], list[tuple[Device, NetworkAE, Reference]]] = {}
    for reference in looked_up(survey):
        archive = archives[survey.references.device_of(reference.dn) or ()]
        ae = _meant(survey, archive, reference)
        if ae is not None:
            found.setdefault((archive.name, ae.title), []).append((archive, ae, reference))
    return tuple(
        Call(
            named[0][0],
            named[0][1],
            tuple(dict.fromkeys(reference.attribute for _, _, reference in named)),
            any(reference.use is Use.REMOTE for _, _, reference in named),
        )
        for named in found.values()
    )


def _meant(survey: Survey, archive: Device, reference: Reference) -> NetworkAE | None:
    if reference.use is Use.LOCAL:
        return next((ae for ae in archive.network_aes if ae.title == reference.name), None)
    return survey.network_ae(reference.name)
