"""Profiles: site settings in TOML files of the user, one file per site."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

import platformdirs
import tomli_w

from dcmcfg.errors import DcmcfgError, MalformedInput, NotFound
from dcmcfg.format_number import FileFormat
from dcmcfg.private_folders import create_private_folder, require_ownership

DEFAULT_PROFILE = "default"
PROFILE_FORMAT = FileFormat("the profile", 1)
#: The keys of a profile. Values are strings; values of ``BOOLEAN_KEYS`` are booleans.
PROFILE_KEYS = (
    "ldap_url",
    "base_dn",
    "bind_dn",
    "bind_password_file",
    "bind_password_keychain",
    "device",
    "archive_url",
    "archive_token_file",
    "oidc_issuer",
    "oidc_token_url",
    "oidc_client_id",
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
    "tls_key_passphrase_file",
    "external_move_log",
)
BOOLEAN_KEYS = ("require_crl", "starttls")
_FILES = (
    "bind_password_file",
    "archive_token_file",
    "oidc_client_secret_file",
    "ca_file",
    "client_cert",
    "client_key",
    "tls_ca",
    "tls_cert",
    "tls_key",
    "tls_key_passphrase_file",
    "external_move_log",
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def get_profile_path(name: str) -> Path:
    """Return the path of the profile *name*, existing or not; raises :class:`MalformedInput` for an invalid name."""
    if not _NAME.fullmatch(name):
        raise MalformedInput("a profile name may contain only letters, digits, '_', '-' and '.'", subject=repr(name))
    return _get_folder() / f"{name}.toml"


def list_profile_names() -> tuple[str, ...]:
    """Return the names of the existing profiles, sorted."""
    return tuple(sorted(path.stem for path in _get_folder().glob("*.toml")))


def read_profile(name: str, selected_by: str = "--profile") -> dict[str, str]:
    """Return the content of the profile *name*; relative paths are resolved against its folder.

    Errors name *selected_by* as the origin of the profile name.

    Raises :class:`NotFound` if the profile does not exist, :class:`MalformedInput` if it is not TOML or not a profile,
    :class:`~dcmcfg.errors.UnknownFormat` for a profile of a later dcmcfg, and :class:`~dcmcfg.errors.Refused` if others
    own or may write to the profile or dcmcfg's folders above it.
    """
    path = get_profile_path(name)
    base_folder = path.parent.parent
    for each in (base_folder, path.parent, path):  # the profile determines which server gets the password
        require_ownership(
            each, parent_folder=base_folder, allow_root=True, alternative="remove it if its content is not yours"
        )
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        known_names = ", ".join(list_profile_names()) or "none"
        raise NotFound(
            f"the profile {name} does not exist (named by {selected_by})",
            subject=str(path),
            next_step=f"existing profiles: {known_names}"
            + ("; dcmcfg lab up creates this one" if name == "lab" else ""),
        ) from None
    except OSError as error:
        raise MalformedInput(f"cannot read the profile: {error.strerror}", subject=str(path)) from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise MalformedInput(f"the profile is not TOML: {error}", subject=str(path)) from None
    content = PROFILE_FORMAT.read_object(content, str(path))
    _check_content(content, str(path))
    return {key: _resolve_path(key, _format_value(value), path.parent) for key, value in content.items()}


def write_profile(name: str, values: Mapping[str, str]) -> Path:
    """Write the profile *name* atomically, readable by its owner only; return its path.

    Raises :class:`MalformedInput` for an invalid name or key, :class:`DcmcfgError` if the file cannot be written.
    """
    path = get_profile_path(name)
    _check_content(values, str(path))
    try:
        create_private_folder(path.parent)
        _write(path, tomli_w.dumps(PROFILE_FORMAT.add_number(values)))
    except OSError as error:
        raise DcmcfgError(f"cannot write the profile: {error.strerror}", subject=str(path)) from None
    return path


def update_profile(name: str, key: str, value: str) -> Path:
    """Set *key*, which the profile *name* contains, to *value*, keeping the rest of the file; return its path.

    The file is replaced atomically; a symbolic link is followed. Raises :class:`DcmcfgError` if the file cannot be read
    or written.
    """
    path = get_profile_path(name).resolve()
    try:
        text = path.read_bytes().decode()
        content = tomllib.loads(text)
        PROFILE_FORMAT.read_number(content, str(path))
        new_text = _compile_assignment_pattern(key).sub(
            lambda match: match[1] + _format_toml_value(value), text, count=1
        )
        new_content = content | {key: value}
        if (
            _parse_content(new_text) != new_content
        ):  # the value cannot be changed in one line, for example because it spans several lines
            new_text = tomli_w.dumps(new_content)
        mode = stat.S_IMODE(path.stat().st_mode)
        _write(path, new_text)
        path.chmod(mode)
    except OSError as error:
        raise DcmcfgError(f"cannot write the profile: {error.strerror}", subject=str(path)) from None
    except ValueError as error:
        raise DcmcfgError(f"the profile is not TOML: {error}", subject=str(path)) from None
    return path


def _compile_assignment_pattern(key: str) -> re.Pattern[str]:
    """Return the pattern of a line that sets *key* to a string of one line; group 1 is the part before the value."""
    return re.compile(rf"""(?m)^([ \t]*{key}[ \t]*=[ \t]*)(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*')""")


def _format_toml_value(value: str) -> str:
    return tomli_w.dumps({"": value}).partition("=")[2].strip()


def _parse_content(text: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except ValueError:
        return {}


def _write(path: Path, text: str) -> None:
    # mkstemp creates the file with mode 0600.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def remove_profile(name: str) -> bool:
    """Remove the profile *name*; return whether there was one."""
    path = get_profile_path(name)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DcmcfgError(f"cannot remove the profile: {error.strerror}", subject=str(path)) from None
    return True


def _get_folder() -> Path:
    return platformdirs.user_config_path("dcmcfg") / "profiles"


def _check_content(content: Mapping[str, object], where: str) -> None:
    for key, value in content.items():
        if key not in PROFILE_KEYS:
            raise MalformedInput(
                f"unknown key {key!r}", subject=where, next_step=f"valid keys: {', '.join(PROFILE_KEYS)}"
            )
        if key in BOOLEAN_KEYS and isinstance(value, bool):
            continue
        if not isinstance(value, str) or not value:
            raise MalformedInput(f"the value of {key!r} must be a quoted, non-empty string", subject=where)


def _format_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _resolve_path(key: str, value: str, folder: Path) -> str:
    return str(folder / Path(value).expanduser()) if key in _FILES else value
