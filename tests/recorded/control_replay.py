"""A real HTTP server on loopback that plays the recorded answers of the archive's control service."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from tests.recorded.recordings import HttpRecording, http, raw_http

BASE = "/dcm4chee-arc"
STATUS = f"GET {BASE}/ctrl/status"
RELOAD = f"POST {BASE}/ctrl/reload"
#: The ports of the recorded archive, by the name of the connection.
PORTS = {"dicom": 9112, "dicom-tls": 9762, "hl7": 9575, "hl7-tls": 9576}


@dataclass(frozen=True)
class Played:
    """An answer as it goes over the wire: status line, headers in their order, body."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def octets(self) -> bytes:
        """Return the answer in HTTP/1.1, chunked where the recorded one was."""
        head = f"HTTP/1.1 {self.status} {self.reason}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        chunked = ("Transfer-Encoding", "chunked") in self.headers
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(self.body), self.body) if chunked else self.body
        return head.encode() + b"\r\n" + body


#: The request is taken and never answered.
SILENCE = "silence"
Step = Played | str


@dataclass
class Replay:
    """The answers that are left for each request line, of which the last one stays, and what was asked."""

    url: str
    answers: dict[str, list[Step]]
    asked: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)

    def next(self, request: str) -> Step | None:
        self.asked.append(request)
        left = self.answers.get(request)
        if not left:
            self.unanswered.append(request)
            return None
        return left.pop(0) if len(left) > 1 else left[0]


def played(recording: HttpRecording) -> Played:
    """Return the answer of a recording."""
    return Played(recording.status, recording.reason, recording.headers, recording.body)


def ctrl(name: str) -> Played:
    """Return the answer of the recording *name* of ctrl.json."""
    return played(http("ctrl", name))


def status_response(recorded: str) -> Played:
    """Return the answer for a status as recordings note it afterwards: ``200 {"status":"STARTED"}``."""
    code, _, body = recorded.partition(" ")
    answer = ctrl("status-started" if "STARTED" in body else "status-stopped")
    assert (answer.status, answer.body.decode()) == (int(code), body)
    return answer


def polled(name: str) -> list[tuple[dict[str, Any], Step | None]]:
    """Return the answers of a recording of a poll, each with what to play; None where the connection was refused."""
    return [(each, _polled(each)) for each in raw_http("ctrl", name)["answers"]]


def _polled(each: dict[str, Any]) -> Step | None:
    match each["answer"]:
        case ["HTTP", status, reason, body]:
            headers = tuple((key, value) for key, value in each["headers"])
            return Played(status, reason, headers, body.encode())
        case ["no HTTP", "TimeoutError", _]:
            return SILENCE
        case ["no HTTP", "ConnectionRefusedError", _]:
            return None
        case other:
            raise ValueError(f"not an answer: {other}")


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def replaying(answers: dict[str, list[Step]]) -> Iterator[Replay]:
    """Play *answers* while the context is open; a request without an answer fails the test at its end."""
    ended = threading.Event()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            request = self.rfile.readline().decode().rsplit(" ", 1)[0]
            length = 0
            for line in iter(self.rfile.readline, b"\r\n"):
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            self.rfile.read(length)
            match replay.next(request):
                case Played() as answer:
                    self.wfile.write(answer.octets())
                case None:
                    status = HTTPStatus.NOT_IMPLEMENTED
                    self.wfile.write(f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: 0\r\n\r\n".encode())
                case _:
                    ended.wait(30)

    with _Server(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}{BASE}"
        replay = Replay(url, {request: list(steps) for request, steps in answers.items()})
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield replay
        finally:
            ended.set()
            server.shutdown()
    assert replay.unanswered == [], "requests that no recording answers"
