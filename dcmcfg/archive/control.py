"""The archive's control service (``ArchiveCtrl``): the archive's status, and the reload of its configuration."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from urllib.parse import urlsplit

import httpx

from dcmcfg.archive.archive_state import Finding, State, finding_of
from dcmcfg.archive.authorized_client import Bearer
from dcmcfg.archive.failures import not_answered, unexpected_answer, was_sent
from dcmcfg.archive.http_client import Answer, Timeouts, Web
from dcmcfg.archive.issuer import TokenIssuer
from dcmcfg.archive.reload_failures import Attempt, NotReloaded, Reload, failure_of, unconfirmed
from dcmcfg.archive.reload_outcome import LoadedButNotBound, NotRunning, Reloaded, Unclear, outcome_of
from dcmcfg.errors import ArchiveError

OnWait = Callable[[str], None]
_GATEWAY = (httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT)


@dataclass(frozen=True)
class Patience:
    """Seconds: how long a passing answer of the web server is asked for again, how often, and what counts as slow."""

    passing: float = 3.0
    pause: float = 0.5
    slow: float = 3.0


@dataclass(frozen=True)
class ArchiveStatus:
    """The status that the archive reports, and the seconds until its answer."""

    found: State
    seconds: float

    @property
    def state(self) -> str:
        """The archive's own word: ``STARTED`` or ``STOPPED``."""
        return self.found.name

    @property
    def started(self) -> bool:
        return self.found is State.STARTED


class NotStarted(ArchiveError):
    """The archive does not run, as far as its web server's answer shows; ``state`` says which way."""

    state: State = State.UNKNOWN


class ControlService:
    """The control service of the archive whose base URL is *url*.

    *token* is sent as :class:`Bearer` says. ``https`` is verified as :class:`~dcmcfg.archive.http_client.Web`
    does. Redirects are not followed, and no proxy is used: a token goes to the archive or nowhere.
    *device* is the name of the archive's device in the directory, for the next steps of errors.
    """

    def __init__(
        self,
        url: str,
        token: str | TokenIssuer | None = None,
        ca_file: Path | None = None,
        timeouts: Timeouts | None = None,
        patience: Patience | None = None,
        *,
        device: str = "",
        require_crl: bool = False,
    ) -> None:
        self._url = url.rstrip("/")
        self._web = Web(ca_file, timeouts, require_crl=require_crl)
        self._web.prepare(url)
        self._bearer = Bearer(self._web, token)
        self._patience = patience or Patience()
        self._device = device

    def status(self, on_wait: OnWait | None = None) -> ArchiveStatus:
        """Return the archive's status (``GET ctrl/status``).

        A page of the web server that may be a moment's (500 while the archive is deployed, 503 while the server stops)
        is asked for again for a few seconds. *on_wait* gets a line when that begins, and when an answer is slow.
        Raises :class:`NotStarted` with the state where the archive does not run, :class:`ArchiveError` otherwise.
        """
        url = status_url(self._url)
        begun = time.monotonic()
        told = False
        while True:
            answer = self._asked(url, on_wait)
            found = finding_of(answer)
            if found is None:
                raise self._unexpected(answer, url)
            waited = time.monotonic() - begun
            if not found.passes or waited >= self._patience.passing:
                break
            if on_wait is not None and not told:
                on_wait(f"HTTP {answer.status} from the web server; asking again for {self._patience.passing:g} s")
                told = True
            time.sleep(self._patience.pause)
        if found.state in (State.STARTED, State.STOPPED):
            return ArchiveStatus(found.state, time.monotonic() - begun)
        raise _not_started(found, url)

    def reload(self) -> Reload:
        """Have the archive load its configuration again (``POST ctrl/reload``), and return how that went.

        When the archive could not bind a listener, the reload is repeated once, which opens it in most cases.
        Raises (all of :mod:`~dcmcfg.archive.reload_failures`) :class:`NotReloaded` when the archive keeps its
        configuration, :class:`ReloadUnfinished` when a listener stays closed or it is not known what is in force,
        :class:`ReloadUnconfirmed` when the request may have reached the archive and its answer did not come back; and
        :class:`ArchiveError` when the archive was not reached or answered otherwise.
        """
        url = f"{self._url}/ctrl/reload"
        reload = Reload((self._attempt(url),))
        first = reload.outcome
        if isinstance(first, LoadedButNotBound) and first.is_worth_repeating:
            reload = Reload((*reload.attempts, self._attempt(url, reload)))
        if isinstance(reload.outcome, Reloaded):
            return reload
        if reload.closed is None and isinstance(reload.outcome, NotRunning):
            raise self._not_running(url, reload)
        raise failure_of(reload, url, self._device)

    def _attempt(self, url: str, before: Reload | None = None) -> Attempt:
        begun = time.monotonic()
        try:
            answer = self._bearer.request("POST", url)
        except httpx.TransportError as error:
            failure = not_answered(error, url, self._web.seconds(error))
            if before is None and not was_sent(error):
                raise failure from error
            raise unconfirmed(failure, before) from error
        if answer.status in _GATEWAY:
            raise unconfirmed(self._unexpected(answer, url), before)
        outcome = outcome_of(answer)
        if outcome is None:
            failure = self._unexpected(answer, url)
            if before is None:
                raise failure
            outcome = Unclear(failure.what)
        return Attempt(answer.status, outcome, time.monotonic() - begun)

    def _not_running(self, url: str, reload: Reload) -> ArchiveError:
        """Return the error for a reload that the web server answered in place of the archive."""
        try:
            status = self.status()
        except ArchiveError as error:
            failure: ArchiveError = NotReloaded(f"Not reloaded. {error.what}", on=url, next_step=error.next_step)
        else:
            what = f"Not reloaded: the archive was not ready, and is {status.state} now"
            failure = NotReloaded(what, on=url, next_step="dcmcfg reload")
        if isinstance(failure, NotReloaded):
            failure.reload = reload
        return failure

    def _asked(self, url: str, on_wait: OnWait | None) -> Answer:
        patience = self._patience
        slow = Timer(patience.slow, lambda: on_wait and on_wait(f"no answer yet from {url}; waiting"))
        slow.daemon = True
        if on_wait is not None:
            slow.start()
        try:
            return self._bearer.request("GET", url)
        except httpx.TransportError as error:
            raise _silent(error, url, self._web.seconds(error)) from error
        finally:
            slow.cancel()

    def _unexpected(self, answer: Answer, url: str) -> ArchiveError:
        found = finding_of(answer)
        if found is not None and found.what:
            return _not_started(found, url)
        return unexpected_answer(answer, url, with_token=self._bearer.has_token)


def status_url(archive_url: str) -> str:
    """Return where the archive at *archive_url* reports its status."""
    return f"{archive_url}/ctrl/status"


def _not_started(found: Finding, url: str) -> NotStarted:
    error = NotStarted(found.what, on=url, next_step=found.next_step)
    error.state = found.state
    return error


def _silent(error: httpx.TransportError, url: str, seconds: float) -> ArchiveError:
    """Return the error for a request for the status that got no answer."""
    failure = not_answered(error, url, seconds)
    address = urlsplit(url).netloc
    if isinstance(error, httpx.ReadTimeout):
        what = f"The server accepts connections and does not answer within {seconds:g} s: it is starting, or it hangs"
        step = "Run dcmcfg status again. A server that starts holds requests for some 20 s; see its server.log"
        return _not_started(Finding(State.NO_ANSWER, what, step), url)
    if failure.what == "connection refused":
        what = f"Connection refused: no server listens at {address}"
        step = (
            "Start the archive's server. One that is starting refuses connections for its first seconds. "
            "--archive-url sets the URL"
        )
        return _not_started(Finding(State.NOT_RUNNING, what, step), url)
    return failure
