"""Hold a temporary destination for the time of a run, and remove it whenever and however the run ends."""

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
    """The directory to change, the context of its roll-outs, and functions to reload and to print progress lines.

    ``reload`` makes the archive read its configuration; it raises :class:`~dcmcfg.errors.ArchiveError`.
    """

    directory: Directory
    rollout_context: RolloutContext
    reload: Callable[[], object]
    print_line: Callable[[str], None]

    def report(self, line: str) -> None:
        """Print *line*. Errors are ignored: a closed terminal must not stop the removal."""
        with suppress(OSError):
            self.print_line(line)


@dataclass(kw_only=True)
class DestinationProgress:
    """The progress of a run: the numbers of its roll-outs, and the leftovers that it has removed."""

    added_by_rollout: int | None = None
    removed_by_rollout: int | None = None
    removed_leftovers: list[str] = field(default_factory=list)
    remaining_references: tuple[str, ...] = ()
    #: Whether the destination is removed completely, from the directory and from the archive.
    is_removed: bool = True


@dataclass(frozen=True)
class DestinationAddition:
    """A temporary destination to add, and the archive's AE that will send to it, by device and title."""

    destination: TemporaryDestination
    device_name: str
    archive_ae_title: str

    def make_edit(self, configuration: Configuration) -> Edit:
        """Return the edit of *configuration*; raises the errors of :func:`add_temporary_destination`."""
        archive_ae = configuration.get_device(self.device_name).get_network_ae(self.archive_ae_title)
        return add_temporary_destination(configuration, archive_ae, self.destination)

    def make_plan(self, tree: Tree) -> Plan:
        """Return the plan for *tree*, with assertions that the affected entries have not changed.

        Without them, the plan could add the first value to a list of accepted Move Destinations that was emptied in the
        meantime; the archive would then refuse all other destinations. Raises the errors of :meth:`make_edit` and
        :func:`make_plan`.
        """
        plan = make_plan(tree, [DesiredChange(each) for each in self.make_edit(Configuration(tree)).changes])
        return assert_versions(plan) if tree.versions and find_unversioned_entry(plan) is None else plan


class _DestinationAdditionFailed(IncompleteChange):
    """The destination was added partly, or completely but without the archive knowing it."""


@contextmanager
def hold_destination(
    context: DestinationContext,
    addition: DestinationAddition,
    confirmed_plan: Plan,
    *,
    leftovers: Sequence[LeftoverDestination],
    progress: DestinationProgress,
) -> Iterator[None]:
    """Apply *addition* for the time of the block, after removing *leftovers*.

    Raises :class:`Refused` if the plan differs from *confirmed_plan*. Signals such as Ctrl-C are deferred until the
    block begins, and again after its end. Raises :class:`DcmcfgError` with nothing changed if the destination could not
    be added, also after reverting it. Raises :class:`IncompleteChange` if it could not be reverted or the archive did
    not reload afterwards; the next run finds the destination by its claim and its mark.
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
            # The destination must not stay, whatever ends the block: an error, Ctrl-C or the end of the terminal.
            _remove_and_reload(context, title, progress, error)
            if isinstance(error, _DestinationAdditionFailed):
                raise DcmcfgError(
                    f"{error.message}. dcmcfg reverted the change in LDAP, so the configuration in LDAP is unchanged",
                    subject=error.subject,
                    next_step=error.next_step,
                ) from error
            raise
        _remove_and_reload(context, title, progress, None)


def remove_leftovers(
    context: DestinationContext, leftovers: Sequence[LeftoverDestination], progress: DestinationProgress
) -> None:
    """Remove *leftovers* and reload the archive.

    Raises the same errors as the removal in :func:`hold_destination`.
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
    """Drop the claims on removed leftovers, after the reload: the archive does not know them any more then."""
    for each in leftovers:
        drop_claim(context.rollout_context.state_folder, each.ae_title)


def _add(
    context: DestinationContext, addition: DestinationAddition, confirmed_plan: Plan, progress: DestinationProgress
) -> None:
    title = addition.destination.ae_title
    outcome = retry_while_in_progress(lambda: _apply_addition(context, addition, confirmed_plan, progress))
    progress.added_by_rollout = outcome.number
    context.report(f"added {title} {outcome.strategy.value} (change {outcome.number})")
    try:
        context.reload()
    except ArchiveError as error:
        raise _DestinationAdditionFailed(
            f"the archive may not know {title}, because the reload failed. {error.message}",
            subject=error.subject,
            next_step=error.next_step or "to find values that the archive cannot load: dcmcfg check",
        ) from error
    context.report("the archive has reloaded")


def _apply_addition(
    context: DestinationContext, addition: DestinationAddition, confirmed_plan: Plan, progress: DestinationProgress
) -> RolloutOutcome:
    # From here on, an interruption may leave something in the directory, so a removal is required.
    progress.is_removed = False
    try:
        reopened = context.directory.reopen()
        try:
            plan = addition.make_plan(read_tree(reopened))
            # The assertions may contain versions of entries, which may differ for the same changes.
            if _strip_assertions(plan) != _strip_assertions(confirmed_plan):
                raise Refused(
                    "the configuration has changed since dcmcfg made the plan", next_step="run the command again"
                )
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
    """Remove the destination, after *error* if there was one, and reload the archive."""
    try:
        if not progress.is_removed:
            removal = _remove_destination(context, title)
            progress.removed_by_rollout, progress.remaining_references = (
                removal.rollout_number,
                removal.remaining_references,
            )
        # Removed leftovers require a reload too, even if nothing was added.
        if not progress.is_removed or progress.removed_leftovers:
            _reload(context, title)
    except DcmcfgError as removal_error:
        incomplete_change = _to_changed_error(removal_error)
        if isinstance(error, DcmcfgError):
            incomplete_change.message = f"{incomplete_change.message}; previous error: {error.message}"
        raise incomplete_change from removal_error
    progress.is_removed = True
    # The claim stays until the archive has reloaded, so that a later run reloads it if this one is killed.
    drop_claim(context.rollout_context.state_folder, title)


def _remove_destination(context: DestinationContext, title: str) -> DestinationRemovalResult:
    try:
        removal = remove_destination(context.directory, context.rollout_context, title)
    except DcmcfgError as error:
        other_step = error.next_step if not isinstance(error, IncompleteChange) else ""
        steps = f"{other_step}; then run {CLEAN_COMMAND}" if other_step else CLEAN_COMMAND
        error_type = IncompleteChange if isinstance(error, IncompleteChange) else DcmcfgError
        raise error_type(
            f"could not remove {title}: {error.message}",
            subject=error.subject,
            next_step=f"to remove {title}: {steps}",
        ) from error
    rollout = f" (change {removal.rollout_number})" if removal.rollout_number is not None else ""
    context.report(f"removed {title}{rollout}")
    for name in removal.remaining_references:
        context.report(
            f"warning: {name} still refers to {title}; someone set this reference after dcmcfg added {title}"
        )
    return removal


def _to_changed_error(error: DcmcfgError) -> IncompleteChange:
    """Return *error* as an :class:`IncompleteChange`, because earlier changes remain."""
    return IncompleteChange(error.message, subject=error.subject, next_step=error.next_step)


def _reload(context: DestinationContext, titles: str) -> None:
    try:
        context.reload()
    except ArchiveError as error:
        raise IncompleteChange(
            f"the LDAP directory is restored, but the archive may still know {titles}: {error.message}",
            subject=error.subject,
            next_step=f"to reload the archive when it is available: {CLEAN_COMMAND}",
        ) from error
    context.report("the archive has reloaded")


def _ignore_progress(done: int, steps: int) -> None:
    """Default no-op callback."""
