"""Tokens by client credentials, from a real issuer on loopback."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jwt
import pytest

from dcmcfg.archive.control import ControlService
from dcmcfg.archive.failures import TokenError
from dcmcfg.archive.http_client import HttpClient, HttpTimeouts
from dcmcfg.archive.issuer import ClientCredentials, ProviderMetadata, TokenIssuer, fetch_key_set
from dcmcfg.errors import ArchiveError, IncompleteChange
from tests.archive.scripted import Scripted, scripted_archive, self_signed_certificate
from tests.issuer import Issuer, running_issuer

KEYCLOAK = "/realms/dcm4che"


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    monkeypatch.setitem(os.environ, "AUTHLIB_INSECURE_TRANSPORT", "1")
    with running_issuer() as running:
        yield running


def credentials(issuer: Issuer, client: str = "dcmcfg") -> ClientCredentials:
    return ClientCredentials(issuer.url, client, issuer.clients[client].secret)


def client_of(issuer: Issuer) -> TokenIssuer:
    return TokenIssuer(credentials(issuer), HttpClient())


def refused(client: ClientCredentials, web: HttpClient | None = None) -> TokenError:
    with pytest.raises(TokenError) as error_info:
        TokenIssuer(client, web or HttpClient()).get_token()
    error = error_info.value
    assert error.exit_code == 3
    assert error.next_step
    assert client.secret not in str(error) + repr(client)
    return error


# -- tokens


def test_token_is_got_when_first_needed_and_kept(issuer: Issuer) -> None:
    asking = client_of(issuer)
    assert (asking.has_valid_token, issuer.issued) == (False, [])
    token = asking.get_token()
    assert (asking.has_valid_token, asking.get_token(), issuer.issued) == (True, token, [token])
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iss"], claims["azp"]) == (issuer.url, "dcmcfg")
    assert issuer.asked == ["client_secret_post"]


@pytest.mark.parametrize("lifespan", [1, 60, 300])
def test_token_is_renewed_before_it_expires(issuer: Issuer, monkeypatch: pytest.MonkeyPatch, lifespan: int) -> None:
    issuer.lifespan = lifespan
    asking = client_of(issuer)
    first = asking.get_token()
    now = time.monotonic()
    monkeypatch.setattr("dcmcfg.archive.issuer.time.monotonic", lambda: now + lifespan / 2)
    assert asking.get_token() == first
    monkeypatch.setattr("dcmcfg.archive.issuer.time.monotonic", lambda: now + lifespan - min(30, lifespan / 4))
    assert asking.get_token() != first


def test_token_endpoint_can_be_named_without_discovery(issuer: Issuer) -> None:
    client = replace(credentials(issuer), issuer="", token_url=issuer.token_url)
    assert TokenIssuer(client, HttpClient()).get_token() == issuer.issued[-1]


def test_scope_is_asked_for(issuer: Issuer) -> None:
    TokenIssuer(replace(credentials(issuer), scope="profile"), HttpClient()).get_token()
    claims = jwt.decode(issuer.issued[-1], options={"verify_signature": False})
    assert claims["scope"] == "profile"


def test_secret_goes_into_the_form_where_that_is_taken_or_its_encoding_matters_else_into_basic(issuer: Issuer) -> None:
    TokenIssuer(credentials(issuer, "post-only"), HttpClient()).get_token()
    TokenIssuer(replace(credentials(issuer), token_url=issuer.token_url), HttpClient()).get_token()
    assert issuer.asked == ["client_secret_post"] * 2
    TokenIssuer(replace(credentials(issuer, "basic-only"), token_url=issuer.token_url), HttpClient()).get_token()
    issuer.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}
    TokenIssuer(credentials(issuer, "basic-only"), HttpClient()).get_token()
    assert issuer.asked[2:] == ["client_secret_basic"] * 2


def test_issuer_is_verified_with_the_ca_file(tmp_path: Path) -> None:
    certificate = self_signed_certificate(tmp_path)
    with running_issuer(certificate) as issuer:
        error = refused(credentials(issuer))
        assert "the server's certificate was not accepted: self-signed certificate" in error.message
        assert "--ca-file" in error.next_step
        assert issuer.asked == []
        assert (
            TokenIssuer(credentials(issuer), HttpClient(tmp_path / "certificate.pem")).get_token() == issuer.issued[-1]
        )


# -- what the issuer refuses


def test_wrong_secret_is_told_as_that(issuer: Issuer) -> None:
    error = refused(replace(credentials(issuer), secret="wrong"))
    assert error.message.startswith("the issuer does not know the client dcmcfg, or the secret is incorrect (HTTP 401")
    assert error.subject == issuer.token_url
    assert "Credentials" in error.next_step


def test_unknown_client_is_told_as_that(issuer: Issuer) -> None:
    assert "does not know the client nobody" in refused(ClientCredentials(issuer.url, "nobody", "s3cret")).message


def test_client_without_a_service_account_is_told_which_switch(issuer: Issuer) -> None:
    error = refused(credentials(issuer, "browser"))
    assert error.message.startswith("the client browser has no permission to request tokens for itself (HTTP 400")
    assert "Service accounts roles" in error.next_step


def test_scope_that_the_client_does_not_have_is_told(issuer: Issuer) -> None:
    error = refused(replace(credentials(issuer), scope="profile admin"))
    assert error.message.startswith("the client does not have this scope (HTTP 400")
    assert "oidc_scope" in error.next_step


def test_realm_that_is_not_there_is_told(issuer: Issuer) -> None:
    other = issuer.url.replace("dcm4che", "other")
    error = refused(replace(credentials(issuer), issuer=other))
    assert error.message == "no token for the archive: no issuer at this URL (Realm does not exist)"
    assert error.subject == f"{other}/.well-known/openid-configuration"
    assert "https://HOST:PORT/auth/realms/REALM" in error.next_step
    token_url = issuer.token_url.replace("dcm4che", "other")
    error = refused(replace(credentials(issuer), token_url=token_url))
    assert error.message == "no token for the archive: no token endpoint at this URL (Realm does not exist)"


def test_issuer_that_calls_itself_otherwise_is_told_with_the_name(issuer: Issuer) -> None:
    """Asked by its address, a Keycloak with a fixed host name answers with that name."""
    issuer.issuer = f"https://keycloak.example.org{KEYCLOAK}"
    error = refused(credentials(issuer))
    assert error.message == f"no token for the archive: the issuer at this URL has a different name: {issuer.issuer}"
    assert error.next_step.startswith(f"set oidc_issuer to {issuer.issuer}, because the tokens contain this name. If")
    assert issuer.asked == []


def test_secret_does_not_follow_the_issuer_to_another_server(issuer: Issuer) -> None:
    with scripted_archive() as elsewhere:
        issuer.discovery = {"token_endpoint": elsewhere.url}
        error = refused(credentials(issuer))
        assert error.message == (
            f"the token endpoint {elsewhere.url} is not on the issuer's server, so dcmcfg does not send the secret"
        )
        assert elsewhere.requests == []


# -- what is no issuer


@pytest.fixture
def scripted() -> Iterator[tuple[Scripted, ClientCredentials]]:
    with scripted_archive() as script:
        yield script, ClientCredentials("", "dcmcfg", "s3cret", token_url=f"{script.url}/token")


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (200, "<html>Welcome", "the response has no token (HTTP 200, no content type)"),
        (200, "{}", "the response has no token (HTTP 200, no content type)"),
        (200, '{"access_token": 1}', "the response has no token (HTTP 200, no content type)"),
        (200, '{"access_token": "a b"}', "the token has blanks or characters outside ASCII"),
        (404, "<html>", "no token for the archive: no token endpoint at this URL (HTTP 404)"),
        (302, "", "no token for the archive: redirected to nowhere (HTTP 302), but dcmcfg does not follow redirects"),
        (500, "oops", "no token for the archive: the issuer refused (HTTP 500)"),
        (
            401,
            '{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}',
            (
                "the issuer does not know the client dcmcfg, or the secret is incorrect (HTTP 401: Invalid client or "
                "Invalid client credentials)"
            ),
        ),
        (
            401,
            '{"error":"unauthorized_client","error_description":"Client not enabled to retrieve service account"}',
            (
                "the client dcmcfg has no permission to request tokens for itself (HTTP 401: Client not "
                "enabled to retrieve service account)"
            ),
        ),
        (
            400,
            '{"error":"unsupported_grant_type"}',
            "the issuer does not support the grant type 'client credentials' (HTTP 400)",
        ),
        (
            403,
            '{"error":"invalid_request","error_description":"HTTPS required"}',
            "no token for the archive: the issuer requires https (HTTP 403)",
        ),
        (
            403,
            '{"error":"odd\\u001b[31m","error_description":["x"]}',
            "no token for the archive: the issuer refused (HTTP 403)",
        ),
    ],
)
def test_answer_without_a_token_is_told_with_its_reason(
    scripted: tuple[Scripted, ClientCredentials], status: int, body: str, what: str
) -> None:
    script, client = scripted
    script.answer(status, body)
    assert refused(client).message == what


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (200, "<html>", "the response is not from a token issuer"),
        (200, '{"issuer": "x"}', "the response is not from a token issuer"),
        (301, "", "redirected to nowhere (HTTP 301), but dcmcfg does not follow redirects"),
        (502, "", "the issuer has no metadata (HTTP 502)"),
        (403, '{"error":"Realm not enabled"}', "the issuer has no metadata (HTTP 403: Realm not enabled)"),
        (403, '{"error_description":"HTTPS required"}', "the issuer requires https (HTTP 403)"),
    ],
)
def test_what_is_no_issuer_is_told(archive: Scripted, status: int, body: str, what: str) -> None:
    archive.answer(status, body)
    error = refused(ClientCredentials(archive.url, "dcmcfg", "s3cret"))
    assert error.message == f"no token for the archive: {what}"


@pytest.mark.parametrize("given_back", ["s3 cret-of-the-client", "s3+cret-of-the-client"])
def test_secret_that_the_answer_gives_back_is_not_told(
    scripted: tuple[Scripted, ClientCredentials], given_back: str
) -> None:
    script, client = scripted
    script.answer(401, f'{{"error":"invalid_client","error_description":"not {given_back}"}}')
    error = refused(replace(client, secret="s3 cret-of-the-client"))
    assert error.message.endswith("(HTTP 401: not …)")


@pytest.mark.parametrize("url", ["http://a..b/", f"http://{'a' * 64}/", "http://\x01/", "http://[::1", "file:///x"])
def test_keys_at_what_is_no_url_are_told(url: str) -> None:
    with pytest.raises(TokenError) as error_info:
        fetch_key_set(ProviderMetadata("https://k/realms/r", "https://k/token", url, ()), HttpClient())
    assert error_info.value.message.startswith("no token for the archive: no connection: ")


@pytest.mark.parametrize("seconds", ["1" + "0" * 400, "1e999"])
def test_token_with_a_lifetime_beyond_all_numbers_is_kept(
    scripted: tuple[Scripted, ClientCredentials], seconds: str
) -> None:
    script, client = scripted
    script.answer(200, f'{{"access_token":"abc","expires_in":{seconds}}}')
    asking = TokenIssuer(client, HttpClient())
    assert (asking.get_token(), asking.has_valid_token) == ("abc", True)


def test_issuer_that_is_down_or_slow_is_told_within_the_timeout(issuer: Issuer) -> None:
    issuer.hang = threading.Event()
    error = refused(credentials(issuer), HttpClient(timeouts=HttpTimeouts(response=2)))
    assert error.message == "no token for the archive: no answer within 2 s"
    assert error.subject == issuer.token_url
    error = refused(ClientCredentials("http://127.0.0.1:1/realms/dcm4che", "dcmcfg", "s3cret"))
    assert error.message == "no token for the archive: connection refused"
    assert error.next_step.startswith("check that the issuer is running")


# -- with the archive


def test_token_is_sent_with_each_request_and_asked_for_once(issuer: Issuer, archive: Scripted) -> None:
    archive.run_as_an_archive_does()
    service = ControlService(archive.url, client_of(issuer))
    assert issuer.issued == []
    assert service.status().started
    service.reload()
    (token,) = issuer.issued
    assert [sent for *_, sent in archive.requests] == [f"Bearer {token}"] * 2


def test_kept_token_that_the_archive_no_longer_takes_is_renewed_once(issuer: Issuer, archive: Scripted) -> None:
    archive.run_as_an_archive_does()
    service = ControlService(archive.url, client_of(issuer))
    service.status()
    archive.by_path["ctrl/reload"] = (401, b"")
    with pytest.raises(ArchiveError) as error_info:
        service.reload()
    assert error_info.value.message == "the token was not accepted (HTTP 401)"
    assert not isinstance(error_info.value, IncompleteChange)
    first, second = issuer.issued
    assert [sent for *_, sent in archive.requests] == [f"Bearer {t}" for t in (first, first, second)]


def test_new_token_that_the_archive_does_not_take_is_not_asked_for_again(issuer: Issuer, archive: Scripted) -> None:
    archive.answer(401)
    with pytest.raises(ArchiveError):
        ControlService(archive.url, client_of(issuer)).status()
    assert len(issuer.issued) == len(archive.requests) == 1


def test_without_a_token_the_archive_is_not_asked(archive: Scripted) -> None:
    nobody = TokenIssuer(ClientCredentials("http://127.0.0.1:1", "dcmcfg", "s3cret"), HttpClient())
    with pytest.raises(TokenError):
        ControlService(archive.url, nobody).reload()
    assert archive.requests == []


@pytest.mark.parametrize("path", ["token", ".well-known/openid-configuration"])
def test_an_answer_that_does_not_end_is_refused_with_the_limit(archive: Scripted, path: str) -> None:
    archive.answer(200, " " * 300_000)
    credentials = ClientCredentials(archive.url, "dcmcfg", "s3cret")
    client = replace(credentials, issuer="", token_url=f"{archive.url}/token") if path == "token" else credentials
    error = refused(client)
    assert (error.message, error.subject) == ("the response is longer than 256K octets", f"{archive.url}/{path}")
    assert error.next_step.endswith("repeat the command with --max http-body=512K")


def test_keys_that_do_not_end_are_refused_with_the_limit(archive: Scripted) -> None:
    archive.answer(200, " " * 300_000)
    with pytest.raises(TokenError, match="longer than 256K octets"):
        fetch_key_set(ProviderMetadata("x", "x", f"{archive.url}/keys", ()), HttpClient())
