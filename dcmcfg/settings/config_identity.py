"""The identity with which dcmcfg changes cn=config: another administrator than that of the configuration tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dcmcfg.dn import DN
from dcmcfg.errors import MalformedInput
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.site import Settings

USER_VARIABLE = "DCMCFG_CONFIG_USER"
PASSWORD_VARIABLE = "DCMCFG_CONFIG_PASSWORD"  # noqa: S105 — the name of a variable
PASSWORD_FILE_VARIABLE = "DCMCFG_CONFIG_PASSWORD_FILE"  # noqa: S105 — the name of a variable
#: The value of the user that selects the identity of the connection itself.
EXTERNAL = "EXTERNAL"


def make_config_settings(
    settings: Settings, user: str, password_file: Path | None, environ: Mapping[str, str]
) -> Settings:
    """Return *settings* with the identity for cn=config: *user* (a DN or ``EXTERNAL``), else that of the environment.

    Without both, the identity of the site stays. The user of the environment belongs to the LDAP URL of the
    environment, and is ignored with another URL. The password comes from *password_file*, from the environment, or
    later from a prompt; it is never that of the site. Raises :class:`MalformedInput` for an invalid DN, and for a
    password without a user.
    """
    name, origin = (user, "--config-user") if user else (_find_user(settings, environ), USER_VARIABLE)
    if not name:
        if password_file is not None:
            raise MalformedInput(
                "--config-password-file requires --config-user", next_step="add --config-user cn=admin,cn=config"
            )
        return settings
    if name.upper() == EXTERNAL:
        return replace(settings, bind_dn="", bind_secret=None, origins={**settings.origins, "bind_dn": origin})
    try:
        DN.parse(name)
    except MalformedInput as error:
        raise MalformedInput(error.message, subject=f"{origin} {name}") from error
    secret = _find_secret(password_file, environ)
    origins = {key: each for key, each in settings.origins.items() if key != "bind_password"} | {"bind_dn": origin}
    if secret is not None:
        origins["bind_password"] = secret.origin
    return replace(settings, bind_dn=name, bind_secret=secret, origins=origins)


def _find_user(settings: Settings, environ: Mapping[str, str]) -> str:
    origin = settings.origins.get("ldap_url", "")
    return environ.get(USER_VARIABLE, "") if origin == "default" or origin.startswith("DCMCFG_") else ""


def _find_secret(password_file: Path | None, environ: Mapping[str, str]) -> Secret | None:
    if password_file is not None:
        return Secret("--config-password-file", path=password_file)
    path, text = environ.get(PASSWORD_FILE_VARIABLE, ""), environ.get(PASSWORD_VARIABLE, "")
    if path and text:
        raise MalformedInput(f"{PASSWORD_VARIABLE} and {PASSWORD_FILE_VARIABLE} cannot be used together")
    if path:
        return Secret(PASSWORD_FILE_VARIABLE, path=Path(path).expanduser())
    return Secret(PASSWORD_VARIABLE, text=text) if text else None
