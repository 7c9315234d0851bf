"""HTTP server of the stand-in archive: control service (``ArchiveCtrl``), configuration and QIDO-RS searches."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote

from dcmcfg.errors import DcmcfgError, LabError
from dcmcfg.lab.archive.authorization import TokenAuthorizer
from dcmcfg.lab.archive.java_exceptions import (
    ConfigurationNotFoundException,
    IllegalArgumentException,
    JavaException,
    format_stack_trace,
)
from dcmcfg.lab.archive.qido import is_search, serve_qido
from dcmcfg.lab.archive.service import ArchiveService
from dcmcfg.lab.site import Site

APPLICATION_PATH = "/dcm4chee-arc"
CONTROL_PATH = f"{APPLICATION_PATH}/ctrl"
DEVICES_PATH = f"{APPLICATION_PATH}/devices/"
KEYCLOAK_JSON_PATH = "/dcm4chee-arc/ui2/rs/keycloak.json"
UI_CONFIG_PATH = "/dcm4chee-arc/ui2/rs/dcm4chee-arc"
_JSON = "application/json"
_TEXT = "text/plain;charset=UTF-8"
_ERROR_PAGE = "<html><head><title>Error</title></head><body>{}</body></html>"
#: Headers of every response of the archive's application; error pages of the web server do not have them.
_APPLICATION_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "origin, content-type, accept, authorization",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "content-type, warning, location, content-location",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS, HEAD",
}
_ALLOWED_METHODS = {
    "status": "HEAD, GET, OPTIONS",
    "reload": "POST, OPTIONS",
    "start": "POST, OPTIONS",
    "stop": "POST, OPTIONS",
}
_NO_HEADERS: Mapping[str, str] = {}
_log = logging.getLogger("archive.control")


class _RequestHandler(BaseHTTPRequestHandler):
    # The archive keeps connections open. The base class would answer HTTP/1.0 and close them.
    protocol_version = "HTTP/1.1"
    # An idle connection must not occupy its thread forever.
    timeout = 30

    def __init__(self, service: ArchiveService, authorizer: TokenAuthorizer | None, *arguments: object) -> None:
        self._service = service
        self._authorizer = authorizer
        super().__init__(*arguments)  # type: ignore[arg-type]  # the three arguments that the server passes

    def do_GET(self) -> None:
        if self._authorizer is not None and self.path == KEYCLOAK_JSON_PATH:
            self._send(HTTPStatus.OK, _JSON, self._authorizer.keycloak_json)
        elif self.path == UI_CONFIG_PATH:
            self._send(HTTPStatus.OK, _JSON, json.dumps({"super-user-role": "root"}))
        elif self._refuse_unauthorized():
            return
        elif self.path == f"{CONTROL_PATH}/status":
            self._send(HTTPStatus.OK, _JSON, f'{{"status":"{self._service.status}"}}', {"Cache-Control": "no-cache"})
        elif is_search(self.path):
            accept, host = self.headers.get("Accept", "*/*"), self.headers.get("Host", "")
            response = serve_qido(self._service.state, self.path, accept=accept, host=host)
            headers = {"Warning": response.warning} if response.warning else _NO_HEADERS
            self._send(response.status, response.content_type, response.body, headers)
        elif self.path.startswith(DEVICES_PATH):
            self._send_device(unquote(self.path.removeprefix(DEVICES_PATH).partition("?")[0]))
        elif (answer := self._find_list()) is not None:
            status, body = answer
            if status == HTTPStatus.OK:
                self._send(HTTPStatus.OK, _JSON, body, {"Cache-Control": "no-cache"})
            else:
                self._send(HTTPStatus(status), _TEXT, body)
        else:
            self._send_not_found()

    def _send_device(self, name: str) -> None:
        try:
            body = self._service.show_device(name)
        except ConfigurationNotFoundException as failure:
            self._send(HTTPStatus.NOT_FOUND, _JSON, json.dumps({"errorMessage": str(failure)}))
        except JavaException as failure:
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, _TEXT, format_stack_trace(failure))
        else:
            self._send(HTTPStatus.OK, _JSON, body, {"Cache-Control": "no-cache"})

    def _find_list(self) -> tuple[int, str] | None:
        """Return status and body of a list of loaded entries; None for another path."""
        if not self.path.startswith(f"{APPLICATION_PATH}/"):
            return None
        return self._service.state.device.lists.find(self.path.removeprefix(APPLICATION_PATH).partition("?")[0])

    def do_POST(self) -> None:
        # An unread body would be parsed as the next request on this connection.
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self._refuse_unauthorized():
            return
        commands = {
            f"{CONTROL_PATH}/reload": self._service.reload,
            f"{CONTROL_PATH}/start": self._service.start,
            f"{CONTROL_PATH}/stop": self._service.stop,
        }
        command = commands.get(self.path)
        if command is None:
            self._send_not_found()
        else:
            self._execute(command)

    def _refuse_unauthorized(self) -> bool:
        """Send the refusal of an unauthorized request; return whether the request was refused."""
        refusal = self._authorizer.find_refusal(self.headers.get("Authorization")) if self._authorizer else None
        if refusal is None:
            return False
        self._send(refusal.status, challenge=refusal.challenge)
        return True

    def _execute(self, command: Callable[[], None]) -> None:
        try:
            command()
        except IllegalArgumentException as failure:
            # The archive does not escape this text as JSON (ArchiveCtrl).
            self._send(HTTPStatus.CONFLICT, _TEXT, f'{{"errorMessage":"{failure}"}}')
        except (JavaException, DcmcfgError) as failure:
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, _TEXT, format_stack_trace(failure))
        else:
            self._send(HTTPStatus.NO_CONTENT)

    def _send_not_found(self) -> None:
        allowed = _ALLOWED_METHODS.get(self.path.removeprefix(f"{CONTROL_PATH}/"))
        if allowed is not None and self.path.startswith(f"{CONTROL_PATH}/"):
            self._send(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": allowed})
        elif self.path.startswith(f"{APPLICATION_PATH}/"):
            self._send(HTTPStatus.NOT_FOUND)
        else:
            self._send_error_page(HTTPStatus.NOT_FOUND)

    def _send_error_page(self, status: HTTPStatus) -> None:
        """Respond with an error page of the web server."""
        octets = _ERROR_PAGE.format(f"{status.value} - {status.phrase}").encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def _send(
        self,
        status: HTTPStatus,
        content_type: str = "",
        body: str = "",
        headers: Mapping[str, str] = _NO_HEADERS,
        *,
        challenge: str = "",
    ) -> None:
        octets = body.encode()
        self.send_response(status)
        for name, value in {**_APPLICATION_HEADERS, **headers}.items():
            self.send_header(name, value)
        if content_type:
            self.send_header("Content-Type", content_type)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        # A response 204 must not have this header (RFC 9110 §8.6).
        if status is not HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 — the name in the base class
        _log.info(format, *arguments)


@contextmanager
def serve_http(service: ArchiveService, site: Site) -> Iterator[None]:
    """Serve the control endpoints of *site* on loopback while the context is open; raises :class:`LabError`."""
    port = site.ports.http
    authorizer = TokenAuthorizer(site.token_requirements) if site.token_requirements else None
    try:
        server = ThreadingHTTPServer((site.node_address, port), partial(_RequestHandler, service, authorizer))
    except OSError as error:
        raise LabError(f"cannot listen ({error.strerror})", subject=site.archive_url) from error
    # The short interval lets a lab stop quickly.
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
