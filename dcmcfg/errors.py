"""The errors of dcmcfg, each with a message, a subject, the next step and an exit code.

Every failure that a user can see is one of these. An edge (LDAP, HTTP, DICOM, files) translates the exceptions of its
library once. Code above an edge catches these errors only.

Exit codes: 1 negative result; 2 wrong usage; 3 failure, nothing changed; 4 changed, but not finished.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar


class DcmcfgError(Exception):
    """A failure that is reported to the user in one line, followed by a line for each of ``details``.

    ``message`` is the problem, ``subject`` the object that has it (DN, URL, ``AE@host:port``, ``file:line``), and
    ``next_step`` the suggested action. All but ``message`` may be empty. ``str()`` joins them. A line feed in any of
    them comes from outside, so it does not start a new line in the output.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, subject: str = "", next_step: str = "", details: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.subject = subject
        self.next_step = next_step
        self.details = tuple(details)

    @property
    def full_message(self) -> str:
        """``message``, followed by a line for each of ``details``."""
        return "\n  ".join((self.message, *self.details))

    def __str__(self) -> str:
        located = f"{self.subject}: {self.full_message}" if self.subject else self.full_message
        return f"{located} — {self.next_step}" if self.next_step else located


class MalformedInput(DcmcfgError):
    """An invalid argument or setting, such as an AE title, UID, DN or URL."""

    exit_code = 2


class NegativeResult(DcmcfgError):
    """A negative result: the user declined, there was no terminal, or a dry run shows a plan that would be refused."""

    exit_code = 1


class NotFound(DcmcfgError):
    """A missing device, AE, entry or profile."""


class AmbiguousName(DcmcfgError):
    """A name that several objects have; the next step lists unambiguous names."""


class LdifError(DcmcfgError):
    """Text that is not LDIF; ``subject`` is ``file:line`` with 1-based lines."""


class OnboardingError(DcmcfgError):
    """An unreadable file of AEs for ``import``; ``subject`` is the file, or ``file:line`` with 1-based lines."""


class Refused(DcmcfgError):
    """A change that dcmcfg refuses, with the reason."""


class DoesNotApply(Refused):
    """A change that the current tree does not allow; ``result_code`` is the LDAP result that a server would return.

    ``changed_dn`` is the DN of an entry that no longer meets the preconditions of the change, if that is the reason.
    """

    def __init__(
        self,
        message: str,
        *,
        subject: str = "",
        next_step: str = "",
        result_code: int = 0,
        changed_dn: str = "",
        details: Iterable[str] = (),
    ) -> None:
        super().__init__(message, subject=subject, next_step=next_step, details=details)
        self.result_code = result_code
        self.changed_dn = changed_dn


class UnknownFormat(Refused):
    """A file of dcmcfg with a format number that this version of dcmcfg does not know."""


class ChangeInProgress(Refused):
    """A change that must wait, because another change is in progress on the same directory."""


class DirectoryError(DcmcfgError):
    """The directory server could not be reached, or returned an error (``result_code``, RFC 4511 A.1)."""

    def __init__(self, message: str, *, subject: str = "", next_step: str = "", result_code: int | None = None) -> None:
        super().__init__(message, subject=subject, next_step=next_step)
        self.result_code = result_code


class ConnectionLost(DirectoryError):
    """The connection to the directory was lost during a request, so the outcome of the request is unknown."""


class ArchiveError(DcmcfgError):
    """The archive's web interface could not be reached, or returned an error."""


class DicomError(DcmcfgError):
    """A DICOM peer could not be reached, or an association with it failed."""


class Unreachable(DicomError):
    """A DICOM peer to which no TCP connection could be opened."""


class TlsHandshakeFailed(DicomError):
    """A failed TLS handshake with a DICOM peer; ``speaks_tls`` is False if the peer did not send any TLS."""

    def __init__(self, message: str, *, subject: str = "", next_step: str = "", speaks_tls: bool = True) -> None:
        super().__init__(message, subject=subject, next_step=next_step)
        self.speaks_tls = speaks_tls


class NotDicom(DicomError):
    """A peer that did not answer an association request with DICOM."""


class EchoFailed(DicomError):
    """A DICOM peer that accepted an association, but did not answer the C-ECHO with success."""


class TransientDicomError(DicomError):
    """A temporary failure of a DICOM peer: it rejected the association for now, or broke it. A retry may succeed."""


class RejectedTransient(TransientDicomError):
    """A DICOM peer that rejected the association temporarily (rejected-transient)."""


class RejectedPermanent(DicomError):
    """A DICOM peer that rejected the association permanently (rejected-permanent)."""


class OutOfResources(TransientDicomError):
    """A DICOM peer that reported a lack of resources."""


class LabError(DcmcfgError):
    """The lab could not be started, found or stopped."""


class IncompleteChange(DcmcfgError):
    """The tree has changed, or may have changed, and the change is not finished."""

    exit_code = 4
    #: The number of the roll-out, and the file that reverts it; None without a roll-out.
    rollout_number: int | None = None
    undo_file: Path | None = None
