"""The client that gets tokens for the archive: whose secret goes to which server."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.errors import MalformedInput
from dcmcfg.settings import Settings, resolve_settings, write_profile
from dcmcfg.settings.exposure import find_archive_exposures
from dcmcfg.settings.oidc import OidcClient

ISSUER = "https://keycloak.example.org/realms/dcm4che"
HOSPITAL = {
    "archive_url": "https://archive.example.org/dcm4chee-arc",
    "oidc_issuer": ISSUER,
    "oidc_client_id": "dcmcfg",
    "oidc_client_secret_file": "client.secret",
}


@pytest.fixture(autouse=True)
def fresh_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def site(options: dict[str, str] | None = None, /, **environ: str) -> Settings:
    return resolve_settings(options or {}, {f"DCMCFG_{name}": value for name, value in environ.items()})


def client(options: dict[str, str] | None = None, /, **environ: str) -> OidcClient:
    found = site(options, **environ).oidc
    assert found is not None
    return found


def refused(options: dict[str, str] | None = None, /, **environ: str) -> MalformedInput:
    with pytest.raises(MalformedInput) as caught:
        site(options, **environ)
    return caught.value


def test_nothing_said_is_no_client() -> None:
    assert site().oidc is None
    assert site(ARCHIVE_TOKEN="t").oidc is None


def test_profile_names_issuer_client_and_the_file_of_the_secret_beside_it(tmp_path: Path) -> None:
    profile = write_profile("hospital", HOSPITAL | {"oidc_scope": "profile"})
    (profile.parent / "client.secret").write_text("geheim\n")
    found = client({"profile": "hospital"})
    assert (found.issuer, found.token_url, found.client_id, found.scope) == (ISSUER, "", "dcmcfg", "profile")
    assert (found.url_origin, found.client_origin, found.server_url) == ("profile hospital", "profile hospital", ISSUER)
    assert found.secret is not None
    assert found.secret.read() == "geheim"


def test_environment_names_issuer_client_and_secret() -> None:
    found = client(OIDC_ISSUER=f"{ISSUER}/", OIDC_CLIENT_ID="dcmcfg", OIDC_CLIENT_SECRET="geheim")
    assert (found.issuer, found.url_origin) == (ISSUER, "DCMCFG_OIDC_ISSUER")
    assert found.secret is not None
    assert (found.secret.read(), "geheim" in repr(found)) == ("geheim", False)


def test_token_endpoint_stands_for_the_issuer_or_beside_it() -> None:
    url = f"{ISSUER}/protocol/openid-connect/token"
    assert client(OIDC_TOKEN_URL=url, OIDC_CLIENT_ID="c").server_url == url
    found = client(OIDC_TOKEN_URL=url, OIDC_ISSUER=ISSUER, OIDC_CLIENT_ID="c")
    assert (found.issuer, found.server_url, found.url_origin) == (ISSUER, url, "DCMCFG_OIDC_TOKEN_URL")


def test_archive_of_an_option_gets_no_token_of_another_source() -> None:
    write_profile("default", HOSPITAL)
    assert client().client_id == "dcmcfg"
    assert site({"archive_url": "https://x"}).oidc is None
    assert site({"archive_url": "https://x"}, OIDC_ISSUER=ISSUER, OIDC_CLIENT_ID="c").oidc is None


def test_secret_of_the_environment_beside_another_sources_archive_is_refused() -> None:
    write_profile("default", HOSPITAL)
    error = refused(OIDC_CLIENT_SECRET="geheim")
    assert str(error) == (
        "DCMCFG_OIDC_CLIENT_SECRET: this setting must come from the same source as the URL. The URL comes from "
        "profile default, because DCMCFG_ARCHIVE_URL is not set — also set DCMCFG_ARCHIVE_URL, or "
        "remove DCMCFG_OIDC_CLIENT_SECRET"
    )
    found = client({"profile": "default"}, OIDC_CLIENT_SECRET="geheim").secret
    assert found is not None
    assert found.origin == "profile default"


@pytest.mark.parametrize(
    "option", [{"oidc_issuer": "https://other", "oidc_client_id": "dcmcfg"}, {"oidc_client_id": "other"}]
)
def test_option_that_names_another_server_or_client_leaves_the_secret_behind(option: dict[str, str]) -> None:
    write_profile("default", HOSPITAL | {"oidc_scope": "profile"})
    found = client(option)
    assert found.secret is None
    assert found.issuer == option.get("oidc_issuer", ISSUER)
    found = client(option | {"oidc_client_secret_file": "/mine"})
    assert found.secret is not None
    assert found.secret.path == Path("/mine")


def test_secret_file_of_an_option_goes_to_the_client_of_the_profile() -> None:
    write_profile("default", HOSPITAL)
    found = client({"oidc_client_secret_file": "/mine"})
    assert (found.issuer, found.client_id) == (ISSUER, "dcmcfg")
    assert found.secret is not None
    assert found.secret.path == Path("/mine")


def test_token_or_a_client_that_gets_one_not_both() -> None:
    error = refused(ARCHIVE_TOKEN="t", OIDC_ISSUER=ISSUER, OIDC_CLIENT_ID="c")
    assert str(error) == (
        "DCMCFG_ARCHIVE_TOKEN, DCMCFG_OIDC_ISSUER: the settings contain a token and also a client that requests "
        "tokens — remove the token or the client"
    )
    given = {"archive_token_file": "/token", "oidc_issuer": ISSUER, "oidc_client_id": "c"}
    assert refused(given).subject == "--archive-token-file, --oidc-issuer"


def test_option_decides_between_token_and_client() -> None:
    write_profile("default", HOSPITAL)
    settings = site({"archive_token_file": "/token"})
    assert (settings.oidc, settings.origins["archive_token"]) == (None, "--archive-token-file")
    write_profile("pasted", {"archive_url": "https://a", "archive_token_file": "token"})
    settings = site({"profile": "pasted", "oidc_issuer": ISSUER, "oidc_client_id": "c"})
    assert (settings.oidc is not None, settings.token_secret) == (True, None)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"OIDC_CLIENT_ID": "c"},
            "DCMCFG_OIDC_CLIENT_ID: the issuer of the tokens is not set — also set DCMCFG_OIDC_ISSUER, for "
            "example https://keycloak:8843/realms/dcm4che",
        ),
        (
            {"OIDC_ISSUER": ISSUER},
            "DCMCFG_OIDC_ISSUER: the ID of the OpenID Connect client that requests the tokens is not set — also set "
            "DCMCFG_OIDC_CLIENT_ID",
        ),
        (
            {"OIDC_ISSUER": "keycloak", "OIDC_CLIENT_ID": "c"},
            "DCMCFG_OIDC_ISSUER 'keycloak': invalid URL: the URL must start with one of http://, https:// — "
            "for example "
            "https://keycloak:8843/realms/dcm4che",
        ),
        (
            {"OIDC_ISSUER": ISSUER, "OIDC_CLIENT_ID": "c\x1b"},
            "DCMCFG_OIDC_CLIENT_ID: the value contains control characters",
        ),
        (
            {
                "OIDC_ISSUER": ISSUER,
                "OIDC_CLIENT_ID": "c",
                "OIDC_CLIENT_SECRET": "s",
                "OIDC_CLIENT_SECRET_KEYCHAIN": "x",
            },
            "DCMCFG_OIDC_CLIENT_SECRET and DCMCFG_OIDC_CLIENT_SECRET_KEYCHAIN are both set — remove one of the "
            "two settings",
        ),
    ],
)
def test_what_is_missing_or_malformed_is_named(environ: dict[str, str], message: str) -> None:
    assert str(refused(**environ)) == message


def test_what_a_profile_lacks_is_named_with_the_profile() -> None:
    write_profile("hospital", {key: HOSPITAL[key] for key in ("archive_url", "oidc_issuer")})
    assert str(refused({"profile": "hospital"})) == (
        "profile hospital: the ID of the OpenID Connect client that requests the tokens is not set — also set "
        "oidc_client_id in profile hospital"
    )


def test_secret_never_stands_in_a_profile_nor_on_the_command_line() -> None:
    with pytest.raises(MalformedInput, match="unknown key 'oidc_client_secret'"):
        write_profile("hospital", HOSPITAL | {"oidc_client_secret": "geheim"})


def test_keychain_is_asked_for_the_client_and_for_the_bind_dn() -> None:
    write_profile(
        "default",
        {
            "ldap_url": "ldaps://ldap",
            "bind_dn": "cn=me,dc=x",
            "bind_password_keychain": "hospital",
            "archive_url": "https://a",
            "oidc_issuer": ISSUER,
            "oidc_client_id": "dcmcfg",
            "oidc_client_secret_keychain": "hospital",
        },
    )
    settings = site()
    assert settings.bind_secret is not None
    assert (settings.bind_secret.service, settings.bind_secret.user) == ("hospital", "cn=me,dc=x")
    assert settings.oidc is not None
    assert settings.oidc.secret is not None
    assert (settings.oidc.secret.service, settings.oidc.secret.user) == ("hospital", "dcmcfg")
    assert site({"bind_dn": "cn=other,dc=x"}).bind_secret is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OIDC_ISSUER": ISSUER, "ARCHIVE_URL": "https://a"}, []),
        ({"OIDC_ISSUER": "http://127.0.0.1:8080", "ARCHIVE_URL": "http://localhost"}, []),
        (
            {"OIDC_ISSUER": "http://keycloak", "ARCHIVE_URL": "http://archive"},
            [
                "the client secret is sent to http://keycloak unencrypted; use https://",
                "the token is sent to http://archive unencrypted; use https://",
            ],
        ),
    ],
)
def test_secret_or_token_in_the_open_is_told(environ: dict[str, str], expected: list[str]) -> None:
    assert list(find_archive_exposures(site(OIDC_CLIENT_ID="c", **environ))) == expected
    assert list(find_archive_exposures(site(ARCHIVE_URL=environ["ARCHIVE_URL"]))) == []
