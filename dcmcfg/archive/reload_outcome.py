"""Determine the outcome of a reload from the archive's response.

``ArchiveServiceImpl.reload`` loads the device, activates it, binds the listeners with changed settings, and clears its
caches, in this order. The same HTTP status can come from before and after the activation of the new configuration, so
the text of the response decides. The meaning of the responses was observed on a real archive 5.35.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.archive.archive_state import is_server_page
from dcmcfg.archive.error_body import ErrorBody, read_error
from dcmcfg.archive.http_client import HttpResponse

_NO_CONTENT = 204
_CONFLICT = 409
_SERVER_ERROR = 500
_BIND_FAILURES = ("Unable to start TCPListener on ", "Cannot start UDP listener on ")  # TCPListener, UDPListener
#: Messages of Java's TLS about a listener's settings, after the activation of the configuration.
_TLS_REFUSALS = ("Unsupported CipherSuite", "Unsupported protocol")
#: Methods in a stack trace that show whether the archive failed while binding listeners or while loading.
_BINDING_METHOD = "Device.rebindConnections"
_LOADING_METHODS = ("ArchiveDeviceProducer.findDevice", "LdapDicomConfiguration.loadDevice")
#: Exceptions of value parsers, for a response without a stack trace.
_PARSING_EXCEPTIONS = frozenset(
    {"DateTimeParseException", "ArrayIndexOutOfBoundsException", "StringIndexOutOfBoundsException"}
)


@dataclass(frozen=True)
class ReloadSucceeded:
    """The new configuration is in force, all changed listeners are bound, and the caches are empty (204)."""

    in_force = True


@dataclass(frozen=True)
class NotLoaded:
    """The new configuration is not in force: the archive keeps the old one, and its listeners stay open."""

    reason: str

    in_force = False


@dataclass(frozen=True)
class LoadedButNotBound:
    """The whole new configuration is in force, but a listener is closed and the AE cache was not cleared.

    ``listener`` is ``HOST:PORT`` as reported by the archive, empty if it reports none. If ``is_retryable``, another
    reload binds it in most cases.
    """

    reason: str
    listener: str = ""
    is_retryable: bool = False

    in_force = True


@dataclass(frozen=True)
class NotRunning:
    """The web server answered instead of the archive, which does not run: nothing was loaded."""

    reason: str

    in_force = False


@dataclass(frozen=True)
class ReloadUnclear:
    """A response that does not show whether the new configuration is in force."""

    reason: str

    in_force = None


ReloadOutcome = ReloadSucceeded | NotLoaded | LoadedButNotBound | NotRunning | ReloadUnclear


def classify_reload_response(response: HttpResponse) -> ReloadOutcome | None:
    """Return the outcome in *response* to ``POST ctrl/reload``; None if it is not one of a reload (401, 404, 302 …)."""
    if response.status == _NO_CONTENT:
        return ReloadSucceeded()
    body = read_error(response.body)
    if response.status == _CONFLICT:
        return _classify_conflict(body)
    if response.status != _SERVER_ERROR:
        return None
    if is_server_page(response):
        return NotRunning("the web server returned its own error page")
    return _classify_server_error(body)


def _classify_conflict(body: ErrorBody) -> ReloadOutcome:
    """Return the outcome of 409: an invalid value, found while loading or while binding a TLS listener."""
    # The archive checks TLS settings at the binding, after it has activated the configuration.
    if body.text.startswith(_TLS_REFUSALS):
        return LoadedButNotBound(body.reason)
    return NotLoaded(body.reason) if body.exception else ReloadUnclear(body.reason)


def _classify_server_error(body: ErrorBody) -> ReloadOutcome:
    if body.is_page:
        return ReloadUnclear("the response is a web page that contains no reason")
    for failure in _BIND_FAILURES:
        if body.text.startswith(failure):
            # A port that is only just closed becomes free again, so another reload may bind it.
            return LoadedButNotBound(body.reason, body.text[len(failure) :].strip(), is_retryable=True)
    if body.has_frame_of(_BINDING_METHOD):
        return LoadedButNotBound(body.reason)
    # A device that was renamed in LDAP is not found; the archive then keeps its configuration.
    if any(map(body.has_frame_of, _LOADING_METHODS)) or body.exception == "ConfigurationNotFoundException":
        return NotLoaded(body.reason)
    if not body.frames and body.exception in _PARSING_EXCEPTIONS:
        return NotLoaded(body.reason)
    return ReloadUnclear(body.reason)
