"""The report of a changing command on its plan and the result, as lines and as JSON.

If an archive's own device is renamed, the report also has the restart with the new name and the updated profile.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dcmcfg.cli import invocation
from dcmcfg.cli.options.change_options import ChangeOptions, format_risks
from dcmcfg.cli.options.output_options import REPORT_FORMS
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.rejects import RejectsFile
from dcmcfg.cli.session.report_output import print_formatted_report
from dcmcfg.errors import DcmcfgError, IncompleteChange
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.plan.delayed_effects import find_restart_attributes
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.renamed_archives import DEVICE_NAME_PROPERTY, RenamedArchive
from dcmcfg.plan.risk_checks import Risk
from dcmcfg.plan.step_effects import needs_reload
from dcmcfg.render.plan import plan_json, risks_json
from dcmcfg.render.plan_report import PlanReportFacts, build_plan_report
from dcmcfg.render.terminal.console import ExtraOutput, make_console
from dcmcfg.rollout.execution import RolloutOutcome
from dcmcfg.secret_values import redact_command
from dcmcfg.settings import Settings, format_site_headline

_DEFAULT = "default"


def format_restart_note(renamed_archives: Sequence[RenamedArchive]) -> str:
    """Return how to restart archives with the new name of their device; a reload would not find the device."""
    instructions = " and ".join(
        f"-D{DEVICE_NAME_PROPERTY}={archive.new_name} (old name: {archive.old_name})" for archive in renamed_archives
    )
    return (
        f"The archive was not reloaded. Restart the archive with {instructions}. In a container, set the "
        f"variable ARCHIVE_DEVICE_NAME instead of -D{DEVICE_NAME_PROPERTY}. Until the restart, the archive keeps its "
        "loaded configuration."
    )


def rename_device_in_profile(settings: Settings, renamed_archives: Sequence[RenamedArchive]) -> Path | None:
    """Write the new name of a renamed device into the profile that contains the old name.

    Returns the file of the profile, or None if the profile does not name a device of *renamed_archives*. Raises
    :class:`IncompleteChange` if the file cannot be written.
    """
    new_name = _find_new_name(settings, renamed_archives)
    # An option or an environment variable cannot be updated from here: format_device_setting_note reports those.
    if new_name is None or settings.origins.get("device") != f"profile {settings.profile}":
        return None
    from dcmcfg.settings.profile_edits import update_profile

    try:
        return update_profile(settings.profile, "device", new_name)
    except DcmcfgError as error:
        raise IncompleteChange(
            f"the directory was changed, but {error.message}",
            subject=error.subject,
            next_step=f'set device = "{new_name}" in the file of the profile {settings.profile}',
        ) from error


def format_device_setting_note(settings: Settings, renamed_archives: Sequence[RenamedArchive]) -> str:
    """Return how to change the old device name at its source other than a profile; empty without such a source."""
    new_name = _find_new_name(settings, renamed_archives)
    origin = settings.origins.get("device", _DEFAULT)
    if new_name is None or origin.startswith("profile "):
        return ""
    if origin == _DEFAULT:
        return f"The default device of dcmcfg is {settings.device}. To use the new name, set DCMCFG_DEVICE={new_name}"
    return f"{origin} still has the old device name {settings.device}: change the name to {new_name}"


def _find_new_name(settings: Settings, renamed: Sequence[RenamedArchive]) -> str | None:
    return next(
        (each.new_name for each in renamed if EntityKind.DEVICE.are_same_name(each.old_name, settings.device)), None
    )


def _format_restart_line(attributes: Sequence[str]) -> str:
    return f"Restart the archive. A reload is not enough for the change of {', '.join(attributes)}"


@dataclass(frozen=True)
class ReloadReport:
    """The result of the reload after a change.

    ``json_fields`` are those of the reload of a single node, None for several; ``extra_json`` are keys of the report.
    ``print_nodes`` prints the table of several nodes on a console; ``lines`` are printed below it.
    """

    json_fields: Mapping[str, Any] | None
    extra_json: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    print_nodes: Callable[..., None] | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeReport:
    """A plan for a site, with its risks and its rejected items."""

    settings: Settings
    plan: Plan
    options: ChangeOptions
    risks: Sequence[Risk]
    rejects_file: RejectsFile | None
    renamed_archives: Sequence[RenamedArchive] = ()
    extra_json: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    #: How the plan is applied, who checks its preconditions, and the change that it reverts; as text for a report.
    strategy: str = ""
    preconditions: str = ""
    reverts: str = ""
    extra_output: ExtraOutput | None = None
    #: The plan is the rest of an interrupted change, for which no reload was requested.
    resumes_without_reload: bool = False

    def to_json(
        self, outcome: RolloutOutcome | None = None, *, reload: ReloadReport | None = None, profile: Path | None = None
    ) -> dict[str, Any]:
        """Return the JSON object for ``--json``; ``changed`` is also true if the result of a request is unknown.

        ``required_restarts`` has an object for each archive that must be restarted with another device name:
        ``old_name``, ``new_name``, and the system ``property`` for the name. ``profile_file`` is the profile that was
        updated with it.
        """
        settings = self.settings
        rejects = self.rejects_file if self.rejects_file is not None and self.rejects_file.items else None
        # The rejects file is kept if the plan was applied, or if it had no steps.
        is_written = rejects is not None and not self.options.dry_run and (outcome is not None or not self.plan.steps)
        return {
            "site": {"bind_dn": settings.identity, "ldap_url": settings.ldap_url, "archive_url": settings.archive_url},
            **plan_json(self.plan),
            "warnings": list(self.warnings),
            "risks": risks_json(self.risks, self.options.forced_risks),
            "rejected": rejects.to_json() if rejects else [],
            "rejects_file": str(rejects.path) if rejects and is_written else None,
            "changed": outcome is not None,
            "strategy": outcome.strategy.value if outcome else None,
            "rollout": outcome.number if outcome else None,
            "undo_file": str(outcome.undo_file) if outcome else None,
            "reloaded": reload is not None,
            "reload": None if reload is None else reload.json_fields,
            **({"nodes": [], "overwritten": []} if reload is None else reload.extra_json),
            "required_restarts": [
                {"old_name": each.old_name, "new_name": each.new_name, "property": DEVICE_NAME_PROPERTY}
                for each in self.renamed_archives
            ],
            "profile_file": str(profile) if profile else None,
            **self.extra_json,
        }

    def print_result(
        self, outcome: RolloutOutcome | None = None, *, reload: ReloadReport | None = None, profile: Path | None = None
    ) -> None:
        """Print the result: with ``--json`` the whole object, else the lines that were not printed earlier."""
        if self.options.as_json:
            print_json(self.to_json(outcome, reload=reload, profile=profile))
            return
        if self.options.form in REPORT_FORMS:
            self._print_report(outcome, reload=reload)
            return
        print_lines = self.options.print_lines
        if self.rejects_file is not None and self.rejects_file.items and not self.options.dry_run:
            print_lines(f"Rejected: {len(self.rejects_file.items)}. Fix the rejected items in {self.rejects_file.path}")
        if not self.plan.steps:
            # If a file has no accepted row or record, the configuration does not contain its content.
            is_nothing_accepted = self.rejects_file is not None and not self.plan.unchanged
            hint = (
                ""
                if is_nothing_accepted
                else " If the archive has not loaded the configuration yet, run: dcmcfg reload"
            )
            print_lines(f"No changes.{hint}")
        elif self.renamed_archives:
            self._print_renamed_archives(applied=outcome is not None, profile=profile)
        elif outcome is not None:
            self._print_reload(reload)
            if restart_attributes := find_restart_attributes(self.plan):
                print_lines(_format_restart_line(restart_attributes))

    def _print_report(self, outcome: RolloutOutcome | None, *, reload: ReloadReport | None) -> None:
        """Print the report of the plan and its result as Markdown or as a web page."""
        insert_site_options = invocation.current().insert_site_options
        plan_file = self.options.plan_file
        risk_lines = {*format_risks(self.risks, self.options.forced_risks, include_refused=True)}
        rejected = tuple(self.rejects_file.format_messages()) if self.rejects_file is not None else ()
        facts = PlanReportFacts(
            plan=self.plan,
            site=format_site_headline(self.settings),
            command=redact_command(invocation.current().command_line),
            created=datetime.now(UTC),
            strategy=self.strategy,
            preconditions=self.preconditions,
            reverts=self.reverts,
            plan_file=str(plan_file) if plan_file is not None and self.plan.steps else "",
            # The report has the risks and the rejected items in tables of their own.
            warnings=tuple(each for each in self.warnings if each not in risk_lines and each not in rejected),
            risks=tuple(self.risks),
            forced_names=self.options.forced_risks,
            rejected=rejected,
            change_number=outcome.number if outcome is not None else None,
            result_lines=tuple(self._list_result_lines(outcome, reload)),
            apply_commands=(insert_site_options(f"dcmcfg apply {shlex.quote(str(plan_file))}"),)
            if plan_file is not None and outcome is None and self.plan.steps
            else (),
            undo_command=insert_site_options(f"dcmcfg undo {'NUMBER' if outcome is None else outcome.number}"),
            show_ldif=self.options.show_ldif,
            extra_output=self.extra_output,
        )
        print_formatted_report(build_plan_report(facts), self.options.form)

    def _list_result_lines(self, outcome: RolloutOutcome | None, reload: ReloadReport | None) -> Iterator[str]:
        """Yield the sentences about what remains to be done after the plan, or was done."""
        if self.renamed_archives:
            yield format_restart_note(self.renamed_archives)
            return
        if outcome is None:
            return
        if reload is None:
            yield self._describe_missing_reload()
        else:
            yield from reload.lines
        if restart_attributes := find_restart_attributes(self.plan):
            yield _format_restart_line(restart_attributes)

    def _describe_missing_reload(self) -> str:
        if self.resumes_without_reload:
            return (
                "The archive was not reloaded, because the interrupted command requested no reload. To reload it: "
                "dcmcfg reload"
            )
        if needs_reload(self.plan):
            return "The archive was not reloaded. To reload it: dcmcfg reload"
        return "The archive was not reloaded, because a reload has no effect on this change."

    def _print_reload(self, reload: ReloadReport | None) -> None:
        """Print which nodes have reloaded, and how this is confirmed."""
        if reload is None:
            self.options.print_lines(self._describe_missing_reload())
            return
        self.print_nodes(reload)

    def print_nodes(self, reload: ReloadReport) -> None:
        """Print the table of several nodes, if there is one, and the lines about the reload."""
        if reload.print_nodes is not None:
            reload.print_nodes(make_console(on_stderr=self.options.stdout_reserved))
        if reload.lines:
            self.options.print_lines(*reload.lines)

    def _print_renamed_archives(self, *, applied: bool, profile: Path | None) -> None:
        """Print how to restart the archive with the new name, and where dcmcfg still has the old one."""
        print_lines = self.options.print_lines
        print_lines(format_restart_note(self.renamed_archives))
        if profile is not None:
            print_lines(f"The profile now contains the new device name: {profile}")
        elif line := format_device_setting_note(self.settings, self.renamed_archives) if applied else "":
            print_lines(line)
