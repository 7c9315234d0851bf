"""Send single requests to a web server, bounded in time and size."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import quote, quote_plus

import httpx

from dcmcfg.archive.request_log import HTTP, describe_request, describe_response, describe_url
from dcmcfg.errors import MalformedInput
from dcmcfg.limits import HTTP_BODY, Limit
from dcmcfg.protocol_log import PROTOCOL_LOG
from dcmcfg.tls_trust import SYSTEM_STORE_UNUSABLE, UnusableCaFile, create_ssl_context

_MIN_SECRET_LENGTH = 8  # characters; a shorter secret may be part of a word in the response


@dataclass(frozen=True)
class HttpTimeouts:
    """Seconds: to connect, and from the request to the end of the response (a reload may rebind every port)."""

    connect: float = 10.0
    response: float = 60.0


@dataclass(frozen=True)
class HttpResponse:
    """A response with its body; names of ``headers`` are case-insensitive.

    ``exceeded_limit`` is the limit at which a longer body was cut; None if the body is complete.
    """

    status: int
    headers: Mapping[str, str]
    body: str = field(repr=False)
    exceeded_limit: Limit | None = None

    @property
    def is_redirect(self) -> bool:
        return 300 <= self.status < 400


class HttpClient:
    """Sends requests to web servers.

    ``https`` is verified (:func:`~dcmcfg.tls_trust.create_ssl_context`) against *ca_file*, otherwise against the
    certificates that this machine trusts. Redirects and proxies are not used, so that a credential goes only to the
    given server.
    """

    def __init__(
        self,
        ca_file: Path | None = None,
        timeouts: HttpTimeouts | None = None,
        limit: Limit = HTTP_BODY,
        *,
        require_crl: bool = False,
    ) -> None:
        self._ca_file = ca_file
        self._require_crl = require_crl
        self._limit = limit
        self.timeouts = timeouts or HttpTimeouts()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        try:
            return create_ssl_context(self._ca_file, require_crl=self._require_crl)
        except UnusableCaFile as error:
            problem = SYSTEM_STORE_UNUSABLE if self._ca_file is None else "the CA file cannot be used"
            raise MalformedInput(
                f"{problem}: {error}",
                subject=str(self._ca_file or ""),
                next_step=(
                    "set --ca-file to a file with CA certificates. With --require-crl, the file must also contain CRLs"
                ),
            ) from None

    def validate_tls_files(self, url: str) -> None:
        """Raise the :class:`MalformedInput` of a later request to *url* now, if the CA file cannot be read."""
        if url.startswith("https:"):
            _ = self._tls

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        secrets: Collection[str] = (),
    ) -> HttpResponse:
        """Send a request and return the response, with its body cut at the limit of octets; *form* is the request body.

        *secrets* are removed from the response, because some servers repeat the request in an error. Raises
        :class:`httpx.TransportError`, also for an unusable URL, and the errors of :meth:`validate_tls_files`. A thread
        bounds the total time, because httpx bounds only the wait for each piece of a response.
        """
        self.validate_tls_files(url)
        if not PROTOCOL_LOG.level:
            return self._exchange_in_time(method, url, headers or {}, form, secrets=secrets)
        started, response, result = time.monotonic(), None, "failed"
        try:
            response = self._exchange_in_time(method, url, headers or {}, form, secrets=secrets)
        except httpx.TransportError as error:
            result = type(error).__name__
            raise
        finally:
            if response is not None:
                result = str(response.status)
            PROTOCOL_LOG.log(HTTP, f"{method} {describe_url(url, secrets)}", result, started)
            for detail in describe_request(headers or {}, form):
                PROTOCOL_LOG.log_detail(HTTP, detail)
            if response is not None:
                PROTOCOL_LOG.log_detail(HTTP, describe_response(response.headers, len(response.body)))
        return response

    def _exchange_in_time(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None,
        *,
        secrets: Collection[str],
    ) -> HttpResponse:
        """Return the answer, as :meth:`request` does."""
        outcome: SimpleQueue[HttpResponse | BaseException] = SimpleQueue()

        def exchange() -> None:
            try:
                outcome.put(_redact(secrets, self._exchange(method, url, headers, form)))
            except (httpx.InvalidURL, UnicodeError) as error:  # The host may be unusable in DNS.
                outcome.put(httpx.UnsupportedProtocol(f"not a usable URL: {error}"))
            except BaseException as error:  # noqa: BLE001 — raised again by the waiting thread
                outcome.put(error)

        # A daemon does not block the exit of dcmcfg while it reads an endless response.
        Thread(target=exchange, daemon=True).start()
        try:
            result = outcome.get(timeout=self.timeouts.connect + self.timeouts.response)
        except Empty:
            raise httpx.ReadTimeout("the response does not end") from None
        if isinstance(result, BaseException):
            raise result
        return result

    def get_timeout_s(self, error: httpx.TransportError) -> float:
        """Return the time-out in seconds that applied to *error*."""
        return self.timeouts.connect if isinstance(error, httpx.ConnectTimeout) else self.timeouts.response

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> HttpResponse:
        limits = httpx.Timeout(self.timeouts.response, connect=self.timeouts.connect)
        # Loading the trusted certificates takes time, and plain http does not use them.
        tls = self._tls if url.startswith("https:") else False
        body, max_octets = bytearray(), self._limit.maximum
        # The body is requested without compression and read raw, so that the limit applies to its real size.
        with (
            # With trust_env, httpx would use the proxies of the environment, which would see the token.
            httpx.Client(verify=tls, timeout=limits, follow_redirects=False, trust_env=False) as client,
            client.stream(method, url, headers={"Accept-Encoding": "identity"} | dict(headers), data=form) as response,
        ):
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > max_octets:
                    break
            text = bytes(body[:max_octets]).decode("utf-8", "replace")
            return HttpResponse(
                response.status_code, response.headers, text, self._limit if len(body) > max_octets else None
            )


def _redact(secrets: Collection[str], response: HttpResponse) -> HttpResponse:
    """Return *response* without any of *secrets*, plain or encoded as a form, JSON or HTML.

    A short secret may be part of a word, so it is removed only from error responses, and only as a whole word.
    """
    encodings = {encoding for secret in secrets if secret for encoding in _list_encodings(secret)}
    patterns = [re.escape(encoding) for encoding in encodings if len(encoding) >= _MIN_SECRET_LENGTH]
    if response.status >= httpx.codes.BAD_REQUEST:
        patterns += [
            rf"(?<!\w){re.escape(encoding)}(?!\w)" for encoding in encodings if len(encoding) < _MIN_SECRET_LENGTH
        ]
    if not patterns:
        return response
    # Longer encodings come first, because a shorter one that is a part of them would leave the rest.
    secret = re.compile("|".join(sorted(patterns, key=len, reverse=True)))
    headers = httpx.Headers(
        [(name.encode(), secret.sub("…", value).encode()) for name, value in response.headers.items()]
    )
    return replace(response, headers=headers, body=secret.sub("…", response.body))


def _list_encodings(secret: str) -> tuple[str, ...]:
    json_encodings = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    return secret, quote(secret), quote(secret, safe=""), quote_plus(secret), *json_encodings, escape(secret)
