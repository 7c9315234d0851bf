"""The archive's HTTP side of a recording, on loopback: QIDO-RS about the study, before the C-MOVE and after it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from tests.recorded import qido_responses
from tests.recorded.qido_responses import Answer, Dataset, Unanswerable
from tests.recorded.recordings import http
from tests.recorded.stored import NOBODY, StoredStudy

_ROOT = "/dcm4chee-arc"
_TITLES = ("DCM4CHEE", "AS_RECEIVED")
#: Matching keys, with the element of an answer that they are compared with.
_KEYS = {"StudyInstanceUID": "0020000D", "SeriesInstanceUID": "0020000E", "SOPInstanceUID": "00080018"}
_PATIENT, _STUDY_DATE = {"PatientID": "00100020"}, {"StudyDate": "00080020"}
_IGNORED = ("orderby",)


class Web:
    """Answers requests about the study that *present* returns, None for none; what it cannot answer it keeps.

    While it ``is_away`` it answers 503, as a server does that stops.
    """

    def __init__(self, present: Callable[[], StoredStudy | None], availability: Callable[[], str]) -> None:
        self._present = present
        self._availability = availability
        self.requests: list[str] = []
        self.unanswered: list[str] = []
        self.is_away = False

    def answer(self, target: str) -> Answer:
        """Return the answer to a GET of *target*, 501 for one that no recording answers."""
        self.requests.append(target)
        if self.is_away:
            return Answer(503, b"", "text/html")
        try:
            return self._answer(target)
        except Unanswerable as error:
            self.unanswered.append(f"GET {target}: {error}")
            return Answer(501, str(error).encode(), "text/plain")

    def _answer(self, target: str) -> Answer:
        parts = urlsplit(target)
        match parts.path.removeprefix(_ROOT).split("/")[1:]:
            case ["ctrl", "status"]:
                recorded = http("ctrl", "status-started")
                return Answer(recorded.status, recorded.body, "application/json")
            case ["aets", title, "rs", *resource] if title in _TITLES:
                return self._search(resource, parse_qsl(parts.query, keep_blank_values=True))
            case ["aets", _, "rs", *_]:
                recorded = http("qido-query", "unknown-aet")
                return Answer(recorded.status, recorded.body, "application/json")
            case _:
                raise Unanswerable("no such resource in the recordings")

    def _search(self, resource: Sequence[str], parameters: Sequence[tuple[str, str]]) -> Answer:
        keys: dict[str, str] = {}
        match resource:
            case ["studies" | "series" | "instances" as level]:
                pass
            case ["studies", study, "series" | "instances" as level]:
                keys["StudyInstanceUID"] = study
            case ["studies", study, "series", series, "instances" as level]:
                keys |= {"StudyInstanceUID": study, "SeriesInstanceUID": series}
            case _:
                raise Unanswerable("no such search in the recordings")
        fields: list[str] = []
        limit, offset = None, 0
        for name, value in parameters:
            match name:
                case "includefield":
                    fields += value.split(",")
                case "limit":
                    limit = int(value)
                case "offset":
                    offset = int(value)
                case _ if name in _IGNORED:
                    pass
                case _:
                    keys[name] = value
        try:
            found = self._matches(level, keys, fields)
        except ValueError:
            return qido_responses.bad_field()
        page = found[offset:] if limit is None else found[offset : offset + limit]
        return Answer(200, json.dumps(page).encode()) if page else Answer(204)

    def _matches(self, level: str, keys: Mapping[str, str], fields: Sequence[str]) -> list[Dataset]:
        study = self._present()
        if study is None or not _is_meant(study, keys):
            return []
        found = qido_responses.search(level, study, fields, self._availability())
        plain = {**_KEYS, **_PATIENT, **_STUDY_DATE}
        for name, value in keys.items():
            if name in plain:
                found = [each for each in found if each.get(plain[name], {}).get("Value", [""])[0] in value.split(",")]
        return found


def _is_meant(study: StoredStudy, keys: Mapping[str, str]) -> bool:
    """Return whether *study* matches the keys that are no element of an answer; raises Unanswerable for an unknown."""
    for name, value in keys.items():
        match name:
            case "ExternalRetrieveAET":
                if value not in (study.external, NOBODY):  # the archive takes * for a wild card here
                    return False
            case "ExternalRetrieveAET!":
                if study.external == value:
                    return False
            case "storageID":
                if value not in study.storage_ids:
                    return False
            case _ if name not in (*_KEYS, *_PATIENT, *_STUDY_DATE):
                raise Unanswerable(f"parameter {name}")
    return True


@contextmanager
def serving(web: Web, port: int) -> Iterator[str]:
    """Have *web* answer at *port* of 127.0.0.1; yield the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = web.answer(self.path)
            self.send_response(answer.status)
            if answer.status != 204:
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def do_POST(self) -> None:
            web.unanswered.append(f"POST {self.path}")
            self.send_error(501)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — http.server's signature
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{_ROOT}"
    finally:
        server.shutdown()
        server.server_close()
