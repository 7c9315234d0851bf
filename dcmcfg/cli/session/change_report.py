"""What a changing command tells of its plan and of what came of it.

What an archive whose own device is renamed asks for: a restart by the new name, and a profile that has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dcmcfg.cli.options.change_options import Choices
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.rejects import Rejects
from dcmcfg.errors import ChangedButNotFinished, DcmcfgError
from dcmcfg.model.references.kinds import Kind
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.renamed_archives import PROPERTY, RenamedArchive
from dcmcfg.plan.risk_checks import Risk
from dcmcfg.plan.taking_effect import restarting
from dcmcfg.render.plan import plan_json, risks_json
from dcmcfg.rollout.execution import Outcome
from dcmcfg.settings import Settings, set_in_profile

_DEFAULT = "default"


def restart_line(renamed: Sequence[RenamedArchive]) -> str:
    """Return how an archive comes to find its device again, which no reload does."""
    each = " and ".join(f"{one.old} with -D{PROPERTY}={one.new}" for one in renamed)
    return (
        f"no reload: restart the archive that runs as {each} (in the container image, ARCHIVE_DEVICE_NAME); "
        "until then it goes on with what it has loaded"
    )


def follow_in_profile(settings: Settings, renamed: Sequence[RenamedArchive]) -> Path | None:
    """Have the profile that names a device of *renamed* name it newly; return its file, None when none does.

    Raises :class:`ChangedButNotFinished` when it cannot be written.
    """
    new = _new_name(settings, renamed)
    if new is None or settings.origins.get("device") != f"profile {settings.profile}":
        return None
    try:
        return set_in_profile(settings.profile, "device", new)
    except DcmcfgError as error:
        raise ChangedButNotFinished(
            f"the directory was changed, but {error.what}", on=error.on, next_step=f'write device = "{new}" into it'
        ) from error


def device_setting_line(settings: Settings, renamed: Sequence[RenamedArchive]) -> str:
    """Return what else than a profile tells dcmcfg the old name, and how to tell it the new one; empty when nothing."""
    new = _new_name(settings, renamed)
    origin = settings.origins.get("device", _DEFAULT)
    if new is None or origin.startswith("profile "):
        return ""
    if origin == _DEFAULT:
        return f"dcmcfg takes {settings.device} for the archive's device unless told: DCMCFG_DEVICE={new} tells it"
    return f"{origin} names the device {settings.device}: from now on it is {new}"


def _new_name(settings: Settings, renamed: Sequence[RenamedArchive]) -> str | None:
    return next((each.new for each in renamed if Kind.DEVICE.same(each.old, settings.device)), None)


@dataclass(frozen=True)
class ReloadReport:
    """A clean reload: what ``--json`` has of it, and a note on what a second reload repaired, if any."""

    json: Mapping[str, Any]
    note: str = ""


@dataclass(frozen=True)
class Report:
    """A plan for a site, with its risks and what was left out of it."""

    settings: Settings
    plan: Plan
    choices: Choices
    risks: Sequence[Risk]
    rejects: Rejects | None
    renamed: Sequence[RenamedArchive] = ()
    beside: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    def json(
        self, outcome: Outcome | None = None, *, reload: ReloadReport | None = None, profile: Path | None = None
    ) -> dict[str, Any]:
        """Return what ``--json`` tells; ``changed`` is true also where it is not known what the server has done.

        ``restart`` has for each archive that must be restarted by another device name ``old``, ``new`` and the system
        ``property`` that says it; ``profile`` the file of a profile that was changed for that.
        """
        settings = self.settings
        left_out = self.rejects if self.rejects is not None and self.rejects.rejected else None
        kept = left_out is not None and not self.choices.dry_run and (outcome is not None or not self.plan.steps)
        return {
            "site": {"bind_dn": settings.identity, "ldap_url": settings.ldap_url, "archive_url": settings.archive_url},
            **plan_json(self.plan),
            "warnings": list(self.warnings),
            "risks": risks_json(self.risks, self.choices.forced),
            "rejected": left_out.json() if left_out else [],
            "rejects_file": str(left_out.path) if left_out and kept else None,
            "changed": outcome is not None,
            "manner": outcome.manner.value if outcome else None,
            "roll_out": outcome.number if outcome else None,
            "undo_file": str(outcome.undo_file) if outcome else None,
            "reloaded": reload is not None,
            "reload": None if reload is None else reload.json,
            "restart": [{"old": each.old, "new": each.new, "property": PROPERTY} for each in self.renamed],
            "profile": str(profile) if profile else None,
            **self.beside,
        }

    def tell(
        self, outcome: Outcome | None = None, *, reload: ReloadReport | None = None, profile: Path | None = None
    ) -> None:
        """Print how it ended: with ``--json`` everything, else what was not said on the way."""
        if self.choices.as_json:
            print_json(self.json(outcome, reload=reload, profile=profile))
            return
        say = self.choices.say
        if self.rejects is not None and self.rejects.rejected and not self.choices.dry_run:
            say(f"left out, {len(self.rejects.rejected)} to be mended: {self.rejects.path}")
        if not self.plan.steps:
            say("nothing to do; if the archive has not loaded it: dcmcfg reload")
        elif self.renamed:
            self._tell_renamed(done=outcome is not None, profile=profile)
        elif outcome is not None:
            self._tell_reload(reload)
            if needs_restart := restarting(self.plan):
                say(f"This change needs a restart of the archive: {', '.join(needs_restart)}")

    def _tell_reload(self, reload: ReloadReport | None) -> None:
        """Say whether the archive reloaded, and what a second reload repaired."""
        if reload is None:
            self.choices.say("the archive was not asked to reload: dcmcfg reload")
            return
        if reload.note:
            self.choices.say(reload.note)
        self.choices.say("the archive has reloaded")

    def _tell_renamed(self, *, done: bool, profile: Path | None) -> None:
        """Say how the archive finds its device again, and what names it to dcmcfg."""
        say = self.choices.say
        say(restart_line(self.renamed))
        if profile is not None:
            say(f"the profile names the new device: {profile}")
        elif line := device_setting_line(self.settings, self.renamed) if done else "":
            say(line)
