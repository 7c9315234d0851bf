"""A temporary destination in words, and as JSON."""

from __future__ import annotations

from typing import Any

from dcmcfg.changes import Modify
from dcmcfg.edits.temporary_destination import TemporaryDestination
from dcmcfg.plan.plan import Plan
from dcmcfg.schema_names import ACCEPTED_MOVE_DESTINATION
from dcmcfg.temporary.run import DestinationProgress


def format_added_entries(destination: TemporaryDestination, plan: Plan) -> str:
    """Return what *plan* adds for *destination*, in one line."""
    changed_lists = [
        f"{ACCEPTED_MOVE_DESTINATION} of {each.dn.rdn}" for each in plan.changes if isinstance(each, Modify)
    ]
    list_note = f"; its title in {', '.join(changed_lists)}" if changed_lists else ""
    return (
        f"added for this run: {destination.ae_title}, a device {destination.device} with its connection and AE, and "
        "the registration of "
        f"the title{list_note} (--show-plan shows all of it)"
    )


def temporary_destination_json(destination: TemporaryDestination, progress: DestinationProgress) -> dict[str, Any]:
    """Return for ``--json`` what was added for a run and taken back: roll-outs by number, null where there is none.

    ``removed`` tells whether nothing of it is left; ``removed_leftovers`` has the titles that other runs had left.
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
