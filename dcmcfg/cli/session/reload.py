"""Reload the archive at the end of a change. Before anything is written, a request checks that the archive responds.

A module of its own, because a command without a reload does not need the HTTP client.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.archive.archive_state import ServiceState
from dcmcfg.archive.control import ControlService
from dcmcfg.archive.failures import TokenError
from dcmcfg.archive.listeners import ProbedListener, find_conflicting_connections, list_listeners, probe_listeners
from dcmcfg.archive.reload_failures import CHECK_VALUES, Reload, ReloadFailed, ReloadUnconfirmed
from dcmcfg.archive.reload_outcome import LoadedButNotBound, NotRunning
from dcmcfg.cli import invocation
from dcmcfg.cli.default_site import describe_profile_without_archive_url
from dcmcfg.cli.printing import print_message, print_wait
from dcmcfg.cli.session.archive import make_control_service
from dcmcfg.cli.session.archive_stopped import STOPPED_MESSAGE, describe_how_to_start
from dcmcfg.errors import ArchiveError, DcmcfgError, IncompleteChange, NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.reload import format_listener_states, listeners_json, reload_json
from dcmcfg.settings import Settings


class ArchiveStopped(IncompleteChange):
    """The archive loaded the new configuration, but is STOPPED; ``reload`` is the reload, if the caller sets it."""

    reload: Reload | None = None


@dataclass(frozen=True)
class ReachableArchive:
    """The archive of a site, which has responded and can be reloaded."""

    service: ControlService
    settings: Settings

    @staticmethod
    def without_contact(settings: Settings) -> ReachableArchive:
        """Return the archive of *settings* although it does not respond."""
        return ReachableArchive(make_control_service(settings), settings)

    def build_error(self, error: DcmcfgError, rollout_number: int, tree: Tree, *, is_undo: bool) -> IncompleteChange:
        """Return the error for the reload after change *rollout_number*, which failed with *error*.

        *tree* is the directory after the change. The error does not suggest an undo after an undo: the value that the
        archive cannot load may be older than both changes.
        """
        if isinstance(error, IncompleteChange):
            return error
        if isinstance(error, ReloadFailed):
            return self._make_unfinished_error(error, tree, "" if is_undo else f"dcmcfg undo {rollout_number}")
        undo = "" if is_undo else f". If this change is the cause, revert it: dcmcfg undo {rollout_number}"
        message = f"The directory was changed, but the archive did not reload: {error.message}"
        next_step = f"{CHECK_VALUES}{undo}"
        if isinstance(error, TokenError):
            next_step = f"{error.next_step}; then run dcmcfg reload"
        elif error.next_step:
            next_step = f"{error.next_step}. Then run dcmcfg reload"
        return IncompleteChange(message, subject=error.subject, next_step=next_step)

    def _make_unfinished_error(self, error: ReloadFailed, tree: Tree, undo_command: str) -> IncompleteChange:
        reload = error.reload
        binding_failure = reload.binding_failure if reload else None
        probed_listeners = () if reload is None or binding_failure is None else self._probe_listeners(tree, reload)
        if reload is not None:
            _record_reload(reload, probed_listeners)
        message = f"The directory was changed. {error.message}"
        if line := format_listener_states(probed_listeners):
            message = f"{message}. {line}"
        if binding_failure is not None and (users := self._find_other_users(tree, binding_failure)):
            message = (
                f"{message}. In the directory, other connections also use the address {binding_failure.listener}: "
                f"{', '.join(users)}"
            )
        next_step = error.next_step
        if undo_command and binding_failure is not None:
            next_step = (
                f"{next_step}. To revert the change: {undo_command}. The archive then tries to open the "
                "listener again. This attempt can fail for the same reason"
            )
        elif undo_command and not isinstance(error, ReloadUnconfirmed) and not _is_down(reload):
            next_step = f"{next_step}. If this change is the cause, revert it: {undo_command}"
        return IncompleteChange(message, subject=error.subject, next_step=next_step)

    def _find_other_users(self, tree: Tree, binding_failure: LoadedButNotBound) -> tuple[str, ...]:
        # Only this error means that the address has another user.
        if "Address already in use" not in binding_failure.reason:
            return ()
        return find_conflicting_connections(Configuration(tree), self.settings.device, binding_failure.listener)

    def _probe_listeners(self, tree: Tree, reload: Reload) -> tuple[ProbedListener, ...]:
        try:
            device = Configuration(tree).get_device(self.settings.device)
        except NotFound:
            return ()
        last_outcome = reload.outcome  # if the outcome of the last attempt is unknown, the listener may be open
        unbound_address = last_outcome.listener if isinstance(last_outcome, LoadedButNotBound) else ""
        return probe_listeners(list_listeners(device), self.settings.archive_url, unbound_address)


def _is_down(reload: Reload | None) -> bool:
    """Return whether the archive does not run; an undo would not start the archive."""
    return reload is not None and isinstance(reload.outcome, NotRunning)


def require_started(service: ControlService, settings: Settings, message_prefix: str = "") -> ServiceState | None:
    """Return the state of the archive after a confirmed reload; None, with a warning, if the state is unknown.

    Raises :class:`ArchiveStopped`, whose message begins with *message_prefix*, if the archive is STOPPED.
    """
    try:
        status = service.status(print_wait)
    except ArchiveError as error:
        archive = f"node {settings.node}" if settings.node else "the archive"
        message = (
            f"{archive} reloaded, but dcmcfg does not know whether the archive is STARTED: {error.message}; "
            "run dcmcfg status"
        )
        print_message(f"warning: {escape_unprintable(invocation.current().insert_site_options(message))}")
        return None
    if not status.started:
        raise ArchiveStopped(
            f"{message_prefix}The archive loaded the new configuration, but the archive is STOPPED: its DICOM and HL7 "
            "ports are closed",
            subject=settings.archive_url,
            next_step=describe_how_to_start(settings),
        )
    return status.service_state


def _record_reload(reload: Reload, probed_listeners: tuple[ProbedListener, ...] = ()) -> None:
    """Add *reload* to the JSON that is printed if the command fails later."""
    run = invocation.current()
    previous_result = run.partial_result
    reload_fields = reload_json(reload) | ({"listeners": listeners_json(probed_listeners)} if probed_listeners else {})
    run.partial_result = lambda: ({} if previous_result is None else previous_result()) | {"reload": reload_fields}


_NO_RELOAD_ALTERNATIVE = "to change the directory without a reload of the archive: --no-reload"


def connect_archive(settings: Settings, alternative: str = _NO_RELOAD_ALTERNATIVE) -> ReachableArchive:
    """Return the site's archive after it has responded; raises :class:`ArchiveError` with nothing changed.

    *alternative* is part of the next step of that error. Warns if the archive is STOPPED.
    """
    service = make_control_service(settings)
    try:
        status = service.status(print_wait)
    except ArchiveError as error:
        advice = ". ".join(filter(None, (error.next_step, describe_profile_without_archive_url(settings))))
        next_step = "; ".join(filter(None, (advice, "nothing was changed", alternative)))
        raise ArchiveError(error.message, subject=error.subject, next_step=next_step) from error
    if not status.started:
        message = invocation.current().insert_site_options(
            f"{STOPPED_MESSAGE}. To see how to start the archive: dcmcfg status"
        )
        node = f"node {settings.node}: " if settings.node else ""
        print_message(f"warning: {node}{escape_unprintable(message)}")
    return ReachableArchive(service, settings)
