"""The cache of the AEs that the archive has looked up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from dcmcfg.lab.archive.configuration import NetworkAE
from dcmcfg.lab.archive.java import ConfigurationNotFoundException


@dataclass(frozen=True)
class _Cached:
    ae: NetworkAE | None
    fetched: float


class AECache:
    """Imitates ``ApplicationEntityCache``: an AE, or that there is none, is kept until it is stale.

    Without a stale timeout nothing is fetched again until :meth:`clear`.
    """

    def __init__(self, find: Callable[[str], NetworkAE | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[str, _Cached] = {}
        self.stale_timeout_s: float | None = None

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()

    def find_application_entity(self, title: str) -> NetworkAE:
        """Return the AE; raises :class:`ConfigurationNotFoundException` when it is unknown or not installed.

        A device that does not load because of a dangling reference makes its AEs unknown.
        """
        ae = self._get(title)
        if ae is None:
            raise ConfigurationNotFoundException(f"Unknown AE: {title}")
        if not ae.installed:
            raise ConfigurationNotFoundException(f"AE: {title} not installed")
        return ae

    def _get(self, title: str) -> NetworkAE | None:
        with self._lock:
            kept = self._kept.get(title)
            if kept is None or self._is_stale(kept):
                kept = _Cached(self._fetch(title), self._clock())
                self._kept[title] = kept
            return kept.ae

    def _is_stale(self, kept: _Cached) -> bool:
        return self.stale_timeout_s is not None and self._clock() > kept.fetched + self.stale_timeout_s

    def _fetch(self, title: str) -> NetworkAE | None:
        try:
            return self._find(title)
        except ConfigurationNotFoundException:
            return None
