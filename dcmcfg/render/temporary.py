"""A temporary destination as JSON."""

from __future__ import annotations

from typing import Any

from dcmcfg.edits.temporary_destination import TemporaryDestination
from dcmcfg.temporary.run import Course


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
