"""Read the folders of releases that a user names: each failure has exit code 3, the path, and what to specify."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dcmcfg.errors import DcmcfgError, LdifError, MalformedInput, NotFound
from dcmcfg.files.release import read_release
from dcmcfg.files.release_schema import read_release_schema
from dcmcfg.upgrade.release import Release
from dcmcfg.upgrade.schema.release_schema import ReleaseSchema

_NEXT_STEP = (
    "specify the whole ZIP file of the distribution of a release (dcm4chee-arc-VERSION-….zip), or the folder with its "
    "content"
)


def read_named_release(folder: Path, updates: Sequence[Path] = ()) -> Release:
    """Return the release in *folder*; raises :class:`NotFound` if it is not there, and :class:`DcmcfgError`."""
    with name_folder(folder):
        return read_release(folder, updates)


def read_named_schema(folder: Path) -> ReleaseSchema:
    """Return the schema of the release in *folder*; raises :class:`NotFound` without one, and :class:`DcmcfgError`."""
    with name_folder(folder):
        return read_release_schema(folder)


@contextmanager
def name_folder(folder: Path) -> Iterator[None]:
    """Add *folder* and a next step to the errors of the block about a release."""
    try:
        yield
    except (MalformedInput, LdifError) as error:
        raise DcmcfgError(
            error.message, subject=_locate(folder, error.subject), next_step=_NEXT_STEP, details=error.details
        ) from error
    except NotFound as error:
        raise NotFound(
            error.message,
            subject=_locate(folder, error.subject),
            next_step=error.next_step or _NEXT_STEP,
            details=error.details,
        ) from error


def _locate(folder: Path, subject: str) -> str:
    """Return *subject*, a path in *folder* or below it, as a path that begins with the folder."""
    return subject if subject.startswith(str(folder)) else f"{folder}/{subject}".rstrip("/")
