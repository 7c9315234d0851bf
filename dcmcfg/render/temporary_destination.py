"""Render a temporary destination as text and as JSON."""

from __future__ import annotations

from typing import Any

from dcmcfg.changes import Modify
from dcmcfg.edits.temporary_destination import TemporaryDestination
from dcmcfg.plan.plan import Plan
from dcmcfg.schema_names import ACCEPTED_MOVE_DESTINATION
from dcmcfg.temporary.run import DestinationProgress


def format_added_entries(destination: TemporaryDestination, plan: Plan) -> str:
    """Return the entries that *plan* adds for *destination*, in one line."""
    changed_lists = [
        f"{ACCEPTED_MOVE_DESTINATION} of {each.dn.rdn}" for each in plan.changes if isinstance(each, Modify)
    ]
    list_note = f" and in {', '.join(changed_lists)}" if changed_lists else ""
    return (
        f"dcmcfg adds for this run: AE {destination.ae_title} with the device {destination.device} and a connection; "
        f"its AE title in the registry of AE titles{list_note} (--show-plan shows the whole plan)"
    )


def temporary_destination_json(destination: TemporaryDestination, progress: DestinationProgress) -> dict[str, Any]:
    """Return *destination* for ``--json``, with the numbers of the changes that added and removed it (null if none).

    ``removed`` is whether all of it has been removed. ``removed_leftovers`` are titles left over from other runs.
    """
    return {
        "temporary_destination": {
            "ae_title": destination.ae_title,
            "host": destination.host,
            "port": destination.port,
            "added_by_rollout": progress.added_by_rollout,
            "removed_by_rollout": progress.removed_by_rollout,
            "removed": progress.is_removed,
            "removed_leftovers": list(progress.removed_leftovers),
            "remaining_references": list(progress.remaining_references),
        }
    }
