"""Apply the plan of an upgrade: refuse before anything is written, and save a snapshot just before the change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dcmcfg.cli.options.change_options import ChangeOptions
from dcmcfg.cli.session.change import apply_plan, make_server_rules
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.schema_servers import require_schema
from dcmcfg.cli.session.shared_history import make_sharing
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import DoesNotApply, Refused
from dcmcfg.files.ldif import find_file_warnings
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.plan.access_lists import warn_about_new_restrictions
from dcmcfg.plan.desired_state import collect_desired_changes
from dcmcfg.plan.plan import CHANGED_SINCE_PLANNED, ChangesDoNotApply, DesiredChange
from dcmcfg.plan.rebasing import Files
from dcmcfg.printable import format_count
from dcmcfg.render.terminal.console import ExtraOutput
from dcmcfg.render.upgrade_check import RESULT_CHECK_KEY
from dcmcfg.render.upgrade_commands import format_plan_command
from dcmcfg.rollout.history import History
from dcmcfg.rollout.past_renames import find_past_renames
from dcmcfg.rollout.preconditions import plan_with_last_changes
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.rollout.recovery import require_finished
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.upgrade.plan_source import PlanSource

#: The file of a plan that is made again, in suggested commands.
NEW_PLAN = "NEW_PLAN.ldif"
#: The LDAP result of an assertion control that failed (RFC 4528).
_ASSERTION_FAILED = 122
#: The maximum number of changed entries of which each one is reported.
_MAX_CHANGED = 5


@dataclass(frozen=True)
class UpgradePlanFile:
    """The plan of an upgrade: what it was made from, its records, and how many decisions were open.

    ``comment`` is the one about its releases and choices.
    """

    source: PlanSource
    records: Files
    open_count: int
    comment: str


def apply_upgrade(
    settings: Settings,
    options: ChangeOptions,
    file: UpgradePlanFile,
    *,
    save: Callable[[Directory], None],
    check: Callable[[], Mapping[str, Any]],
) -> None:
    """Apply the plan in *file*.

    *save* is called after the confirmation, just before the change, and *check* after it: its result is added to the
    JSON object of the change. Raises :class:`~dcmcfg.errors.Refused` if another change is unfinished or this one was
    already applied, :class:`DoesNotApply` if the schema of the release is not installed or the configuration has
    changed since the plan was made, and the errors of :func:`~dcmcfg.cli.session.change.apply_plan`.
    """
    with pause_garbage_collection(), open_directory(settings) as directory:
        state = get_state_folder()
        if not options.dry_run:
            require_finished(state, directory, shared_folder=make_sharing(settings).lock_folder)
        tree = read_tree(directory)
        desired = tuple(collect_desired_changes(file.records))
        history = History(state)
        with _suggest_planning(file.source, _PastUse(history, desired, directory.server.url)):
            plan, _ = plan_with_last_changes(
                directory,
                tree,
                desired,
                skip_inapplicable=False,
                load_past_renames=lambda: find_past_renames(history, directory.server.url),
            )
        require_schema(settings, directory, plan, file.source.target)
        with _suggest_planning(file.source, result_code=_ASSERTION_FAILED):
            apply_plan(
                settings,
                directory,
                plan,
                options=options,
                warnings=(
                    *find_file_warnings(file.records, settings.ldap_url),
                    *warn_about_new_restrictions(plan),
                    *_warn_of_open_decisions(file),
                ),
                rules=make_server_rules(directory, tree),
                before_change=lambda: save(directory),
                plan_comments=(file.comment,),
                after_change=check,
                extra_output=ExtraOutput(json_fields={RESULT_CHECK_KEY: None}),
            )


@dataclass(frozen=True)
class _PastUse:
    """Finds out whether the plan with the changes ``desired`` was applied before to the directory at ``ldap_url``."""

    history: History
    desired: Sequence[DesiredChange]
    ldap_url: str

    def find_applied(self) -> RolloutRecord | None:
        """Return the change that has applied the plan, if it is in effect."""
        return self.history.find_applied([each.change for each in self.desired], self.ldap_url)

    def find_reverted(self) -> tuple[RolloutRecord, RolloutRecord] | None:
        """Return the change that has applied the plan, and the one that has reverted it."""
        return self.history.find_reverted([each.change for each in self.desired], self.ldap_url)


@contextmanager
def _suggest_planning(
    source: PlanSource, past_use: _PastUse | None = None, *, result_code: int | None = None
) -> Iterator[None]:
    """Add to a refusal of the block, because the configuration has changed, how to plan again.

    With *past_use*, the plan itself may have changed the configuration. With *result_code*, only refusals with this
    code have that reason.
    """
    try:
        yield
    except DoesNotApply as error:
        if result_code is not None and error.result_code != result_code:
            raise
        if past_use is not None and (applied := past_use.find_applied()) is not None:
            # Each of its changes conflicts with itself.
            raise Refused(
                f"this plan was already applied (change {applied.number}), so nothing was changed",
                subject=error.subject,
                next_step=f"to list what is left to change: {format_plan_command(source.without_answers())}",
            ) from error
        message, details = error.message, error.details
        if past_use is not None and (found := past_use.find_reverted()) is not None:
            reverted, undo = found
            message = (
                f"this plan was already applied (change {reverted.number}) and reverted (change {undo.number}). "
                "These two changes have changed the entries of the plan, so the plan is no longer valid"
            )
            details = ()
        elif isinstance(error, ChangesDoNotApply):
            message, details = error.message, _shorten(error)
        raise DoesNotApply(
            message,
            subject=error.subject,
            next_step=f"plan again: {format_plan_command(source, output=NEW_PLAN)}",
            result_code=error.result_code,
            changed_dn=error.changed_dn,
            details=details,
        ) from error


def _shorten(error: ChangesDoNotApply) -> tuple[str, ...]:
    """Return the details of *error*; of many entries that have changed since the plan was made, only the first one."""
    changed = [each for each in error.problems if each.message.startswith(CHANGED_SINCE_PLANNED)]
    if len(changed) <= _MAX_CHANGED or len(changed) < len(error.problems):
        return error.details
    first, *others = changed
    return (
        f"{first.subject}: {first.full_message}",
        f"… and {format_count(len(others), 'entry', 'entries', grouped=True)} for the same reason (to list your own "
        "changes: dcmcfg history)",
    )


def _warn_of_open_decisions(file: UpgradePlanFile) -> Iterator[str]:
    if file.open_count:
        count = format_count(file.open_count, "decision")
        verb = "is" if file.open_count == 1 else "are"
        yield (
            f"the plan contains {count} that {verb} open. For an open decision, the values of the "
            f"site do not change. To list the open decisions: {format_plan_command(file.source)}"
        )
