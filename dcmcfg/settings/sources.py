"""The sources of settings, by precedence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.errors import MalformedInput
from dcmcfg.settings import profiles
from dcmcfg.settings.secret import Secret

_VARIABLES = {
    key: f"DCMCFG_{key.upper()}"
    for key in (
        "ldap_url",
        "base_dn",
        "bind_dn",
        "bind_password",
        "bind_password_file",
        "bind_password_keychain",
        "device",
        "archive_url",
        "archive_token",
        "archive_token_file",
        "oidc_issuer",
        "oidc_token_url",
        "oidc_client_id",
        "oidc_client_secret",
        "oidc_client_secret_file",
        "oidc_client_secret_keychain",
        "oidc_scope",
        "ca_file",
        "require_crl",
        "starttls",
        "client_cert",
        "client_key",
        "tls_ca",
        "tls_cert",
        "tls_key",
        "tls_key_passphrase",
        "tls_key_passphrase_file",
    )
}

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class SettingsSource:
    """A source of settings, often partial; ``values`` may contain passwords.

    ``explicit`` is true if the user selected the source on the command line, with options or ``--profile``.
    """

    name: str
    values: Mapping[str, str]
    explicit: bool = False

    def origin(self, key: str) -> str:
        """Return the origin of the setting *key* of this source as the user knows it: option, variable or profile."""
        if self.name == "options":
            return "--" + key.replace("_", "-")
        return _VARIABLES[key] if self.name == "environment" else self.name

    def path(self, key: str) -> Path | None:
        """Return the file that the setting *key* names, or ``None`` if it is not set."""
        return Path(self.values[key]).expanduser() if key in self.values else None

    def flag(self, key: str) -> bool:
        """Return the boolean setting *key*; raises :class:`MalformedInput` for other values."""
        word = self.values.get(key, "false").lower()
        if word not in _WORDS:
            raise MalformedInput(f"must be true or false, not {word!r}", subject=self.origin(key))
        return _WORDS[word]

    def secret(self, key: str) -> Secret | None:
        """Return the secret from *key*, the file ``key_file`` or the keychain service ``key_keychain``.

        Raises :class:`MalformedInput` if several of them are set.
        """
        given = [each for each in (key, f"{key}_file", f"{key}_keychain") if each in self.values]
        if len(given) > 1:
            raise MalformedInput(
                f"{self.origin(given[0])} and {self.origin(given[1])} are both set", next_step="keep only one of them"
            )
        for each in given:
            origin = self.origin(each)
            if each == key:
                return Secret(origin, text=self.values[key])
            if each.endswith("_keychain"):
                return Secret(origin, service=self.values[each])
            return Secret(origin, path=self.path(each))
        return None


@dataclass(frozen=True)
class SettingsSources:
    """All sources of a run; ``non_option_sources`` are ordered by precedence.

    ``profile`` is the name of the profile, or empty; ``profile_selected_by`` is the option or variable that selected
    it.
    """

    options: SettingsSource
    non_option_sources: tuple[SettingsSource, ...]
    profile: str
    profile_selected_by: str = ""

    @property
    def by_precedence(self) -> tuple[SettingsSource, ...]:
        return (self.options, *self.non_option_sources)


def collect_sources(options: Mapping[str, str], environ: Mapping[str, str]) -> SettingsSources:
    """Return all sources; at most one profile is read, and an empty variable counts as not set.

    A profile from ``--profile`` takes precedence over the environment; a profile from ``DCMCFG_PROFILE`` or the profile
    ``default`` does not. Raises :class:`MalformedInput` for an empty option, and the errors of
    :func:`profiles.read_profile`.
    """
    for key, value in options.items():
        if not value:
            raise MalformedInput("the option must not be empty", subject="--" + key.replace("_", "-"))
    option_source = SettingsSource(
        "options", {key: value for key, value in options.items() if key != "profile"}, explicit=True
    )
    environment_values = {key: environ[name] for key, name in _VARIABLES.items() if environ.get(name)}
    environment = SettingsSource("environment", environment_values)
    if "profile" in options:
        name = options["profile"]
        profile = SettingsSource(f"profile {name}", profiles.read_profile(name), explicit=True)
        return SettingsSources(option_source, (profile, environment), name, "--profile")
    name, selected_by = environ.get("DCMCFG_PROFILE", ""), "DCMCFG_PROFILE"
    if not name and profiles.DEFAULT_PROFILE in profiles.list_profile_names():
        name, selected_by = profiles.DEFAULT_PROFILE, "default"
    if not name:
        return SettingsSources(option_source, (environment,), "")
    profile = SettingsSource(f"profile {name}", profiles.read_profile(name, "DCMCFG_PROFILE"))
    return SettingsSources(option_source, (environment, profile), name, selected_by)
