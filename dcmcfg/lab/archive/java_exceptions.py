"""Failures as the archive words them: the texts of Java exceptions, which end up in error comments."""

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
#: The longest error comment (0000,0902), of VR LO.
MAX_COMMENT_LENGTH = 64
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


class NameNotFoundException(JavaException):
    """An entry that is not in the directory, or a reference to none."""

    java_class = "javax.naming.NameNotFoundException"


class NamingException(JavaException):
    """The directory does not answer as it should."""

    java_class = "javax.naming.NamingException"


class BindException(JavaException):
    """An address and port at which nobody can listen."""

    java_class = "java.net.BindException"


class UnknownHostException(JavaException):
    """A host name that stands for no address."""

    java_class = "java.net.UnknownHostException"


class UnableToStart(JavaException):
    """A listener that could not be opened at ``address`` (``HOST:PORT``); its ``__cause__`` has the reason."""

    java_class = "java.io.IOException"

    def __init__(self, address: str) -> None:
        super().__init__(f"Unable to start TCPListener on {address}")
        self.address = address


class IncompatibleConnectionException(JavaException):
    """Two AEs have no connections that fit together."""

    java_class = "org.dcm4che3.net.IncompatibleConnectionException"


def make_error_comment(failure: JavaException | AssociationFailed) -> str:
    """Return the error comment for a *failure*: its text, cut at 64 characters as by ``DicomServiceException``."""
    text = format_association_failure(failure) if isinstance(failure, AssociationFailed) else str(failure)
    return text[:MAX_COMMENT_LENGTH]


def format_association_failure(failure: AssociationFailed) -> str:
    """Return the text of the exception that a failed association request ends in.

    Silence is as an abort: the archive aborts the association itself after dcmAAACTimeout.
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
        case AssociationAborted():
            return "A-ABORT[source: 0 - service-user, reason: 0]"
        case ConnectionRefused() | AssociationFailed():
            return "java.net.ConnectException: Connection refused"


def _format_handshake_failure(error: ssl.SSLError) -> str:
    """Return the text of the exception that a failed TLS handshake ends in, as JSSE words it."""
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
    """Return *failure* with its causes as the archive answers it with 500: a stack trace, with a few frames of it.

    The application server wraps what Java does not make a method declare (``EJBException``). The frames are those by
    which loading, binding and starting can be told apart.
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
    """Return the methods in which *failure* arises, the innermost first."""
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
