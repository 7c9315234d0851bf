"""Findings that decide whether the archive loads a device.

Kept apart: plan.warnings and lint use it, and lint imports plan: a cycle anywhere in lint.
"""

from __future__ import annotations

from dcmcfg.model.devices import find_enclosing_device
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import EntryFinding, Impact

#: The kinds of finding for which a plan is refused unless the risk is named.
REFUSED_KINDS: tuple[Impact, ...] = ("unloadable", "stops-next-start")


def prevents_loading(finding: EntryFinding, schema: Schema) -> bool:
    """Return whether *finding* keeps the archive from loading a device, or from its next start.

    The archive loads what stands at and below devices, its own and those of the AEs that it looks up.
    """
    return finding.impact in REFUSED_KINDS and find_enclosing_device(schema.normalise_dn(finding.dn)) is not None
