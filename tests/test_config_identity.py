"""Who changes cn=config: another administrator than that of the tree, with a password of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.errors import MalformedInput
from dcmcfg.settings import resolve_settings
from dcmcfg.settings.config_identity import make_config_settings

ADMINISTRATOR = "cn=admin,cn=config"
ENVIRONMENT = {"DCMCFG_LDAP_URL": "ldap://ldap.hospital.example", "DCMCFG_BIND_PASSWORD": "of the site"}


def test_without_a_user_the_identity_of_the_site_stays() -> None:
    settings = resolve_settings({}, ENVIRONMENT)
    assert make_config_settings(settings, "", None, ENVIRONMENT) is settings


def test_the_password_of_the_site_is_never_used_for_another_user() -> None:
    settings = make_config_settings(resolve_settings({}, ENVIRONMENT), ADMINISTRATOR, None, ENVIRONMENT)
    assert (settings.bind_dn, settings.bind_secret, settings.bind_password()) == (ADMINISTRATOR, None, None)
    assert "bind_password" not in settings.origins


def test_a_file_wins_over_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from the file\n")
    environment = {**ENVIRONMENT, "DCMCFG_CONFIG_PASSWORD": "from the environment"}
    settings = make_config_settings(resolve_settings({}, ENVIRONMENT), ADMINISTRATOR, file, environment)
    assert settings.bind_password() == "from the file"
    settings = make_config_settings(resolve_settings({}, ENVIRONMENT), ADMINISTRATOR, None, environment)
    assert settings.bind_password() == "from the environment"
    assert "from the" not in repr(settings)


def test_the_user_of_the_environment_belongs_to_the_url_of_the_environment() -> None:
    environment = {**ENVIRONMENT, "DCMCFG_CONFIG_USER": ADMINISTRATOR, "DCMCFG_CONFIG_PASSWORD": "secret"}
    own = make_config_settings(resolve_settings({}, environment), "", None, environment)
    assert (own.bind_dn, own.bind_password()) == (ADMINISTRATOR, "secret")
    other = resolve_settings({"ldap_url": "ldap://another.example"}, environment)
    assert make_config_settings(other, "", None, environment) is other


def test_external_is_the_identity_of_the_connection() -> None:
    settings = make_config_settings(resolve_settings({}, ENVIRONMENT), "external", None, ENVIRONMENT)
    assert (settings.bind_dn, settings.bind_secret) == ("", None)


@pytest.mark.parametrize(
    ("user", "file", "environment", "message"),
    [
        ("", Path("password"), {}, "--config-password-file requires --config-user"),
        ("admin", None, {}, "--config-user admin"),
        (
            ADMINISTRATOR,
            None,
            {"DCMCFG_CONFIG_PASSWORD": "a", "DCMCFG_CONFIG_PASSWORD_FILE": "b"},
            "cannot be used together",
        ),
    ],
)
def test_contradictions_are_refused(user: str, file: Path | None, environment: dict[str, str], message: str) -> None:
    with pytest.raises(MalformedInput, match=message):
        make_config_settings(resolve_settings({}, ENVIRONMENT), user, file, environment)
