"""Translate httpx's errors and HTTP responses of the archive's web server."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

from dcmcfg.archive.error_body import format_one_line, read_error
from dcmcfg.archive.http_client import HttpResponse
from dcmcfg.errors import ArchiveError
from dcmcfg.tls_trust import explain_certificate_refusal, explain_version_failure, get_refused_certificate

_BASE_URL_HINT = "check the archive's base URL (--archive-url): the default is http://HOST:8080/dcm4chee-arc"
_TOKEN_HINT = (
    "run dcmcfg token to see the issuer, then see dcmcfg help secured; or set a token with --archive-token-file FILE"  # noqa: S105 — advice
)
_TRUST_HINT = "specify the CA of the certificate with --ca-file FILE"
_RUN_TOKEN_HINT = "run dcmcfg token to see the reason"  # noqa: S105 — advice
_ARCHIVE_DOWN_HINT = "check that the archive is running, and that its URL is correct (--archive-url)"


class TokenError(ArchiveError):
    """There is no token for the archive, or the archive rejects it; the request was not executed."""


class NoResponse(ArchiveError):
    """The archive's web server did not answer: it was not reached, or the connection ended."""


def translate_no_response(error: httpx.TransportError, url: str, seconds: float) -> ArchiveError:
    """Return the error for a request to *url* without a response within *seconds*."""
    message, next_step = explain_transport_error(error, seconds, _ARCHIVE_DOWN_HINT)
    return NoResponse(message, subject=url, next_step=next_step)


def was_sent(error: httpx.TransportError) -> bool:
    """Return whether the request may have reached the archive before it failed."""
    # Any other error counts as sent, because a request that was executed must not be reported as not sent.
    not_sent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
    return not isinstance(error, (*not_sent, httpx.LocalProtocolError, httpx.ProxyError))


def explain_transport_error(error: httpx.TransportError, seconds: float, server_down_hint: str) -> tuple[str, str]:
    """Return the problem and the next step, which is *server_down_hint* if the server may be down."""
    for cause in _iterate_causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                reason, step = explain_certificate_refusal(cause, get_refused_certificate(cause)) or (
                    cause.verify_message,
                    _TRUST_HINT,
                )
                return f"the server's certificate was not accepted: {reason}", step
            case ssl.SSLError() if problem := explain_version_failure(cause):
                return problem, "the web server must support TLS 1.2 or newer"
            case ssl.SSLError():
                return f"TLS failed: {cause.reason or cause}", "check that this port uses https"
            case socket.gaierror():
                return f"unknown host name: {cause.strerror}", "check the host in the URL"
            case ConnectionRefusedError():
                return "connection refused", server_down_hint
            case ConnectionResetError():
                return "the connection was reset", server_down_hint
            case _:
                pass
    match error:
        case httpx.TimeoutException():
            return f"no answer within {seconds:g} s", server_down_hint
        case httpx.ReadError() | httpx.WriteError() | httpx.RemoteProtocolError() | httpx.CloseError():
            return (
                f"the connection ended, or the response was not HTTP: {format_one_line(str(error))}",
                server_down_hint,
            )
        case _:
            return f"no connection: {format_one_line(str(error)) or type(error).__name__}", server_down_hint


def _iterate_causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        # httpx and httpcore wrap the exception of the socket, which has the reason.
        cause = cause.__cause__ or cause.__context__


def require_complete(response: HttpResponse, url: str, error_type: type[ArchiveError] = ArchiveError) -> None:
    """Raise an error of *error_type* if the body of *response* was truncated."""
    if response.exceeded_limit is not None:
        raise error_type(
            f"the response is longer than {response.exceeded_limit.format_maximum()} octets",
            subject=url,
            next_step=response.exceeded_limit.next_step,
        )


def translate_unexpected_response(response: HttpResponse, url: str, *, with_token: bool) -> ArchiveError:
    """Return the error for a response other than the expected one."""
    status = response.status
    http_status = f"HTTP {status}"
    match status:
        case 401 | 403 if not with_token:
            return TokenError(f"the archive requires a token ({http_status})", subject=url, next_step=_TOKEN_HINT)
        case 401:
            return TokenError(f"the token was not accepted ({http_status})", subject=url, next_step=_RUN_TOKEN_HINT)
        case 403:
            return TokenError(
                f"the token's user has no permission for this request ({http_status})",
                subject=url,
                next_step=_RUN_TOKEN_HINT,
            )
        case 404 | 405:
            return ArchiveError(
                f"no archive service at this URL ({http_status})", subject=url, next_step=_BASE_URL_HINT
            )
        case 503:
            return ArchiveError(
                f"the archive is not ready ({http_status})",
                subject=url,
                next_step="try again after the archive has started",
            )
        case 502 | 504:
            http_status = f"a gateway or proxy got no answer from the archive ({http_status})"
            return ArchiveError(
                http_status, subject=url, next_step="check that the archive is running behind the gateway or proxy"
            )
        case _ if 300 <= status < 400:
            target = format_one_line(response.headers.get("location", "").partition("?")[0]) or "nowhere"
            return ArchiveError(
                f"redirected to {target} ({http_status}), but dcmcfg does not follow redirects",
                subject=url,
                next_step=f"if the target is a login page, {_RUN_TOKEN_HINT if with_token else _TOKEN_HINT}. If the "
                "archive has a new URL, set --archive-url",
            )
        case _ if 200 <= status < 300:
            return ArchiveError(
                f"the response is not from an archive ({http_status})", subject=url, next_step=_BASE_URL_HINT
            )
        case _:
            body = read_error(response.body)
            reason = (
                "the response is a web page that contains no reason"
                if body.is_page
                else body.reason or "no reason given"
            )
            return ArchiveError(f"{reason} ({http_status})", subject=url, next_step="see the archive's server.log")
