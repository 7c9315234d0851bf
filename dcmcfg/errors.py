"""The error family: what failed, on which thing, the next step to take, and the exit code.

Every failure that a user can meet is one of these. An edge (LDAP, HTTP, DICOM, files) translates the errors of
the library below it exactly once; nothing above an edge catches anything but this family.

Exit codes: 1 the answer is no; 2 usage; 3 could not, nothing changed; 4 changed but not finished.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar


class DcmcfgError(Exception):
    """A failure reported to the user in one line, with a line below it for each of ``details``.

    ``message`` says what went wrong, ``subject`` names the thing (DN, URL, ``AE@host:port``, ``file:line``) and
    ``next_step`` says what to do about it; all but the first may be empty. ``str()`` joins them. A line feed in any of
    them comes from outside and begins no line where it is printed.
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
        """``message`` with the lines below it."""
        return "\n  ".join((self.message, *self.details))

    def __str__(self) -> str:
        located = f"{self.subject}: {self.full_message}" if self.subject else self.full_message
        return f"{located} — {self.next_step}" if self.next_step else located


class MalformedInput(DcmcfgError):
    """An argument or setting that cannot be what it should be: an AE title, a UID, a DN, a URL."""

    exit_code = 2


class NegativeResult(DcmcfgError):
    """A question answered with no: declined, or nobody there to ask."""

    exit_code = 1


class NotFound(DcmcfgError):
    """A device, AE, entry or profile that does not exist."""


class AmbiguousName(DcmcfgError):
    """A name that several things have; the next step says how each is told apart."""


class LdifError(DcmcfgError):
    """Text that is not LDIF; ``subject`` is ``file:line`` with 1-based lines."""


class OnboardingError(DcmcfgError):
    """A file of AEs that cannot be read as one; ``subject`` is the file, or ``file:line`` with 1-based lines."""


class Refused(DcmcfgError):
    """A change that dcmcfg does not make, with the reason."""


class DoesNotApply(Refused):
    """A change that the tree as it is does not allow; ``result_code`` is the LDAP result it would end in.

    ``changed_dn`` is the DN of an entry that is no longer as it was taken for granted, if that is the reason.
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
    """A file of dcmcfg's own whose format number this dcmcfg does not know."""


class ChangeInProgress(Refused):
    """A change that has to wait: another one is under way on the same directory."""


class DirectoryError(DcmcfgError):
    """The directory server could not be reached or answered with an error (``result_code``, RFC 4511 A.1)."""

    def __init__(self, message: str, *, subject: str = "", next_step: str = "", result_code: int | None = None) -> None:
        super().__init__(message, subject=subject, next_step=next_step)
        self.result_code = result_code


class ConnectionLost(DirectoryError):
    """The connection to the directory ended while a request was under way, so its outcome is not known."""


class ArchiveError(DcmcfgError):
    """The archive's web interface could not be reached or answered with an error."""


class DicomError(DcmcfgError):
    """A DICOM peer could not be reached, or an association with it failed."""


class Unreachable(DicomError):
    """A DICOM peer that no TCP connection could be made to."""


class TlsHandshakeFailed(DicomError):
    """A DICOM peer with which there is no TLS; ``speaks_tls`` is false where nothing that it said was TLS."""

    def __init__(self, message: str, *, subject: str = "", next_step: str = "", speaks_tls: bool = True) -> None:
        super().__init__(message, subject=subject, next_step=next_step)
        self.speaks_tls = speaks_tls


class NotDicom(DicomError):
    """A peer that answered an association request with something that is not DICOM."""


class EchoFailed(DicomError):
    """A DICOM peer that took an association and did not answer the C-ECHO with success."""


class TransientDicomError(DicomError):
    """A DICOM peer that may well do later what it did not do now: the association was refused for now, or broke."""


class RejectedTransient(TransientDicomError):
    """A DICOM peer that rejected the association, and may accept one later (rejected-transient)."""


class OutOfResources(TransientDicomError):
    """A DICOM peer that is short of something, by its own account."""


class LabError(DcmcfgError):
    """The lab could not be started, found or stopped."""


class IncompleteChange(DcmcfgError):
    """The tree has changed, or may have, and the job is not finished."""

    exit_code = 4
    #: The number of the roll-out that did it, and the file that reverts it, if there is one.
    rollout_number: int | None = None
    undo_file: Path | None = None
