"""A device is read as the archive shows it; any other answer is an error with its reason and the next step."""

from __future__ import annotations

import socket
import threading

import pytest

from dcmcfg.archive.authorized_client import AuthorizedClient
from dcmcfg.archive.device_view import read_device_view
from dcmcfg.archive.failures import TokenError
from dcmcfg.archive.http_client import HttpClient, HttpTimeouts
from dcmcfg.errors import ArchiveError
from dcmcfg.limits import DEVICE_BODY, override_limits
from tests.archive.scripted import Scripted
from tests.patience import PATIENCE_S
from tests.ports import free_port

DEVICE = '{"dicomDeviceName":"dcm4chee-arc"}'
PAGE = "<html><head><title>Error</title></head><body>404 - Not Found</body></html>"


def read(url: str, token: str | None = None, name: str = "dcm4chee-arc") -> object:
    client = HttpClient(timeouts=HttpTimeouts(response=PATIENCE_S), limit=DEVICE_BODY)
    return read_device_view(AuthorizedClient(client, token), url, name)


def test_the_device_is_requested_by_its_name_with_the_token_and_nothing_else_is_sent(archive: Scripted) -> None:
    archive.answer(200, '{"dicomDeviceName":"a b/c","dicomInstalled":true}')
    assert read(archive.url, "abc", "a b/c") == {"dicomDeviceName": "a b/c", "dicomInstalled": True}
    assert archive.requests == [("GET", "/dcm4chee-arc/devices/a%20b%2Fc", "Bearer abc")]


@pytest.mark.parametrize(
    ("status", "body", "message", "next_step"),
    [
        (
            404,
            '{"errorMessage":"Device with specified name not found"}',
            "the archive does not find the device dcm4chee-arc (HTTP 404): Device with specified name not found",
            "LDAP_BASE_DN",
        ),
        (404, PAGE, "the archive does not offer GET /devices/NAME (HTTP 404)", "requires release 5.1 or later"),
        (404, "", "the archive does not offer GET /devices/NAME (HTTP 404)", "--archive-url"),
        (405, "", "the archive does not offer GET /devices/NAME (HTTP 405)", "--archive-url"),
        (503, PAGE, "the archive is not ready (HTTP 503)", "try again"),
        (500, PAGE, "the response is a web page that contains no reason (HTTP 500)", "server.log"),
        (204, "", "the response is not from an archive (HTTP 204)", "--archive-url"),
        (302, "", "redirected to nowhere (HTTP 302), but dcmcfg does not follow redirects", "--archive-url"),
        (200, DEVICE[:-2], "the response is not JSON, or it is incomplete", "--archive-url"),
        (200, PAGE, "the response is not JSON, or it is incomplete", "--archive-url"),
        (200, "[]", "the response is not a JSON object", "--archive-url"),
        (200, "{}", "the response is not a device: it has no dicomDeviceName", "--archive-url"),
        (200, '{"dicomDeviceName":"other"}', "the response is another device: other", "dcmcfg device list"),
        (200, '{"a":' * 200 + "1" + "}" * 200, "the response has more than 100 levels of objects", "--archive-url"),
        (200, "[" * 200_000, "the response is not JSON, or it is incomplete", "--archive-url"),
        (200, '{"a":1' + "0" * 10_000 + "}", "the response is not JSON, or it is incomplete", "--archive-url"),
    ],
)
def test_another_answer_is_an_error(archive: Scripted, status: int, body: str, message: str, next_step: str) -> None:
    archive.answer(status, body)
    with pytest.raises(ArchiveError) as raised:
        read(archive.url)
    assert raised.value.message == message
    assert next_step in raised.value.next_step
    assert raised.value.subject == f"{archive.url}/devices/dcm4chee-arc"


@pytest.mark.parametrize(("status", "token"), [(401, None), (403, None), (401, "abc"), (403, "abc")])
def test_a_refused_token_is_an_error_that_leads_to_the_command_token(
    archive: Scripted, status: int, token: str | None
) -> None:
    archive.answer(status)
    with pytest.raises(TokenError) as raised:
        read(archive.url, token)
    assert "dcmcfg token" in raised.value.next_step


def test_a_body_above_the_limit_is_an_error_that_names_the_limit(archive: Scripted) -> None:
    archive.answer(200, DEVICE + " " * 4096)
    with override_limits({"device-body": 1024}), pytest.raises(ArchiveError) as raised:
        read(archive.url)
    assert raised.value.message == "the response is longer than 1K octets"
    assert "--max device-body=2K" in raised.value.next_step


def test_nothing_that_listens_is_an_error() -> None:
    with pytest.raises(ArchiveError, match="connection refused"):
        read(f"http://127.0.0.1:{free_port()}/dcm4chee-arc")


def test_half_a_body_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + DEVICE.encode())

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(ArchiveError, match="the connection ended, or the response was not HTTP"):
            read(f"http://127.0.0.1:{server.getsockname()[1]}/dcm4chee-arc")
        thread.join(PATIENCE_S)
