"""Profiles: site settings in TOML files of the user, one file per site."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from dcmcfg.errors import DcmcfgError, MalformedInput, NotFound
from dcmcfg.format_number import FileFormat
from dcmcfg.private_folders import require_ownership
from dcmcfg.settings.node_tables import NODES_TABLE, flatten_nodes

DEFAULT_PROFILE = "default"
PROFILE_FORMAT = FileFormat("the profile", 1)
#: The file that names the profile for runs that name none (``dcmcfg config use``).
SELECTION_FORMAT = FileFormat("the selection of a profile", 1)
SELECTION_KEY = "profile"
#: The keys of a profile, beside the tables of its nodes. Values are strings; values of ``BOOLEAN_KEYS`` are booleans.
PROFILE_KEYS = (
    "ldap_url",
    "base_dn",
    "bind_dn",
    "bind_password_file",
    "bind_password_keychain",
    "device",
    "archive_url",
    "archive_token_file",
    "archive_bind_dn",
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
    "history_dir",
    "audit_to",
    "audit_format",
)
BOOLEAN_KEYS = ("require_crl", "starttls")
#: Keys whose value is the path of a file or a folder.
FILE_KEYS = (
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
    "history_dir",
)
#: A name without a slash and without a leading dot never leads out of the folder.
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
    require_trusted_file(path)
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        known_names = ", ".join(list_profile_names()) or "none"
        suggestion = ". To create the profile 'lab': dcmcfg lab up" if name == "lab" else ""
        if selected_by == str(get_selection_path()):
            suggestion += "; to use no profile: dcmcfg config use --none"
        raise NotFound(
            f"the profile {name} does not exist (specified by {selected_by})",
            subject=str(path),
            next_step=f"existing profiles: {known_names}{suggestion}",
        ) from None
    except OSError as error:
        raise MalformedInput(f"cannot read the profile: {error.strerror}", subject=str(path)) from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise MalformedInput(f"the profile is not TOML: {error}", subject=str(path)) from None
    # The format comes first: a later format may have other keys.
    content = PROFILE_FORMAT.read_object(content, str(path))
    nodes = flatten_nodes(content.pop(NODES_TABLE), str(path)) if NODES_TABLE in content else {}
    check_content(content, str(path))
    values = {key: _resolve_path(key, _format_value(value), path.parent) for key, value in content.items()}
    return values | {key: _resolve_path(key, value, path.parent) for key, value in nodes.items()}


def get_selection_path() -> Path:
    """Return the path of the file with the profile that ``dcmcfg config use`` selected; the file may not exist."""
    return _get_folder().parent / "config.toml"


def read_selected_profile() -> str:
    """Return the profile that ``dcmcfg config use`` selected, or ``""``.

    Raises :class:`MalformedInput` for a file that is not TOML, or holds something else,
    :class:`~dcmcfg.errors.UnknownFormat` for one of a later dcmcfg, and :class:`~dcmcfg.errors.Refused` as
    :func:`require_trusted_file` does.
    """
    path = get_selection_path()
    try:
        # The ownership is checked after the read: most accounts have no such file, and then nothing needs trust.
        text = path.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise MalformedInput(f"cannot read the file: {error.strerror}", subject=str(path)) from None
    require_trusted_file(path)
    try:
        content = tomllib.loads(text.decode())
    except ValueError as error:  # not TOML, or not UTF-8
        raise MalformedInput(
            f"the file is not TOML: {error}",
            subject=str(path),
            next_step="to write the file again: dcmcfg config use NAME",
        ) from None
    content = SELECTION_FORMAT.read_object(content, str(path))
    name = content.pop(SELECTION_KEY, "")
    if content or not isinstance(name, str):
        raise MalformedInput(
            f"the file must contain only {SELECTION_KEY!r}, the name of a profile",
            subject=str(path),
            next_step="to write the file again: dcmcfg config use NAME",
        )
    return name


def require_trusted_file(path: Path) -> None:
    """Raise :class:`~dcmcfg.errors.Refused` unless only this account or root may write to *path* and its folders.

    *path* is in the configuration folder of dcmcfg, or one level below it. The file decides where the password goes.
    """
    base_folder = _get_folder().parent
    for each in dict.fromkeys((base_folder, path.parent, path)):
        require_ownership(
            each,
            parent_folder=base_folder,
            allow_root=True,
            alternative="if you did not create this file or folder, remove the file or folder",
        )


def replace_file(path: Path, text: str) -> None:
    """Write *text* to *path*, whole or not at all, readable by its owner only; raises :class:`OSError`."""
    # mkstemp creates the file with mode 0600.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # else a power failure can leave an empty file under the old name
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def remove_profile(name: str) -> bool:
    """Remove the profile *name*, and its selection by ``dcmcfg config use``; return whether there was one."""
    path = get_profile_path(name)
    try:
        path.unlink()
        with contextlib.suppress(DcmcfgError):  # a selection that cannot be read is reported by the next command
            if read_selected_profile() == name:
                get_selection_path().unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DcmcfgError(f"cannot remove the profile: {error.strerror}", subject=str(path)) from None
    return True


def _get_folder() -> Path:
    return platformdirs.user_config_path("dcmcfg") / "profiles"


def check_content(content: Mapping[str, object], where: str) -> None:
    """Raise :class:`MalformedInput` unless *content* is that of a profile; *where* names its file."""
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
    return str(folder / Path(value).expanduser()) if key.rpartition(".")[2] in FILE_KEYS else value
