"""Findings that prevent the archive from loading a device.

Kept apart: plan.warnings and lint use it. In lint, it would cause an import cycle, because lint imports plan.
"""

from __future__ import annotations

from dcmcfg.model.devices import find_enclosing_device
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.findings import EntryFinding, Impact

#: The kinds of finding for which a plan is refused unless the user accepts the risk.
REFUSED_KINDS: tuple[Impact, ...] = ("unloadable", "stops-next-start")


def prevents_loading(finding: EntryFinding, schema: Schema) -> bool:
    """Return whether *finding* prevents the archive from loading a device, or from its next start.

    The archive loads the entries at and below devices: its own device, and the devices of AEs that it looks up.
    """
    return finding.impact in REFUSED_KINDS and find_enclosing_device(schema.normalise_dn(finding.dn)) is not None
