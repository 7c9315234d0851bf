"""Render the check of an applied upgrade as JSON.

Kept apart: the command and the application of a plan both use it.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

#: The key of the check in the JSON object of ``upgrade apply``; null in a dry run.
RESULT_CHECK_KEY = "result_check"
#: ``complete``: the upgrade, planned again, changes nothing; ``incomplete``: it still has changes; ``impossible``: it
#: could not be planned; ``interrupted``: the user has stopped the check.
CheckOutcome = Literal["complete", "incomplete", "impossible", "interrupted"]


@dataclass(frozen=True)
class UpgradeCheck:
    """The result of the check: ``remaining`` are the DNs that would still change, ``problem`` why it is impossible."""

    outcome: CheckOutcome
    _: KW_ONLY
    remaining: tuple[str, ...] = ()
    problem: str = ""


def upgrade_check_json(check: UpgradeCheck, command: str) -> dict[str, Any]:
    """Return *check* for ``--json``, with the *command* that repeats it (empty: null)."""
    return {
        "outcome": check.outcome,
        "remaining_dns": list(check.remaining),
        "problem": check.problem or None,
        "command": command or None,
    }
