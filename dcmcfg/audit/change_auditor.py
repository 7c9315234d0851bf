"""Report the end of each change to a syslog server: who, where, when, which entries and attributes, and the result."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from dcmcfg.audit.dicom_message import EventOutcome, format_audit_message
from dcmcfg.errors import DcmcfgError
from dcmcfg.files.private import write_private
from dcmcfg.printable import format_count
from dcmcfg.private_folders import get_account_name_of
from dcmcfg.rollout.history import RolloutStatus, determine_status
from dcmcfg.rollout.lock import is_directory_locked
from dcmcfg.rollout.record import ROLLOUTS_FOLDER, RolloutRecord
from dcmcfg.rollout.recorded_steps import RecordedStep
from dcmcfg.rollout.shared_record import SharedRecord, make_shared_record
from dcmcfg.syslog.message import Facility, Severity, SyslogMessage
from dcmcfg.syslog.target import SyslogTarget

#: The file in the record of a change whose message is not sent yet.
PENDING_FILE = "audit-pending"
_PROGRAM = "dcmcfg"
_MESSAGE_ID = "ConfigurationChange"
#: PS3.15 A.6: the MSGID of an audit message in the format of A.5.
_DICOM_MESSAGE_ID = "DICOM+RFC3881"
#: The number of an enterprise after the @ is assigned by IANA; 32473 is the one for documentation (RFC 5612).
_ELEMENT = "dcmcfg@32473"
#: The number of entries that a message lists, and the length of the text of one of them.
_MAX_ENTRIES, _MAX_LENGTH = 20, 500
_OUTCOMES = {
    RolloutStatus.APPLIED: (EventOutcome.SUCCESS, Severity.NOTICE),
    RolloutStatus.CLOSED: (EventOutcome.SUCCESS, Severity.NOTICE),
    RolloutStatus.NOTHING_CHANGED: (EventOutcome.MINOR_FAILURE, Severity.WARNING),
    RolloutStatus.PARTIALLY_APPLIED: (EventOutcome.SERIOUS_FAILURE, Severity.ERROR),
    RolloutStatus.INTERRUPTED: (EventOutcome.SERIOUS_FAILURE, Severity.ERROR),
}


class AuditFormat(Enum):
    """The format of the text of a message."""

    SYSLOG = "syslog"
    DICOM = "dicom"


@dataclass(frozen=True)
class ChangeAuditor:
    """An observer that sends a message to ``target`` when a change has ended.

    A message that cannot be sent never stops a change: ``warn`` is called with the reason, and the next change of the
    account sends the message again. ``ca_file`` has the trusted authorities for TLS.
    """

    target: SyslogTarget
    audit_format: AuditFormat
    warn: Callable[[str], None]
    ca_file: Path | None = None

    def handle_recorded(self, record: RolloutRecord) -> None:
        """Note that the message about *record* is pending: it is sent later if this process is killed."""
        with suppress(OSError):  # the message is sent at the end of the change anyway
            write_private(record.folder / PENDING_FILE, "")

    def handle_ended(self, record: RolloutRecord) -> None:
        """Send the message about *record*."""
        self._send(record)

    def send_pending(self, state: Path) -> None:
        """Send the messages about changes in the state folder *state* that are not sent yet, the oldest first.

        These are changes of processes that were killed, or whose message could not be sent. A change that another
        process is applying is omitted. After the first failure, the other messages stay pending.
        """
        folders = [path.parent for path in (state / ROLLOUTS_FOLDER).glob(f"*/{PENDING_FILE}")]
        for folder in sorted((path for path in folders if path.name.isdigit()), key=lambda path: int(path.name)):
            record = RolloutRecord(folder)
            try:
                if _is_running(record, state):
                    continue
            except DcmcfgError:  # a record that cannot be read is reported by the commands that need it
                continue
            if not self._send(record):
                return

    def _send(self, record: RolloutRecord) -> bool:
        """Send the message about *record*; return the success."""
        try:
            content = make_shared_record(record, get_account_name_of(os.geteuid()), os.geteuid())
            self.target.send(make_message(content, self.audit_format).encode(), self.ca_file)
        except DcmcfgError as error:
            self.warn(
                f"the audit message of change {record.number} was not sent to {self.target}: {error.message}. "
                "dcmcfg sends this message with the next change"
            )
            return False
        with suppress(OSError):  # the message is sent twice then
            (record.folder / PENDING_FILE).unlink(missing_ok=True)
        return True


def _is_running(record: RolloutRecord, state: Path) -> bool:
    return determine_status(record) is RolloutStatus.INTERRUPTED and is_directory_locked(state, record.header.ldap_url)


def make_message(record: SharedRecord, audit_format: AuditFormat) -> SyslogMessage:
    """Return the message about *record*, which contains no secrets."""
    outcome, severity = _OUTCOMES[record.status]
    is_dicom, text = audit_format is AuditFormat.DICOM, _describe(record)
    return SyslogMessage(
        facility=Facility.AUTHPRIV if is_dicom else Facility.AUDIT,
        severity=severity,
        time=datetime.now(UTC),
        host=socket.gethostname(),
        program=_PROGRAM,
        process_id=os.getpid(),
        message_id=_DICOM_MESSAGE_ID if is_dicom else _MESSAGE_ID,
        text=format_audit_message(record, outcome, text) if is_dicom else text,
        structured_data={} if is_dicom else {_ELEMENT: _list_parameters(record)},
    )


def _describe(record: SharedRecord) -> str:
    entries = format_count(len(record.steps), "step")
    return (
        f"{record.account} changed the configuration on {record.ldap_url}: {record.status.value}, "
        f"{record.applied_step_count} of {entries} ({_shorten(record.command)})"
    )


def _list_parameters(record: SharedRecord) -> dict[str, str]:
    parameters = {
        "change": str(record.number),
        "account": record.account,
        "bindDN": record.identity,
        "directory": record.ldap_url,
        "startedAt": record.started_at,
        "command": _shorten(record.command),
        "result": record.status.value,
        "appliedSteps": str(record.applied_step_count),
        "steps": str(len(record.steps)),
    }
    if record.undo_of is not None:
        parameters["undoOf"] = str(record.undo_of)
    entries = (describe_step(step) for step in record.steps[:_MAX_ENTRIES])
    return parameters | {f"entry{number}": text for number, text in enumerate(entries, 1)}


def describe_step(step: RecordedStep) -> str:
    """Return the operation, the DN and the names of the attributes of *step*, without values."""
    names = ", ".join(attribute.name for attribute in step.attributes)
    target = f" to {step.new_dn}" if step.new_dn else ""
    return _shorten(f"{step.operation.value} {step.dn}{target}" + (f": {names}" if names else ""))


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}…"
