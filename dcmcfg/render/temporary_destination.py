"""A temporary destination in words, and as JSON."""

from __future__ import annotations

from typing import Any

from dcmcfg.changes import Modify
from dcmcfg.edits.temporary_destination import DESTINATIONS, TemporaryDestination
from dcmcfg.plan.plan import Plan
from dcmcfg.temporary.run import Course


def plan_in_words(new: TemporaryDestination, plan: Plan) -> str:
    """Return what *plan* adds for *new*, in one line."""
    lists = [f"{DESTINATIONS} of {each.dn.rdn}" for each in plan.changes if isinstance(each, Modify)]
    among = f"; its title in {', '.join(lists)}" if lists else ""
    return (
        f"added for this run: {new.title}, a device {new.device} with its connection and AE, and the registration of "
        f"the title{among} (--show-plan shows all of it)"
    )


def temporary_json(new: TemporaryDestination, course: Course) -> dict[str, Any]:
    """Return for ``--json`` what was added for a run and taken back: roll-outs by number, null where there is none.

    ``gone`` tells whether nothing of it is left; ``cleaned`` has the titles that other runs had left.
    """
    return {
        "temporary_destination": {
            "title": new.title,
            "host": new.host,
            "port": new.port,
            "added": course.added,
            "taken_back": course.taken_back,
            "gone": course.gone,
            "cleaned": list(course.cleaned),
            "still_named": list(course.still_named),
        }
    }
