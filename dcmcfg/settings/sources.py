"""The sources of settings, by precedence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.errors import MalformedInput
from dcmcfg.settings import profiles
from dcmcfg.settings.node_tables import NODES_TABLE, list_node_names
from dcmcfg.settings.secret import Secret

#: Setting → the environment variable that holds it.
VARIABLES = {
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
        "history_dir",
        "audit_to",
        "audit_format",
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
        return VARIABLES[key] if self.name == "environment" else self.name

    def name_setting(self, key: str) -> str:
        """Return what the user must set for *key* in this source: option, variable, or ``key in profile NAME``."""
        return self.origin(key) if self.name in ("options", "environment") else f"{key} in {self.name}"

    def path(self, key: str) -> Path | None:
        """Return the file that the setting *key* names, or ``None`` if it is not set."""
        return Path(self.values[key]).expanduser() if key in self.values else None

    def flag(self, key: str) -> bool:
        """Return the boolean setting *key*; raises :class:`MalformedInput` for other values."""
        word = self.values.get(key, "false").lower()
        if word not in _WORDS:
            raise MalformedInput(f"the value must be true or false, not {word!r}", subject=self.origin(key))
        return _WORDS[word]

    def secret(self, key: str) -> Secret | None:
        """Return the secret from *key*, the file ``key_file`` or the keychain service ``key_keychain``.

        Raises :class:`MalformedInput` if several of them are set.
        """
        # Two secrets of one source would leave it open which of them is sent.
        given = [each for each in (key, f"{key}_file", f"{key}_keychain") if each in self.values]
        if len(given) > 1:
            raise MalformedInput(
                f"{self.origin(given[0])} and {self.origin(given[1])} are both set",
                next_step="remove one of the two settings",
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

    A profile named by ``--profile`` is stronger than the environment; any other is weaker
    (:func:`find_profile_to_use`). Raises :class:`MalformedInput` for an empty option, and what
    :func:`profiles.read_profile` and :func:`profiles.read_selected_profile` raise.
    """
    for key, value in options.items():
        if not value:
            raise MalformedInput("the option must not be empty", subject="--" + key.replace("_", "-"))
    option_source = SettingsSource(
        "options", {key: value for key, value in options.items() if key != "profile"}, explicit=True
    )
    environment_values = {key: environ[name] for key, name in VARIABLES.items() if environ.get(name)}
    environment = SettingsSource("environment", environment_values)
    name, selected_by = find_profile_to_use(options, environ)
    if not name:
        return SettingsSources(option_source, (environment,), "")
    is_option = "profile" in options
    values = profiles.read_profile(name, selected_by)
    # A profile that lists nodes need not name one of them a second time.
    if "archive_url" not in values and (node_names := list_node_names(values)):
        values["archive_url"] = values[f"{NODES_TABLE}.{node_names[0]}.archive_url"]
    profile = SettingsSource(f"profile {name}", values, explicit=is_option)
    # With --profile, the user means that site, whatever the environment contains.
    others = (profile, environment) if is_option else (environment, profile)
    return SettingsSources(option_source, others, name, selected_by)


def find_profile_to_use(options: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the name of the profile that a run reads, which may not exist, and its selector; two ``""`` for none.

    It is selected by ``--profile``, ``DCMCFG_PROFILE``, the file of ``dcmcfg config use`` (the path of the file), or
    its name (``default``). Raises what :func:`profiles.read_selected_profile` raises.
    """
    if "profile" in options:
        return options["profile"], "--profile"
    if name := environ.get("DCMCFG_PROFILE", ""):
        return name, "DCMCFG_PROFILE"
    if name := profiles.read_selected_profile():
        return name, str(profiles.get_selection_path())
    if profiles.DEFAULT_PROFILE in profiles.list_profile_names():
        return profiles.DEFAULT_PROFILE, profiles.DEFAULT_PROFILE
    return "", ""
