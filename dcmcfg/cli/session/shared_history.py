"""The shared history of the site, for commands: opened once, repaired, and its problems printed as warnings."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.cli import invocation
from dcmcfg.cli.invocation import Invocation
from dcmcfg.cli.printing import print_message
from dcmcfg.errors import DcmcfgError, Refused
from dcmcfg.rollout.history import History
from dcmcfg.rollout.record import RolloutObserver, RolloutRecord, RolloutSharing
from dcmcfg.rollout.shared_history import SharedHistory
from dcmcfg.rollout.site_history import SiteHistory
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.settings.resolve import resolve_history_dir


@dataclass(frozen=True)
class _ChangeMarker:
    """An observer that marks ``run`` as one that may have changed something when the record of a change is written."""

    run: Invocation

    def handle_recorded(self, record: RolloutRecord) -> None:  # noqa: ARG002
        """Mark the run: before the record is on the disk, nothing is changed."""
        self.run.may_have_changed = True

    def handle_ended(self, record: RolloutRecord) -> None:
        """Keep the mark, because the reload follows."""


def make_sharing(settings: Settings) -> RolloutSharing:
    """Return how a change of this run is shared, after records that are missing in the shared history were added.

    When the record of a new change is on the disk, the run counts as one that may have changed something.

    Raises :class:`Refused` if the folder of the shared history is unsafe: then nothing is changed. A folder that is
    missing, full or read-only is only a warning.
    """
    marker, auditors = _ChangeMarker(invocation.current()), _make_auditors(settings)
    if settings.history_dir is None:
        return RolloutSharing(observers=(marker, *auditors))
    shared = SharedHistory(settings.history_dir, warn)
    is_locked = shared.can_lock(settings.ldap_url)
    if is_locked:
        shared.publish_pending(get_state_folder())
        site_history = SiteHistory(History(get_state_folder()), shared)
        for record in site_history.find_unfinished(settings.ldap_url):
            reference = site_history.get_reference(record)
            warn(f"change {reference} by another account is unfinished; to see it: dcmcfg history {reference}")
    return RolloutSharing(settings.history_dir, is_locked, (marker, shared, *auditors))


def _make_auditors(settings: Settings) -> tuple[RolloutObserver, ...]:
    if settings.audit_to is None:
        return ()
    # Most sites have no audit log, and its format takes time to load.
    from dcmcfg.audit.change_auditor import AuditFormat, ChangeAuditor

    auditor = ChangeAuditor(settings.audit_to, AuditFormat(settings.audit_format), warn, settings.ca_file)
    auditor.send_pending(get_state_folder())
    return (auditor,)


def publish_pending(settings: Settings) -> None:
    """Write the shared records whose state has changed, after a reload for example; a failure is only a warning."""
    if settings.history_dir is not None:
        try:
            SharedHistory(settings.history_dir, warn).publish_pending(get_state_folder())
        except DcmcfgError as error:
            warn(str(error))


def open_shared_history() -> SharedHistory | None:
    """Return the shared history for a command that only reads it, after missing records were added.

    Returns None if the site has no shared history, and with a warning if its folder is missing or unsafe, or if the
    settings cannot be read: the history of this account must be readable then.
    """
    try:
        folder = resolve_history_dir(invocation.current().site_options, os.environ)
    except DcmcfgError as error:
        warn(f"only the changes of this account are known, because the settings cannot be read: {error}")
        return None
    return None if folder is None else _open(folder)


def _open(folder: Path) -> SharedHistory | None:
    shared = SharedHistory(folder, warn)
    try:
        if not shared.is_usable():
            return None
    except Refused as error:
        warn(f"only the changes of this account are known, because dcmcfg refuses the shared history: {error}")
        return None
    shared.publish_pending(get_state_folder())
    return shared


def warn(text: str) -> None:
    """Print *text* as a warning on standard error, once in this run."""
    printed = invocation.current().printed_warnings
    if text not in printed:
        printed.add(text)
        print_message(f"warning: {text}")
