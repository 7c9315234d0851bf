"""The web services of the stand-in archive over HTTP: its control service (``ArchiveCtrl``), and the searches."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from dcmcfg.errors import DcmcfgError, LabError
from dcmcfg.lab.archive.authorization import Guard
from dcmcfg.lab.archive.java_exceptions import (
    IllegalArgumentException,
    JavaException,
    stack_trace,
)
from dcmcfg.lab.archive.qido import is_search, search
from dcmcfg.lab.archive.service import ArchiveService
from dcmcfg.lab.site import LOOPBACK, Site

APPLICATION = "/dcm4chee-arc"
BASE = f"{APPLICATION}/ctrl"
KEYCLOAK_JSON = "/dcm4chee-arc/ui2/rs/keycloak.json"
WEB_INTERFACE = "/dcm4chee-arc/ui2/rs/dcm4chee-arc"
_JSON = "application/json"
_TEXT = "text/plain;charset=UTF-8"
_PAGE = "<html><head><title>Error</title></head><body>{}</body></html>"
#: Headers of every answer of the archive's application, by which a page of the web server differs from it.
_OF_THE_APPLICATION = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "origin, content-type, accept, authorization",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "content-type, warning, location, content-location",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS, HEAD",
}
_ALLOWED = {
    "status": "HEAD, GET, OPTIONS",
    "reload": "POST, OPTIONS",
    "start": "POST, OPTIONS",
    "stop": "POST, OPTIONS",
}
_NO_HEADERS: Mapping[str, str] = {}
_log = logging.getLogger("archive.control")


class _Control(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def __init__(self, service: ArchiveService, guard: Guard | None, *arguments: object) -> None:
        self._service = service
        self._guard = guard
        super().__init__(*arguments)  # type: ignore[arg-type]  # the three that the server passes

    def do_GET(self) -> None:
        if self._guard is not None and self.path == KEYCLOAK_JSON:
            self._answer(HTTPStatus.OK, _JSON, self._guard.keycloak_json)
        elif self.path == WEB_INTERFACE:
            self._answer(HTTPStatus.OK, _JSON, json.dumps({"super-user-role": "root"}))
        elif self._refused():
            return
        elif self.path == f"{BASE}/status":
            self._answer(HTTPStatus.OK, _JSON, f'{{"status":"{self._service.status}"}}', {"Cache-Control": "no-cache"})
        elif is_search(self.path):
            accept, host = self.headers.get("Accept", "*/*"), self.headers.get("Host", "")
            found = search(self._service.state, self.path, accept=accept, host=host)
            headers = {"Warning": found.warning} if found.warning else _NO_HEADERS
            self._answer(found.status, found.content_type, found.body, headers)
        else:
            self._not_here()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self._refused():
            return
        commands = {
            f"{BASE}/reload": self._service.reload,
            f"{BASE}/start": self._service.start,
            f"{BASE}/stop": self._service.stop,
        }
        command = commands.get(self.path)
        if command is None:
            self._not_here()
        else:
            self._carry_out(command)

    def _refused(self) -> bool:
        """Answer who may not use this; return whether that was so."""
        refusal = self._guard.refusal(self.headers.get("Authorization")) if self._guard else None
        if refusal is None:
            return False
        self._answer(refusal.status, challenge=refusal.challenge)
        return True

    def _carry_out(self, command: Callable[[], None]) -> None:
        try:
            command()
        except IllegalArgumentException as failure:
            self._answer(HTTPStatus.CONFLICT, _TEXT, f'{{"errorMessage":"{failure}"}}')
        except (JavaException, DcmcfgError) as failure:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, _TEXT, stack_trace(failure))
        else:
            self._answer(HTTPStatus.NO_CONTENT)

    def _not_here(self) -> None:
        allowed = _ALLOWED.get(self.path.removeprefix(f"{BASE}/"))
        if allowed is not None and self.path.startswith(f"{BASE}/"):
            self._answer(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": allowed})
        elif self.path.startswith(f"{APPLICATION}/"):
            self._answer(HTTPStatus.NOT_FOUND)
        else:
            self._page(HTTPStatus.NOT_FOUND)

    def _page(self, status: HTTPStatus) -> None:
        """Answer with an error page of the web server."""
        octets = _PAGE.format(f"{status.value} - {status.phrase}").encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def _answer(
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
        for name, value in {**_OF_THE_APPLICATION, **headers}.items():
            self.send_header(name, value)
        if content_type:
            self.send_header("Content-Type", content_type)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        if status is not HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 — the name in the base class
        _log.info(format, *arguments)


@contextmanager
def controlling(service: ArchiveService, site: Site) -> Iterator[None]:
    """Serve the control endpoints of *site* on loopback while the context is open; raises :class:`LabError`."""
    port = site.ports.http
    guard = Guard(site.secured) if site.secured else None
    try:
        server = ThreadingHTTPServer((LOOPBACK, port), partial(_Control, service, guard))
    except OSError as error:
        raise LabError(f"cannot listen ({error.strerror})", on=f"http://{LOOPBACK}:{port}") from error
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
