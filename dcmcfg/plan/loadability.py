"""Findings that decide whether the archive loads a device."""

from __future__ import annotations

from dcmcfg.model.devices import device_of
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import Finding, Kind

#: The kinds of finding for which a plan is refused unless the risk is named.
REFUSED: tuple[Kind, ...] = ("unloadable", "stops-next-start")


def decides_loading(finding: Finding, schema: Schema) -> bool:
    """Return whether *finding* keeps the archive from loading a device, or from its next start.

    The archive loads what stands at and below devices, its own and those of the AEs that it looks up.
    """
    return finding.kind in REFUSED and device_of(schema.normal_dn(finding.dn)) is not None
