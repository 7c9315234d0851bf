"""Determine the state of the archive from a response to ``GET ctrl/status``.

While the archive's application does not run, its web server (WildFly) answers with error pages of its own. The pages
for each state were observed on a real archive 5.35.1 while its server started, stopped, deployed and undeployed it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

from dcmcfg.archive.http_client import HttpResponse

_ERROR_PAGE_START = (
    "<html><head><title>Error</title></head><body>"  # how error pages of WildFly and its applications begin
)
_APPLICATION_HEADER = "access-control-allow-origin"  # a header that the archive adds to each of its answers
_BASE_URL_HINT = "Check the archive's base URL (--archive-url): the default is http://HOST:8080/dcm4chee-arc"


class ServiceState(Enum):
    """Whether the archive runs; the values are those of ``dcmcfg status --json``."""

    STARTED = "started"
    STOPPED = "stopped"
    NOT_DEPLOYED = "not deployed"
    FAILED = "failed to deploy"
    STOPPING = "stopping"
    NO_RESPONSE = "no response"
    NOT_RUNNING = "not running"
    WRONG_PATH = "wrong path"
    NOT_AN_ARCHIVE = "not an archive"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class StateFinding:
    """A state with its evidence in words and the next step.

    ``is_transient`` is True if the state may last for a moment only.
    """

    state: ServiceState
    message: str = ""
    next_step: str = ""
    is_transient: bool = False


def parse_reported_state(body: str) -> ServiceState | None:
    """Return the state in *body*, the JSON object of the control service; None if it is something else."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    state = content.get("status") if isinstance(content, dict) else None
    match state:
        case "STARTED":
            return ServiceState.STARTED
        case "STOPPED":
            return ServiceState.STOPPED
        case _:
            return None


def is_server_page(response: HttpResponse) -> bool:
    """Return whether *response* is an error page of WildFly itself, not of an application."""
    content = response.body.lstrip()
    # The page for 400 has no number.
    return content.startswith((f"{_ERROR_PAGE_START}{response.status} - ", f"{_ERROR_PAGE_START}Bad Request"))


def classify_response(response: HttpResponse) -> StateFinding | None:
    """Return the state that *response* shows; None for one that shows nothing of the archive (401, 302, 502 …)."""
    is_page = is_server_page(response)
    match response.status:
        case 200:
            state = parse_reported_state(response.body)
            return StateFinding(state) if state else _create_not_an_archive(response.status)
        case 404 if is_page:
            return StateFinding(
                ServiceState.NOT_DEPLOYED,
                "The web server has no application at this path (HTTP 404): the path of the URL is wrong, or the "
                "archive is not deployed",
                "Check the path of --archive-url: the default is http://HOST:8080/dcm4chee-arc. If the path is right, "
                "deploy the archive, or wait until the deployment ends",
            )
        case 404 | 405 if _APPLICATION_HEADER in response.headers:
            return StateFinding(
                ServiceState.WRONG_PATH,
                f"The archive answers, but it has no status and reload service at this path (HTTP {response.status})",
                _BASE_URL_HINT,
            )
        # A failed start answers like this until a restart, a deployment only for a second or two.
        case 500 if is_page:
            return StateFinding(
                ServiceState.FAILED,
                "The archive failed to start, or it is still starting (HTTP 500, a page of the web server)",
                "Run dcmcfg status again in a minute. If the archive still fails, see the archive's server.log for "
                "the reason, and run dcmcfg check. Fix the problem, then restart the server, because a reload does "
                "not start the archive. A failed archive can still answer a C-ECHO, with status 0122",
                is_transient=True,
            )
        case 503 if is_page:
            return StateFinding(
                ServiceState.STOPPING,
                "The server is stopping or suspended (HTTP 503, a page of the web server)",
                "Start the server again, or resume the server",
                is_transient=True,
            )
        case 400 if is_page:
            return StateFinding(
                ServiceState.STOPPING,
                "The web server refuses the request (HTTP 400): the archive is being undeployed, or the URL is wrong",
                f"Run dcmcfg status again. {_BASE_URL_HINT}",
                is_transient=True,
            )
        case 404 | 405:
            return _create_not_an_archive(response.status)
        case status if 200 < status < 300:
            return _create_not_an_archive(status)
        case _:
            return None


def _create_not_an_archive(status: int) -> StateFinding:
    message = f"The response is not from an archive (HTTP {status})"
    return StateFinding(ServiceState.NOT_AN_ARCHIVE, message, _BASE_URL_HINT)
