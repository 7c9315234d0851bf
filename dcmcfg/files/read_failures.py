"""Errors for files that cannot be read, each with the next step."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from dcmcfg.errors import DcmcfgError
from dcmcfg.suggestions import suggest_names

#: A folder with more names is not searched for a similar name.
_MAX_NAMES = 1000
#: Higher than for other names, because most files have the same suffix.
_MIN_SIMILARITY = 0.85

_Error = TypeVar("_Error", bound=DcmcfgError)


def build_read_failure(error: OSError, path: Path, error_class: type[_Error], *, name: str = "") -> _Error:
    """Return an error of *error_class* for the file *path*, which could not be read because of *error*.

    Messages call the file *name*, by default its path. For a missing file, the next step names the file with a similar
    name in the same folder, if there is one.
    """
    return error_class(
        f"cannot read the file ({error.strerror})", subject=name or str(path), next_step=_suggest_next_step(error, path)
    )


def _suggest_next_step(error: OSError, path: Path) -> str:
    match error:
        case FileNotFoundError() if not path.parent.is_dir():
            return f"check the path: the folder {path.parent} does not exist"
        case FileNotFoundError():
            return _suggest_similar_file(path) or f"check the path: the folder {path.parent.resolve()} has no such file"
        case PermissionError():
            return "run dcmcfg with an account that can read the file"
        case IsADirectoryError():
            return "specify a file, not a folder"
        case _:
            return ""


def _suggest_similar_file(path: Path) -> str:
    try:
        names = [each.name for each, _ in zip(path.parent.iterdir(), range(_MAX_NAMES + 1), strict=False)]
    except OSError:
        return ""
    if len(names) > _MAX_NAMES:
        return ""
    similar = suggest_names(path.name, names, min_similarity=_MIN_SIMILARITY)
    return f"did you mean {path.with_name(similar[0])}?" if similar else ""
