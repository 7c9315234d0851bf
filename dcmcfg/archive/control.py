"""Use the archive's control service (``ArchiveCtrl``): its status, and the reload of its configuration."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from dcmcfg.archive.archive_state import ServiceState, StateFinding, classify_response
from dcmcfg.archive.authorized_client import AuthorizedClient
from dcmcfg.archive.failures import translate_no_response, translate_unexpected_response, was_sent
from dcmcfg.archive.http_client import HttpClient, HttpResponse, HttpTimeouts
from dcmcfg.archive.issuer import TokenIssuer
from dcmcfg.archive.reload_failures import (
    NotReloaded,
    Reload,
    ReloadAttempt,
    build_reload_error,
    build_unconfirmed_error,
)
from dcmcfg.archive.reload_outcome import (
    LoadedButNotBound,
    NotRunning,
    ReloadSucceeded,
    ReloadUnclear,
    classify_reload_response,
)
from dcmcfg.errors import ArchiveError
from dcmcfg.slow_response import SLOW_AFTER_S, OnWait, report_slow_response

#: A gateway may have passed the request on before it failed, so these statuses leave a reload unconfirmed.
_GATEWAY_ERRORS = (httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT)


@dataclass(frozen=True)
class StatusPolling:
    """Seconds: how long and how often a transient response is retried, and when a response counts as slow."""

    retry_period_s: float = 3.0
    retry_interval_s: float = 0.5
    slow_after_s: float = SLOW_AFTER_S


@dataclass(frozen=True)
class ArchiveStatus:
    """The status reported by the archive, and the seconds until its response."""

    service_state: ServiceState
    seconds: float

    @property
    def reported_status(self) -> str:
        """The status as spelt by the archive: ``STARTED`` or ``STOPPED``."""
        return self.service_state.name

    @property
    def started(self) -> bool:
        return self.service_state is ServiceState.STARTED


class NotStarted(ArchiveError):
    """The archive does not run according to its web server's response; ``state`` has the details."""

    state: ServiceState = ServiceState.UNKNOWN


class ControlService:
    """The control service of the archive whose base URL is *url*.

    *token* is sent as described for :class:`AuthorizedClient`, and ``https`` is verified as by
    :class:`~dcmcfg.archive.http_client.HttpClient`. Redirects and proxies are not used, so that a token goes only to
    the archive. *device* is the name of the archive's device in the directory, for the next steps of errors.
    """

    def __init__(
        self,
        url: str,
        token: str | TokenIssuer | None = None,
        ca_file: Path | None = None,
        *,
        timeouts: HttpTimeouts | None = None,
        polling: StatusPolling | None = None,
        device: str = "",
        require_crl: bool = False,
    ) -> None:
        self._url = url.rstrip("/")
        self._http_client = HttpClient(ca_file, timeouts, require_crl=require_crl)
        self._http_client.validate_tls_files(url)
        self._client = AuthorizedClient(self._http_client, token)
        self._polling = polling or StatusPolling()
        self._device = device

    def status(self, on_wait: OnWait | None = None) -> ArchiveStatus:
        """Return the archive's status (``GET ctrl/status``).

        A page of the web server that may be transient (500 during deployment, 503 while the server stops) is retried
        for a few seconds. *on_wait* is called with a line when that begins, and when a response is slow. Raises
        :class:`NotStarted` with the state if the archive does not run, and :class:`ArchiveError` otherwise.
        """
        url = build_status_url(self._url)
        started = time.monotonic()
        is_reported = False
        while True:
            response = self._request_status(url, on_wait)
            finding = classify_response(response)
            if finding is None:
                raise self._build_unexpected_error(response, url)
            waited_s = time.monotonic() - started
            if not finding.is_transient or waited_s >= self._polling.retry_period_s:
                break
            if on_wait is not None and not is_reported:
                on_wait(
                    f"HTTP {response.status} from the web server; dcmcfg retries for up to "
                    f"{self._polling.retry_period_s:g} s"
                )
                is_reported = True
            time.sleep(self._polling.retry_interval_s)
        if finding.state in (ServiceState.STARTED, ServiceState.STOPPED):
            return ArchiveStatus(finding.state, time.monotonic() - started)
        raise _build_not_started_error(finding, url)

    def reload(self, on_wait: OnWait | None = None) -> Reload:
        """Reload the archive's configuration (``POST ctrl/reload``), and return the result.

        *on_wait* is called with a line when a response is slow.

        If the archive could not bind a listener, the reload is repeated once, which opens the listener in most cases.
        Raises (all of :mod:`~dcmcfg.archive.reload_failures`) :class:`NotReloaded` if the archive keeps its
        configuration, :class:`~dcmcfg.archive.reload_failures.ReloadUnfinished` if a listener stays closed or the
        active configuration is unknown, and :class:`~dcmcfg.archive.reload_failures.ReloadUnconfirmed` if the request
        may have reached the archive but its response was lost; and :class:`ArchiveError` if the archive was not reached
        or answered in another way.
        """
        url = f"{self._url}/ctrl/reload"
        reload = Reload((self._send_reload(url, on_wait),))
        first_outcome = reload.outcome
        # A listener that keeps its port may be bound too early ("Address already in use"). In most cases, a second
        # reload binds it (observed on 5.35.1).
        if isinstance(first_outcome, LoadedButNotBound) and first_outcome.is_retryable:
            reload = Reload((*reload.attempts, self._send_reload(url, on_wait, reload)))
        if isinstance(reload.outcome, ReloadSucceeded):
            return reload
        # After a binding failure, the new configuration is in force, so "not reloaded" would be wrong.
        if reload.binding_failure is None and isinstance(reload.outcome, NotRunning):
            raise self._build_not_running_error(url, reload)
        raise build_reload_error(reload, url, self._device)

    def _send_reload(self, url: str, on_wait: OnWait | None, earlier_reload: Reload | None = None) -> ReloadAttempt:
        started = time.monotonic()
        try:
            response = self._request("POST", url, on_wait)
        except httpx.TransportError as error:
            failure = translate_no_response(error, url, self._http_client.get_timeout_s(error))
            # After a first reload, the configuration is in force even if the second request was not sent.
            if earlier_reload is None and not was_sent(error):
                raise failure from error
            raise build_unconfirmed_error(failure, earlier_reload) from error
        if response.status in _GATEWAY_ERRORS:
            raise build_unconfirmed_error(self._build_unexpected_error(response, url), earlier_reload)
        outcome = classify_reload_response(response)
        if outcome is None:
            failure = self._build_unexpected_error(response, url)
            if earlier_reload is None:
                raise failure
            outcome = ReloadUnclear(failure.message)
        return ReloadAttempt(response.status, outcome, time.monotonic() - started)

    def _build_not_running_error(self, url: str, reload: Reload) -> ArchiveError:
        """Return the error for a reload that the web server answered instead of the archive."""
        try:
            status = self.status()
        except ArchiveError as error:
            failure: ArchiveError = NotReloaded(
                f"The archive did not reload. {error.message}", subject=url, next_step=error.next_step
            )
        else:
            message = (
                "The archive did not reload, because it was not ready. The status of the archive is now "
                f"{status.reported_status}"
            )
            failure = NotReloaded(message, subject=url, next_step="Run dcmcfg reload")
        if isinstance(failure, NotReloaded):
            failure.reload = reload
        return failure

    def _request_status(self, url: str, on_wait: OnWait | None) -> HttpResponse:
        try:
            return self._request("GET", url, on_wait)
        except httpx.TransportError as error:
            raise _translate_no_response(error, url, self._http_client.get_timeout_s(error)) from error

    def _request(self, method: str, url: str, on_wait: OnWait | None) -> HttpResponse:
        """Return the response; *on_wait* is called with a line if it is slow."""
        with report_slow_response(url, on_wait, self._polling.slow_after_s):
            return self._client.request(method, url)

    def _build_unexpected_error(self, response: HttpResponse, url: str) -> ArchiveError:
        finding = classify_response(response)
        if finding is not None and finding.message:
            return _build_not_started_error(finding, url)
        return translate_unexpected_response(response, url, with_token=self._client.has_token)


def build_status_url(archive_url: str) -> str:
    """Return the URL of the status of the archive at *archive_url*."""
    return f"{archive_url}/ctrl/status"


def _build_not_started_error(finding: StateFinding, url: str) -> NotStarted:
    error = NotStarted(finding.message, subject=url, next_step=finding.next_step)
    error.state = finding.state
    return error


def _translate_no_response(error: httpx.TransportError, url: str, seconds: float) -> ArchiveError:
    """Return the error for a status request without a response."""
    failure = translate_no_response(error, url, seconds)
    address = urlsplit(url).netloc
    # A starting WildFly accepts connections and holds the requests for some 17 s (observed on 5.35.1).
    if isinstance(error, httpx.ReadTimeout):
        message = (
            f"The server accepted the connection, but did not answer within {seconds:g} s. The server is starting, or "
            "it hangs"
        )
        next_step = (
            "Run dcmcfg status again, because a starting server responds only after about 20 s. If the server still "
            "does not answer, see the archive's server.log"
        )
        return _build_not_started_error(StateFinding(ServiceState.NO_RESPONSE, message, next_step), url)
    if failure.message == "connection refused":
        message = f"Connection refused: no server listens at {address}"
        next_step = (
            "Start the archive's server. If the server is already starting, wait some seconds. "
            "If the URL is wrong, set the URL with --archive-url"
        )
        return _build_not_started_error(StateFinding(ServiceState.NOT_RUNNING, message, next_step), url)
    return failure
