"""The archive's database as something that can be asked; the module that asks it by HTTP takes a while to load."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

from dcmcfg.archive.stored_studies import StoredStudy

#: Seconds in which its port has to answer.
CONNECT_TIMEOUT_S = 3.0
_PORTS = {"http": 80, "https": 443}


class Database(Protocol):
    """Each method raises :class:`~dcmcfg.errors.ArchiveError` where the archive gives no usable answer."""

    @property
    def url(self) -> str:
        """The archive's base URL."""

    def get_study(self, study_uid: str) -> StoredStudy:
        """Return the study with all its instances."""

    def find_purged_studies(
        self, keys: Mapping[str, str], *, max_results: int, max_examined: int
    ) -> tuple[StoredStudy, ...]:
        """Return studies that match *keys*, have no file here and an external archive, the oldest first.

        Stops when *max_results* were found or *max_examined* were looked at; whether there are more is not known. Their
        instances are not asked for.
        """

    def find_studies(self, keys: Mapping[str, str], *, max_results: int) -> tuple[StoredStudy, ...]:
        """Return the studies that match *keys*, each once, at most *max_results*: fewer are all.

        Instances are not asked for. Keys are attributes, or the archive's own: ``ExternalRetrieveAET``, which all
        instances of a study have in common, and ``storageID``. A study of which the instances differ is not found by
        the former.
        """


def explain_unreachable(url: str) -> str:
    """Return why nothing answers at *url*, in words; empty where its port accepts connections."""
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS.get(parts.scheme, 0)
        with socket.create_connection((parts.hostname or "", port), CONNECT_TIMEOUT_S):
            return ""
    except TimeoutError:
        return f"no connection within {CONNECT_TIMEOUT_S:g} s"
    except (OSError, UnicodeError) as error:
        return (getattr(error, "strerror", None) or str(error)).lower()
