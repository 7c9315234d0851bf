"""The archive's control service: its status, and having it reload its configuration (``ArchiveCtrl``)."""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

import httpx

from dcmcfg.archive.failures import ReloadUnconfirmed, not_answered, unexpected_answer, was_sent
from dcmcfg.errors import ArchiveError, MalformedInput

_LONGEST_BODY = 256 * 1024  # octets of an answer that are read


@dataclass(frozen=True)
class Timeouts:
    """Seconds: to connect, and from the request to the end of the answer (a reload may rebind every port)."""

    connect: float = 10.0
    answer: float = 60.0


@dataclass(frozen=True)
class ArchiveStatus:
    """What the archive says of itself, ``STARTED`` or ``STOPPED``, and the seconds it took to say so."""

    state: str
    seconds: float

    @property
    def started(self) -> bool:
        return self.state == "STARTED"


@dataclass(frozen=True)
class _Answer:
    response: httpx.Response
    body: str


class ControlService:
    """The control service of the archive whose base URL is *url*.

    *token* goes into ``Authorization: Bearer`` (RFC 6750). ``https`` is verified against *ca_file*, else against
    the certificates that this machine trusts. Redirects are not followed, and no proxy is used: a token goes to
    the archive or nowhere.
    """

    def __init__(
        self, url: str, token: str | None = None, ca_file: Path | None = None, timeouts: Timeouts | None = None
    ) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._timeouts = timeouts or Timeouts()
        self._tls = _tls(ca_file) if url.startswith("https:") else False

    def status(self) -> ArchiveStatus:
        """Return the archive's status (``GET /ctrl/status``); raises :class:`ArchiveError`."""
        url = f"{self._url}/ctrl/status"
        begun = time.monotonic()
        try:
            answer = self._request("GET", url)
        except httpx.TransportError as error:
            raise not_answered(error, url, self._seconds(error)) from error
        state = _state(answer.body) if answer.response.status_code == httpx.codes.OK else None
        if state is None:
            raise self._unexpected(answer, url)
        return ArchiveStatus(state, time.monotonic() - begun)

    def reload(self) -> float:
        """Have the archive read its configuration again (``POST /ctrl/reload``); return the seconds it took.

        Only 204 is success. Raises :class:`ReloadUnconfirmed` when the request may have reached the archive and
        its answer did not come back, :class:`ArchiveError` when it was not reached or answered otherwise.
        """
        url = f"{self._url}/ctrl/reload"
        begun = time.monotonic()
        try:
            answer = self._request("POST", url)
        except httpx.TransportError as error:
            failure = not_answered(error, url, self._seconds(error))
            if not was_sent(error):
                raise failure from error
            raise _unconfirmed(failure) from error
        status = answer.response.status_code
        if status in (httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT):
            raise _unconfirmed(self._unexpected(answer, url))
        if status != httpx.codes.NO_CONTENT:
            raise self._unexpected(answer, url)
        return time.monotonic() - begun

    def _request(self, method: str, url: str) -> _Answer:
        """Return the answer, its body cut at :data:`_LONGEST_BODY`; raises :class:`httpx.TransportError`.

        httpx bounds the wait for each piece of an answer, not that for all of them, hence the thread.
        """
        outcome: SimpleQueue[_Answer | BaseException] = SimpleQueue()

        def exchange() -> None:
            try:
                outcome.put(self._exchange(method, url))
            except BaseException as error:  # noqa: BLE001 — raised by the thread that waits
                outcome.put(error)

        Thread(target=exchange, daemon=True).start()
        try:
            got = outcome.get(timeout=self._timeouts.connect + self._timeouts.answer)
        except Empty:
            raise httpx.ReadTimeout("the answer does not end") from None
        if isinstance(got, BaseException):
            raise got
        return got

    def _exchange(self, method: str, url: str) -> _Answer:
        limits = httpx.Timeout(self._timeouts.answer, connect=self._timeouts.connect)
        headers = {"Accept-Encoding": "identity"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        body = bytearray()
        with (
            httpx.Client(verify=self._tls, timeout=limits, follow_redirects=False, trust_env=False) as client,
            client.stream(method, url, headers=headers) as response,
        ):
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > _LONGEST_BODY:
                    break
            return _Answer(response, bytes(body[:_LONGEST_BODY]).decode("utf-8", "replace"))

    def _seconds(self, error: httpx.TransportError) -> float:
        return self._timeouts.connect if isinstance(error, httpx.ConnectTimeout) else self._timeouts.answer

    def _unexpected(self, answer: _Answer, url: str) -> ArchiveError:
        return unexpected_answer(answer.response, answer.body, url, with_token=self._token is not None)


def _unconfirmed(failure: ArchiveError) -> ReloadUnconfirmed:
    return ReloadUnconfirmed(
        f"the reload was sent and not confirmed: {failure.what}",
        on=failure.on,
        next_step="dcmcfg status, then dcmcfg reload once more: reloading twice does no harm",
    )


def _state(body: str) -> str | None:
    """Return the status in the JSON object *body*, ``None`` when it is not the control service's."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    state = content.get("status") if isinstance(content, dict) else None
    return state if isinstance(state, str) and state.isalpha() else None


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise MalformedInput("the file holds no CA certificate in PEM", on=str(ca_file)) from None
    except OSError as error:
        raise MalformedInput(f"the CA file cannot be read: {error.strerror}", on=str(ca_file)) from None
