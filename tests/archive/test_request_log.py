"""HTTP requests as lines, without credentials."""

from __future__ import annotations

import pytest

from dcmcfg.archive.request_log import describe_request, describe_response, describe_url


@pytest.mark.parametrize(
    ("url", "described"),
    [
        ("http://h:8080/a/b?limit=2&offset=0", "http://h:8080/a/b?limit=2&offset=0"),
        ("https://user:hunter2@h/a", "https://h/a"),
        ("https://h/a?access_token=hunter2&x=1#hunter2", "https://h/a?access_token=…&x=1"),
        ("https://h/a?client_secret=hunter2", "https://h/a?client_secret=…"),
        ("https://h/hunter2/a?x=hunter2", "https://h/…/a?x=…"),
        ("https://[h/hunter2", "a malformed URL"),
    ],
)
def test_a_url_is_described_without_its_secrets(url: str, described: str) -> None:
    assert describe_url(url, ["hunter2"]) == described


def test_headers_and_forms_are_described_by_name() -> None:
    headers = {"Authorization": "Bearer hunter2", "Accept": "application/json", "Cookie": "hunter2"}
    assert list(describe_request(headers, {"client_secret": "hunter2", "grant_type": "x"})) == [
        "request headers: Authorization, Accept: application/json, Cookie",
        "request form: client_secret, grant_type (values omitted)",
    ]
    assert describe_response({"Set-Cookie": "hunter2", "Location": "http://h/?code=hunter2"}, 3) == (
        "response headers: Set-Cookie, Location: http://h/?code=…; body of 3 characters"
    )
