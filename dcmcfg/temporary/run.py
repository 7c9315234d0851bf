"""One run with a temporary destination: it is there while the run lasts, and on every way out it goes again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from dcmcfg.changes import Change
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.temporary_destination import TemporaryDestination, add_temporary_destination
from dcmcfg.errors import ArchiveError, DcmcfgError, IncompleteChange, Refused
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.plan.versions import assert_versions, find_unversioned_entry
from dcmcfg.rollout.deferred_signals import DeferredSignals
from dcmcfg.rollout.execution import RolloutOutcome, run_rollout
from dcmcfg.rollout.record import RolloutContext
from dcmcfg.rollout.strategy import choose_strategy
from dcmcfg.temporary.claim import CLEAN_COMMAND, Claim, drop_claim, hold_claim
from dcmcfg.temporary.leftovers import Leftover
from dcmcfg.temporary.removal import RemovalResult, remove_destination, retry_while_in_progress
from dcmcfg.timestamps import format_iso


@dataclass(frozen=True)
class RunContext:
    """What is changed, on which occasion, and who is told in a line each.

    ``reload`` has the archive read its configuration and raises :class:`~dcmcfg.errors.ArchiveError`.
    """

    directory: Directory
    rollout_context: RolloutContext
    reload: Callable[[], object]
    print_line: Callable[[str], None]

    def report(self, line: str) -> None:
        """Say *line*; that nobody is there to hear it any more, as when a terminal is closed, must stop nothing."""
        with suppress(OSError):
            self.print_line(line)


@dataclass(kw_only=True)
class RunProgress:
    """How far a run has come: the numbers of its roll-outs, and what it has cleaned away of others before."""

    added_by_rollout: int | None = None
    removed_by_rollout: int | None = None
    removed_leftovers: list[str] = field(default_factory=list)
    remaining_references: tuple[str, ...] = ()
    #: Nothing of it is left, neither in the directory nor with the archive.
    is_removed: bool = True


@dataclass(frozen=True)
class Addition:
    """A temporary destination that is to be added, and the AE that is to take it, which is told as ``DEVICE/AE``."""

    destination: TemporaryDestination
    device_name: str
    archive_ae_title: str

    def edit(self, configuration: Configuration) -> Edit:
        """Return the edit of *configuration*; raises what :func:`add_temporary_destination` does."""
        asked = configuration.get_device(self.device_name).get_network_ae(self.archive_ae_title)
        return add_temporary_destination(configuration, asked, self.destination)

    def plan(self, tree: Tree) -> Plan:
        """Return the plan for *tree*, which asserts that no entry has changed that it touches.

        A list of accepted Move Destinations that somebody has emptied must not get its first value. Raises what
        :meth:`edit` and :func:`make_plan` do.
        """
        plan = make_plan(tree, [DesiredChange(each) for each in self.edit(Configuration(tree)).changes])
        return assert_versions(plan) if tree.versions and find_unversioned_entry(plan) is None else plan


class _AdditionFailed(IncompleteChange):
    """It was added in part, or in whole and the archive does not know it."""


@contextmanager
def hold_destination(
    context: RunContext,
    addition: Addition,
    confirmed_plan: Plan,
    *,
    leftovers: Sequence[Leftover],
    progress: RunProgress,
) -> Iterator[None]:
    """Make *addition* for the time of the block, after *leftovers* was taken back.

    It is refused when it would not be what was *confirmed_plan*. Until the block begins, and from its end on, Ctrl-C
    and the like only wait. Raises :class:`DcmcfgError` with nothing changed when it could not be added, also where it
    then was taken back, and :class:`IncompleteChange` when it could not be taken back, or the archive did not reload
    afterwards: the next run finds it by its claim, and by its mark.
    """
    state, url = context.rollout_context.state_folder, context.directory.server.url
    title = addition.destination.title
    claim = Claim(title, url, format_iso(addition.destination.owner.created))
    with DeferredSignals() as held, hold_claim(state, claim):
        try:
            _clean(context, leftovers, progress)
            _add(context, addition, confirmed_plan, progress)
            _drop_claims(context, leftovers)
            with held.allow_signals():
                yield
        except BaseException as error:
            _remove_and_reload(context, title, progress, error)
            if isinstance(error, _AdditionFailed):
                raise DcmcfgError(
                    f"{error.message}; it was taken back, nothing is changed",
                    subject=error.subject,
                    next_step=error.next_step,
                ) from error
            raise
        _remove_and_reload(context, title, progress, None)


def remove_leftovers(context: RunContext, leftovers: Sequence[Leftover], progress: RunProgress) -> None:
    """Take back what was *leftovers*, and have the archive reload.

    Raises as :func:`hold_destination` does afterwards.
    """
    progress.is_removed = False
    with DeferredSignals():
        _clean(context, leftovers, progress)
        _reload(context, ", ".join(each.ae_title for each in leftovers))
        _drop_claims(context, leftovers)
    progress.is_removed = True


def _clean(site: RunContext, left: Sequence[Leftover], course: RunProgress) -> None:
    for each in left:
        try:
            _remove_destination(site, each.ae_title)
        except DcmcfgError as error:
            raise _to_changed_error(error) if course.removed_leftovers else error from error.__cause__
        course.removed_leftovers.append(each.ae_title)


def _drop_claims(site: RunContext, left: Sequence[Leftover]) -> None:
    """Drop the claims on what was left: the archive has reloaded."""
    for each in left:
        drop_claim(site.rollout_context.state_folder, each.ae_title)


def _add(site: RunContext, addition: Addition, shown: Plan, course: RunProgress) -> None:
    title = addition.destination.title
    outcome = retry_while_in_progress(lambda: _apply_addition(site, addition, shown, course))
    course.added_by_rollout = outcome.number
    site.report(f"added {title} {outcome.strategy.value}, roll-out {outcome.number}")
    try:
        site.reload()
    except ArchiveError as error:
        raise _AdditionFailed(
            f"the archive does not confirm that it knows {title}: {error.message}",
            subject=error.subject,
            next_step=error.next_step or "dcmcfg check lists the values that the archive cannot load",
        ) from error
    site.report("the archive has reloaded")


def _apply_addition(site: RunContext, addition: Addition, shown: Plan, course: RunProgress) -> RolloutOutcome:
    course.is_removed = False
    try:
        opened = site.directory.reopen()
        try:
            plan = addition.plan(read_tree(opened))
            if _strip_assertions(plan) != _strip_assertions(shown):
                raise Refused("somebody has changed the configuration meanwhile", next_step="verify again")
            manner = choose_strategy(opened, plan)
            return run_rollout(opened, plan, strategy=manner, context=site.rollout_context, on_step=_ignore_progress)
        finally:
            opened.close()
    except IncompleteChange as stopped:
        course.added_by_rollout = stopped.rollout_number
        raise _AdditionFailed(stopped.message, subject=stopped.subject) from stopped
    except DcmcfgError:
        course.is_removed = True
        raise


def _strip_assertions(plan: Plan) -> tuple[Change, ...]:
    return tuple(map(assertions.remove_assertions, plan.changes))


def _remove_and_reload(site: RunContext, title: str, course: RunProgress, error: BaseException | None) -> None:
    """Take everything back after *error*, if there was one, and have the archive reload."""
    try:
        if not course.is_removed:
            taken = _remove_destination(site, title)
            course.removed_by_rollout, course.remaining_references = taken.rollout_number, taken.remaining_references
        if not course.is_removed or course.removed_leftovers:
            _reload(site, title)
    except DcmcfgError as stopped:
        changed = _to_changed_error(stopped)
        if isinstance(error, DcmcfgError):
            changed.message = f"{changed.message}; before that: {error.message}"
        raise changed from stopped
    course.is_removed = True
    drop_claim(site.rollout_context.state_folder, title)


def _remove_destination(site: RunContext, title: str) -> RemovalResult:
    try:
        taken = remove_destination(site.directory, site.rollout_context, title)
    except DcmcfgError as error:
        elsewhere = error.next_step if not isinstance(error, IncompleteChange) else ""
        steps = f"{elsewhere}; then {CLEAN_COMMAND}" if elsewhere else CLEAN_COMMAND
        kind = IncompleteChange if isinstance(error, IncompleteChange) else DcmcfgError
        raise kind(
            f"{title} could not be taken back: {error.message}",
            subject=error.subject,
            next_step=f"{steps} takes it back",
        ) from error
    number = f", roll-out {taken.rollout_number}" if taken.rollout_number is not None else ""
    site.report(f"taken back {title}{number}")
    for name in taken.remaining_references:
        site.report(f"warning: {title} is named by {name}, which somebody has set meanwhile")
    return taken


def _to_changed_error(error: DcmcfgError) -> IncompleteChange:
    """Return *error* as one that leaves something changed: what went before it."""
    return IncompleteChange(error.message, subject=error.subject, next_step=error.next_step)


def _reload(site: RunContext, titles: str) -> None:
    try:
        site.reload()
    except ArchiveError as error:
        raise IncompleteChange(
            f"the directory is as it was, but the archive may still know {titles}: {error.message}",
            subject=error.subject,
            next_step=f"{CLEAN_COMMAND} has it reload once it answers",
        ) from error
    site.report("the archive has reloaded")


def _ignore_progress(done: int, steps: int) -> None:
    """Take no notice."""
