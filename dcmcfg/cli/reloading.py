"""The archive beside a change: it is reached before anything is written, so that it can reload afterwards.

A room of its own, because what is not asked to reload need not load an HTTP client.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.archive.control import ControlService
from dcmcfg.archive.failures import TokenError
from dcmcfg.cli.archive_control import control_service
from dcmcfg.cli.telling import tell
from dcmcfg.errors import ArchiveError, ChangedButNotFinished
from dcmcfg.settings import Settings


@dataclass(frozen=True)
class Reloading:
    """An archive that has answered, and is to reload."""

    service: ControlService

    def reload(self, number: int, *, is_undo: bool) -> None:
        """Have the archive reload after roll-out *number*; raises :class:`ChangedButNotFinished` when it does not.

        What it cannot load may have been in the tree before an undo too, which then mends nothing.
        """
        next_step = "dcmcfg check finds what the archive cannot load; once that is mended, dcmcfg reload"
        if not is_undo:
            next_step += f"; if it is this change, dcmcfg undo {number} takes it back"
        try:
            self.service.reload()
        except ArchiveError as error:
            what = f"the directory was changed, but the archive did not reload: {error.what}"
            if isinstance(error, TokenError):
                next_step = f"{error.next_step}; then dcmcfg reload"
            raise ChangedButNotFinished(what, on=error.on, next_step=next_step) from error
        except KeyboardInterrupt:
            what = "the directory was changed, and the reload was interrupted"
            raise ChangedButNotFinished(what, next_step=next_step) from None


_WITHOUT = "--no-reload changes the directory without the archive"


def reachable(settings: Settings, without: str = _WITHOUT) -> Reloading:
    """Return the site's archive once it has answered; raises :class:`ArchiveError` with nothing changed.

    *without* is how to do without it, told then.
    """
    service = control_service(settings)
    try:
        status = service.status()
    except ArchiveError as error:
        again = f"nothing was changed; {without}"
        step = f"{error.next_step}; {again}" if error.next_step else again
        raise ArchiveError(error.what, on=error.on, next_step=step) from error
    if not status.started:
        tell(f"warning: the archive is {status.state}; a reload does not start it.")
    return Reloading(service)
