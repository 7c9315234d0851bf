from __future__ import annotations

import json

import pytest

from dcmcfg.archive.http_client import HttpClient, HttpTimeouts
from dcmcfg.archive.token_check import TokenExpectations, fetch_expectations
from tests.archive.scripted import Scripted
from tests.patience import PATIENCE_S

WEB = HttpClient(timeouts=HttpTimeouts(connect=PATIENCE_S, response=PATIENCE_S))


def fetch_from(archive: Scripted, keycloak: object = None, role: object = None) -> TokenExpectations:
    archive.status = 404
    for path, content in (("ui2/rs/keycloak.json", keycloak), ("ui2/rs/dcm4chee-arc", role)):
        if content is not None:
            archive.by_path[path] = (200, json.dumps(content).encode())
    return fetch_expectations(archive.url, WEB)


def test_web_interface_tells_realm_and_super_user_role(archive: Scripted) -> None:
    keycloak = {"realm": "dcm4che", "auth-server-url": "https://k:8843/", "resource": "dcm4chee-arc-ui"}
    found = fetch_from(archive, keycloak, {"super-user-role": "root", "dicomDeviceName": "x"})
    assert found == TokenExpectations("https://k:8843/realms/dcm4che", "root")
    assert {sent for *_, sent in archive.requests} == {None}


@pytest.mark.parametrize(
    ("keycloak", "role"),
    [
        (None, None),
        ({}, {}),
        ([], "root"),
        ({"realm": 7, "auth-server-url": "https://k"}, {"super-user-role": 7}),
        ({"realm": "r", "auth-server-url": "k"}, {"super-user-role": "\x1b[31m"}),
        ({"realm": "r\x1b[31m", "auth-server-url": "https://k"}, None),
    ],
)
def test_what_it_does_not_tell_is_not_known(archive: Scripted, keycloak: object, role: object) -> None:
    assert fetch_from(archive, keycloak, role) == TokenExpectations()


def test_login_page_tells_the_issuer(archive: Scripted) -> None:
    location = "https://k/auth/realms/dcm4che/protocol/openid-connect/auth?response_type=code&state=s"
    archive.answer(302, Location=location)
    assert fetch_expectations(archive.url, WEB) == TokenExpectations("https://k/auth/realms/dcm4che")
    archive.answer(302, Location="https://elsewhere/login")
    assert fetch_expectations(archive.url, WEB) == TokenExpectations()


def test_archive_that_is_not_reached_tells_nothing() -> None:
    assert fetch_expectations("http://127.0.0.1:1", WEB) == TokenExpectations()
