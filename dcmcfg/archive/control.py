"""The archive's control service: its status, and having it reload its configuration (``ArchiveCtrl``)."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from dcmcfg.archive.bearer import Bearer
from dcmcfg.archive.failures import ReloadUnconfirmed, not_answered, unexpected_answer, was_sent
from dcmcfg.archive.issuer import TokenIssuer
from dcmcfg.archive.web import Answer, Timeouts, Web
from dcmcfg.errors import ArchiveError


@dataclass(frozen=True)
class ArchiveStatus:
    """What the archive says of itself, ``STARTED`` or ``STOPPED``, and the seconds it took to say so."""

    state: str
    seconds: float

    @property
    def started(self) -> bool:
        return self.state == "STARTED"


class ControlService:
    """The control service of the archive whose base URL is *url*.

    *token* is sent as :class:`Bearer` says. ``https`` is verified against *ca_file*, else against the certificates
    that this machine trusts. Redirects are not followed, and no proxy is used: a token goes to the archive or nowhere.
    """

    def __init__(
        self,
        url: str,
        token: str | TokenIssuer | None = None,
        ca_file: Path | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._web = Web(ca_file, timeouts)
        self._web.prepare(url)
        self._bearer = Bearer(self._web, token)

    def status(self) -> ArchiveStatus:
        """Return the archive's status (``GET /ctrl/status``); raises :class:`ArchiveError`."""
        url = status_url(self._url)
        begun = time.monotonic()
        try:
            answer = self._bearer.request("GET", url)
        except httpx.TransportError as error:
            raise not_answered(error, url, self._web.seconds(error)) from error
        state = _state(answer.body) if answer.status == httpx.codes.OK else None
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
            answer = self._bearer.request("POST", url)
        except httpx.TransportError as error:
            failure = not_answered(error, url, self._web.seconds(error))
            if not was_sent(error):
                raise failure from error
            raise _unconfirmed(failure) from error
        status = answer.status
        if status in (httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT):
            raise _unconfirmed(self._unexpected(answer, url))
        if status != httpx.codes.NO_CONTENT:
            raise self._unexpected(answer, url)
        return time.monotonic() - begun

    def _unexpected(self, answer: Answer, url: str) -> ArchiveError:
        return unexpected_answer(answer, url, with_token=self._bearer.has_token)


def status_url(archive_url: str) -> str:
    """Return where the archive at *archive_url* tells its status."""
    return f"{archive_url}/ctrl/status"


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
