"""Failures as the archive words them: the texts of Java exceptions, which end up in error comments."""

from __future__ import annotations

from typing import ClassVar

from dcmcfg.lab.requesting import (
    Aborted,
    AssociationFailed,
    ConnectionRefused,
    ConnectTimedOut,
    HostUnknown,
    NothingAccepted,
    Rejected,
)

_RESULTS = {1: "rejected-permanent", 2: "rejected-transient"}
_SOURCES = {1: "service-user", 2: "service-provider (ACSE)", 3: "service-provider (Presentation)"}
#: The longest error comment (0000,0902), of VR LO.
COMMENT_LENGTH = 64
_CONFIGURATION = "org.dcm4che3.conf.api"


class JavaException(Exception):
    """A failure that the archive would meet as a Java exception; ``str()`` is what ``toString()`` gives."""

    java_class: ClassVar[str] = "java.lang.RuntimeException"

    def __str__(self) -> str:
        return f"{self.java_class}: {self.args[0]}"


class ConfigurationException(JavaException):
    """The configuration could not be read."""

    java_class = f"{_CONFIGURATION}.ConfigurationException"


class ConfigurationNotFoundException(ConfigurationException):
    """A device or AE that is not there, or cannot be loaded because of what it refers to."""

    java_class = f"{_CONFIGURATION}.ConfigurationNotFoundException"


class DanglingReference(ConfigurationNotFoundException):
    """A connection reference to nothing, or to another device's connection: the whole device does not load."""

    def __init__(self) -> None:
        super().__init__("Device with specified name not found")


class IllegalArgumentException(JavaException):
    """A value that the archive cannot read: duration, port, enumerated value."""

    java_class = "java.lang.IllegalArgumentException"


class IllegalStateException(JavaException):
    """Something is not in the state that it should be in."""

    java_class = "java.lang.IllegalStateException"


class IncompatibleConnectionException(JavaException):
    """Two AEs have no connections that fit together."""

    java_class = "org.dcm4che3.net.IncompatibleConnectionException"


def error_comment(failure: JavaException | AssociationFailed) -> str:
    """Return the error comment for a *failure*: its text, cut at 64 characters as by ``DicomServiceException``."""
    text = text_of(failure) if isinstance(failure, AssociationFailed) else str(failure)
    return text[:COMMENT_LENGTH]


def text_of(failure: AssociationFailed) -> str:
    """Return the text of the exception that a failed association request ends in.

    Silence is as an abort: the archive aborts the association itself after dcmAAACTimeout.
    """
    match failure:
        case Rejected():
            result = f"{failure.result} - {_RESULTS.get(failure.result, '?')}"
            source = f"{failure.source} - {_SOURCES.get(failure.source, '?')}"
            return f"A-ASSOCIATE-RJ[result: {result}, source: {source}, reason: {failure.reason}]"
        case HostUnknown():
            return f"java.net.UnknownHostException: {failure.peer.host}"
        case ConnectTimedOut():
            return "java.net.SocketTimeoutException: Connect timed out"
        case NothingAccepted():
            return "org.dcm4che3.net.NoPresentationContextException: No Presentation Context for Abstract Syntax"
        case Aborted():
            return "A-ABORT[source: 0 - service-user, reason: 0]"
        case ConnectionRefused() | AssociationFailed():
            return "java.net.ConnectException: Connection refused"


def stack_trace(failure: Exception) -> str:
    """Return a body that looks like the stack trace the archive answers with when it did not expect a failure."""
    text = str(failure) if isinstance(failure, JavaException) else f"java.lang.RuntimeException: {failure}"
    return (
        f"{text}\n"
        "\tat org.dcm4che3.conf.ldap.LdapDicomConfiguration.loadDevice(Unknown Source)\n"
        "\tat org.dcm4chee.arc.impl.ArchiveServiceImpl.reload(Unknown Source)\n"
        "\tat org.dcm4chee.arc.ctrl.ArchiveCtrl.reload(Unknown Source)\n"
        "\tat java.base/java.lang.Thread.run(Unknown Source)\n"
    )
