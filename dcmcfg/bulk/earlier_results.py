"""Continue with the results from before a change of dcmExternalRetrieveAEDestination.

The value is a parameter of a store, so a run after the change begins with a new store. But a run that repeats only the
failed studies must know the results from before the change.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.store_catalog import StoreInfo, find_stores
from dcmcfg.bulk.store_file import lock_store, require_store
from dcmcfg.errors import DcmcfgError


@dataclass(frozen=True, kw_only=True)
class StoreChoice:
    """The store of a run in ``path``; ``earlier`` is the store to copy to it first, None for no copy."""

    path: Path
    earlier: Path | None = None

    @property
    def readable_path(self) -> Path:
        """The store that has the results before the run."""
        return self.earlier or self.path

    def copy_earlier_results(self) -> None:
        """Copy the earlier store, if any; the copy still has its parameters.

        Raises :class:`~dcmcfg.errors.Refused` if another run uses that store, and :class:`DcmcfgError`.
        """
        if self.earlier is None:
            return
        try:
            with lock_store(self.earlier):
                require_store(self.earlier)
                _copy_store(self.earlier, self.path)
        except (OSError, sqlite3.Error) as error:
            raise DcmcfgError(
                f"cannot copy the result store to {self.path} ({error})",
                subject=str(self.earlier),
                next_step="check the free disk space; or run the same command without --only-failed to begin anew",
            ) from error


def choose_store(path: Path, run_parameters: RunParameters, source: str) -> StoreChoice:
    """Return the store in *path*, or a copy of the last used one in its folder that differs only in the route.

    A store that exists in *path* has priority: its results belong to the present configuration.
    """
    if path.exists():
        return StoreChoice(path=path)
    earlier = select_earlier_store(find_stores(path.parent), run_parameters, source)
    return StoreChoice(path=path, earlier=earlier.path if earlier else None)


def select_earlier_store(stores: Iterable[StoreInfo], run_parameters: RunParameters, source: str) -> StoreInfo | None:
    """Return the last used of *stores* with results of *source* whose parameters differ only in the route."""
    matching = (
        each
        for each in stores
        if each.finished_count
        and each.source_name == source
        and each.run_parameters.differs_only_in_route(run_parameters)
    )
    return max(matching, key=lambda each: each.last_used, default=None)


def _copy_store(source: Path, target: Path) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        # Unlike a copy of the file, a backup contains the write-ahead log.
        with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(temporary)) as copy:
            original.backup(copy)
        os.link(temporary, target)  # fails if the file was created in the meantime
    finally:
        temporary.unlink()
