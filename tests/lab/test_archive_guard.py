"""Who may use the lab's archive when it is secured, by tokens of a real issuer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from dcmcfg.archive.http_client import HttpClient
from dcmcfg.archive.issuer import ClientCredentials, TokenIssuer
from dcmcfg.lab.archive.authorization import Refusal, TokenAuthorizer
from dcmcfg.lab.site import TokenRequirements
from tests.issuer import Issuer, new_keys, running_issuer


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with running_issuer() as running:
        yield running


def bearer(issuer: Issuer) -> str:
    credentials = ClientCredentials(issuer.url, "dcmcfg", issuer.clients["dcmcfg"].secret)
    return f"Bearer {TokenIssuer(credentials, HttpClient()).get_token()}"


def unauthorized(error: str) -> Refusal:
    challenge = f'Bearer realm="dcm4che", error="invalid_token", error_description="{error}"'
    return Refusal(HTTPStatus.UNAUTHORIZED, challenge)


@pytest.mark.parametrize("authorization", [None, "", "Basic abc", "Bearer", "Bearer "])
def test_who_brings_no_token_is_asked_for_one(issuer: Issuer, authorization: str | None) -> None:
    refusal = TokenAuthorizer(TokenRequirements(issuer.url)).find_refusal(authorization)
    assert refusal == Refusal(HTTPStatus.UNAUTHORIZED, 'Bearer realm="dcm4che"')


def test_good_token_is_taken_and_the_role_decides(issuer: Issuer) -> None:
    guard = TokenAuthorizer(TokenRequirements(issuer.url))
    assert guard.find_refusal(bearer(issuer)) is None
    issuer.realm_roles = ("user",)
    assert guard.find_refusal(bearer(issuer)) == Refusal(HTTPStatus.FORBIDDEN)
    issuer.extra = {"realm_access": {}}
    assert guard.find_refusal(bearer(issuer)) == Refusal(HTTPStatus.FORBIDDEN)
    assert TokenAuthorizer(TokenRequirements(issuer.url, role="archivist")).find_refusal(bearer(issuer)) == Refusal(
        HTTPStatus.FORBIDDEN
    )


def test_expired_and_foreign_tokens_are_refused(issuer: Issuer) -> None:
    guard = TokenAuthorizer(TokenRequirements(issuer.url))
    issuer.lifespan = -1
    assert guard.find_refusal(bearer(issuer)) == unauthorized("Signature has expired")
    issuer.lifespan, issuer.in_tokens = 300, "http://localhost/realms/dcm4che"
    assert guard.find_refusal(bearer(issuer)) == unauthorized("Invalid issuer")
    assert guard.find_refusal("Bearer x") == unauthorized("Not enough segments")


def test_only_access_tokens_are_taken_whenever_they_were_issued(issuer: Issuer) -> None:
    guard = TokenAuthorizer(TokenRequirements(issuer.url))
    issuer.extra = {"iat": int(time.time()) + 90}
    assert guard.find_refusal(bearer(issuer)) is None
    issuer.extra = {"typ": "ID"}
    assert guard.find_refusal(bearer(issuer)) == unauthorized("no access token")


def test_audience_counts_only_where_it_is_verified(issuer: Issuer) -> None:
    guard = TokenAuthorizer(TokenRequirements(issuer.url, audience="dcm4chee-arc-rs"))
    assert guard.find_refusal(bearer(issuer)) == unauthorized("Audience doesn't match")
    issuer.audience = ("account", "dcm4chee-arc-rs")
    assert guard.find_refusal(bearer(issuer)) is None


def test_new_keys_are_fetched_and_those_that_nobody_publishes_refused(issuer: Issuer) -> None:
    guard = TokenAuthorizer(TokenRequirements(issuer.url))
    assert guard.find_refusal(bearer(issuer)) is None
    issuer.keys = new_keys()
    assert guard.find_refusal(bearer(issuer)) is None
    issuer.published, issuer.keys = issuer.keys, new_keys()
    refusal = guard.find_refusal(bearer(issuer))
    assert refusal is not None
    assert "no key" in refusal.challenge


def test_issuer_that_is_away_is_a_refusal(issuer: Issuer) -> None:
    refusal = TokenAuthorizer(TokenRequirements("http://127.0.0.1:1/realms/dcm4che")).find_refusal(bearer(issuer))
    assert refusal is not None
    assert (refusal.status, "connection refused" in refusal.challenge) == (HTTPStatus.UNAUTHORIZED, True)
