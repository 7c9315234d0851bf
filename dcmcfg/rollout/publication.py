"""Where the private record of a change is to be shared, and what was shared last: a small file in its folder."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.errors import DcmcfgError
from dcmcfg.files.private import write_private
from dcmcfg.format_number import FileFormat

PUBLICATION_FILE = "shared.json"
PUBLICATION_FORMAT = FileFormat("the state of a shared record", 1)


@dataclass(frozen=True)
class Publication:
    """The shared record of a private record: its folder ``history_dir``, and what was shared last.

    ``digest`` is that of the private state, and ``size`` the size of the shared record in octets; before the record was
    shared, they are empty and -1.
    """

    history_dir: str
    digest: str = ""
    size: int = -1


def format_publication(publication: Publication) -> str:
    """Return the content of the file for *publication*."""
    return json.dumps(PUBLICATION_FORMAT.add_number(vars(publication))) + "\n"


def read_publication(folder: Path) -> Publication | None:
    """Return the publication of the record in *folder*; None if the change is not to be shared.

    Raises :class:`DcmcfgError` if the file cannot be read, and :class:`~dcmcfg.errors.UnknownFormat`.
    """
    path = folder / PUBLICATION_FILE
    try:
        content = PUBLICATION_FORMAT.read_object(json.loads(path.read_text("utf-8")), str(path))
        return Publication(str(content["history_dir"]), str(content["digest"]), int(content["size"]))
    except FileNotFoundError:
        return None
    # In a damaged file, any key may be missing or have a value of another type.
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DcmcfgError(
            "the file that shows whether the change is in the shared history cannot be read", subject=str(path)
        ) from error


def write_publication(folder: Path, publication: Publication) -> None:
    """Write *publication* into the record in *folder*; if the disk is full, the old state remains."""
    new = folder / f".{PUBLICATION_FILE}"
    # Without the new state, the next command only writes the shared record again.
    with suppress(OSError):
        new.unlink(missing_ok=True)
        write_private(new, format_publication(publication))
        new.replace(folder / PUBLICATION_FILE)
