"""Write profiles, change single keys of them, and select the profile to use.

A change keeps comments and all other lines of the file. Kept apart from :mod:`~dcmcfg.settings.profiles`, which every
command loads: only commands that write a profile load tomlkit.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError, MalformedInput, NotFound
from dcmcfg.format_number import FORMAT_KEY
from dcmcfg.private_folders import create_private_folder
from dcmcfg.settings.new_profile_name import check_new_profile_name
from dcmcfg.settings.node_tables import (
    NODE_KEYS,
    NODES_TABLE,
    check_node_name,
    flatten_nodes,
    split_node_key,
)
from dcmcfg.settings.profiles import (
    BOOLEAN_KEYS,
    FILE_KEYS,
    PROFILE_FORMAT,
    PROFILE_KEYS,
    SELECTION_FORMAT,
    SELECTION_KEY,
    check_content,
    get_profile_path,
    get_selection_path,
    list_profile_names,
    read_profile,
    replace_file,
    require_trusted_file,
)
from dcmcfg.settings.urls import parse_archive_url, parse_audit_format, parse_ldap_url, parse_web_url
from dcmcfg.suggestions import suggest_names
from dcmcfg.syslog.target import parse_syslog_target

_LOCK_TIMEOUT_S = 10.0
_RETRY_INTERVAL_S = 0.02
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
#: Settings that hold a secret itself → the keys that a profile has instead.
_SECRETS = {
    "bind_password": "bind_password_file or bind_password_keychain",
    "archive_token": "archive_token_file",
    "oidc_client_secret": "oidc_client_secret_file or oidc_client_secret_keychain",
    "tls_key_passphrase": "tls_key_passphrase_file",
}
_ISSUER_EXAMPLE = "https://keycloak:8843/realms/dcm4che"
#: The position in an error message of tomllib.
_PLACE = re.compile(r"at line (\d+), column (\d+)")


@dataclass(frozen=True)
class ProfileEdit:
    """The result of an edit of one key of a profile.

    ``path`` is the file, ``value`` its new value (None: removed), ``is_changed`` is false where the file had it
    already. ``unknown_keys`` are other keys in the file for which the profile is refused. ``is_new_file`` is true if
    the edit has created the profile.
    """

    path: Path
    value: str | bool | None
    is_changed: bool
    unknown_keys: tuple[str, ...] = ()
    is_new_file: bool = field(default=False, kw_only=True)


def parse_profile_value(key: str, text: str, subject: str) -> str | bool:
    """Return *text* as the value of *key* that a profile holds: a boolean for :data:`BOOLEAN_KEYS`, else a string.

    A relative path becomes an absolute one. *subject* is named in errors. Raises :class:`MalformedInput` for an unknown
    key, and for a value that no run could use.
    """
    node = split_node_key(key)
    if node is not None:
        check_node_name(node[0], subject)
        key = node[1]
    if key not in (PROFILE_KEYS if node is None else NODE_KEYS):
        raise _make_unknown_key_error(key, subject, PROFILE_KEYS if node is None else NODE_KEYS)
    if not text:
        raise MalformedInput(
            "the value is empty", subject=subject, next_step=f"to remove the key: dcmcfg config unset {subject}"
        )
    if key in BOOLEAN_KEYS:
        if text.lower() not in _BOOLEANS:
            raise MalformedInput(f"the value must be true or false, not {text!r}", subject=subject)
        return _BOOLEANS[text.lower()]
    if key in FILE_KEYS:
        # The user means the current folder, but a relative path in a profile starts at the profile's folder.
        return text if text.startswith("~") else str(Path.cwd() / text)
    if key in _CHECKS:
        _CHECKS[key](text, subject)
    elif not text.isprintable():
        raise MalformedInput("the value contains control characters", subject=subject)
    return text


def _require_dn(text: str, subject: str) -> None:
    if not DN.parse(text).rdns:
        raise MalformedInput("the DN is empty", subject=subject)


def _require_web_url(text: str, subject: str) -> None:
    parse_web_url(text, subject, _ISSUER_EXAMPLE)


_CHECKS: dict[str, Callable[[str, str], object]] = {
    "ldap_url": parse_ldap_url,
    "archive_url": parse_archive_url,
    "audit_to": parse_syslog_target,
    "audit_format": parse_audit_format,
    "oidc_issuer": _require_web_url,
    "oidc_token_url": _require_web_url,
    "base_dn": _require_dn,
    "bind_dn": _require_dn,
}


def _make_unknown_key_error(key: str, subject: str, keys: Sequence[str] = PROFILE_KEYS) -> MalformedInput:
    if key in _SECRETS:
        return MalformedInput(
            f"the key {key} is not allowed: a profile contains no secrets",
            subject=subject,
            next_step=f"use {_SECRETS[key]}",
        )
    similar = suggest_names(key.replace("-", "_"), keys)
    hint = f"did you mean {', '.join(similar)}?" if similar else f"the keys are {', '.join(keys)}"
    return MalformedInput(f"unknown key {key!r}", subject=subject, next_step=hint)


def write_profile(name: str, values: Mapping[str, Any]) -> Path:
    """Write the profile *name*, whole or not at all, readable by its owner only; return its path.

    *values* are those of the file: strings, and the table ``nodes`` with a table for each node.

    Raises :class:`MalformedInput` for a bad name or key, :class:`DcmcfgError` when it cannot be written.
    """
    path = get_profile_path(name)
    check_content({key: value for key, value in values.items() if key != NODES_TABLE}, str(path))
    if NODES_TABLE in values:
        flatten_nodes(values[NODES_TABLE], str(path))
    # In TOML, keys after a table would belong to it, so the tables come last.
    ordered = dict(sorted(values.items(), key=lambda item: item[0] == NODES_TABLE))
    with lock_profiles():
        try:
            replace_file(path, tomlkit.dumps(PROFILE_FORMAT.add_number(ordered)))
        except OSError as error:
            raise DcmcfgError(f"cannot write the profile: {error.strerror}", subject=str(path)) from None
    return path


def update_profile(name: str, key: str, value: str) -> Path:
    """Write *value* to *key* of the profile *name*, which exists; return its path.

    Raises as :func:`set_profile_value` does, and :class:`NotFound` when there is no such profile.
    """
    return _edit_value(get_profile_path(name), key, value, create=False).path


def set_profile_value(name: str, key: str, value: str | bool) -> ProfileEdit:
    """Write *value*, of :func:`parse_profile_value`, to *key* of the profile *name*; a missing profile is created.

    Raises :class:`DcmcfgError` when the file cannot be read or written, or another process holds the lock,
    :class:`MalformedInput` when it is not TOML or the name of a new profile contains a dot,
    :class:`~dcmcfg.errors.UnknownFormat` for one of a later dcmcfg, and :class:`~dcmcfg.errors.Refused` as
    :func:`require_trusted_file` does.
    """
    path = get_profile_path(name)
    if not path.exists():
        check_new_profile_name(name, key, list_profile_names())
    return _edit_value(path, key, value, create=True)


def _edit_value(path: Path, key: str, value: str | bool, *, create: bool) -> ProfileEdit:
    def set_value(document: Any) -> bool:
        table, table_key = _find_table(document, key, create=True)
        current = _unwrap(table.get(table_key))
        # In Python, True equals 1, so the types are compared too.
        if type(current) is type(value) and current == value:
            return False
        if table is document and NODES_TABLE in document and key not in document:
            # A new key at the end of the file would belong to the last table.
            nodes = document.pop(NODES_TABLE)
            document[key] = value
            document[NODES_TABLE] = nodes
        else:
            table[table_key] = value
        return True

    with lock_profiles():
        is_new_file = not path.exists()
        is_changed, unknown_keys = _edit_file(path, set_value, create=create)
    return ProfileEdit(path, value, is_changed, unknown_keys, is_new_file=is_new_file)


def unset_profile_value(name: str, key: str) -> ProfileEdit:
    """Remove *key*, known or not, from the profile *name*; raises as :func:`set_profile_value` does.

    Raises :class:`NotFound` when there is no such profile, and :class:`MalformedInput` for an unknown key that is not
    in the file.
    """
    path = get_profile_path(name)

    def remove_value(document: Any) -> bool:
        if (node := split_node_key(key)) is not None:
            return _remove_node_value(document, *node)
        if key == FORMAT_KEY or (key not in document and key not in PROFILE_KEYS):
            raise _make_unknown_key_error(key, f"{name}.{key}")
        return document.pop(key, None) is not None

    with lock_profiles():
        is_changed, unknown_keys = _edit_file(path, remove_value, create=False)
    return ProfileEdit(path, None, is_changed, unknown_keys)


def _find_table(document: Any, key: str, *, create: bool) -> tuple[Any, str]:
    """Return the table of *document* that holds *key*, and the key in it: the document itself, or the table of a node.

    With *create*, the missing table of a node is added; else it is empty.
    """
    node = split_node_key(key)
    if node is None:
        return document, key
    name, node_key = node
    if create:
        if NODES_TABLE not in document:
            document[NODES_TABLE] = tomlkit.table(is_super_table=True)
        if name not in document[NODES_TABLE]:
            document[NODES_TABLE][name] = tomlkit.table()
    return document.get(NODES_TABLE, {}).get(name, {}), node_key


def _remove_node_value(document: Any, name: str, node_key: str) -> bool:
    """Remove the key of a node, or the whole node without a *node_key*; return whether there was one."""
    nodes = document.get(NODES_TABLE, {})
    if name not in nodes:
        return False
    if node_key:
        return nodes[name].pop(node_key, None) is not None
    del nodes[name]
    if not nodes:
        del document[NODES_TABLE]
    return True


def select_profile(name: str | None) -> bool:
    """Select the profile *name* for runs that name none, or no profile; return whether the selection changed.

    Raises what :func:`read_profile` raises where the profile cannot be used, and as :func:`set_profile_value` does.
    """
    if name is not None:
        read_profile(name, "the command line")
    path = get_selection_path()
    with lock_profiles():
        require_trusted_file(path)
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            text = b""
        new_text = "" if name is None else tomlkit.dumps(SELECTION_FORMAT.add_number({SELECTION_KEY: name}))
        # A missing file counts as empty, so that below there is a file to remove.
        if text.decode(errors="replace") == new_text:
            return False
        try:
            if name is None:
                path.unlink()
            else:
                _replace_kept_mode(path.resolve(), new_text)
        except OSError as error:
            raise DcmcfgError(f"cannot write the file: {error.strerror}", subject=str(path)) from None
    return True


@contextmanager
def lock_profiles() -> Iterator[None]:
    """Hold the lock of all profiles of this account (flock on their folder, which is created).

    Raises :class:`DcmcfgError` when another process does not release it, or the folder cannot be used.
    """
    folder = get_profile_path("x").parent
    try:
        create_private_folder(folder)
        # replace_file puts a new file in place of a profile, so a lock on the profile itself would protect nothing.
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise DcmcfgError(f"cannot write to the folder: {error.strerror}", subject=str(folder)) from None
    try:
        _acquire(handle, folder)
        yield
    finally:
        os.close(handle)  # this releases the lock


def _acquire(handle: int, folder: Path) -> None:
    deadline = time.monotonic() + _LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise DcmcfgError(
                    "another dcmcfg process is changing profiles; nothing was changed",
                    subject=str(folder),
                    next_step="wait until the other process has ended, then run the command again",
                ) from None
            time.sleep(_RETRY_INTERVAL_S)
        else:
            return


def _edit_file(path: Path, edit: Callable[[Any], bool], *, create: bool) -> tuple[bool, tuple[str, ...]]:
    """Apply *edit* to the TOML document in *path*; return whether it changed, and the unknown keys in it."""
    require_trusted_file(path)
    # A profile that is a symbolic link stays one: only its target is replaced.
    target = path.resolve()
    try:
        text = target.read_bytes().decode()
    except FileNotFoundError:
        if not create:
            known_names = ", ".join(list_profile_names()) or "none"
            raise NotFound(
                f"the profile {path.stem} does not exist",
                subject=str(path),
                next_step=f"existing profiles: {known_names}",
            ) from None
        text = tomlkit.dumps(PROFILE_FORMAT.add_number({}))
    except UnicodeDecodeError:
        raise MalformedInput("the profile is not UTF-8 text", subject=str(path)) from None
    except OSError as error:
        raise DcmcfgError(f"the profile cannot be read: {error.strerror}", subject=str(path)) from None
    PROFILE_FORMAT.read_number(_parse(text, path), str(path))
    document = tomlkit.parse(text)
    is_changed = edit(document)
    new_text = tomlkit.dumps(document)
    unknown_keys = tuple(key for key in document if key not in (*PROFILE_KEYS, FORMAT_KEY, NODES_TABLE))
    if is_changed:
        # tomllib reads profiles, so it must read what tomlkit wrote.
        if _parse(new_text, path) != document.unwrap():
            raise ValueError(f"{path}: the profile, as edited by dcmcfg, does not contain the intended settings")
        try:
            _replace_kept_mode(target, new_text)
        except OSError as error:
            raise DcmcfgError(f"cannot write the profile: {error.strerror}", subject=str(path)) from None
    return is_changed, unknown_keys


def _parse(text: str, path: Path) -> dict[str, Any]:
    """Return the content of *text*, which is that of *path*; raises :class:`MalformedInput` with the line."""
    try:
        # Both parsers must accept the text: tomllib reads profiles, tomlkit edits them.
        content = tomllib.loads(text)
        tomlkit.parse(text)
    except (ValueError, TOMLKitError) as error:
        place = _PLACE.search(str(error))
        message = _PLACE.sub("", str(error)).replace("()", "").strip()
        raise MalformedInput(
            f"not valid TOML: {message}" + (f" (column {place[2]})" if place else ""),
            subject=f"{path}:{place[1]}" if place else str(path),
            next_step="correct the line in an editor; nothing was changed",
        ) from None
    return content


def _replace_kept_mode(target: Path, text: str) -> None:
    """Write *text* to *target*, whole or not at all, with the mode that it has; a new file is its owner's only."""
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    replace_file(target, text)
    if mode is not None:
        target.chmod(mode)


def _unwrap(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value
