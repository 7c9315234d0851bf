"""The interface of the archive's database; the HTTP implementation is loaded later, because it takes a while."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

from dcmcfg.archive.stored_studies import StoredStudy

#: Seconds in which the port must answer.
CONNECT_TIMEOUT_S = 3.0
_PORTS = {"http": 80, "https": 443}


class Database(Protocol):
    """Each method raises :class:`~dcmcfg.errors.ArchiveError` if the archive gives no usable response."""

    @property
    def url(self) -> str:
        """The archive's base URL."""

    def get_study(self, study_uid: str) -> StoredStudy:
        """Return the study with all its instances."""

    def find_purged_studies(
        self, keys: Mapping[str, str], *, max_results: int, max_examined: int
    ) -> tuple[StoredStudy, ...]:
        """Return studies that match *keys*, have no local file and an external archive, the oldest first.

        Stops after *max_results* studies, or after *max_examined* are examined; there may be more. Their instances are
        not queried.
        """

    def find_studies(self, keys: Mapping[str, str], *, max_results: int) -> tuple[StoredStudy, ...]:
        """Return the studies that match *keys*, each once, at most *max_results*; fewer are complete.

        Instances are not queried. Keys are attributes, or the archive's own: ``ExternalRetrieveAET``, which all
        instances of a study have in common, and ``storageID``. A study whose instances have different external archives
        is not found by ``ExternalRetrieveAET``.
        """


def explain_unreachable(url: str) -> str:
    """Return why nothing answers at *url*, in words; empty if its port accepts connections."""
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS.get(parts.scheme, 0)
        with socket.create_connection((parts.hostname or "", port), CONNECT_TIMEOUT_S):
            return ""
    except TimeoutError:
        return f"no connection within {CONNECT_TIMEOUT_S:g} s"
    except (OSError, UnicodeError) as error:
        return (getattr(error, "strerror", None) or str(error)).lower()
