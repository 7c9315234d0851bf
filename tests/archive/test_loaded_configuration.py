"""What an archive has loaded is read from its endpoints, each once, and an unusable answer is no answer."""

from __future__ import annotations

import json

import pytest

from dcmcfg.archive.authorized_client import AuthorizedClient
from dcmcfg.archive.http_client import HttpClient, HttpTimeouts
from dcmcfg.archive.loaded_configuration import LoadedConfiguration
from dcmcfg.limits import HTTP_BODY, override_limits
from tests.archive.scripted import Scripted
from tests.patience import PATIENCE_S
from tests.ports import free_port

UNKNOWN_KIND = '{"errorMessage":"NOSUCH"}'


def load(archive: Scripted, token: str | None = None) -> LoadedConfiguration:
    client = HttpClient(timeouts=HttpTimeouts(response=PATIENCE_S), limit=HTTP_BODY)
    return LoadedConfiguration(archive.url, AuthorizedClient(client, token))


def test_an_endpoint_is_requested_once_with_the_token(archive: Scripted) -> None:
    archive.answer(200, '[{"dicomAETitle":"DCM4CHEE"}]')
    loaded = load(archive, "abc")
    assert [loaded.read("/aets") for _ in range(2)] == [[{"dicomAETitle": "DCM4CHEE"}]] * 2
    assert archive.requests == [("GET", "/dcm4chee-arc/aets", "Bearer abc")]
    assert loaded.problem == ""


def test_a_forgotten_endpoint_is_requested_again(archive: Scripted) -> None:
    archive.answer(200, "[]")
    loaded = load(archive)
    assert loaded.read("/aets") == []
    archive.answer(200, "[1]")
    loaded.forget()
    assert loaded.read("/aets") == [1]


@pytest.mark.parametrize(("path", "expected"), [("/attribute-set/NOSUCH", []), ("/attribute-filter/Nosuch", {})])
def test_a_kind_that_the_archive_does_not_know_is_empty(archive: Scripted, path: str, expected: object) -> None:
    archive.answer(404, UNKNOWN_KIND)
    loaded = load(archive)
    assert loaded.read(path) == expected
    assert loaded.problem == ""


@pytest.mark.parametrize(
    ("path", "status", "body", "problem"),
    [
        ("/aets", 404, UNKNOWN_KIND, "HTTP 404"),
        ("/attribute-set/DIFF_RS", 404, "<html>404 - Not Found</html>", "HTTP 404"),
        ("/aets", 401, "", "token"),
        ("/aets", 500, "<html>Error</html>", "HTTP 500"),
        ("/aets", 200, "<html>Login</html>", "the response is not JSON"),
        ("/aets", 200, '"text"', "the response is neither a list nor an object"),
        ("/aets", 200, "null", "the response is neither a list nor an object"),
        ("/aets", 302, "", "HTTP 302"),
    ],
)
def test_an_unusable_answer_is_a_problem(archive: Scripted, path: str, status: int, body: str, problem: str) -> None:
    archive.answer(status, body)
    loaded = load(archive)
    assert loaded.read(path) is None
    assert loaded.read(path) is None
    assert len(archive.requests) == 1
    assert loaded.problem.startswith(f"GET {path}: ")
    assert problem in loaded.problem


def test_a_truncated_answer_is_a_problem(archive: Scripted) -> None:
    archive.answer(200, json.dumps(["x" * 100]))
    with override_limits({HTTP_BODY.name: 50}):
        loaded = load(archive)
        assert loaded.read("/aets") is None
    assert loaded.problem.startswith("GET /aets: ")


def test_a_problem_ends_when_the_endpoints_are_forgotten(archive: Scripted) -> None:
    archive.answer(500)
    loaded = load(archive)
    assert loaded.read("/aets") is None
    archive.answer(200, "[]")
    loaded.forget()
    assert loaded.problem == ""
    assert loaded.read("/aets") == []


def test_an_archive_that_does_not_respond_is_a_problem() -> None:
    loaded = load(Scripted(f"http://127.0.0.1:{free_port()}/dcm4chee-arc"))
    assert loaded.read("/aets") is None
    assert loaded.problem.startswith("GET /aets: ")
