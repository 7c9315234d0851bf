"""What a snapshot holds, in a line or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dcmcfg.render.check import findings_json
from dcmcfg.render.terminal.console import visible
from dcmcfg.schema.findings import Finding
from dcmcfg.snapshot.file import Snapshot
from dcmcfg.snapshot.snapshot import loadable
from dcmcfg.timestamps import iso_text, readable_text


def snapshot_line(snapshot: Snapshot) -> str:
    """Return how much was taken, from where and when."""
    facts = snapshot.facts
    return visible(
        f"{len(snapshot.tree.entries)} entries of {facts.base_dn} @ {facts.server}, {readable_text(facts.taken)}"
    )


def snapshot_json(file: str, snapshot: Snapshot, found: Sequence[Finding]) -> dict[str, Any]:
    """Return the same for ``--json``, with what :func:`~dcmcfg.render.check.findings_json` makes of *found*."""
    facts = snapshot.facts
    return {
        "file": file,
        "taken": iso_text(facts.taken),
        "program": facts.program,
        "server": facts.server,
        "base_dn": str(facts.base_dn),
        "subschema_sha256": facts.subschema_sha256 or None,
        "loadable": loadable(found),
        **findings_json(found, len(snapshot.tree.entries)),
    }
