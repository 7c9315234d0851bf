"""Claims on temporary destinations: one file each in the state folder, locked while the run is active."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from dcmcfg.errors import DcmcfgError
from dcmcfg.format_number import FileFormat
from dcmcfg.private_folders import create_private_folder, require_ownership
from dcmcfg.rollout import lock
from dcmcfg.timestamps import reformat_timestamp

_FOLDER = "temporary"
CLAIM_FORMAT = FileFormat("the claim of a temporary destination", 1, {0: {"when": "created_at"}})
#: The command that removes destinations that a run could not remove.
CLEAN_COMMAND = "dcmcfg verify --clean-temporary"


@dataclass(frozen=True)
class TitleClaim:
    """A claim, written before anything is added to the directory.

    ``ldap_url`` is the URL of the directory, empty if the file cannot be read; ``created_at`` is UTC (RFC 3339).
    """

    ae_title: str
    ldap_url: str = ""
    created_at: str = ""

    @property
    def origin(self) -> str:
        """The owner and creation time, as a phrase."""
        return f"of this account, {reformat_timestamp(self.created_at)}" if self.created_at else "of this account"

    def concerns_directory(self, ldap_url: str) -> bool:
        """Return whether the claim may be about the directory at *ldap_url*."""
        return self.ldap_url in ("", ldap_url)


@contextmanager
def hold_claim(state: Path, claim: TitleClaim) -> Iterator[None]:
    """Write and lock *claim* before the block begins; the lock ends with the process, however it ends.

    The file stays until :func:`drop_claim`. Raises :class:`DcmcfgError` if *state* cannot be written.
    """
    require_ownership(state / _FOLDER, parent_folder=state)
    path = _get_claim_path(state, claim.ae_title)
    unfinished = path.with_name(f".{path.name}")
    try:
        create_private_folder(path.parent)
        # The file gets its final name only when it is locked, so nobody finds a claim that seems abandoned.
        handle = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _create_write_error(path, error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(handle, json.dumps(CLAIM_FORMAT.add_number(asdict(claim))).encode())
            # The claim must survive a power failure, because the directory is changed after it.
            os.fsync(handle)
            unfinished.rename(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise _create_write_error(path, error) from error
        yield
    finally:
        # This releases the lock.
        os.close(handle)


def drop_claim(state: Path, title: str) -> None:
    """Delete the claim on *title*, if there is one, after the destination was removed."""
    with suppress(OSError):  # A later run finds the claim again and deletes it.
        _get_claim_path(state, title).unlink()


def read_title_claims(state: Path) -> tuple[TitleClaim, ...]:
    """Return the claims of this account ordered by title, whether they are held or not.

    Raises :class:`~dcmcfg.errors.Refused` if others may write to the folder or another account owns it, and
    :class:`~dcmcfg.errors.UnknownFormat` for a claim of a later dcmcfg.
    """
    require_ownership(state / _FOLDER, parent_folder=state)
    # A name with a dot is an unfinished claim, whose run has added nothing.
    paths = sorted((state / _FOLDER).glob("[!.]*"))
    return tuple(_read_claim(path) for path in paths)


def find_abandoned_claims(state: Path, ldap_url: str) -> tuple[TitleClaim, ...]:
    """Return the claims on the directory at *ldap_url* that no process holds; their destinations may be left over."""
    return tuple(
        each
        for each in read_title_claims(state)
        if each.concerns_directory(ldap_url) and not is_held(state, each.ae_title)
    )


def is_held(state: Path, title: str) -> bool:
    """Return whether a process of this account currently holds the claim on *title*."""
    return lock.is_file_locked(_get_claim_path(state, title))


def _read_claim(path: Path) -> TitleClaim:
    try:
        content = CLAIM_FORMAT.read_object(json.loads(path.read_text("utf-8")), str(path))
        return TitleClaim(path.name, str(content["ldap_url"]), str(content["created_at"]))
    except (OSError, ValueError, TypeError, KeyError):
        return TitleClaim(path.name)


def _get_claim_path(state: Path, title: str) -> Path:
    return state / _FOLDER / title


def _create_write_error(path: Path, error: OSError) -> DcmcfgError:
    return DcmcfgError(
        f"cannot write to the state folder ({error.strerror})",
        subject=str(path.parent),
        next_step="nothing was changed",
    )
