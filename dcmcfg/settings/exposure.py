"""Find credentials of the site that are exposed: sent unencrypted or readable by others."""

from __future__ import annotations

import ipaddress
import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from dcmcfg.pem import holds_private_key
from dcmcfg.private_folders import get_group_name, is_private_group
from dcmcfg.settings.secret import Secret
from dcmcfg.settings.site import Settings


def find_exposures(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each exposed directory credential: an unencrypted password, a file that others can read."""
    address = urlsplit(settings.ldap_url)
    if (
        address.scheme == "ldap"
        and settings.bind_dn
        # Traffic on the loopback interface does not leave this machine.
        and not (settings.starttls or _is_loopback(address.hostname or ""))
    ):
        yield f"the password is sent to {settings.ldap_url} unencrypted; use --starttls or ldaps://"
    if settings.bind_dn:
        yield from find_secret_exposures(settings.bind_secret, "password")
    if settings.client_cert is not None:
        yield from find_key_exposures(settings.client_key or settings.client_cert)


def find_key_exposures(key_file: Path) -> Iterator[str]:
    """Yield a sentence if others can read the private key in *key_file*; nothing if the file contains no key."""
    if (readers := _find_readers(key_file)) and _holds_private_key(key_file):
        yield f"{key_file}: {readers} can read this private key; to restrict access: {_format_chmod(key_file)}"


def find_secret_exposures(secret: Secret | None, description: str) -> Iterator[str]:
    """Yield a sentence if *secret* is in a file that others can read; *description* names the kind of secret."""
    if secret is not None and secret.path is not None and (readers := _find_readers(secret.path)):
        command = _format_chmod(secret.path)
        yield f"{secret.path}: {readers} can read this {description}; to restrict access: {command}"


def find_archive_exposures(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each exposed archive credential: a client secret or token."""
    if settings.oidc is not None:
        yield from find_secret_exposures(settings.oidc.secret, "client secret")
    else:
        yield from find_secret_exposures(settings.token_secret, "token")
    if settings.oidc is not None and _is_unencrypted(settings.oidc.server_url):
        yield f"the client secret is sent to {settings.oidc.server_url} unencrypted; use https://"
    if (settings.oidc or settings.token_secret) and _is_unencrypted(settings.archive_url):
        yield f"the token is sent to {settings.archive_url} unencrypted; use https://"


def _format_chmod(path: Path) -> str:
    return shlex.join(("chmod", "600", str(path)))


def _is_unencrypted(url: str) -> bool:
    address = urlsplit(url)
    return address.scheme == "http" and not _is_loopback(address.hostname or "")


def _is_loopback(host: str) -> bool:
    """Return whether *host* is this machine, without a name lookup."""
    # RFC 6761 §6.3 reserves these names for the loopback addresses.
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _find_readers(path: Path) -> str:
    """Return a phrase for the other accounts that may read the file *path*; empty if there are none.

    Private groups of the owner or of this account do not count, as for a service whose files belong to root.
    """
    try:
        status = path.stat()
    except OSError:  # reported when the file is used
        return ""
    if not stat.S_ISREG(status.st_mode):
        return ""
    if status.st_mode & stat.S_IROTH:
        return "others"
    if status.st_mode & stat.S_IRGRP and not any(
        is_private_group(status.st_gid, uid) for uid in (status.st_uid, os.geteuid())
    ):
        return f"the group {get_group_name(status.st_gid)}"
    return ""


def _holds_private_key(path: Path) -> bool:
    try:
        return holds_private_key(path.read_bytes())
    except OSError:
        return False
