"""The reload at the end of a change; the archive is reached before anything is written, so that it can reload.

A module of its own, because a command that does not reload need not load an HTTP client.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.archive.archive_state import ServiceState
from dcmcfg.archive.control import ControlService
from dcmcfg.archive.failures import TokenError
from dcmcfg.archive.listeners import ProbedListener, find_conflicting_connections, listeners_of, probe_listeners
from dcmcfg.archive.reload_failures import CHECK_VALUES, Reload, ReloadFailed, ReloadUnconfirmed
from dcmcfg.archive.reload_outcome import LoadedButNotBound, NotRunning
from dcmcfg.cli import invocation
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.archive import make_control_service
from dcmcfg.cli.session.archive_stopped import STOPPED_MESSAGE, describe_how_to_start
from dcmcfg.cli.session.change_report import ReloadReport
from dcmcfg.errors import ArchiveError, IncompleteChange, NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.reload import format_listener_states, format_repair_note, listeners_json, reload_json
from dcmcfg.settings import Settings


@dataclass(frozen=True)
class ReachableArchive:
    """The archive of a site that has answered, and is to reload."""

    service: ControlService
    settings: Settings

    def reload_configuration(self, rollout_number: int, tree: Tree, *, is_undo: bool) -> ReloadReport:
        """Have the archive load *tree*, the directory after change *rollout_number*.

        Raises :class:`IncompleteChange` when the reload was not clean, and when the archive is STOPPED. The value
        that the archive cannot load may have been in the tree before an undo too, so an undo is not advised after one.
        """
        undo = "" if is_undo else f". If it is this change: dcmcfg undo {rollout_number} reverts it"
        try:
            reload = self.service.reload()
        except ReloadFailed as error:
            raise self._make_unfinished_error(
                error, tree, "" if is_undo else f"dcmcfg undo {rollout_number}"
            ) from error
        except ArchiveError as error:
            what = f"The directory was changed, but the archive did not reload: {error.message}"
            next_step = f"{CHECK_VALUES}{undo}"
            if isinstance(error, TokenError):
                next_step = f"{error.next_step}; then dcmcfg reload"
            elif error.next_step:
                next_step = f"{error.next_step}. Then run dcmcfg reload"
            raise IncompleteChange(what, subject=error.subject, next_step=next_step) from error
        except KeyboardInterrupt:
            what = "The directory was changed, and the reload was interrupted"
            raise IncompleteChange(what, next_step="dcmcfg reload") from None
        _record_reload(reload)
        require_started(self.service, self.settings, "The directory was changed. ")
        return ReloadReport(reload_json(reload), format_repair_note(reload))

    def _make_unfinished_error(self, error: ReloadFailed, tree: Tree, undo_command: str) -> IncompleteChange:
        reload = error.reload
        closed = reload.binding_failure if reload else None
        probed = () if reload is None or closed is None else self._probe_listeners(tree, reload)
        if reload is not None:
            _record_reload(reload, probed)
        what = f"The directory was changed. {error.message}"
        if line := format_listener_states(probed):
            what = f"{what}. {line}"
        if closed is not None and (users := self._find_other_users(tree, closed)):
            what = f"{what}. In the directory, {closed.listener} is also the address of {', '.join(users)}"
        step = error.next_step
        if undo_command and closed is not None:
            step = (
                f"{step}. {undo_command} reverts the change; it binds the listener once more, which can fail in "
                "the same way"
            )
        elif undo_command and not isinstance(error, ReloadUnconfirmed) and not _is_down(reload):
            step = f"{step}. If it is this change: {undo_command} reverts it"
        return IncompleteChange(what, subject=error.subject, next_step=step)

    def _find_other_users(self, tree: Tree, closed: LoadedButNotBound) -> tuple[str, ...]:
        if "Address already in use" not in closed.reason:
            return ()
        return find_conflicting_connections(Configuration(tree), self.settings.device, closed.listener)

    def _probe_listeners(self, tree: Tree, reload: Reload) -> tuple[ProbedListener, ...]:
        try:
            device = Configuration(tree).get_device(self.settings.device)
        except NotFound:
            return ()
        last = reload.outcome  # after a last attempt of unknown outcome, the listener may be open
        still_closed = last.listener if isinstance(last, LoadedButNotBound) else ""
        return probe_listeners(listeners_of(device), self.settings.archive_url, still_closed)


def _is_down(reload: Reload | None) -> bool:
    """Return whether the archive does not run, which no undo changes."""
    return reload is not None and isinstance(reload.outcome, NotRunning)


def require_started(service: ControlService, settings: Settings, message_prefix: str = "") -> ServiceState | None:
    """Return the state of the archive after a reload that it has confirmed; None, with a warning, where it is unknown.

    Raises :class:`IncompleteChange`, its text after *message_prefix*, when the archive is STOPPED.
    """
    try:
        status = service.status()
    except ArchiveError as error:
        told = f"the archive reloaded, but it is not known whether it is STARTED: {error.message}; dcmcfg status"
        print_message(f"warning: {escape_unprintable(invocation.current().insert_site_options(told))}")
        return None
    if not status.started:
        raise IncompleteChange(
            f"{message_prefix}The archive loaded the new configuration, but it is STOPPED: its DICOM and HL7 ports "
            "are closed",
            subject=settings.archive_url,
            next_step=describe_how_to_start(settings),
        )
    return status.service_state


def _record_reload(reload: Reload, probed: tuple[ProbedListener, ...] = ()) -> None:
    """Have ``--json`` tell of *reload* as well, should the command fail from here on."""
    run = invocation.current()
    known = run.partial_result
    told = reload_json(reload) | ({"listeners": listeners_json(probed)} if probed else {})
    run.partial_result = lambda: ({} if known is None else known()) | {"reload": told}


_NO_RELOAD_ALTERNATIVE = "--no-reload changes the directory without the archive"


def connect_archive(settings: Settings, alternative: str = _NO_RELOAD_ALTERNATIVE) -> ReachableArchive:
    """Return the site's archive once it has answered; raises :class:`ArchiveError` with nothing changed.

    *alternative* is how to do without it, shown then. Warns of an archive that is STOPPED.
    """
    service = make_control_service(settings)
    try:
        status = service.status(lambda line: print_message(f"{line} …"))
    except ArchiveError as error:
        again = f"nothing was changed; {alternative}"
        step = f"{error.next_step}; {again}" if error.next_step else again
        raise ArchiveError(error.message, subject=error.subject, next_step=step) from error
    if not status.started:
        told = invocation.current().insert_site_options(f"{STOPPED_MESSAGE}; dcmcfg status shows how to start it")
        print_message(f"warning: {escape_unprintable(told)}")
    return ReachableArchive(service, settings)
