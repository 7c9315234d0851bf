"""Failures with the archive's texts: those of Java exceptions, which appear in Error Comments."""

from __future__ import annotations

import ssl
from typing import ClassVar

from dcmcfg.lab.requestor import (
    AssociationAborted,
    AssociationFailed,
    AssociationRejected,
    ConnectionRefused,
    ConnectTimedOut,
    HostUnknown,
    NoContextAccepted,
    TlsHandshakeFailed,
)

_RESULTS = {1: "rejected-permanent", 2: "rejected-transient"}
_SOURCES = {1: "service-user", 2: "service-provider (ACSE)", 3: "service-provider (Presentation)"}
#: Maximum length of an Error Comment (0000,0902), VR LO.
MAX_COMMENT_LENGTH = 64
_CONFIGURATION = "org.dcm4che3.conf.api"


class JavaException(Exception):
    """A failure that is a Java exception in the archive; ``str()`` returns the text of its ``toString()``."""

    java_class: ClassVar[str] = "java.lang.RuntimeException"

    def __str__(self) -> str:
        return f"{self.java_class}: {self.args[0]}"


class ConfigurationException(JavaException):
    """The configuration could not be read."""

    java_class = f"{_CONFIGURATION}.ConfigurationException"


class ConfigurationNotFoundException(ConfigurationException):
    """A device or AE that does not exist, or that cannot be loaded because of a reference."""

    java_class = f"{_CONFIGURATION}.ConfigurationNotFoundException"


class DanglingReference(ConfigurationNotFoundException):
    """A reference to a missing connection or a connection of another device: the whole device cannot be loaded."""

    def __init__(self) -> None:
        super().__init__("Device with specified name not found")


class IllegalArgumentException(JavaException):
    """A value that the archive cannot read: duration, port, enumerated value."""

    java_class = "java.lang.IllegalArgumentException"


class IllegalStateException(JavaException):
    """An operation that is not allowed in the current state."""

    java_class = "java.lang.IllegalStateException"


class NameNotFoundException(JavaException):
    """An entry that does not exist in the directory, or a reference to such an entry."""

    java_class = "javax.naming.NameNotFoundException"


class NamingException(JavaException):
    """The directory does not respond correctly."""

    java_class = "javax.naming.NamingException"


class BindException(JavaException):
    """An address and port that cannot be bound."""

    java_class = "java.net.BindException"


class UnknownHostException(JavaException):
    """A host name that cannot be resolved."""

    java_class = "java.net.UnknownHostException"


class UnableToStart(JavaException):
    """A listener that could not be opened at ``address`` (``HOST:PORT``); ``__cause__`` is the reason."""

    java_class = "java.io.IOException"

    def __init__(self, address: str) -> None:
        super().__init__(f"Unable to start TCPListener on {address}")
        self.address = address


class IncompatibleConnectionException(JavaException):
    """Two AEs have no compatible connections."""

    java_class = "org.dcm4che3.net.IncompatibleConnectionException"


def make_error_comment(failure: JavaException | AssociationFailed) -> str:
    """Return the Error Comment for a *failure*: its text, cut off at 64 characters like ``DicomServiceException``."""
    text = format_association_failure(failure) if isinstance(failure, AssociationFailed) else str(failure)
    return text[:MAX_COMMENT_LENGTH]


def format_association_failure(failure: AssociationFailed) -> str:
    """Return the text of the exception for a failed association request.

    No response has the text of an abort, because the archive itself aborts the association after dcmAAACTimeout.
    """
    match failure:
        case AssociationRejected():
            result = f"{failure.result} - {_RESULTS.get(failure.result, '?')}"
            source = f"{failure.source} - {_SOURCES.get(failure.source, '?')}"
            return f"A-ASSOCIATE-RJ[result: {result}, source: {source}, reason: {failure.reason}]"
        case HostUnknown():
            return f"java.net.UnknownHostException: {failure.peer.host}"
        case ConnectTimedOut():
            return "java.net.SocketTimeoutException: Connect timed out"
        case TlsHandshakeFailed(ssl_error=reason):
            return _format_handshake_failure(reason)
        case NoContextAccepted():
            return "org.dcm4che3.net.NoPresentationContextException: No Presentation Context for Abstract Syntax"
        # The recordings external-set-silent-on-connect and -aborts-association show the same text.
        case AssociationAborted():
            return "A-ABORT[source: 0 - service-user, reason: 0]"
        # AssociationFailed is the base class, so it must come last.
        case ConnectionRefused() | AssociationFailed():
            return "java.net.ConnectException: Connection refused"


def _format_handshake_failure(error: ssl.SSLError) -> str:
    """Return the text of JSSE's exception for a failed TLS handshake."""
    reason = error.reason or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "javax.net.ssl.SSLHandshakeException: PKIX path building failed: sun.security.provider.certpath"
    if "ALERT" in reason:
        alert = reason.partition("ALERT_")[2].lower()
        return f"javax.net.ssl.SSLHandshakeException: Received fatal alert: {alert}"
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return "javax.net.ssl.SSLException: Unsupported or unrecognized SSL message"
    return "javax.net.ssl.SSLHandshakeException: Remote host terminated the handshake"


def format_stack_trace(failure: Exception) -> str:
    """Return *failure* with its causes as the body of the archive's response 500: a short stack trace.

    The application server wraps unchecked exceptions (``EJBException``). The frames are those that distinguish loading,
    binding and starting.
    """
    declared = isinstance(failure, ConfigurationException | UnableToStart)
    text = _format_failure(failure)
    lines = [text if declared else f"jakarta.ejb.EJBException: {text}"]
    lines += [f"\tat {each}(Unknown Source)" for each in _list_frames(failure) if declared]
    lines.append("\tat org.dcm4chee.arc.ctrl.ArchiveCtrl.reload(Unknown Source)")
    lines.append("\tat java.base/java.lang.Thread.run(Unknown Source)")
    cause = failure.__cause__ if declared else failure
    while isinstance(cause, JavaException):
        lines.append(f"Caused by: {_format_failure(cause)}")
        lines += [] if declared else [f"\tat {each}(Unknown Source)" for each in _list_frames(cause)]
        lines.append("\t... 2 more")
        cause = cause.__cause__
    return "\n".join(lines) + "\n"


def _format_failure(failure: BaseException) -> str:
    return str(failure) if isinstance(failure, JavaException) else f"java.lang.RuntimeException: {failure}"


def _list_frames(failure: BaseException) -> tuple[str, ...]:
    """Return the methods in which *failure* occurs, the innermost first."""
    service = "org.dcm4chee.arc.impl.ArchiveServiceImpl"
    match failure:
        case UnableToStart():
            methods = ("TCPListener.<init>", "Connection.bind", "Connection.rebind", "Device.rebindConnections")
            return (*(f"org.dcm4che3.net.{each}" for each in methods), f"{service}.reload")
        case IllegalStateException():
            return (
                "org.dcm4che3.net.Connection.bind",
                "org.dcm4che3.net.Device.bindConnections",
                f"{service}.start",
            )
        case _:
            loading = ("LdapDicomConfiguration.loadDevice", "LdapDicomConfiguration.findDevice")
            producer = "org.dcm4chee.arc.impl.ArchiveDeviceProducer"
            return (
                *(f"org.dcm4che3.conf.ldap.{each}" for each in loading),
                f"{producer}.findDevice",
                f"{producer}.reloadConfiguration",
                f"{service}.reload",
            )
