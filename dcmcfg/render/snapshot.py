"""Render the summary of a snapshot as text and JSON. Kept apart: only ``snapshot`` loads dcmcfg.snapshot for output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dcmcfg.printable import escape_unprintable
from dcmcfg.render.check import findings_json
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.snapshot.file import Snapshot
from dcmcfg.snapshot.snapshot import is_loadable
from dcmcfg.timestamps import reformat_as_iso, reformat_timestamp


def format_snapshot_summary(snapshot: Snapshot) -> str:
    """Return the number of entries in *snapshot*, their source and the time, in one line."""
    facts = snapshot.facts
    return escape_unprintable(
        f"{len(snapshot.tree.entries)} entries of {facts.base_dn} @ {facts.server}, {reformat_timestamp(facts.taken)}"
    )


def snapshot_json(file: str, snapshot: Snapshot, findings: Sequence[EntryFinding]) -> dict[str, Any]:
    """Return the summary for ``--json``, with the keys of :func:`~dcmcfg.render.check.findings_json` for *findings*."""
    facts = snapshot.facts
    return {
        "file": file,
        "created_at": reformat_as_iso(facts.taken),
        "created_with": facts.program,
        "server": facts.server,
        "base_dn": str(facts.base_dn),
        "subschema_sha256": facts.subschema_sha256 or None,
        "loadable": is_loadable(findings),
        **findings_json(findings, len(snapshot.tree.entries)),
    }
