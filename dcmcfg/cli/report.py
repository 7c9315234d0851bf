"""What a changing command tells of its plan and of what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dcmcfg.cli.answer import print_json
from dcmcfg.cli.choices import Choices
from dcmcfg.cli.rejects import Rejects
from dcmcfg.plan.guard import Risk
from dcmcfg.plan.plan import Plan
from dcmcfg.render.plan import plan_json, risks_json
from dcmcfg.rollout.roll_out import Outcome
from dcmcfg.settings import Settings


@dataclass(frozen=True)
class Report:
    """A plan for a site, with its risks and what was left out of it."""

    settings: Settings
    plan: Plan
    choices: Choices
    risks: Sequence[Risk]
    rejects: Rejects | None

    def json(self, outcome: Outcome | None = None, *, reloaded: bool = False) -> dict[str, Any]:
        """Return what ``--json`` tells; ``changed`` is true also where it is not known what the server has done."""
        settings = self.settings
        left_out = self.rejects if self.rejects is not None and self.rejects.rejected else None
        kept = left_out is not None and not self.choices.dry_run and (outcome is not None or not self.plan.steps)
        return {
            "site": {"bind_dn": settings.identity, "ldap_url": settings.ldap_url, "archive_url": settings.archive_url},
            **plan_json(self.plan),
            "risks": risks_json(self.risks, self.choices.forced),
            "rejected": left_out.json() if left_out else [],
            "rejects_file": str(left_out.path) if left_out and kept else None,
            "changed": outcome is not None,
            "manner": outcome.manner.value if outcome else None,
            "roll_out": outcome.number if outcome else None,
            "undo_file": str(outcome.undo_file) if outcome else None,
            "reloaded": reloaded,
        }

    def tell(self, outcome: Outcome | None = None, *, reloaded: bool = False) -> None:
        """Print how it ended: with ``--json`` everything, else what was not said on the way."""
        if self.choices.as_json:
            print_json(self.json(outcome, reloaded=reloaded))
            return
        say = self.choices.say
        if self.rejects is not None and self.rejects.rejected and not self.choices.dry_run:
            say(f"left out, {len(self.rejects.rejected)} to be mended: {self.rejects.path}")
        if not self.plan.steps:
            say("nothing to do; if the archive has not loaded it: dcmcfg reload")
        elif outcome is not None:
            say("the archive has reloaded" if reloaded else "the archive was not asked to reload: dcmcfg reload")
