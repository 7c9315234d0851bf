"""A temporary destination in words, and as JSON."""

from __future__ import annotations

from typing import Any

from dcmcfg.changes import Modify
from dcmcfg.edits.temporary_destination import TemporaryDestination
from dcmcfg.plan.plan import Plan
from dcmcfg.schema_names import ACCEPTED_MOVE_DESTINATION
from dcmcfg.temporary.run import RunProgress


def format_added_entries(destination: TemporaryDestination, plan: Plan) -> str:
    """Return what *plan* adds for *destination*, in one line."""
    lists = [f"{ACCEPTED_MOVE_DESTINATION} of {each.dn.rdn}" for each in plan.changes if isinstance(each, Modify)]
    among = f"; its title in {', '.join(lists)}" if lists else ""
    return (
        f"added for this run: {destination.title}, a device {destination.device} with its connection and AE, and "
        "the registration of "
        f"the title{among} (--show-plan shows all of it)"
    )


def temporary_destination_json(destination: TemporaryDestination, course: RunProgress) -> dict[str, Any]:
    """Return for ``--json`` what was added for a run and taken back: roll-outs by number, null where there is none.

    ``removed`` tells whether nothing of it is left; ``removed_leftovers`` has the titles that other runs had left.
    """
    return {
        "temporary_destination": {
            "ae_title": destination.title,
            "host": destination.host,
            "port": destination.port,
            "added_by_rollout": course.added_by_rollout,
            "removed_by_rollout": course.removed_by_rollout,
            "removed": course.is_removed,
            "removed_leftovers": list(course.removed_leftovers),
            "remaining_references": list(course.remaining_references),
        }
    }
