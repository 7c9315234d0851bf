"""A destination for the time of one verification: shown, asked for, added, taken back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from dcmcfg.cli import invocation
from dcmcfg.cli.lazy_import import loaded
from dcmcfg.cli.printing import say, tell
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.terminal import ask, require_terminal
from dcmcfg.cli.verify.destination_request import Answered, Asking
from dcmcfg.cli.verify.temporary_options import Temporary
from dcmcfg.dicom.storage.receiver import ReceivedInstance, Receiver
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.temporary_destination import TemporaryDestination, free_title, line_from
from dcmcfg.errors import AnswerIsNo, DicomError
from dcmcfg.model.devices import Configuration
from dcmcfg.network_address import at
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.warnings import doubts
from dcmcfg.render.plan import print_plan
from dcmcfg.render.temporary_destination import plan_in_words, temporary_json
from dcmcfg.render.terminal.console import stderr_console, visible
from dcmcfg.rollout.record import Occasion
from dcmcfg.settings import Settings, site_headline
from dcmcfg.settings.folders import state_folder
from dcmcfg.temporary.address import doubts_of, whereabouts
from dcmcfg.temporary.claim import CLEAN
from dcmcfg.temporary.leftovers import Leftover, leftovers
from dcmcfg.temporary.maker_process import this_process
from dcmcfg.temporary.next_steps import advised, unreached
from dcmcfg.temporary.run import Addition, Course, Site, clean, in_place
from dcmcfg.verify.addresses import Address, Addresses
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import Verdict

#: So many characters, of twice as many octets of chance at most, make a title of 16.
_RANDOM, _RANDOM_OCTETS = 9, 5


@dataclass
class Place:
    """A temporary destination that is there: where everybody is, who listens as it, and what ``--json`` tells of it.

    ``configuration`` is the one with it. ``on_received`` is who is told of each instance, with the number of those so
    far.
    """

    new: TemporaryDestination
    configuration: Configuration
    addresses: Addresses
    receiver: Receiver
    course: Course
    ldap_url: str
    on_received: Callable[[int], None] = lambda _: None

    @property
    def title(self) -> str:
        """The Move Destination."""
        return self.new.title

    def advised(self, verdict: Verdict, evidence: Evidence) -> Verdict:
        """Return *verdict* on *evidence* with what to do where nothing has come."""
        return advised(verdict, evidence, self.new, self.ldap_url)

    def unreached(self) -> str:
        """Return what to look at where nothing has come at all."""
        return unreached(self.new)

    def json(self) -> dict[str, Any]:
        """Return what ``--json`` tells of it."""
        return temporary_json(self.new, self.course)

    def with_verdict(self, told: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
        """Return what tells of it beside what *told* does."""
        return lambda: told() | self.json()

    def watched(self, on_received: Callable[[int], None]) -> Receiver:
        """Return who listens, and have *on_received* told of what comes from now on."""
        self.on_received = on_received
        return self.receiver

    def count(self, _: ReceivedInstance) -> None:
        """Tell that an instance has arrived."""
        self.on_received(self.receiver.number)


def clean_leftovers(settings: Settings, directory: Directory, *, yes: bool, as_json: bool) -> None:
    """Show what earlier runs have left, ask, and take it back.

    Raises :class:`AnswerIsNo` when declined or nobody can be asked, :class:`~dcmcfg.errors.ArchiveError` with nothing
    changed when the archive does not answer, and what :func:`clean` does.
    """
    invocation.current().changes_directory = True
    configuration = Configuration(read_tree(directory))
    left = leftovers(state_folder(), settings.ldap_url, configuration, datetime.now(UTC))
    if left:
        _clean(settings, directory, left, yes=yes)
    titles = [each.title for each in left]
    if as_json:
        print_json({"removed": titles})
    else:
        say(f"removed {', '.join(titles)}" if titles else "no temporary destination is left")


def _clean(settings: Settings, directory: Directory, left: Sequence[Leftover], *, yes: bool) -> None:
    tell(site_headline(settings))
    for each in left:
        _say(f"left behind: {each}")
    site = _site(settings, directory)
    _confirm("Remove this, and have the archive reload?", yes=yes)
    course = Course()
    invocation.current().so_far = lambda: {"removed": list(course.cleaned)}
    with _writing(course):
        clean(site, left, course)


def with_temporary_destination(
    settings: Settings,
    directory: Directory,
    configuration: Configuration,
    asking: Asking,
    temporary: Temporary,
    ask_study: Callable[[Addresses, Place], Answered],
) -> Answered:
    """Return what *ask_study* answers while a temporary destination is there, with what became of that.

    Raises as :func:`temporary_destination` does; what is known by then is told by ``--json`` all the same.
    """
    with temporary_destination(settings, directory, configuration, asking, temporary) as place:
        code, told = ask_study(place.addresses, place)
        both = place.with_verdict(told)
        invocation.current().so_far = both
    return code, both


@contextmanager
def temporary_destination(
    settings: Settings, directory: Directory, configuration: Configuration, asking: Asking, temporary: Temporary
) -> Iterator[Place]:
    """Add an AE with this machine's address for the time of the block, and listen as it meanwhile.

    Raises :class:`AnswerIsNo` when declined or nobody can be asked, :class:`~dcmcfg.errors.DicomError` when nothing
    can be received, :class:`~dcmcfg.errors.ArchiveError` when the archive does not answer, each with nothing changed;
    and what :func:`in_place` does.
    """
    invocation.current().changes_directory = True
    title = free_title(configuration, lambda: secrets.token_hex(_RANDOM_OCTETS)[:_RANDOM])
    addresses = asking.addresses(configuration, destination=title, receive=False)
    where = whereabouts(addresses.archive, asking.servers, _said(temporary))
    place: list[Place] = []
    line = line_from(asking.asked, secured=asking.tls and asking.secured.certificate is not None)
    how = replace(asking.listening, tls=asking.secured.server_context()) if line.tls else asking.listening
    own = how.at(title, where.listen, where.port, addresses.timeouts, lambda new: place[0].count(new))
    with _listening(own) as receiver:
        new = TemporaryDestination(title, where.host, receiver.port, this_process(datetime.now(UTC)), line)
        addition = Addition(new, asking.asked.device.name, asking.asked.title)
        plan = addition.plan(configuration.tree)
        then = Configuration(plan.after)
        there = asking.addresses(then, destination=title, receive=True)
        place.append(Place(new, then, there, receiver, Course(), settings.ldap_url))
        left = leftovers(state_folder(), settings.ldap_url, configuration, new.maker.when)
        _show(settings, new, plan, left, whole=temporary.show_plan)
        for warning in (*addition.edit(configuration).warnings, *doubts_of(plan.after, addition, asking.calling)):
            _say(f"warning: {warning}")
        how_called = " with TLS" if line.tls else ""
        _say(f"the archive is to call {title} at {at(new.host, new.port)}{how_called}, {where.why}")
        _say("the archive reloads twice, when it is added and when it is removed; nothing of it is left then")
        site = _site(settings, directory)
        _confirm(f"Add {title} for the time of this run?", yes=temporary.yes)
        with _there(site, addition, plan, left, place[0]):
            yield place[0]


@contextmanager
def _listening(receiver: Receiver) -> Iterator[Receiver]:
    """Have *receiver* listen; that it cannot is told with the option that helps."""
    with ExitStack() as stack:
        try:
            stack.enter_context(receiver)
        except DicomError as error:
            step = "--temporary-address HOST:PORT names another port; without one any free port is taken"
            raise DicomError(error.what, on=error.on, next_step=step) from error
        yield receiver


@contextmanager
def _there(site: Site, addition: Addition, plan: Plan, left: Sequence[Leftover], place: Place) -> Iterator[None]:
    """Add it for the time of the block; ``--json`` tells how far that is."""
    invocation.current().so_far = place.json
    dead = [each for each in left if each.sure]
    with _writing(place.course), in_place(site, addition, plan, dead, place.course):
        yield


def _said(temporary: Temporary) -> tuple[str, int | None] | None:
    if temporary.temporary_address is None:
        return None
    address = Address.parse(temporary.temporary_address)
    return address.host, address.port


def _show(settings: Settings, new: TemporaryDestination, plan: Plan, left: Sequence[Leftover], *, whole: bool) -> None:
    tell(site_headline(settings))
    for each in left:
        _say(f"left behind, {'removed first' if each.sure else f'and left alone; {CLEAN} removes it'}: {each}")
    if whole:
        print_plan(stderr_console(), plan)
    _say(plan_in_words(new, plan))
    for warning in doubts(plan):
        _say(f"warning: {warning}")


def _site(settings: Settings, directory: Directory) -> Site:
    """Return the site once its archive has answered; raises :class:`~dcmcfg.errors.ArchiveError`."""
    reachable = loaded("session.reload", "reachable")
    service = reachable(settings, "it has to reload, to know a new destination").service
    occasion = Occasion(state_folder(), site_headline(settings), invocation.current().command_line)
    return Site(directory, occasion, service.reload, _say)


def _confirm(question: str, *, yes: bool) -> None:
    if yes:
        return
    require_terminal()
    if not ask(question):
        raise AnswerIsNo("declined, nothing was changed")


@contextmanager
def _writing(course: Course) -> Iterator[None]:
    """Have what nobody foresaw count as something changed, until all is taken back."""
    run = invocation.current()
    run.writing = True
    try:
        yield
    finally:
        run.writing = not course.gone


def _say(text: str) -> None:
    tell(visible(invocation.current().spoken(text)))
