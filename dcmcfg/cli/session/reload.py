"""The reload at the end of a change; the archive is reached before anything is written, so that it can reload.

A module of its own, because a command that does not reload need not load an HTTP client.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.archive.archive_state import State
from dcmcfg.archive.control import ControlService
from dcmcfg.archive.failures import TokenError
from dcmcfg.archive.listeners import Probed, listeners_of, other_users, probe
from dcmcfg.archive.reload_failures import CHECK_VALUES, Reload, ReloadFailed, ReloadUnconfirmed
from dcmcfg.archive.reload_outcome import LoadedButNotBound, NotRunning
from dcmcfg.cli import invocation
from dcmcfg.cli.printing import tell
from dcmcfg.cli.session.archive import control_service
from dcmcfg.cli.session.archive_stopped import STOPPED, how_to_start
from dcmcfg.cli.session.change_report import ReloadReport
from dcmcfg.errors import ArchiveError, ChangedButNotFinished, NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.render.reload import listeners_json, listeners_line, reload_json, repaired_line
from dcmcfg.render.terminal.console import visible
from dcmcfg.settings import Settings


@dataclass(frozen=True)
class Reloading:
    """The archive of a site that has answered, and is to reload."""

    service: ControlService
    settings: Settings

    def reload(self, number: int, tree: Tree, *, is_undo: bool) -> ReloadReport:
        """Have the archive load *tree*, the directory after change *number*.

        Raises :class:`ChangedButNotFinished` when the reload was not clean, and when the archive is STOPPED. The value
        that the archive cannot load may have been in the tree before an undo too, so an undo is not advised after one.
        """
        undo = "" if is_undo else f". If it is this change: dcmcfg undo {number} reverts it"
        try:
            reload = self.service.reload()
        except ReloadFailed as error:
            raise self._unfinished(error, tree, "" if is_undo else f"dcmcfg undo {number}") from error
        except ArchiveError as error:
            what = f"The directory was changed, but the archive did not reload: {error.what}"
            next_step = f"{CHECK_VALUES}{undo}"
            if isinstance(error, TokenError):
                next_step = f"{error.next_step}; then dcmcfg reload"
            elif error.next_step:
                next_step = f"{error.next_step}. Then run dcmcfg reload"
            raise ChangedButNotFinished(what, on=error.on, next_step=next_step) from error
        except KeyboardInterrupt:
            what = "The directory was changed, and the reload was interrupted"
            raise ChangedButNotFinished(what, next_step="dcmcfg reload") from None
        _so_far(reload)
        require_started(self.service, self.settings, "The directory was changed. ")
        return ReloadReport(reload_json(reload), repaired_line(reload))

    def _unfinished(self, error: ReloadFailed, tree: Tree, undo: str) -> ChangedButNotFinished:
        reload = error.reload
        closed = reload.closed if reload else None
        probed = () if reload is None or closed is None else self._probed(tree, reload)
        if reload is not None:
            _so_far(reload, probed)
        what = f"The directory was changed. {error.what}"
        if line := listeners_line(probed):
            what = f"{what}. {line}"
        if closed is not None and (users := self._other_users(tree, closed)):
            what = f"{what}. In the directory, {closed.listener} is also the address of {', '.join(users)}"
        step = error.next_step
        if undo and closed is not None:
            step = f"{step}. {undo} reverts the change; it binds the listener once more, which can fail in the same way"
        elif undo and not isinstance(error, ReloadUnconfirmed) and not _is_down(reload):
            step = f"{step}. If it is this change: {undo} reverts it"
        return ChangedButNotFinished(what, on=error.on, next_step=step)

    def _other_users(self, tree: Tree, closed: LoadedButNotBound) -> tuple[str, ...]:
        if "Address already in use" not in closed.reason:
            return ()
        return other_users(Configuration(tree), self.settings.device, closed.listener)

    def _probed(self, tree: Tree, reload: Reload) -> tuple[Probed, ...]:
        try:
            device = Configuration(tree).device(self.settings.device)
        except NotFound:
            return ()
        last = reload.outcome  # after a last attempt of unknown outcome, the listener may be open
        still_closed = last.listener if isinstance(last, LoadedButNotBound) else ""
        return probe(listeners_of(device), self.settings.archive_url, still_closed)


def _is_down(reload: Reload | None) -> bool:
    """Return whether the archive does not run, which no undo changes."""
    return reload is not None and isinstance(reload.outcome, NotRunning)


def require_started(service: ControlService, settings: Settings, before: str = "") -> State | None:
    """Return the state of the archive after a reload that it has confirmed; None, with a warning, where it is unknown.

    Raises :class:`ChangedButNotFinished`, its text after *before*, when the archive is STOPPED.
    """
    try:
        status = service.status()
    except ArchiveError as error:
        told = f"the archive reloaded, but it is not known whether it is STARTED: {error.what}; dcmcfg status"
        tell(f"warning: {visible(invocation.current().spoken(told))}")
        return None
    if not status.started:
        raise ChangedButNotFinished(
            f"{before}The archive loaded the new configuration, but it is STOPPED: its DICOM and HL7 ports are closed",
            on=settings.archive_url,
            next_step=how_to_start(settings),
        )
    return status.found


def _so_far(reload: Reload, probed: tuple[Probed, ...] = ()) -> None:
    """Have ``--json`` tell of *reload* as well, should the command fail from here on."""
    run = invocation.current()
    known = run.so_far
    told = reload_json(reload) | ({"listeners": listeners_json(probed)} if probed else {})
    run.so_far = lambda: ({} if known is None else known()) | {"reload": told}


_WITHOUT = "--no-reload changes the directory without the archive"


def reachable(settings: Settings, without: str = _WITHOUT) -> Reloading:
    """Return the site's archive once it has answered; raises :class:`ArchiveError` with nothing changed.

    *without* is how to do without it, shown then. Warns of an archive that is STOPPED.
    """
    service = control_service(settings)
    try:
        status = service.status(lambda line: tell(f"{line} …"))
    except ArchiveError as error:
        again = f"nothing was changed; {without}"
        step = f"{error.next_step}; {again}" if error.next_step else again
        raise ArchiveError(error.what, on=error.on, next_step=step) from error
    if not status.started:
        told = invocation.current().spoken(f"{STOPPED}; dcmcfg status shows how to start it")
        tell(f"warning: {visible(told)}")
    return Reloading(service, settings)
