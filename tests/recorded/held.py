"""Which recordings the stand-in archive is held to, and where it deliberately answers otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from tests.recorded import recordings

HELD = "held to the stand-in"
_QIDO_FILES = ("qido", "qido-spelling", "qido-query")

#: Searches that the stand-in answers otherwise: the name of the recording and the reason.
QIDO_DIFFERENCES: Mapping[str, str] = {
    "accept-xml": "The stand-in writes only DICOM JSON. For XML, it answers 406",
    "studies-csv": "The stand-in writes only DICOM JSON. For CSV, it answers 406",
    "size": "The stand-in has no `studies/size`, so it answers 404",
    "studies-fuzzymatching": "The stand-in has no fuzzy matching, so it answers 204",
}
#: Associations that the stand-in answers otherwise: the beginning of the names of recordings and the reason.
DIMSE_DIFFERENCES: Mapping[str, str] = {
    "archiving-": "The stand-in exports nothing and requests no storage commitment",
    "get-": "The stand-in has no C-GET",
}


def held_searches() -> list[str]:
    """Return the names of the searches that the stand-in must answer as recorded, sorted."""
    return [name for name in _searches() if name not in QIDO_DIFFERENCES]


def file_of(search: str) -> str:
    """Return the file below ``http/`` that has the recording of a search, without its suffix."""
    return next(file for file in _QIDO_FILES if search in recordings.http_names(file))


def held_exchanges() -> list[str]:
    """Return the names of the DIMSE recordings that the stand-in must answer as recorded.

    Those with the same configuration follow each other: a change of it takes a reload.
    """
    names = [name for name in recordings.dimse_names() if difference_of(name) is None]
    return sorted(names, key=lambda name: (_changes_of(name), name))


def _changes_of(name: str) -> list[str]:
    parts = recordings.dimse(name).configured.split(" | ")
    return [part for part in parts if not part.startswith(("device ", "LONGTERM ", "WORKSTATION is "))]


def difference_of(exchange: str) -> str | None:
    """Return why the stand-in answers a DIMSE recording otherwise; None where it must not."""
    return next((why for begin, why in DIMSE_DIFFERENCES.items() if exchange.startswith(begin)), None)


def registry() -> dict[str, str]:
    """Return for the name of each recording of a search or an association :data:`HELD`, or the difference."""
    found = {name: QIDO_DIFFERENCES.get(name, HELD) for name in _searches()}
    return found | {name: difference_of(name) or HELD for name in recordings.dimse_names()}


def _searches() -> list[str]:
    return sorted(name for file in _QIDO_FILES for name in recordings.http_names(file))
