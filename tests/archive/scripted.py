"""A real HTTP server on loopback that gives scripted answers and remembers what it was asked."""

from __future__ import annotations

import contextlib
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.patience import PATIENCE_S


@dataclass
class Scripted:
    """What the server answers to everything but the paths in ``by_path``; tests change it as they go."""

    url: str
    status: int = 204
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang: threading.Event | None = None  # do not answer before it is set
    drop: bool = False  # close the connection instead of answering
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)  # method, path, Authorization
    by_path: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # "ctrl/status" → status, body
    once: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # the same, for the next request only

    def run_as_an_archive_does(self) -> None:
        """Answer STARTED to a request for the status, and 204 to a reload."""
        self.by_path = {"ctrl/status": (200, b'{"status":"STARTED"}'), "ctrl/reload": (204, b"")}

    @property
    def reloads(self) -> int:
        """How often a reload was asked for."""
        return sum(1 for _, path, _ in self.requests if path.endswith("/ctrl/reload"))

    def answer(self, status: int, body: str = "", **headers: str) -> None:
        self.status, self.body, self.headers = status, body.encode(), headers


@contextlib.contextmanager
def scripted_archive(certificate: Path | None = None) -> Iterator[Scripted]:
    """Run the server, with TLS by *certificate* (key and certificate in one PEM file) if there is one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.requests.append((self.command, self.path, self.headers["Authorization"]))
            if script.hang is not None:
                script.hang.wait(PATIENCE_S)
            if script.drop or script.hang is not None:
                self.close_connection = True
                return
            path = self.path.removeprefix("/dcm4chee-arc/")
            usual = script.by_path.get(path, (script.status, script.body))
            status, body = script.once.pop(path, usual)
            self.send_response(status)
            for name, value in script.headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            # What is left unread when the connection closes resets it, and the answer is lost.
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — http.server's signature
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if certificate is None else "https"
    script = Scripted(f"{scheme}://127.0.0.1:{server.server_port}/dcm4chee-arc")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        if script.hang is not None:
            script.hang.set()
        server.shutdown()
        server.server_close()


def self_signed_certificate(folder: Path) -> Path:
    """Return a PEM file with a key and a certificate for 127.0.0.1, signed by itself."""
    key, certificate, both = folder / "key.pem", folder / "certificate.pem", folder / "both.pem"
    options = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=archive"
    subprocess.run(
        [
            "openssl",
            "req",
            *options.split(),
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            str(key),
            "-out",
            str(certificate),
        ],
        check=True,
        capture_output=True,
    )
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both
