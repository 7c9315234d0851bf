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
from dcmcfg.temporary.leftovers import LeftoverDestination
from dcmcfg.temporary.removal import DestinationRemovalResult, remove_destination, retry_while_in_progress
from dcmcfg.temporary.title_claims import CLEAN_COMMAND, TitleClaim, drop_claim, hold_claim
from dcmcfg.timestamps import format_iso


@dataclass(frozen=True)
class DestinationContext:
    """The directory that is changed, the context of its roll-outs, and where progress is printed, a line each.

    ``reload`` has the archive read its configuration and raises :class:`~dcmcfg.errors.ArchiveError`.
    """

    directory: Directory
    rollout_context: RolloutContext
    reload: Callable[[], object]
    print_line: Callable[[str], None]

    def report(self, line: str) -> None:
        """Print *line*; that nobody reads it any more, as when a terminal is closed, must stop nothing."""
        with suppress(OSError):
            self.print_line(line)


@dataclass(kw_only=True)
class DestinationProgress:
    """How far a run has come: the numbers of its roll-outs, and what it has cleaned away of others before."""

    added_by_rollout: int | None = None
    removed_by_rollout: int | None = None
    removed_leftovers: list[str] = field(default_factory=list)
    remaining_references: tuple[str, ...] = ()
    #: Nothing of it is left, neither in the directory nor with the archive.
    is_removed: bool = True


@dataclass(frozen=True)
class DestinationAddition:
    """A temporary destination that is to be added, and the archive's AE that is to accept it, by device and title."""

    destination: TemporaryDestination
    device_name: str
    archive_ae_title: str

    def make_edit(self, configuration: Configuration) -> Edit:
        """Return the edit of *configuration*; raises what :func:`add_temporary_destination` does."""
        archive_ae = configuration.get_device(self.device_name).get_network_ae(self.archive_ae_title)
        return add_temporary_destination(configuration, archive_ae, self.destination)

    def make_plan(self, tree: Tree) -> Plan:
        """Return the plan for *tree*, which asserts that no entry has changed that it touches.

        A list of accepted Move Destinations that somebody has emptied must not get its first value. Raises what
        :meth:`make_edit` and :func:`make_plan` do.
        """
        plan = make_plan(tree, [DesiredChange(each) for each in self.make_edit(Configuration(tree)).changes])
        return assert_versions(plan) if tree.versions and find_unversioned_entry(plan) is None else plan


class _DestinationAdditionFailed(IncompleteChange):
    """It was added in part, or in whole and the archive does not know it."""


@contextmanager
def hold_destination(
    context: DestinationContext,
    addition: DestinationAddition,
    confirmed_plan: Plan,
    *,
    leftovers: Sequence[LeftoverDestination],
    progress: DestinationProgress,
) -> Iterator[None]:
    """Make *addition* for the time of the block, after removing *leftovers*.

    It is refused when its plan would differ from *confirmed_plan*. Until the block begins, and from its end on, Ctrl-C
    and the like only wait. Raises :class:`DcmcfgError` with nothing changed when it could not be added, also where it
    then was taken back, and :class:`IncompleteChange` when it could not be taken back, or the archive did not reload
    afterwards: the next run finds it by its claim, and by its mark.
    """
    state, url = context.rollout_context.state_folder, context.directory.server.url
    title = addition.destination.ae_title
    claim = TitleClaim(title, url, format_iso(addition.destination.owner.created))
    with DeferredSignals() as signals, hold_claim(state, claim):
        try:
            _remove_leftovers(context, leftovers, progress)
            _add(context, addition, confirmed_plan, progress)
            _drop_claims(context, leftovers)
            with signals.allow_signals():
                yield
        except BaseException as error:
            _remove_and_reload(context, title, progress, error)
            if isinstance(error, _DestinationAdditionFailed):
                raise DcmcfgError(
                    f"{error.message}; it was taken back, nothing is changed",
                    subject=error.subject,
                    next_step=error.next_step,
                ) from error
            raise
        _remove_and_reload(context, title, progress, None)


def remove_leftovers(
    context: DestinationContext, leftovers: Sequence[LeftoverDestination], progress: DestinationProgress
) -> None:
    """Remove *leftovers*, and have the archive reload.

    Raises as :func:`hold_destination` does afterwards.
    """
    progress.is_removed = False
    with DeferredSignals():
        _remove_leftovers(context, leftovers, progress)
        _reload(context, ", ".join(each.ae_title for each in leftovers))
        _drop_claims(context, leftovers)
    progress.is_removed = True


def _remove_leftovers(
    context: DestinationContext, leftovers: Sequence[LeftoverDestination], progress: DestinationProgress
) -> None:
    for each in leftovers:
        try:
            _remove_destination(context, each.ae_title)
        except DcmcfgError as error:
            raise _to_changed_error(error) if progress.removed_leftovers else error from error.__cause__
        progress.removed_leftovers.append(each.ae_title)


def _drop_claims(context: DestinationContext, leftovers: Sequence[LeftoverDestination]) -> None:
    """Drop the claims on what was left: the archive has reloaded."""
    for each in leftovers:
        drop_claim(context.rollout_context.state_folder, each.ae_title)


def _add(
    context: DestinationContext, addition: DestinationAddition, confirmed_plan: Plan, progress: DestinationProgress
) -> None:
    title = addition.destination.ae_title
    outcome = retry_while_in_progress(lambda: _apply_addition(context, addition, confirmed_plan, progress))
    progress.added_by_rollout = outcome.number
    context.report(f"added {title} {outcome.strategy.value}, roll-out {outcome.number}")
    try:
        context.reload()
    except ArchiveError as error:
        raise _DestinationAdditionFailed(
            f"the archive does not confirm that it knows {title}: {error.message}",
            subject=error.subject,
            next_step=error.next_step or "dcmcfg check lists the values that the archive cannot load",
        ) from error
    context.report("the archive has reloaded")


def _apply_addition(
    context: DestinationContext, addition: DestinationAddition, confirmed_plan: Plan, progress: DestinationProgress
) -> RolloutOutcome:
    progress.is_removed = False
    try:
        reopened = context.directory.reopen()
        try:
            plan = addition.make_plan(read_tree(reopened))
            if _strip_assertions(plan) != _strip_assertions(confirmed_plan):
                raise Refused("somebody has changed the configuration meanwhile", next_step="verify again")
            strategy = choose_strategy(reopened, plan)
            return run_rollout(
                reopened, plan, strategy=strategy, context=context.rollout_context, on_step=_ignore_progress
            )
        finally:
            reopened.close()
    except IncompleteChange as error:
        progress.added_by_rollout = error.rollout_number
        raise _DestinationAdditionFailed(error.message, subject=error.subject) from error
    except DcmcfgError:
        progress.is_removed = True
        raise


def _strip_assertions(plan: Plan) -> tuple[Change, ...]:
    return tuple(map(assertions.remove_assertions, plan.changes))


def _remove_and_reload(
    context: DestinationContext, title: str, progress: DestinationProgress, error: BaseException | None
) -> None:
    """Take everything back after *error*, if there was one, and have the archive reload."""
    try:
        if not progress.is_removed:
            removal = _remove_destination(context, title)
            progress.removed_by_rollout, progress.remaining_references = (
                removal.rollout_number,
                removal.remaining_references,
            )
        if not progress.is_removed or progress.removed_leftovers:
            _reload(context, title)
    except DcmcfgError as removal_error:
        incomplete_change = _to_changed_error(removal_error)
        if isinstance(error, DcmcfgError):
            incomplete_change.message = f"{incomplete_change.message}; before that: {error.message}"
        raise incomplete_change from removal_error
    progress.is_removed = True
    drop_claim(context.rollout_context.state_folder, title)


def _remove_destination(context: DestinationContext, title: str) -> DestinationRemovalResult:
    try:
        removal = remove_destination(context.directory, context.rollout_context, title)
    except DcmcfgError as error:
        other_step = error.next_step if not isinstance(error, IncompleteChange) else ""
        steps = f"{other_step}; then {CLEAN_COMMAND}" if other_step else CLEAN_COMMAND
        error_type = IncompleteChange if isinstance(error, IncompleteChange) else DcmcfgError
        raise error_type(
            f"{title} could not be taken back: {error.message}",
            subject=error.subject,
            next_step=f"{steps} takes it back",
        ) from error
    rollout = f", roll-out {removal.rollout_number}" if removal.rollout_number is not None else ""
    context.report(f"taken back {title}{rollout}")
    for name in removal.remaining_references:
        context.report(f"warning: {title} is named by {name}, which somebody has set meanwhile")
    return removal


def _to_changed_error(error: DcmcfgError) -> IncompleteChange:
    """Return *error* as one that leaves something changed: what went before it."""
    return IncompleteChange(error.message, subject=error.subject, next_step=error.next_step)


def _reload(context: DestinationContext, titles: str) -> None:
    try:
        context.reload()
    except ArchiveError as error:
        raise IncompleteChange(
            f"the directory is as it was, but the archive may still know {titles}: {error.message}",
            subject=error.subject,
            next_step=f"{CLEAN_COMMAND} has it reload once it answers",
        ) from error
    context.report("the archive has reloaded")


def _ignore_progress(done: int, steps: int) -> None:
    """Do nothing."""
