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
from dcmcfg.errors import ArchiveError, ChangedButNotFinished, DcmcfgError, Refused
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions
from dcmcfg.plan.plan import Plan, Wanted, make_plan
from dcmcfg.plan.versions import unversioned, with_versions
from dcmcfg.rollout.deferred_signals import HeldInterrupts
from dcmcfg.rollout.execution import Outcome, roll_out
from dcmcfg.rollout.record import Occasion
from dcmcfg.rollout.strategy import manner_of
from dcmcfg.temporary.claim import CLEAN, Claim, claimed, drop
from dcmcfg.temporary.leftovers import Leftover
from dcmcfg.temporary.removal import TakenBack, patiently, take_back
from dcmcfg.timestamps import iso


@dataclass(frozen=True)
class Site:
    """What is changed, on which occasion, and who is told in a line each.

    ``reload`` has the archive read its configuration and raises :class:`~dcmcfg.errors.ArchiveError`.
    """

    directory: Directory
    occasion: Occasion
    reload: Callable[[], object]
    say: Callable[[str], None]

    def tell(self, line: str) -> None:
        """Say *line*; that nobody is there to hear it any more, as when a terminal is closed, must stop nothing."""
        with suppress(OSError):
            self.say(line)


@dataclass
class Course:
    """How far a run has come: the numbers of its roll-outs, and what it has cleaned away of others before."""

    added: int | None = None
    taken_back: int | None = None
    cleaned: list[str] = field(default_factory=list)
    still_named: tuple[str, ...] = ()
    #: Nothing of it is left, neither in the directory nor with the archive.
    gone: bool = True


@dataclass(frozen=True)
class Addition:
    """A temporary destination that is to be added, and the AE that is to take it, which is told as ``DEVICE/AE``."""

    new: TemporaryDestination
    device: str
    asked: str

    def edit(self, configuration: Configuration) -> Edit:
        """Return the edit of *configuration*; raises what :func:`add_temporary_destination` does."""
        asked = configuration.device(self.device).network_ae(self.asked)
        return add_temporary_destination(configuration, asked, self.new)

    def plan(self, tree: Tree) -> Plan:
        """Return the plan for *tree*, which asserts that no entry has changed that it touches.

        A list of accepted Move Destinations that somebody has emptied must not get its first value. Raises what
        :meth:`edit` and :func:`make_plan` do.
        """
        plan = make_plan(tree, [Wanted(each) for each in self.edit(Configuration(tree)).changes])
        return with_versions(plan) if tree.versions and unversioned(plan) is None else plan


class _NotAdded(ChangedButNotFinished):
    """It was added in part, or in whole and the archive does not know it."""


@contextmanager
def in_place(site: Site, addition: Addition, shown: Plan, left: Sequence[Leftover], course: Course) -> Iterator[None]:
    """Make *addition* for the time of the block, after *left* was taken back.

    It is refused when it would not be what was *shown*. Until the block begins, and from its end on, Ctrl-C and the
    like only wait. Raises :class:`DcmcfgError` with nothing changed when it could not be added, also where it then was
    taken back, and :class:`ChangedButNotFinished` when it could not be taken back, or the archive did not reload
    afterwards: the next run finds it by its claim, and by its mark.
    """
    state, url = site.occasion.state, site.directory.server.url
    title = addition.new.title
    claim = Claim(title, url, iso(addition.new.maker.when))
    with HeldInterrupts() as held, claimed(state, claim):
        try:
            _clean(site, left, course)
            _add(site, addition, shown, course)
            _forget(site, left)
            with held.let_through():
                yield
        except BaseException as error:
            _restore(site, title, course, error)
            if isinstance(error, _NotAdded):
                raise DcmcfgError(
                    f"{error.what}; it was taken back, nothing is changed", on=error.on, next_step=error.next_step
                ) from error
            raise
        _restore(site, title, course, None)


def clean(site: Site, left: Sequence[Leftover], course: Course) -> None:
    """Take back what was *left*, and have the archive reload; raises as :func:`in_place` does afterwards."""
    course.gone = False
    with HeldInterrupts():
        _clean(site, left, course)
        _reload(site, ", ".join(each.title for each in left))
        _forget(site, left)
    course.gone = True


def _clean(site: Site, left: Sequence[Leftover], course: Course) -> None:
    for each in left:
        try:
            _take_back(site, each.title)
        except DcmcfgError as error:
            raise _changed(error) if course.cleaned else error from error.__cause__
        course.cleaned.append(each.title)


def _forget(site: Site, left: Sequence[Leftover]) -> None:
    """Drop the claims on what was left: the archive has reloaded."""
    for each in left:
        drop(site.occasion.state, each.title)


def _add(site: Site, addition: Addition, shown: Plan, course: Course) -> None:
    title = addition.new.title
    outcome = patiently(lambda: _rolled_out(site, addition, shown, course))
    course.added = outcome.number
    site.tell(f"added {title} {outcome.manner.value}, roll-out {outcome.number}")
    try:
        site.reload()
    except ArchiveError as error:
        raise _NotAdded(
            f"the archive does not confirm that it knows {title}: {error.what}",
            on=error.on,
            next_step=error.next_step or "dcmcfg check lists the values that the archive cannot load",
        ) from error
    site.tell("the archive has reloaded")


def _rolled_out(site: Site, addition: Addition, shown: Plan, course: Course) -> Outcome:
    course.gone = False
    try:
        opened = site.directory.reopened()
        try:
            plan = addition.plan(read_tree(opened))
            if _told(plan) != _told(shown):
                raise Refused("somebody has changed the configuration meanwhile", next_step="verify again")
            manner = manner_of(opened, plan)
            return roll_out(opened, plan, manner=manner, occasion=site.occasion, on_step=_silent)
        finally:
            opened.close()
    except ChangedButNotFinished as stopped:
        course.added = stopped.roll_out
        raise _NotAdded(stopped.what, on=stopped.on) from stopped
    except DcmcfgError:
        course.gone = True
        raise


def _told(plan: Plan) -> tuple[Change, ...]:
    return tuple(map(assertions.without, plan.changes))


def _restore(site: Site, title: str, course: Course, error: BaseException | None) -> None:
    """Take everything back after *error*, if there was one, and have the archive reload."""
    try:
        if not course.gone:
            taken = _take_back(site, title)
            course.taken_back, course.still_named = taken.number, taken.still_named
        if not course.gone or course.cleaned:
            _reload(site, title)
    except DcmcfgError as stopped:
        changed = _changed(stopped)
        if isinstance(error, DcmcfgError):
            changed.what = f"{changed.what}; before that: {error.what}"
        raise changed from stopped
    course.gone = True
    drop(site.occasion.state, title)


def _take_back(site: Site, title: str) -> TakenBack:
    try:
        taken = take_back(site.directory, site.occasion, title)
    except DcmcfgError as error:
        elsewhere = error.next_step if not isinstance(error, ChangedButNotFinished) else ""
        steps = f"{elsewhere}; then {CLEAN}" if elsewhere else CLEAN
        kind = ChangedButNotFinished if isinstance(error, ChangedButNotFinished) else DcmcfgError
        raise kind(
            f"{title} could not be taken back: {error.what}", on=error.on, next_step=f"{steps} takes it back"
        ) from error
    number = f", roll-out {taken.number}" if taken.number is not None else ""
    site.tell(f"taken back {title}{number}")
    for name in taken.still_named:
        site.tell(f"warning: {title} is named by {name}, which somebody has set meanwhile")
    return taken


def _changed(error: DcmcfgError) -> ChangedButNotFinished:
    """Return *error* as one that leaves something changed: what went before it."""
    return ChangedButNotFinished(error.what, on=error.on, next_step=error.next_step)


def _reload(site: Site, titles: str) -> None:
    try:
        site.reload()
    except ArchiveError as error:
        raise ChangedButNotFinished(
            f"the directory is as it was, but the archive may still know {titles}: {error.what}",
            on=error.on,
            next_step=f"{CLEAN} has it reload once it answers",
        ) from error
    site.tell("the archive has reloaded")


def _silent(done: int, steps: int) -> None:
    """Take no notice."""
